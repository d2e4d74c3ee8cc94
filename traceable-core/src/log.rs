//! The hand-over: a log per thread, written by that thread alone and read by the writer alone.
//!
//! A log is a chain of blocks of atomic words. The thread stores words and then publishes the block's length with
//! release; the writer reads the length with acquire and then the words. There is no lock between them but when a
//! block is full, and no `unsafe`: a relaxed store of a word is a plain store.
//!
//! Invariants, checked by the loom test below and by the tests:
//! - what lies before an end that the writer was told can be read, and does not change;
//! - words of one thread are read in the order in which they were written;
//! - a block is used again only after the writer has read all of it and the thread has left it;
//! - blocks with something to read in them never hold more than the pool's bound, but for the ends of runs whose start was
//!   taken.
//!
//! A thread keeps the block that it writes to for as long as it lives, also when it never writes again. So a block that
//! was read as far as it is written does not count, and the more threads there are, the smaller are their blocks: a
//! thousand threads that sleep neither fill the queue nor hold much memory.

use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, lock};

/// Words of a block where threads are few: 32 KiB, a compromise between threads that trace little and payloads that are
/// long.
#[cfg(not(loom))]
const BLOCK_WORDS: usize = 4096;
#[cfg(loom)]
const BLOCK_WORDS: usize = 4;

/// Words of a block where threads are many.
const LEAST_WORDS: usize = if BLOCK_WORDS < 128 { BLOCK_WORDS } else { 128 };

/// Bytes of a block where threads are few.
pub(crate) const BLOCK_BYTES: usize = BLOCK_WORDS * 8;

/// A stretch of a log.
struct Block {
    words: Box<[AtomicU64]>,
    /// How many words are published.
    published: AtomicUsize,
    next: Mutex<Option<Arc<Block>>>,
}

impl Block {
    fn new(words: usize) -> Self {
        Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            published: AtomicUsize::new(0),
            next: Mutex::new(None),
        }
    }

    fn bytes(&self) -> usize {
        self.words.len() * 8
    }
}

/// The blocks of all logs, bounded together.
pub(crate) struct Pool {
    /// Last in, first out: the block that was read last is the one still in the caches. Only blocks of full size.
    free: Mutex<Vec<Arc<Block>>>,
    /// Bytes of blocks, but for those that were read as far as they are written.
    in_use: AtomicUsize,
    max_bytes: AtomicUsize,
    /// Logs that are open.
    logs: AtomicUsize,
}

impl Pool {
    /// A pool of at most `bytes` of blocks.
    pub(crate) fn new(bytes: usize) -> Self {
        let pool = Self {
            free: Mutex::new(Vec::new()),
            in_use: AtomicUsize::new(0),
            max_bytes: AtomicUsize::new(0),
            logs: AtomicUsize::new(0),
        };
        pool.set_max_bytes(bytes);
        pool
    }

    /// Changes the bound.
    pub(crate) fn set_max_bytes(&self, bytes: usize) {
        self.max_bytes.store(bytes.max(2 * BLOCK_BYTES), Ordering::Relaxed);
    }

    /// The bound.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes.load(Ordering::Relaxed)
    }

    /// Words of a block that is taken now: all threads' together are about an eighth of the bound.
    fn block_words(&self) -> usize {
        let logs = self.logs.load(Ordering::Relaxed).max(1);
        (self.max_bytes() / 8 / 8 / logs).clamp(LEAST_WORDS, BLOCK_WORDS)
    }

    /// Whether so many more bytes may be taken.
    fn has_room(&self, bytes: usize) -> bool {
        self.bytes_in_use() + bytes <= self.max_bytes()
    }

    /// Bytes in blocks that hold something to be read.
    pub(crate) fn bytes_in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Whether half of the bound is used, so that the writer should not wait for its time.
    pub(crate) fn is_half_full(&self) -> bool {
        self.bytes_in_use() * 2 > self.max_bytes()
    }

    fn count(&self, block: &Block) {
        self.in_use.fetch_add(block.bytes(), Ordering::Relaxed);
    }

    fn discount(&self, block: &Block) {
        self.in_use.fetch_sub(block.bytes(), Ordering::Relaxed);
    }

    fn take(&self) -> Arc<Block> {
        let words = self.block_words();
        let free = if words == BLOCK_WORDS { lock(&self.free).pop() } else { None };
        let block = free.unwrap_or_else(|| Arc::new(Block::new(words)));
        self.count(&block);
        block
    }

    /// Takes back a block that was read to its end. One that its thread has not let go of yet is left to that thread.
    fn give_back(&self, mut block: Arc<Block>) {
        if let Some(block) = Arc::get_mut(&mut block) {
            block.published = AtomicUsize::new(0);
            *lock(&block.next) = None;
        } else {
            return;
        }
        if block.words.len() < BLOCK_WORDS {
            return;
        }
        let mut free = lock(&self.free);
        if free.len() < self.max_bytes() / BLOCK_BYTES {
            free.push(block);
        }
    }

    /// Frees blocks that nothing has needed for a while, but for `keep` of them.
    pub(crate) fn trim(&self, keep: usize) {
        let mut free = lock(&self.free);
        if free.len() > keep {
            free.truncate(keep);
            free.shrink_to_fit();
        }
    }
}

