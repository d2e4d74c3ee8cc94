//! What a spool is told at its start.

use std::{path::PathBuf, time::Duration};

use crate::{delivery::Identity, redact::Written};

/// When what was appended is forced to the disk. A process that is killed loses nothing in any case; this is about the
/// machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Never: what the system had not written when the machine stopped is gone.
    Process,
    /// At most this long after it was appended.
    Periodic(Duration),
    /// Before an append returns.
    Every,
}

impl Default for Durability {
    /// 500 ms.
    fn default() -> Self {
        Self::Periodic(Duration::from_millis(500))
    }
}

/// How a spool is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The folder that holds the library's files: see [`data_home`](super::data_home). Without one, changes wait in
    /// memory.
    pub home: Option<PathBuf>,
    /// The backends that everything is meant for.
    pub destinations: Vec<Identity>,
    /// What each of them replaces by marks when it is sent, in the same order. Missing ones replace nothing.
    pub redactions: Vec<Vec<Written>>,
    /// Which program this is: what it leaves behind is sent by the same program only.
    pub executable: String,
    /// When what was appended is forced to the disk.
    pub durability: Durability,
    /// Bytes of files, together with those that processes left behind; never more than a tenth of what was
    /// free when most was.
    pub max_bytes: u64,
    /// Bytes of the disk that are left free.
    pub keep_free: u64,
    /// What no backend has taken after this time is dropped.
    pub max_age: Duration,
    /// How long everything is kept for readers of this machine after all backends have it.
    pub keep: Duration,
    /// How many bytes of it.
    pub keep_bytes: u64,
    /// Bytes that wait in memory while nothing can be written.
    pub memory_bytes: usize,
    /// Bytes after which a new file is begun.
    pub segment_bytes: u64,
}

impl Settings {
    /// In this folder, for these backends, and otherwise: 1 GiB at most, 200 MB left free, 7 days; 24 hours or 256 MiB
    /// kept; 64 MiB in memory.
    pub fn new(home: Option<PathBuf>, destinations: Vec<Identity>) -> Self {
        Self {
            home,
            destinations,
            redactions: Vec::new(),
            executable: executable(),
            durability: Durability::default(),
            max_bytes: 1 << 30,
            keep_free: 200_000_000,
            max_age: Duration::from_secs(7 * 24 * 3600),
            keep: Duration::from_secs(24 * 3600),
            keep_bytes: 256 << 20,
            memory_bytes: 64 << 20,
            segment_bytes: 8 << 20,
        }
    }
}

/// The path of the running program: a newer build in the same place is the same program.
fn executable() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let text = path.to_string_lossy();
    // So Linux names a file that was replaced while it ran.
    text.strip_suffix(" (deleted)").unwrap_or(&text).to_owned()
}
