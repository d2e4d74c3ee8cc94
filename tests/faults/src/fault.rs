//! What can be wrong with a backend, and the words for it on the command line.

use std::{fmt, str::FromStr, time::Duration};

/// What an endpoint does to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing is wrong.
    #[default]
    Well,
    /// Connections are refused, and those that were open are cut.
    Down,
    /// Every answer has this code.
    Status(u16),
    /// 429, with so many seconds to wait.
    Busy(u64),
    /// 400 for a body that holds a marked run.
    Poison,
    /// Requests are taken and never answered.
    Hang,
    /// Answers come so much later.
    Slow(Duration),
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body is kept, and the connection cut before an answer.
    Lost,
    /// So many of a hundred requests fail, with 500, 503 or a reset.
    Random(u64),
    /// 413 for bodies of more bytes than this, decoded.
    Limit(usize),
    /// 307 to another address, which nobody is to follow.
    Redirect,
    /// The body is kept, and the answer is 512 MiB long.
    Huge,
    /// The body is kept, and the answer is 1 MiB of gzip that becomes 1 GiB.
    Bomb,
    /// The body is kept, and the answer comes a byte a second.
    Trickle,
    /// The body is dropped, and the answer is no HTTP.
    Garbage,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("well"),
            Self::Down => f.write_str("down"),
            Self::Status(code) => write!(f, "status {code}"),
            Self::Busy(seconds) => write!(f, "busy {seconds}"),
            Self::Poison => f.write_str("poison"),
            Self::Hang => f.write_str("hang"),
            Self::Slow(by) => write!(f, "slow {}", by.as_millis()),
            Self::Reset => f.write_str("reset"),
            Self::Lost => f.write_str("lost"),
            Self::Random(percent) => write!(f, "random {percent}"),
            Self::Limit(bytes) => write!(f, "limit {bytes}"),
            Self::Redirect => f.write_str("redirect"),
            Self::Huge => f.write_str("huge"),
            Self::Bomb => f.write_str("bomb"),
            Self::Trickle => f.write_str("trickle"),
            Self::Garbage => f.write_str("garbage"),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, number) = text.split_once(' ').unwrap_or((text, ""));
        let wrong = || format!("{text:?} is no fault");
        let number = || number.parse::<u64>().map_err(|_| wrong());
        Ok(match word {
            "status" => Self::Status(u16::try_from(number()?).map_err(|_| wrong())?),
            "busy" => Self::Busy(number()?),
            "slow" => Self::Slow(Duration::from_millis(number()?)),
            "random" => Self::Random(number()?),
            "limit" => Self::Limit(usize::try_from(number()?).map_err(|_| wrong())?),
            _ => match text {
                "well" => Self::Well,
                "down" => Self::Down,
                "poison" => Self::Poison,
                "hang" => Self::Hang,
                "reset" => Self::Reset,
                "lost" => Self::Lost,
                "redirect" => Self::Redirect,
                "huge" => Self::Huge,
                "bomb" => Self::Bomb,
                "trickle" => Self::Trickle,
                "garbage" => Self::Garbage,
                _ => return Err(wrong()),
            },
        })
    }
}
