//! Records of several logs on their way from the logs to the assembly: they wait here until they can be taken in the
//! order in which they happened.

use std::ops::Range;

use crate::record;

/// Bytes of records that are copied before what they say is taken.
const COPY_BYTES: usize = 256 << 10;

/// Records that were copied and not taken yet.
#[derive(Default)]
pub(super) struct Copied {
    bytes: Vec<u8>,
    records: Vec<Copy>,
}

struct Copy {
    /// When it happened, by the clock of its trace; what says no time happened when the one before it did.
    time: i64,
    log: usize,
    place: Range<usize>,
    /// Whether it was read when all logs were read for the first time in this pass.
    is_first: bool,
}

impl Copied {
    /// Copies a record that was read in the log of this number.
    pub(super) fn push(&mut self, log: usize, record: &[u8], is_first: bool) {
        let before = self.records.last().filter(|before| before.log == log).map_or(0, |before| before.time);
        self.keep(record::time(record).unwrap_or(before), log, record, is_first);
    }

    fn keep(&mut self, time: i64, log: usize, record: &[u8], is_first: bool) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.records.push(Copy { time, log, place: from..self.bytes.len(), is_first });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether there is more than should wait.
    pub(super) fn is_burst(&self) -> bool {
        self.bytes.len() > COPY_BYTES
    }

    /// Puts the records in the order in which they happened, and answers how many may be taken: all of those that were
    /// read first. What caused them was written before them, so it was read at the latest when the logs were read again;
    /// what caused the others may not have been read yet.
    pub(super) fn settle(&mut self) -> usize {
        self.records.sort_by_key(|record| record.time);
        self.records.iter().rposition(|record| record.is_first).map_or(0, |last| last + 1)
    }

    /// Gives the first of the records to `take`, with the numbers of their logs. The others are among the first of the
    /// next pass.
    pub(super) fn take(&mut self, count: usize, mut take: impl FnMut(usize, &[u8])) {
        let Self { mut bytes, mut records } = std::mem::take(self);
        let count = count.min(records.len());
        for Copy { log, place, .. } in records.drain(..count) {
            take(log, &bytes[place]);
        }
        for Copy { time, log, place, .. } in records.drain(..) {
            self.keep(time, log, &bytes[place], true);
        }
        // The buffer is used again, but not at the size that one great record has given it.
        if self.is_empty() && bytes.capacity() <= 2 * COPY_BYTES {
            bytes.clear();
            self.bytes = bytes;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        model::Status,
        record::{Key, Record},
    };

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn end(key: Key, time: i64) -> Vec<u8> {
        bytes(&record::end_head(key, time, Status::Ok, &[]))
    }

    /// Says no time.
    fn retain(key: Key) -> Vec<u8> {
        bytes(&record::retain_head(key))
    }

    /// The keys of the records that are taken, with their logs.
    fn taken(copied: &mut Copied, count: usize) -> Vec<(usize, Key)> {
        let mut seen = Vec::new();
        copied.take(count, |log, bytes| match record::parse(bytes).unwrap() {
            Record::End { key, .. } | Record::Retain { key } => seen.push((log, key)),
            _ => unreachable!("only these are written"),
        });
        seen
    }

    #[test]
    fn records_of_several_logs_come_in_the_order_of_their_times() {
        let mut copied = Copied::default();
        copied.push(1, &end(11, 30), true);
        copied.push(1, &end(12, 50), true);
        copied.push(2, &end(21, 20), true);
        copied.push(2, &end(22, 40), true);
        let settled = copied.settle();
        assert_eq!(taken(&mut copied, settled), [(2, 21), (1, 11), (2, 22), (1, 12)]);
        assert!(copied.is_empty());
    }

    #[test]
    fn what_says_no_time_stays_behind_what_stands_before_it_in_its_log() {
        let mut copied = Copied::default();
        copied.push(1, &end(11, 30), true);
        copied.push(1, &retain(12), true);
        copied.push(1, &retain(13), true);
        copied.push(2, &end(21, 30), true);
        copied.push(2, &end(22, 10), true);
        // The first of a log: whatever it speaks of was written elsewhere before, or has been taken.
        copied.push(3, &retain(31), true);
        let settled = copied.settle();
        assert_eq!(taken(&mut copied, settled), [(3, 31), (2, 22), (1, 11), (1, 12), (1, 13), (2, 21)]);
    }

    #[test]
    fn what_was_read_again_waits_unless_something_first_came_after_it() {
        let mut copied = Copied::default();
        copied.push(1, &end(11, 30), true);
        copied.push(1, &end(12, 20), false);
        copied.push(2, &end(21, 50), false);
        copied.push(2, &end(22, 40), false);
        assert_eq!(copied.settle(), 2);
        assert_eq!(taken(&mut copied, 2), [(1, 12), (1, 11)]);
        assert!(!copied.is_empty());

        // In the next pass they are the first, and what is older than they are goes before them.
        copied.push(3, &end(31, 45), true);
        copied.push(3, &end(32, 60), false);
        assert_eq!(copied.settle(), 3);
        assert_eq!(taken(&mut copied, 3), [(2, 22), (3, 31), (2, 21)]);
        assert_eq!(copied.settle(), 1);
        assert_eq!(taken(&mut copied, 1), [(3, 32)]);
        assert!(copied.is_empty());
        assert_eq!(copied.settle(), 0);
    }

    #[test]
    fn a_burst_is_taken_as_it_was_read_and_leaves_no_great_buffer() {
        let mut copied = Copied::default();
        let great = |key, time| {
            let body = vec![0; COPY_BYTES];
            [bytes(&record::end_head(key, time, Status::Ok, &body)), body].concat()
        };
        copied.push(1, &end(11, 30), true);
        assert!(!copied.is_burst());
        copied.push(1, &great(12, 20), true);
        assert!(copied.is_burst());
        copied.push(1, &great(13, 10), false);
        copied.push(1, &great(14, 5), false);
        assert_eq!(taken(&mut copied, usize::MAX), [(1, 11), (1, 12), (1, 13), (1, 14)]);
        assert!(copied.is_empty() && !copied.is_burst());
        assert!(copied.bytes.capacity() <= 2 * COPY_BYTES);
    }
}
