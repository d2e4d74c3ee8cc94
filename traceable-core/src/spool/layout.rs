//! What the files of a spool are called, and what stands in `meta`.

use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::settings::Settings;
use crate::{delivery::Identity, redact::Written};

/// The lock of a directory, held by whoever writes or adopts it.
pub(super) const LOCK: &str = "lock";
/// What wrote a directory.
pub(super) const META: &str = "meta";
/// Copies of damaged segments.
pub(super) const BAD: &str = "bad";
/// Bytes of a `meta`, at most.
const MAX_META: u64 = 1 << 20;
const META_VERSION: u32 = 1;

/// The folder of all spools of a home.
pub(super) fn spools(home: &Path) -> PathBuf {
    home.join("spool")
}

/// A name for the directory of this process: sorted by start, and like no other.
pub(super) fn directory_name(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let pid = std::process::id();
    // Without the system's randomness two spools of one process and second are still told apart.
    let random = getrandom::u32().unwrap_or_else(|_| crate::clock::ticks() as u32);
    format!("{seconds:010}-{pid}-{random:08x}")
}

/// The file of a segment; its number is the sequence number of its first record.
pub(super) fn segment_name(number: u64) -> String {
    format!("seg-{number:020}")
}

fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("seg-")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The numbers of the segments in a directory, in order. None when the directory is not there.
pub(super) fn segments(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<u64>> {
    let names = match disk.names(dir) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// What the files of a backend are named after: its name for people, and a hash of all that makes it this one.
pub(super) fn label(identity: &Identity) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name: String = identity.name.chars().filter(is_plain).take(32).collect();
    let all = [identity.name.as_str(), &identity.endpoint, &identity.project].join("\0");
    format!("{name}-{:016x}", xxhash_rust::xxh3::xxh3_64(all.as_bytes()))
}

/// What wrote a directory, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Meta {
    /// The version of the layout.
    pub version: u32,
    /// The process.
    pub pid: u32,
    /// When it began to write, in nanoseconds since the epoch.
    pub start: i64,
    /// The program.
    pub executable: String,
    /// The backends that everything is meant for.
    pub destinations: Vec<Identity>,
    /// What is replaced by marks for each of them when it is sent, in the same order. Missing ones replace nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactions: Vec<Vec<Written>>,
}

impl Meta {
    pub(super) fn new(now: SystemTime, settings: &Settings) -> Self {
        Self {
            version: META_VERSION,
            pid: std::process::id(),
            start: nanos(now),
            executable: settings.executable.clone(),
            destinations: settings.destinations.clone(),
            redactions: settings.redactions.clone(),
        }
    }

    /// Which of the backends this is.
    pub(super) fn place(&self, identity: &Identity) -> Option<usize> {
        self.destinations.iter().position(|known| known == identity)
    }

    /// What is replaced by marks for a backend when it is sent.
    pub(crate) fn redactions(&self, identity: &Identity) -> &[Written] {
        self.place(identity).and_then(|at| self.redactions.get(at)).map_or(&[], Vec::as_slice)
    }

    /// What stands in a directory.
    ///
    /// # Errors
    ///
    /// When it is not there, damaged, or of a later version.
    pub fn read(disk: &dyn Disk, dir: &Path) -> io::Result<Self> {
        let bytes = disk.open(&dir.join(META))?.read_all(MAX_META)?;
        let meta: Self = serde_json::from_slice(&bytes)?;
        if meta.version == META_VERSION { Ok(meta) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    pub(super) fn write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        disk.replace(&dir.join(META), &serde_json::to_vec(self)?)
    }
}

/// Nanoseconds since the epoch.
pub(super) fn nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_numbers_and_strangers_are_no_segments() {
        assert_eq!(segment_number(&segment_name(7)), Some(7));
        assert_eq!(segment_number(&segment_name(u64::MAX)), Some(u64::MAX));
        assert!(segment_name(9) < segment_name(10));
        for stranger in
            ["seg-7", "seg-0000000000000000000x", "seg-99999999999999999999", "lock", "seg-+0000000000000000007"]
        {
            assert_eq!(segment_number(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_label_is_a_file_name_and_tells_backends_apart() {
        let label_of = |name: &str, endpoint: &str, project: &str| label(&Identity::new(name, endpoint, project));
        assert_ne!(label_of("a", "bc", "d"), label_of("a", "b", "cd"));
        assert_eq!(label_of("a", "b", "c"), label_of("a", "b", "c"));
        let hostile = label_of("../../x y", "https://example.com/", "");
        assert!(hostile.starts_with("xy-") && !hostile.contains(['/', '.']), "{hostile}");
    }
}
