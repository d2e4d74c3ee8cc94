//! The hand-over: a log per thread, written by that thread alone and read by the writer alone.
//!
//! A log is a chain of blocks of atomic words. The thread stores words and then publishes the block's length with
//! release; the writer reads the length with acquire and then the words. There is no lock between them but when a
//! block is full, and no `unsafe`: a relaxed store of a word is a plain store.
//!
//! Invariants, checked by the loom test below and by the model of `tests`:
//! - a record is published whole: its words may lie in several blocks, but the writer takes none before it can take all;
//! - records of one thread are read in the order in which they were written;
//! - a block is used again only after the writer has read all of it and the thread has left it;
//! - the blocks in use never hold more than the pool's bound, but for the ends of runs whose start was taken.

use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, lock};

/// Words of a block: 32 KiB, a compromise between threads that trace little and payloads that are long.
#[cfg(not(loom))]
pub(crate) const BLOCK_WORDS: usize = 4096;
#[cfg(loom)]
pub(crate) const BLOCK_WORDS: usize = 4;

/// Bytes of a block.
pub(crate) const BLOCK_BYTES: usize = BLOCK_WORDS * 8;

/// A stretch of a log.
struct Block {
    words: Box<[AtomicU64]>,
    /// How many words are published.
    published: AtomicUsize,
    next: Mutex<Option<Arc<Block>>>,
}

impl Block {
    fn new() -> Self {
        Self {
            words: (0..BLOCK_WORDS).map(|_| AtomicU64::new(0)).collect(),
            published: AtomicUsize::new(0),
            next: Mutex::new(None),
        }
    }
}

/// The blocks of all logs, bounded together.
pub(crate) struct Pool {
    /// Last in, first out: the block that was read last is the one still in the caches.
    free: Mutex<Vec<Arc<Block>>>,
    in_use: AtomicUsize,
    max_blocks: AtomicUsize,
}

