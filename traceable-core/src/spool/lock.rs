//! A lock of this process that the child of a fork does not share.
//!
//! The system's lock belongs to the open file, and a fork leaves parent and child with the same one. The child must not
//! release it, so nothing here unlocks: closing one of two descriptors leaves the lock. And the child must not keep it
//! when the parent has died, or nobody could adopt what the parent left until the child, which may never trace, ends too.
//! So every held descriptor stands in a table of atomics, and the child closes them all before `fork` returns to it.
//! Programs that are started by `exec` inherit nothing, for the descriptors are closed there by the system.

use std::{
    fs::File,
    sync::{
        Once,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

/// Held descriptors, each below a number of its own so that a place is told from its next use; 0 where there is none.
/// A lock that finds no place is held all the same, but shared with children.
static PLACES: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A locked file.
#[derive(Debug)]
pub(super) struct Held {
    file: Option<File>,
    /// Where it stands in the table, and what stands there.
    place: Option<(usize, u64)>,
}

impl Held {
    pub(super) fn new(file: File) -> Self {
        let place = descriptor(&file).and_then(|descriptor| {
            close_in_children();
            let entry = (u64::from(NEXT.fetch_add(1, Ordering::Relaxed) | 1 << 31) << 32) | u64::from(descriptor);
            let take =
                |place: &AtomicU64| place.compare_exchange(0, entry, Ordering::SeqCst, Ordering::Relaxed).is_ok();
            PLACES.iter().position(take).map(|at| (at, entry))
        });
        Self { file: Some(file), place }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_ours = self.place.is_none_or(|(at, entry)| {
            PLACES[at].compare_exchange(entry, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok()
        });
        // In the child of a fork the descriptor is closed already, and may be another file's by now.
        if !is_ours {
            std::mem::forget(self.file.take());
        }
    }
}

#[cfg(unix)]
fn descriptor(file: &File) -> Option<u32> {
    u32::try_from(std::os::fd::AsRawFd::as_raw_fd(file)).ok()
}

/// There is no `fork` here.
#[cfg(not(unix))]
fn descriptor(_file: &File) -> Option<u32> {
    None
}

fn close_in_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(unix)]
        crate::sys::at_fork_close(&PLACES);
    });
}
