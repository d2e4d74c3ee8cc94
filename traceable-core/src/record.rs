//! The records of a log: what the caller's thread says of its runs, as words and bytes.
//!
//! A record is a head of words and a body. The first word holds kind, flags and the body's length; the body is a row
//! of items (a start, an end, a note) or one tape value (a chunk).

use crate::{
    model::Status,
    tape::json::{BrokenTape, TapeReader},
};

/// A run's number in its process. 0 is no run.
pub(crate) type Key = u64;

/// Words in front of the body.
const HEADS: [usize; 7] = [1, 5, 3, 3, 3, 2, 2];

const START: u8 = 1;
const END: u8 = 2;
const CHUNK: u8 = 3;
const NOTE: u8 = 4;
const RETAIN: u8 = 5;
const RELEASE: u8 = 6;

/// Items of a body: each is its byte, then what stands behind it.
pub(crate) mod item {
    /// An argument: name, value.
    pub(crate) const INPUT: u8 = 1;
    /// All arguments as one value, in place of single ones.
    pub(crate) const INPUTS: u8 = 2;
    /// Metadata: name, value.
    pub(crate) const METADATA: u8 = 3;
    /// A tag: text.
    pub(crate) const TAG: u8 = 4;
    /// Another name for the run: text.
    pub(crate) const NAME: u8 = 5;
    /// The project: text.
    pub(crate) const PROJECT: u8 = 6;
    /// The output: value.
    pub(crate) const OUTPUT: u8 = 7;
    /// The output as set by hand, which wins over the function's: value.
    pub(crate) const SET_OUTPUT: u8 = 8;
    /// What went wrong: a text value.
    pub(crate) const ERROR: u8 = 9;
    /// Usage: value.
    pub(crate) const USAGE: u8 = 10;
    /// An event: name, time, value.
    pub(crate) const EVENT: u8 = 11;
    /// How a stream came in: first chunk, last chunk, count.
    pub(crate) const STREAM: u8 = 12;
    /// Chunks of this run are kept raw, with their times.
    pub(crate) const RAW_CHUNKS: u8 = 13;
    /// The answer of an open stream so far: chunks, value.
    pub(crate) const SO_FAR: u8 = 15;
    /// What a panic said: a text value. The run ended when this was noted.
    pub(crate) const PANIC: u8 = 16;
    /// The output is the list of the chunks.
    pub(crate) const CHUNKS_ARE_OUTPUT: u8 = 14;
    /// How much of the run may be sent: a byte.
    pub(crate) const CONTENT: u8 = 40;
}