impl Pool {
    /// A pool of at most `bytes` of blocks.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            free: Mutex::new(Vec::new()),
            in_use: AtomicUsize::new(0),
            max_blocks: AtomicUsize::new((bytes / BLOCK_BYTES).max(2)),
        }
    }

    /// Changes the bound.
    pub(crate) fn set_max_bytes(&self, bytes: usize) {
        self.max_blocks.store((bytes / BLOCK_BYTES).max(2), Ordering::Relaxed);
    }

    /// The bound.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_blocks() * BLOCK_BYTES
    }

    pub(crate) fn max_blocks(&self) -> usize {
        self.max_blocks.load(Ordering::Relaxed)
    }

    /// Whether so many more blocks may be taken.
    fn has_room(&self, blocks: usize) -> bool {
        self.in_use.load(Ordering::Relaxed) + blocks <= self.max_blocks()
    }

    /// Bytes in blocks that threads write to or that wait to be read.
    pub(crate) fn bytes_in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed) * BLOCK_BYTES
    }

    /// Whether half of the bound is used, so that the writer should not wait for its time.
    pub(crate) fn is_half_full(&self) -> bool {
        self.in_use.load(Ordering::Relaxed) * 2 > self.max_blocks()
    }

    fn take(&self) -> Arc<Block> {
        self.in_use.fetch_add(1, Ordering::Relaxed);
        let free = lock(&self.free).pop();
        free.unwrap_or_else(|| Arc::new(Block::new()))
    }

    /// Takes back a block that was read to its end. One that its thread has not let go of yet is left to that thread.
    fn give_back(&self, mut block: Arc<Block>) {
        self.in_use.fetch_sub(1, Ordering::Relaxed);
        if let Some(block) = Arc::get_mut(&mut block) {
            block.published = AtomicUsize::new(0);
            *lock(&block.next) = None;
        } else {
            return;
        }
        let mut free = lock(&self.free);
        if free.len() < self.max_blocks() {
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
    (producer, Consumer { pool, shared, block: None, at: 0, pending: Vec::new() })
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
        let room = self.block.as_ref().map_or(0, |_| BLOCK_WORDS - self.at);
        let missing = words.saturating_sub(room).div_ceil(BLOCK_WORDS);
        let kept = self.pool.max_blocks() / 8;
        if missing > 0 || self.is_tight {
            let wanted = missing + if need == Need::Begin { kept } else { 0 };
            if need != Need::Must && !self.pool.has_room(wanted) {
                return Err(Full);
            }
            self.is_tight = !self.pool.has_room(missing + kept);
        }
        let (mut head, mut body) = (head, body);
        while !(head.is_empty() && body.is_empty()) {
            if self.at == BLOCK_WORDS || self.block.is_none() {
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

/// How a log stands after it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Everything that was published is read.
    Empty,
    /// There is more.
    More,
    /// Everything is read and the thread is gone.
    Closed,
}

/// The writer's end of a log.
pub(crate) struct Consumer {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    block: Option<Arc<Block>>,
    at: usize,
    /// Bytes of a record whose rest is not published yet.
    pending: Vec<u8>,
}

impl Consumer {
    /// Reads what is published, at most `blocks` of it, and gives each whole record to `take`. `length` tells the words
    /// of a record from its first.
    pub(crate) fn drain(
        &mut self,
        blocks: usize,
        length: impl Fn(u64) -> usize,
        mut take: impl FnMut(&[u8]),
    ) -> Drained {
        let closed = self.shared.closed.load(Ordering::Acquire);
        if self.block.is_none() {
            self.block = lock(&self.shared.first).take();
        }
        for _ in 0..blocks {
            let Some(block) = &self.block else { break };
            let published = block.published.load(Ordering::Acquire);
            if published > self.at {
                let fresh = &block.words[self.at..published];
                load_words(fresh, &mut self.pending);
                self.at = published;
                take_records(&mut self.pending, &length, &mut take);
            }
            let next = if published < BLOCK_WORDS { None } else { lock(&block.next).take() };
            let Some(next) = next else {
                return if closed { Drained::Closed } else { Drained::Empty };
            };
            if let Some(read) = self.block.replace(next) {
                self.pool.give_back(read);
            }
            self.at = 0;
        }
        match self.block {
            Some(_) => Drained::More,
            None if closed => Drained::Closed,
            None => Drained::Empty,
        }
    }

    /// Gives back the last block of a thread that is gone.
    pub(crate) fn close(mut self) {
        if let Some(block) = self.block.take() {
            self.pool.give_back(block);
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

/// Gives the whole records at the front of `pending` to `take` and keeps the rest.
fn take_records(pending: &mut Vec<u8>, length: &impl Fn(u64) -> usize, take: &mut impl FnMut(&[u8])) {
    let mut rest = pending.as_slice();
    while let Some(first) = rest.first_chunk::<8>()
        && let Some((record, after)) = rest.split_at_checked(length(u64::from_le_bytes(*first)).max(1) * 8)
    {
        take(record);
        rest = after;
    }
    let read = pending.len() - rest.len();
    pending.drain(..read);
    if pending.is_empty() && pending.capacity() > 8 * BLOCK_BYTES {
        *pending = Vec::new();
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

    fn read(consumer: &mut Consumer) -> (Vec<(u64, Vec<u8>)>, bool) {
        let mut records = Vec::new();
        let drained = consumer.drain(
            usize::MAX,
            |first| first as usize,
            |bytes| records.push((u64::from_le_bytes(bytes[8..16].try_into().unwrap()), bytes[16..].to_vec())),
        );
        (records, drained == Drained::Closed)
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
            let mut seen = Vec::new();
            let mut read = |consumer: &mut Consumer| {
                consumer.drain(
                    usize::MAX,
                    |first| first as usize,
                    |bytes| seen.extend(bytes[8..].chunks(8).map(|word| word[0])),
                )
            };
            read(&mut consumer);
            thread.join().unwrap();
            assert_eq!(read(&mut consumer), Drained::Closed);
            assert_eq!(seen, [10, 20, 21, 30, 40, 41, 42]);
        });
    }
}
