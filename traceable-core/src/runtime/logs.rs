//! The logs of all threads, read as one: record by record, in the order in which they happened.
//!
//! Logs are looked at one after the other, so what is seen in one may have been caused by what was written to another when
//! that had been looked at already. So the ends of all logs are noted, and noted again, and what lies before the first
//! ends is taken, with all that happened before it: what caused it was written before it, and so lies before the second
//! ends. Nothing is copied for that but the block that each log is read in.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

use super::lock;
use crate::{
    log::{BLOCK_BYTES, Consumer},
    record,
};

/// Bytes that a log's buffer may keep between two passes.
const BUFFER_BYTES: usize = 8 * BLOCK_BYTES;

/// The logs of all threads.
#[derive(Default)]
pub(super) struct Logs {
    logs: Vec<Log>,
    seen: usize,
}

struct Log {
    number: usize,
    words: Consumer,
    is_closed: bool,
    /// How far the log was written when it was looked at for the first time in this pass, in words.
    first: u64,
    /// The same for the second time.
    end: u64,
    /// What was loaded.
    bytes: Vec<u8>,
    /// How much of it was looked at for whole records.
    framed: usize,
    /// The whole records in it that are not taken yet, the next one last.
    records: Vec<Loaded>,
    /// The time of the last of them.
    time: i64,
}

/// A record that was loaded.
struct Loaded {
    /// When it happened, by the clock of its trace; what says no time happened when the one before it did. No later than
    /// what lies behind it: clocks of traces may differ, and a record of one must not hold up those of others.
    time: i64,
    place: Range<usize>,
    /// Where it ends in its log, in words.
    end: u64,
}

impl Logs {
    /// Begins a pass: notes how far all logs are written. Answers whether there is anything.
    pub(super) fn look(&mut self, fresh: &std::sync::Mutex<Vec<Consumer>>) -> bool {
        self.adopt(fresh);
        for log in &mut self.logs {
            log.first = log.words.end();
        }
        self.adopt(fresh);
        for log in &mut self.logs {
            log.is_closed = log.words.is_closed();
            log.end = log.words.end();
            log.load();
        }
        self.logs.iter().any(|log| !log.records.is_empty())
    }

    /// Ends the pass: gives all records to `take` that were written before it began, and maybe more, with the numbers of
    /// their logs.
    pub(super) fn read(&mut self, take: impl FnMut(usize, &[u8])) {
        self.take(take);
        for log in &mut self.logs {
            log.rest();
        }
        for log in self.logs.extract_if(.., |log| log.is_over()) {
            log.words.close();
        }
    }

    fn adopt(&mut self, fresh: &std::sync::Mutex<Vec<Consumer>>) {
        for words in lock(fresh).drain(..) {
            self.logs.push(Log::new(self.seen, words));
            self.seen += 1;
        }
    }

    fn take(&mut self, mut take: impl FnMut(usize, &[u8])) {
        let next = |(at, log): (usize, &Log)| log.records.last().map(|record| Reverse((record.time, at)));
        let mut heads: BinaryHeap<_> = self.logs.iter().enumerate().filter_map(next).collect();
        let mut owing = self.logs.iter().filter(|log| log.owes()).count();
        while owing > 0
            && let Some(mut head) = heads.peek_mut()
        {
            let Reverse((_, at)) = *head;
            let log = &mut self.logs[at];
            let owed = log.owes();
            let Some(Loaded { place, .. }) = log.records.pop() else { break };
            // The record is gone from the log before it is taken: a fault must not bring it back.
            take(log.number, &log.bytes[place]);
            log.load();
            owing -= usize::from(owed && !log.owes());
            match log.records.last() {
                Some(record) => *head = Reverse((record.time, at)),
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
        }
    }
}

impl Log {
    fn new(number: usize, words: Consumer) -> Self {
        let (bytes, records) = (Vec::new(), Vec::new());
        Self { number, words, is_closed: false, first: 0, end: 0, bytes, framed: 0, records, time: 0 }
    }