/// A record, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A run began.
    Start { key: Key, parent: Key, start: i64, site: u32, client: u16, body: &'a [u8] },
    /// A run ended.
    End { key: Key, end: i64, status: Status, body: &'a [u8] },
    /// A chunk of a run's stream passed.
    Chunk { key: Key, time: i64, body: &'a [u8] },
    /// Something was said of an open run.
    Note { key: Key, time: i64, body: &'a [u8] },
    /// A handle to a run was made, so that children may still come after its end.
    Retain { key: Key },
    /// A handle to a run is gone.
    Release { key: Key },
}

fn first_word(kind: u8, flags: u8, body: &[u8]) -> u64 {
    u64::from(kind) | (u64::from(flags) << 8) | ((body.len() as u64) << 32)
}

pub(crate) fn start_head(key: Key, parent: Key, start: i64, site: u32, client: u16, body: &[u8]) -> [u64; 5] {
    [first_word(START, 0, body), key, parent, start as u64, u64::from(site) | (u64::from(client) << 32)]
}

pub(crate) fn end_head(key: Key, end: i64, status: Status, body: &[u8]) -> [u64; 3] {
    let flags = match status {
        Status::Error => 1,
        Status::Cancelled => 2,
        _ => 0,
    };
    [first_word(END, flags, body), key, end as u64]
}

pub(crate) fn chunk_head(key: Key, time: i64, body: &[u8]) -> [u64; 3] {
    [first_word(CHUNK, 0, body), key, time as u64]
}

pub(crate) fn note_head(key: Key, time: i64, body: &[u8]) -> [u64; 3] {
    [first_word(NOTE, 0, body), key, time as u64]
}

pub(crate) fn retain_head(key: Key) -> [u64; 2] {
    [first_word(RETAIN, 0, &[]), key]
}

pub(crate) fn release_head(key: Key) -> [u64; 2] {
    [first_word(RELEASE, 0, &[]), key]
}

/// The words of the record that begins with this word.
pub(crate) fn words(first: u64) -> usize {
    let head = HEADS.get((first & 0xff) as usize).copied().unwrap_or(1);
    head + ((first >> 32) as usize).div_ceil(8)
}

/// Reads a record from its bytes. `None` for a kind that this version does not know.
pub(crate) fn parse(bytes: &[u8]) -> Option<Record<'_>> {
    let word = |i: usize| bytes.get(i * 8..)?.first_chunk().map(|word| u64::from_le_bytes(*word));
    let first = word(0)?;
    let kind = (first & 0xff) as u8;
    let body = HEADS.get(usize::from(kind))? * 8;
    let body = bytes.get(body..body + (first >> 32) as usize)?;
    let key = word(1)?;
    Some(match kind {
        START => {
            let place = word(4)?;
            let (site, client) = (place as u32, (place >> 32) as u16);
            Record::Start { key, parent: word(2)?, start: word(3)? as i64, site, client, body }
        }
        END => {
            let status = match (first >> 8) & 0xff {
                1 => Status::Error,
                2 => Status::Cancelled,
                _ => Status::Ok,
            };
            Record::End { key, end: word(2)? as i64, status, body }
        }
        CHUNK => Record::Chunk { key, time: word(2)? as i64, body },
        NOTE => Record::Note { key, time: word(2)? as i64, body },
        RETAIN => Record::Retain { key },
        RELEASE => Record::Release { key },
        _ => return None,
    })
}

/// One item of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    Input(&'a str, TapeReader<'a>),
    Inputs(TapeReader<'a>),
    Metadata(&'a str, TapeReader<'a>),
    Tag(&'a str),
    Name(&'a str),
    Project(&'a str),
    Output(TapeReader<'a>),
    SetOutput(TapeReader<'a>),
    Error(TapeReader<'a>),
    Panic(TapeReader<'a>),
    Usage(TapeReader<'a>),
    Event(&'a str, i64, TapeReader<'a>),
    Stream { first: i64, last: i64, count: u64 },
    RawChunks,
    ChunksAreOutput,
    SoFar(u64, TapeReader<'a>),
    Content(u8),
}

/// Reads the items of a body.
pub(crate) struct Items<'a>(TapeReader<'a>);

impl<'a> Items<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(TapeReader::new(body))
    }

    /// Takes the next value out and leaves the reader behind it.
    fn value(&mut self) -> Result<TapeReader<'a>, BrokenTape> {
        let value = self.0;
        self.0.skip()?;
        Ok(value)
    }

    fn read(&mut self) -> Result<Item<'a>, BrokenTape> {
        Ok(match self.0.byte()? {
            item::INPUT => Item::Input(self.0.str()?, self.value()?),
            item::INPUTS => Item::Inputs(self.value()?),
            item::METADATA => Item::Metadata(self.0.str()?, self.value()?),
            item::TAG => Item::Tag(self.0.str()?),
            item::NAME => Item::Name(self.0.str()?),
            item::PROJECT => Item::Project(self.0.str()?),
            item::OUTPUT => Item::Output(self.value()?),
            item::SET_OUTPUT => Item::SetOutput(self.value()?),
            item::ERROR => Item::Error(self.value()?),
            item::PANIC => Item::Panic(self.value()?),
            item::USAGE => Item::Usage(self.value()?),
            item::EVENT => Item::Event(self.0.str()?, self.0.u64()? as i64, self.value()?),
            item::STREAM => {
                Item::Stream { first: self.0.u64()? as i64, last: self.0.u64()? as i64, count: self.0.u64()? }
            }
            item::RAW_CHUNKS => Item::RawChunks,
            item::CHUNKS_ARE_OUTPUT => Item::ChunksAreOutput,
            item::SO_FAR => Item::SoFar(self.0.u64()?, self.value()?),
            item::CONTENT => Item::Content(self.0.byte()?),
            _ => return Err(BrokenTape),
        })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    /// The next item. A broken body ends here, which only a fault of this library could make.
    fn next(&mut self) -> Option<Item<'a>> {
        if self.0.is_empty() { None } else { self.read().ok() }
    }
}
