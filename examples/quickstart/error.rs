//! What can go wrong, where, and what to do about it.

use std::{error, fmt, io};

/// An error of the program. Its text is for the user, and is what the failed runs show.
#[derive(Debug)]
pub enum Error {
    /// An argument that there is not.
    Argument(String),
    /// The endpoint's address is none.
    Address { url: String, cause: String },
    /// No answer, or none that could be read.
    Http { url: String, source: reqwest::Error },
    /// The endpoint answered with an error.
    Refused { url: String, status: u16, message: String },
    /// An event of the stream that is none.
    Event { url: String, source: serde_json::Error },
    /// The stream ended before the answer did.
    CutOff { url: String },
    /// The answer could not be printed, or the scripted model not be started.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(flag) => write!(f, "there is no option {flag}: try --help"),
            Self::Address { url, cause } => write!(f, "{url} is no address ({cause}): set OPENAI_BASE_URL to one"),
            Self::Http { url, source } if source.is_timeout() => {
                write!(f, "the model at {url} did not answer in time: try again, or another OPENAI_BASE_URL")
            }
            Self::Http { url, source } if source.is_decode() => {
                write!(f, "the answer of {url} is no chat completion ({}): check OPENAI_BASE_URL", root_cause(source))
            }
            Self::Http { url, source } => {
                write!(
                    f,
                    "cannot reach the model at {url} ({}): is it running? Check OPENAI_BASE_URL",
                    root_cause(source)
                )
            }
            Self::Refused { url, status, message } => {
                let advice = match status {
                    401 | 403 => "check OPENAI_API_KEY",
                    404 => "check OPENAI_MODEL and OPENAI_BASE_URL",
                    429 => "wait, or check the quota of your key",
                    _ => "see what it says",
                };
                write!(f, "{url} answered {status} ({message}): {advice}")
            }
            Self::Event { url, source } => write!(f, "the stream of {url} holds an event that is no chunk ({source})"),
            Self::CutOff { url } => write!(f, "the stream of {url} ended in the middle of the answer: try again"),
            Self::Io(source) => source.fmt(f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Http { source, .. } => Some(source),
            Self::Event { source, .. } => Some(source),
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

/// The error below all others: of a failed connection, the operating system's.
fn root_cause<'a>(mut error: &'a (dyn error::Error + 'static)) -> &'a (dyn error::Error + 'static) {
    while let Some(below) = error.source() {
        error = below;
    }
    error
}
