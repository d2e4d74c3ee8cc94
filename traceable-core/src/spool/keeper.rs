//! What stays of the files and what goes: all that nobody holds, and the spool's own.

use super::shared::Shared;

/// What is left.
pub(super) struct Kept {
    /// Bytes of segments.
    pub(super) bytes: u64,
    /// How many there may be.
    pub(super) limit: u64,
    /// There is too little room to go on writing.
    pub(super) is_disk_full: bool,
}

/// Removes what may go. `open` is the segment that is being written. `None` where there are no files.
pub(super) fn keep(_shared: &Shared, _open: Option<u64>) -> Option<Kept> {
    None
}
