//! An open run as its thread or future holds it.

use crate::{clock, model::RunId, origin, record::Key, runtime};

/// An open run, or a place where runs may begin. Plain data; a future keeps one between two polls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frame {
    /// 0 where there is no run.
    pub(crate) key: Key,
    /// Start in nanoseconds since the epoch.
    pub(crate) start: i64,
    /// Start in ticks.
    pub(crate) ticks: u64,
    pub(crate) root_key: Key,
    pub(crate) root_start: i64,
    /// The lower half of the parent's key; 0 for a root.
    pub(crate) parent: u32,
    pub(crate) client: u16,
    pub(crate) flags: u8,
    /// Runs from the root of this process to this one. 0 where there is no run, and for a run of another process.
    pub(crate) depth: u8,
}

/// The run and all below it are not recorded, because the sample left them out or they were switched off.
pub(crate) const MUTED: u8 = 1;
/// An async function's first poll has begun; its body is about to open the run.
pub(crate) const OPENING: u8 = 2;
/// The run has already said what went wrong.
pub(crate) const FAILED: u8 = 4;
/// The adapter has not been polled yet.
pub(crate) const FRESH: u8 = 8;
/// On a stack: the guard that put this here was dropped while others stood above.
pub(crate) const GONE: u8 = FRESH;
/// Raw chunks were asked for.
pub(crate) const RAW_CHUNKS: u8 = 16;
/// A scope says something of the runs that begin here: see [`crate::scope::Carried`].
pub(crate) const SCOPE: u8 = 32;
/// The ids of the run or of its trace are not made of keys alone: see [`origin`].
pub(crate) const FOREIGN: u8 = 64;
/// The trace is only kept if one of its runs fails.
pub(crate) const TENTATIVE: u8 = 128;

impl Frame {
    pub(crate) const NONE: Self =
        Self { key: 0, start: 0, ticks: 0, root_key: 0, root_start: 0, parent: 0, client: 0, flags: 0, depth: 0 };

    #[inline]
    pub(crate) fn root(key: Key, ticks: u64, start: i64, client: u16) -> Self {
        Self { key, start, ticks, root_key: key, root_start: start, parent: 0, client, flags: 0, depth: 1 }
    }

    /// A run below this one.
    #[inline]
    pub(crate) fn child(&self, key: Key, ticks: u64) -> Self {
        Self {
            key,
            start: self.start + clock::nanos_between(self.ticks, ticks),
            ticks,
            parent: self.key as u32,
            flags: self.flags & (FOREIGN | TENTATIVE),
            depth: self.depth.saturating_add(1),
            ..*self
        }
    }

    pub(crate) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8) {
        self.flags |= flag;
    }

    /// Whether runs that begin here are written down as children of something.
    pub(crate) fn is_recorded(&self) -> bool {
        self.key != 0 && !self.is(MUTED)
    }

    /// Whether this is a run of this process that is written down.
    pub(crate) fn is_run(&self) -> bool {
        self.depth != 0 && self.is_recorded()
    }

    /// Whether the way down to this run cannot be told from the frame alone: it knows itself and the root.
    pub(crate) fn has_far_root(&self) -> bool {
        self.depth > if self.is(FOREIGN) { 1 } else { 2 }
    }

    /// Starts and keys from the first run of this process to this one, where the frame alone knows them.
    pub(crate) fn short_lineage(&self) -> Vec<(i64, Key)> {
        let of_root = (self.depth > 1 && !self.is(FOREIGN)).then_some((self.root_start, self.root_key));
        of_root.into_iter().chain([(self.start, self.key)]).collect()
    }

    /// The run's id. `None` when that is not known any more: see [`origin`].
    pub(crate) fn id(&self) -> Option<RunId> {
        if self.is(FOREIGN) { origin::id_of(self) } else { Some(runtime::run_id(self.start, self.key)) }
    }

    /// The trace's id, as [`Frame::id`].
    pub(crate) fn trace_id(&self) -> Option<RunId> {
        if self.is(FOREIGN) { origin::trace_of(self) } else { Some(runtime::run_id(self.root_start, self.root_key)) }
    }

    /// Now, by the clock of this run's trace.
    #[inline]
    pub(crate) fn now(&self) -> i64 {
        self.start + clock::nanos_between(self.ticks, clock::ticks())
    }
}