    /// Whether the next record was written when the log was looked at for the first time.
    fn owes(&self) -> bool {
        self.records.last().is_some_and(|record| record.end <= self.first)
    }

    /// Sees to it that the next record is loaded, where there is one.
    fn load(&mut self) {
        while self.records.is_empty() {
            self.bytes.drain(..std::mem::take(&mut self.framed));
            if !self.words.load(self.end, &mut self.bytes) {
                break;
            }
            self.frame();
        }
    }

    /// Finds the whole records in what was loaded.
    fn frame(&mut self) {
        let start = self.words.read() - self.bytes.len() as u64 / 8;
        while let Some(first) = self.bytes[self.framed..].first_chunk() {
            let to = self.framed + record::words(u64::from_le_bytes(*first)).max(1) * 8;
            let Some(record) = self.bytes.get(self.framed..to) else { break };
            self.time = record::time(record).unwrap_or(self.time);
            self.records.push(Loaded { time: self.time, place: self.framed..to, end: start + to as u64 / 8 });
            self.framed = to;
        }
        self.records.reverse();
        let mut least = i64::MAX;
        for record in &mut self.records {
            least = least.min(record.time);
            record.time = least;
        }
    }

    /// Lets go of what is not needed until more is written.
    fn rest(&mut self) {
        if self.words.read() < self.end {
            return;
        }
        self.words.rest();
        // A busy log keeps its buffer, but not at the size that one great record has given it.
        let is_needed = self.first < self.end && self.bytes.capacity() <= BUFFER_BYTES;
        if !is_needed && self.records.is_empty() && self.framed == self.bytes.len() {
            (self.bytes, self.records, self.framed) = (Vec::new(), Vec::new(), 0);
        }
    }

