//! What was recorded and what was dropped, by reason. Nothing is dropped without being counted here.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Why something was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A run, because the queue was full at its start.
    QueueFull,
    /// A run's output, because the queue was full at its end.
    OutputQueueFull,
    /// A chunk of a stream, because the queue was full.
    ChunkQueueFull,
    /// Something said of an open run, because the queue was full.
    NoteQueueFull,
    /// A score, or another record that is no run, because the queue was full.
    SaidQueueFull,
    /// An attachment, because too many bytes of others waited.
    AttachmentFull,
    /// A run of a trace that waited for a failure, because there was no more room to wait.
    HeldFull,
    /// Something said of a run that had ended long before.
    AfterEnd,
    /// The end of a run whose start never came.
    NoStart,
    /// A change that a backend refused for good.
    Refused,
    /// A change that was still not delivered when the process ended.
    Undelivered,
    /// The longest texts or the files of a change, because no backend takes it whole.
    Truncated,
}

const REASONS: [(&str, Reason); 12] = [
    ("queue_full", Reason::QueueFull),
    ("output_queue_full", Reason::OutputQueueFull),
    ("chunk_queue_full", Reason::ChunkQueueFull),
    ("note_queue_full", Reason::NoteQueueFull),
    ("record_queue_full", Reason::SaidQueueFull),
    ("attachment_full", Reason::AttachmentFull),
    ("held_full", Reason::HeldFull),
    ("after_end", Reason::AfterEnd),
    ("no_start", Reason::NoStart),
    ("refused", Reason::Refused),
    ("undelivered", Reason::Undelivered),
    ("truncated", Reason::Truncated),
];

static DROPPED: [AtomicU64; REASONS.len()] = [const { AtomicU64::new(0) }; REASONS.len()];
static STARTED: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
static DELIVERED: AtomicU64 = AtomicU64::new(0);
static FILTERED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn dropped(reason: Reason) {
    dropped_many(reason, 1);
}

pub(crate) fn dropped_many(reason: Reason, count: u64) {
    DROPPED[reason as usize].fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn taken(started: u64, ended: u64) {
    STARTED.fetch_add(started, Ordering::Relaxed);
    ENDED.fetch_add(ended, Ordering::Relaxed);
}

pub(crate) fn delivered(changes: u64) {
    DELIVERED.fetch_add(changes, Ordering::Relaxed);
}

pub(crate) fn filtered(destinations: u64) {
    FILTERED.fetch_add(destinations, Ordering::Relaxed);
}

/// What this process has recorded so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Runs that the writer has seen begin.
    pub started: u64,
    /// Runs that the writer has seen end.
    pub ended: u64,
    /// Changes that backends have taken, counted once a backend.
    pub delivered: u64,
    /// Runs that destinations are not given because of their filters, counted once a destination. They are no loss.
    pub filtered: u64,
    /// What was not recorded or not delivered, by reason. Reasons that never happened are left out.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Bytes between the application's threads and the writer.
    pub queued_bytes: usize,
}

pub(crate) fn snapshot(queued_bytes: usize, dropped: BTreeMap<&'static str, u64>) -> Stats {
    Stats {
        started: STARTED.load(Ordering::Relaxed),
        ended: ENDED.load(Ordering::Relaxed),
        delivered: DELIVERED.load(Ordering::Relaxed),
        filtered: FILTERED.load(Ordering::Relaxed),
        dropped,
        queued_bytes,
    }
}

/// Counts above zero, by reason.
pub(crate) fn drops() -> BTreeMap<&'static str, u64> {
    let counts = REASONS.iter().map(|&(name, reason)| (name, DROPPED[reason as usize].load(Ordering::Relaxed)));
    counts.filter(|&(_, count)| count > 0).collect()
}