/// What writer and thread share of a log.
struct Shared {
    first: Mutex<Option<Arc<Block>>>,
    closed: AtomicBool,
}

/// Makes a log.
pub(crate) fn log(pool: Arc<Pool>) -> (Producer, Consumer) {
    let shared = Arc::new(Shared { first: Mutex::new(None), closed: AtomicBool::new(false) });
    let producer =
        Producer { pool: Arc::clone(&pool), shared: Arc::clone(&shared), block: None, at: 0, is_tight: false };
    pool.logs.fetch_add(1, Ordering::Relaxed);
    (producer, Consumer { pool, shared, block: None, at: 0, read: 0, counts: true })
}

/// How urgently a record is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Begins something: refused while there is still some room left, so that what has begun can be written to its end.
    Begin,
    /// May be refused when the pool is full.
    Optional,
    /// Closes what was taken before, and so goes over the bound if it must.
    Must,
}

/// There was no room for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// The thread's end of a log.
pub(crate) struct Producer {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    block: Option<Arc<Block>>,
    at: usize,
    /// The block was taken for a record that must be, where nothing else would have been given one: what else would fit
    /// into it asks again.
    is_tight: bool,
}

impl Producer {
    /// Appends a record: `head`, and `body` filled up to whole words. Answers whether a block was begun.
    #[inline]
    pub(crate) fn append<const N: usize>(&mut self, head: &[u64; N], body: &[u8], need: Need) -> Result<bool, Full> {
        let words = head.len() + body.len().div_ceil(8);
        if let Some(block) = &self.block
            && !self.is_tight
            && let Some(room) = block.words.get(self.at..self.at + words)
        {
            store(room, head, body);
            self.at += words;
            block.published.store(self.at, Ordering::Release);
            return Ok(false);
        }
        self.append_split(head, body, words, need)
    }

    #[cold]
    fn append_split(&mut self, head: &[u64], body: &[u8], words: usize, need: Need) -> Result<bool, Full> {
        let room = self.block.as_ref().map_or(0, |block| block.words.len() - self.at);
        let missing = words.saturating_sub(room).next_multiple_of(self.pool.block_words()) * 8;
        let kept = self.pool.max_bytes() / 8;
        if missing > 0 || self.is_tight {
            let wanted = missing + if need == Need::Begin { kept } else { 0 };
            if need != Need::Must && !self.pool.has_room(wanted) {
                return Err(Full);
            }
            self.is_tight = !self.pool.has_room(missing + kept);
        }
        let (mut head, mut body) = (head, body);
        while !(head.is_empty() && body.is_empty()) {
            if self.block.as_ref().is_none_or(|block| self.at == block.words.len()) {
                self.advance();
            }
            let Some(block) = &self.block else { break };
            let room = &block.words[self.at..];
            let (now, later) = head.split_at(head.len().min(room.len()));
            for (slot, word) in room.iter().zip(now) {
                slot.store(*word, Ordering::Relaxed);
            }
            head = later;
            let room = &room[now.len()..];
            let (fits, rest) = body.split_at(body.len().min(room.len() * 8));
            store_bytes(room, fits);
            body = rest;
            self.at += now.len() + fits.len().div_ceil(8);
            block.published.store(self.at, Ordering::Release);
        }
        Ok(true)
    }