    /// Whether everything was taken and the thread is gone.
    fn is_over(&self) -> bool {
        self.is_closed && self.records.is_empty() && self.words.read() == self.end
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use super::*;
    use crate::{
        log::{Need, Pool, Producer, log},
        model::Status,
        record::{Key, Record},
        sync::Arc,
    };

    /// Threads that write, and what reads them.
    struct Threads {
        pool: Arc<Pool>,
        fresh: Mutex<Vec<Consumer>>,
        logs: Logs,
    }

    impl Threads {
        fn new() -> Self {
            Self { pool: Arc::new(Pool::new(8 << 20)), fresh: Mutex::default(), logs: Logs::default() }
        }

        fn open(&self) -> Producer {
            let (producer, consumer) = log(Arc::clone(&self.pool));
            lock(&self.fresh).push(consumer);
            producer
        }

        /// A pass: the numbers of logs and the keys of what is taken. What `meanwhile` does is done at each record.
        fn pass(&mut self, mut meanwhile: impl FnMut()) -> Vec<(usize, Key)> {
            let mut taken = Vec::new();
            self.logs.look(&self.fresh);
            self.logs.read(|log, record| {
                match record::parse(record).unwrap() {
                    Record::End { key, .. } | Record::Retain { key } => taken.push((log, key)),
                    _ => unreachable!("only these are written"),
                }
                meanwhile();
            });
            taken
        }
    }

    fn end(to: &mut Producer, key: Key, time: i64) {
        to.append(&record::end_head(key, time, Status::Ok, &[]), &[], Need::Must).unwrap();
    }

    /// Says no time.
    fn retain(to: &mut Producer, key: Key) {
        to.append(&record::retain_head(key), &[], Need::Must).unwrap();
    }

    #[test]
    fn records_of_several_logs_come_in_the_order_of_their_times() {
        let mut threads = Threads::new();
        let (mut a, mut b) = (threads.open(), threads.open());
        end(&mut a, 1, 30);
        end(&mut a, 2, 50);
        end(&mut b, 3, 20);
        end(&mut b, 4, 40);
        assert_eq!(threads.pass(|| {}), [(1, 3), (0, 1), (1, 4), (0, 2)]);
        assert_eq!(threads.pass(|| {}), []);
    }

    #[test]
    fn what_says_no_time_stays_behind_what_stands_before_it() {
        let mut threads = Threads::new();
        let (mut a, mut b) = (threads.open(), threads.open());
        end(&mut a, 1, 30);
        retain(&mut a, 2);
        end(&mut a, 3, 50);
        end(&mut b, 4, 20);
        end(&mut b, 5, 40);
        assert_eq!(threads.pass(|| {}), [(1, 4), (0, 1), (0, 2), (1, 5), (0, 3)]);
        // Also in a pass of its own.
        retain(&mut a, 6);
        end(&mut b, 7, 45);
        end(&mut b, 8, 60);
        assert_eq!(threads.pass(|| {}), [(1, 7), (0, 6), (1, 8)]);
    }

    /// A caller whose clock is ahead moves the times of its trace.
    #[test]
    fn a_trace_of_another_clock_holds_up_nothing_behind_it() {
        let mut threads = Threads::new();
        let (mut a, mut b) = (threads.open(), threads.open());
        end(&mut a, 1, 1_000);
        end(&mut a, 2, 30);
        end(&mut b, 3, 20);
        end(&mut b, 4, 40);
        assert_eq!(threads.pass(|| {}), [(1, 3), (0, 1), (0, 2), (1, 4)]);
    }

    #[test]
    fn a_pass_takes_all_that_was_written_before_it_and_ends_whatever_is_written_meanwhile() {
        let mut threads = Threads::new();
        let mut a = threads.open();
        let count = 50_000;
        for key in 0..count {
            end(&mut a, key, key as i64);
        }
        let mut next = count;
        let taken = threads.pass(|| {
            end(&mut a, next, next as i64);
            next += 1;
        });
        assert_eq!(taken, (0..count).map(|key| (0, key)).collect::<Vec<_>>());
        assert_eq!(threads.pass(|| {}).len() as u64, count);
        assert_eq!(threads.pool.bytes_in_use(), 0);
    }

    /// However much another thread writes: what was caused is not taken before what caused it.
    #[test]
    fn a_burst_does_not_tear_apart_what_two_threads_wrote() {
        let mut threads = Threads::new();
        let (mut a, mut burst, mut b) = (threads.open(), threads.open(), threads.open());
        for time in 0..100_000 {
            match time {
                20 => end(&mut a, 1, time),
                50_000 => end(&mut b, 2, time),
                90_000 => end(&mut a, 3, time),
                _ => end(&mut burst, 0, time),
            }
        }
        let taken = threads.pass(|| {});
        let place = |key| taken.iter().position(|taken| taken.1 == key).unwrap();
        assert_eq!((place(1), place(2), place(3), taken.len()), (20, 50_000, 90_000, 100_000));
    }

    #[test]
    fn great_records_come_whole_and_leave_no_great_buffer() {
        let mut threads = Threads::new();
        let mut a = threads.open();
        let body = vec![0; 3 << 20];
        for key in 1..3 {
            a.append(&record::end_head(key, 1, Status::Ok, &body), &body, Need::Must).unwrap();
        }
        assert_eq!(threads.pass(|| {}), [(0, 1), (0, 2)]);
        assert_eq!(threads.logs.logs[0].bytes.capacity(), 0);
        // Nor does one that writes little for a while.
        end(&mut a, 3, 2);
        assert_eq!(threads.pass(|| {}), [(0, 3)]);
        assert_eq!(threads.pass(|| {}), []);
        assert_eq!(threads.logs.logs[0].bytes.capacity(), 0);
    }

    #[test]
    fn threads_that_are_gone_leave_nothing() {
        let mut threads = Threads::new();
        for key in 1..100 {
            end(&mut threads.open(), key, key as i64);
        }
        assert_eq!(threads.pass(|| {}).len(), 99);
        assert!(threads.logs.logs.is_empty());
        assert_eq!(threads.pool.bytes_in_use(), 0);
    }
}
