//! How the spool is used, as the builder and the environment say it.

use std::{path::PathBuf, time::Duration};

use crate::spool::{Durability, Settings};

/// When a run counts as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpoolMode {
    /// Within 20 ms of its end, or when a flush returned. A process that is killed sooner loses it; one that returns,
    /// exits or panics does not.
    #[default]
    Background,
    /// When the traced call returns, which costs it a hand-over to the writing thread.
    Inline,
}

/// What the builder was told of the spool.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    /// Whether runs are kept for whoever looks at this machine, also where no backend is named.
    pub(crate) is_local: bool,
    pub(crate) mode: SpoolMode,
    pub(crate) home: Option<PathBuf>,
    pub(crate) durability: Durability,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) keep: Option<Duration>,
    pub(crate) keep_bytes: Option<u64>,
}

impl Wishes {
    /// Takes them over.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        if let Some(home) = &self.home {
            settings.home = Some(home.clone());
        }
        settings.durability = self.durability;
        settings.max_bytes = self.max_bytes.unwrap_or(settings.max_bytes);
        settings.keep = self.keep.unwrap_or(settings.keep);
        settings.keep_bytes = self.keep_bytes.unwrap_or(settings.keep_bytes);
    }
}

pub(crate) fn parse_mode(text: &str) -> Option<SpoolMode> {
    match text {
        "background" => Some(SpoolMode::Background),
        "inline" => Some(SpoolMode::Inline),
        _ => None,
    }
}

pub(crate) fn parse_durability(text: &str) -> Option<Durability> {
    match text.split_once(':') {
        None if text == "process" => Some(Durability::Process),
        None if text == "every" => Some(Durability::Every),
        None if text == "periodic" => Some(Durability::default()),
        Some(("periodic", millis)) => {
            millis.parse().ok().map(|millis| Durability::Periodic(Duration::from_millis(millis)))
        }
        _ => None,
    }
}

/// A number and `s`, `m`, `h` or `d`.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A number of bytes, or with `KiB`, `MiB` or `GiB` behind it.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(parse_time("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(parse_time("90 s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_time("90"), None);
        assert_eq!(parse_bytes("256MiB"), Some(256 << 20));
        assert_eq!(parse_bytes("1000"), Some(1_000));
        assert_eq!(parse_bytes("99999999999GiB"), None);
        assert_eq!(parse_bytes("-1"), None);
    }

    #[test]
    fn durability_has_three_forms() {
        assert_eq!(parse_durability("process"), Some(Durability::Process));
        assert_eq!(parse_durability("periodic"), Some(Durability::default()));
        assert_eq!(parse_durability("periodic:50"), Some(Durability::Periodic(Duration::from_millis(50))));
        assert_eq!(parse_durability("every"), Some(Durability::Every));
        assert_eq!(parse_durability("never"), None);
    }
}