    /// Goes on in a new block.
    fn advance(&mut self) {
        let next = self.pool.take();
        let link = match &self.block {
            Some(block) => &block.next,
            None => &self.shared.first,
        };
        *lock(link) = Some(Arc::clone(&next));
        self.block = Some(next);
        self.at = 0;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// Stores a record into words that are known to be as many as it needs.
#[inline]
fn store<const N: usize>(room: &[AtomicU64], head: &[u64; N], body: &[u8]) {
    let Some((head_room, body_room)) = room.split_first_chunk::<N>() else { return };
    for (slot, word) in head_room.iter().zip(head) {
        slot.store(*word, Ordering::Relaxed);
    }
    if !body.is_empty() {
        store_bytes(body_room, body);
    }
}

/// Stores bytes into words; the last word is filled up with zeros. Four words at a time: the compiler does not unroll
/// atomic stores.
fn store_bytes(room: &[AtomicU64], bytes: &[u8]) {
    let (fours, rest) = bytes.as_chunks::<32>();
    let (rooms, room) = room.split_at(room.len().min(fours.len() * 4));
    for (slots, four) in rooms.chunks_exact(4).zip(fours) {
        for (slot, word) in slots.iter().zip(four.as_chunks::<8>().0) {
            slot.store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
    }
    let (words, tail) = rest.as_chunks::<8>();
    for (slot, word) in room.iter().zip(words) {
        slot.store(u64::from_le_bytes(*word), Ordering::Relaxed);
    }
    if let (false, Some(slot)) = (tail.is_empty(), room.get(words.len())) {
        let mut word = [0; 8];
        word[..tail.len()].copy_from_slice(tail);
        slot.store(u64::from_le_bytes(word), Ordering::Relaxed);
    }
}

/// The writer's end of a log.
pub(crate) struct Consumer {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    block: Option<Arc<Block>>,
    /// Words of the block that were read.
    at: usize,
    /// Words of the log that were read.
    read: u64,
    /// The pool counts the block.
    counts: bool,
}

impl Consumer {
    /// Whether the thread is gone. The end that is asked for after that is the last one.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// How many words were read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// How many words are published by now.
    pub(crate) fn end(&mut self) -> u64 {
        if self.block.is_none() {
            self.block = lock(&self.shared.first).take();
        }
        let mut end = self.read - self.at as u64;
        let mut later: Option<Arc<Block>> = None;
        while let Some(block) = later.as_ref().or(self.block.as_ref()) {
            let published = block.published.load(Ordering::Acquire);
            end += published as u64;
            let next = if published < block.words.len() { None } else { lock(&block.next).clone() };
            if next.is_none() {
                break;
            }
            later = next;
        }
        end
    }

    /// Reads what lies before an end, of one block at most, to behind `bytes`. Answers whether there was anything.
    pub(crate) fn load(&mut self, end: u64, bytes: &mut Vec<u8>) -> bool {
        if self.read >= end {
            return false;
        }
        if let Some(block) = self.block.as_ref().filter(|block| self.at == block.words.len()) {
            let Some(next) = lock(&block.next).take() else { return false };
            if let Some(read) = self.block.replace(next) {
                self.give_back(read);
            }
            (self.at, self.counts) = (0, true);
        }
        let Some(block) = &self.block else { return false };
        if !self.counts {
            self.pool.count(block);
            self.counts = true;
        }
        let words = usize::try_from(end - self.read).unwrap_or(usize::MAX).min(block.words.len() - self.at);
        load_words(&block.words[self.at..self.at + words], bytes);
        self.at += words;
        self.read += words as u64;
        true
    }

    /// Lets the block no longer count: it was read as far as it is written.
    pub(crate) fn rest(&mut self) {
        if let Some(block) = self.block.as_ref().filter(|_| self.counts) {
            self.pool.discount(block);
            self.counts = false;
        }
    }

    fn give_back(&self, block: Arc<Block>) {
        if self.counts {
            self.pool.discount(&block);
        }
        self.pool.give_back(block);
    }

    /// Gives back the last block of a thread that is gone.
    pub(crate) fn close(mut self) {
        self.pool.logs.fetch_sub(1, Ordering::Relaxed);
        if let Some(block) = self.block.take() {
            self.give_back(block);
        }
    }
}

/// Appends words as bytes, eight at a time, so that nothing has to be zeroed first.
fn load_words(words: &[AtomicU64], bytes: &mut Vec<u8>) {
    bytes.reserve(words.len() * 8);
    let (eights, rest) = words.as_chunks::<8>();
    for eight in eights {
        let mut loaded = [[0; 8]; 8];
        for (bytes, word) in loaded.iter_mut().zip(eight) {
            *bytes = word.load(Ordering::Relaxed).to_le_bytes();
        }
        bytes.extend_from_slice(loaded.as_flattened());
    }
    for word in rest {
        bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A record says its length in words in its first word.
    fn record(n: usize, seed: u64) -> ([u64; 2], Vec<u8>) {
        let body: Vec<u8> = (0..n).map(|i| (i as u64 ^ seed) as u8).collect();
        ([(2 + n.div_ceil(8)) as u64, seed], body)
    }

    /// Reads all that is there, and whether that was all for good.
    fn read(consumer: &mut Consumer) -> (Vec<(u64, Vec<u8>)>, bool) {
        let closed = consumer.is_closed();
        let (mut bytes, end) = (Vec::new(), consumer.end());
        while consumer.load(end, &mut bytes) {}
        assert_eq!(consumer.read(), end);
        consumer.rest();
        let word = |bytes: &[u8]| u64::from_le_bytes(*bytes.first_chunk().unwrap());
        let (mut records, mut rest) = (Vec::new(), bytes.as_slice());
        while !rest.is_empty() {
            let (record, after) = rest.split_at(word(rest) as usize * 8);
            records.push((word(&record[8..]), record[16..].to_vec()));
            rest = after;
        }
        (records, closed)
    }

    #[test]
    fn records_of_every_length_come_back_in_order() {
        let (mut producer, mut consumer) = log(Arc::new(Pool::new(1 << 20)));
        let lengths = [0, 1, 7, 8, 9, 5_000, 32_768, 100_000, 3, 0];
        for (i, &n) in lengths.iter().enumerate() {
            let (head, body) = record(n, i as u64);
            producer.append(&head, &body, Need::Optional).unwrap();
        }
        drop(producer);
        let (records, closed) = read(&mut consumer);
        assert!(closed);
        assert_eq!(records.len(), lengths.len());
        for ((seed, bytes), (i, &n)) in records.iter().zip(lengths.iter().enumerate()) {
            assert_eq!(*seed, i as u64);
            assert_eq!(&bytes[..n], record(n, *seed).1);
        }
    }

    #[test]
    fn a_full_pool_refuses_what_is_optional_and_takes_what_must_be() {
        let pool = Arc::new(Pool::new(2 * BLOCK_BYTES));
        let (mut producer, mut consumer) = log(Arc::clone(&pool));
        let (head, body) = record(BLOCK_BYTES, 1);
        producer.append(&head, &body, Need::Optional).unwrap();
        assert_eq!(producer.append(&head, &body, Need::Optional), Err(Full));
        producer.append(&head, &body, Need::Must).unwrap();
        assert_eq!(read(&mut consumer).0.len(), 2);
        // What was read makes room again.
        producer.append(&head, &body, Need::Optional).unwrap();
        assert!(pool.bytes_in_use() <= 3 * BLOCK_BYTES);
    }

    #[test]
    fn what_must_be_makes_no_room_for_what_begins() {
        for first in 0..4 {
            let pool = Arc::new(Pool::new(16 * BLOCK_BYTES));
            let (mut producer, _consumer) = log(Arc::clone(&pool));
            producer.append(&[1], &vec![0; first * 8], Need::Must).unwrap();
            for _ in 0..100_000 {
                if producer.append(&[2, 0], &[], Need::Begin).is_ok() {
                    producer.append(&[2, 0], &[], Need::Must).unwrap();
                }
            }
            assert!(pool.bytes_in_use() <= 15 * BLOCK_BYTES, "{first}: {}", pool.bytes_in_use() / BLOCK_BYTES);
        }
    }

    #[test]
    fn blocks_are_used_again() {
        let pool = Arc::new(Pool::new(4 * BLOCK_BYTES));
        let (mut producer, mut consumer) = log(Arc::clone(&pool));
        for i in 0..1_000 {
            let (head, body) = record(10_000, i);
            producer.append(&head, &body, Need::Optional).unwrap();
            assert_eq!(read(&mut consumer).0.len(), 1);
        }
        assert!(lock(&pool.free).len() <= 2);
        drop(producer);
        assert!(read(&mut consumer).1);
        consumer.close();
        assert_eq!(pool.bytes_in_use(), 0);
    }

    #[test]
    fn an_end_is_kept_whatever_is_written_behind_it() {
        let (mut producer, mut consumer) = log(Arc::new(Pool::new(1 << 20)));
        assert_eq!(consumer.end(), 0);
        producer.append(&[1, 2], &[3; 8], Need::Optional).unwrap();
        let end = consumer.end();
        assert_eq!(end, 3);
        producer.append(&[4], &vec![5; 100_000], Need::Optional).unwrap();
        let mut bytes = Vec::new();
        while consumer.load(end, &mut bytes) {}
        assert_eq!(bytes.len(), 24);
        let end = consumer.end();
        assert_eq!(end, 3 + 1 + 12_500);
        while consumer.load(end, &mut bytes) {}
        assert_eq!(bytes.len() as u64, end * 8);
    }

    /// What was read in vain of a thousand threads that sleep is neither counted nor much.
    #[test]
    fn threads_that_sleep_leave_the_queue_empty() {
        let pool = Arc::new(Pool::new(8 << 20));
        let mut logs: Vec<_> = (0..2_000).map(|_| log(Arc::clone(&pool))).collect();
        for _ in 0..3 {
            for (producer, consumer) in &mut logs {
                let (head, body) = record(20_000, 7);
                producer.append(&head, &body, Need::Begin).unwrap();
                assert_eq!(read(consumer).0.len(), 1);
            }
            assert_eq!(pool.bytes_in_use(), 0);
        }
        let held = |producer: &Producer| producer.block.as_ref().map_or(0, |block| block.bytes());
        let held: usize = logs.iter().map(|(producer, _)| held(producer)).sum();
        assert!(held <= 4 << 20, "{held}");
        // Those that are woken count again, as far as they have written.
        for (producer, _) in &mut logs[..10] {
            producer.append(&[2, 0], &vec![0; 20_000], Need::Must).unwrap();
        }
        assert!(pool.bytes_in_use() >= 10 * 19_000, "{}", pool.bytes_in_use());
        for (producer, mut consumer) in logs {
            drop(producer);
            let mut bytes = Vec::new();
            let end = consumer.end();
            while consumer.load(end, &mut bytes) {}
            consumer.close();
        }
        assert_eq!(pool.bytes_in_use(), 0);
    }
}

#[cfg(all(test, loom))]
mod model {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Every interleaving of one thread that appends and one that reads gives all records, whole and in order.
    #[test]
    fn nothing_is_torn_or_lost() {
        loom::model(|| {
            let (mut producer, mut consumer) = log(Arc::new(Pool::new(1 << 10)));
            let thread = loom::thread::spawn(move || {
                // Three records over two blocks of four words: the second lies in both.
                producer.append(&[2, 10], &[], Need::Optional).unwrap();
                producer.append(&[3, 20, 21], &[], Need::Optional).unwrap();
                producer.append(&[2, 30], &[], Need::Must).unwrap();
                // A third block, which may be the first one again.
                producer.append(&[4, 40, 41, 42], &[], Need::Optional).unwrap();
            });
            let mut bytes = Vec::new();
            let mut read = |consumer: &mut Consumer| {
                let (closed, end) = (consumer.is_closed(), consumer.end());
                while consumer.load(end, &mut bytes) {}
                assert_eq!(consumer.read(), end);
                consumer.rest();
                closed
            };
            read(&mut consumer);
            thread.join().unwrap();
            assert!(read(&mut consumer));
            let words: Vec<u8> = bytes.chunks(8).map(|word| word[0]).collect();
            assert_eq!(words, [2, 10, 3, 20, 21, 2, 30, 4, 40, 41, 42]);
        });
    }
}
