//! What waits in memory while nothing can be written, and how far what is written goes.

use std::{collections::VecDeque, sync::Arc};

use super::record::{self, Encoded};

/// A record that could not be written yet.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) head: Encoded,
    /// With its header.
    pub(super) bytes: Arc<[u8]>,
}

impl Waiting {
    /// The change, and the backends that it is not for.
    pub(super) fn parts(&self) -> (&[u8], u32) {
        record::parts(&self.bytes)
    }
}

/// See the module. Records in it come after all that are written.
#[derive(Debug, Default)]
pub(super) struct Ring {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The last record that was written to a segment.
    written: u64,
}

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last record that was written to a segment.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Keeps a record. Answers those that had to go for it.
    pub(super) fn push(&mut self, waiting: Waiting, max_bytes: usize) -> Vec<Waiting> {
        self.bytes += waiting.bytes.len();
        self.waiting.push_back(waiting);
        let mut gone = Vec::new();
        while self.bytes > max_bytes
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.bytes.len();
            gone.push(oldest);
        }
        gone
    }

    /// The oldest records, of about this many bytes.
    pub(super) fn oldest(&self, bytes: usize) -> Vec<Waiting> {
        let mut taken = 0;
        let is_room = |waiting: &&Waiting| {
            let is_room = taken < bytes;
            taken += waiting.bytes.len();
            is_room
        };
        self.waiting.iter().take_while(is_room).cloned().collect()
    }

    /// Everything up to here is written.
    pub(super) fn set_written(&mut self, sequence: u64) {
        self.written = self.written.max(sequence);
        while let Some(oldest) = self.waiting.front()
            && oldest.head.sequence <= sequence
        {
            self.bytes -= oldest.bytes.len();
            self.waiting.pop_front();
        }
    }

    /// The first record behind this one.
    pub(super) fn after(&self, sequence: u64) -> Option<&Waiting> {
        let at = self.waiting.partition_point(|waiting| waiting.head.sequence <= sequence);
        self.waiting.get(at)
    }

    /// The record with this number.
    pub(super) fn get(&self, sequence: u64) -> Option<&Waiting> {
        let at = self.waiting.partition_point(|waiting| waiting.head.sequence < sequence);
        self.waiting.get(at).filter(|waiting| waiting.head.sequence == sequence)
    }
}
