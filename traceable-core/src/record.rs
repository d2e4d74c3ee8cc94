//! The records of a log: what the caller's thread says of its runs, as words and bytes.
//!
//! A record is a head of words and a body. The first word holds kind, flags and the body's length; the body is a row
//! of items (a start, an end, a note) or one tape value (a chunk).

use crate::{
    model::{RunId, Status},
    tape::json::{BrokenTape, TapeReader},
};

/// A run's number in its process. 0 is no run.
pub(crate) type Key = u64;

/// Words in front of the body.
const HEADS: [usize; 9] = [1, 5, 3, 3, 3, 2, 2, 3, 3];

/// In the word of a start's place, above site and client: the trace is only kept if one of its runs fails.
pub(crate) const TENTATIVE: u64 = 1 << 48;

const START: u8 = 1;
const END: u8 = 2;
const CHUNK: u8 = 3;
const NOTE: u8 = 4;
const RETAIN: u8 = 5;
const RELEASE: u8 = 6;
const REMOTE: u8 = 7;
const SAID: u8 = 8;

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
    /// The conversation: text.
    pub(crate) const THREAD: u8 = 17;
    /// The session: text.
    pub(crate) const SESSION: u8 = 18;
    /// The user: text.
    pub(crate) const USER: u8 = 19;
    /// Such as `production`: text.
    pub(crate) const ENVIRONMENT: u8 = 20;
    /// The version of the deployed code: text.
    pub(crate) const RELEASE: u8 = 21;
    /// A tag of this run and of all below it: text.
    pub(crate) const SCOPE_TAG: u8 = 22;
    /// Another kind of run than the site's: text.
    pub(crate) const RUN_TYPE: u8 = 23;
    /// The run's id, where the caller has chosen it: 16 bytes.
    pub(crate) const ID: u8 = 24;
    /// How the run stands, whatever its function did: a byte.
    pub(crate) const STATUS: u8 = 25;
    /// What a placeholder of the prompt was filled with: name, value.
    pub(crate) const VARIABLE: u8 = 26;
    /// The answer that was wanted: value.
    pub(crate) const EXPECTED: u8 = 27;
    /// The prompt that was used: text.
    pub(crate) const PROMPT_REF: u8 = 28;
    /// The deployed version of the prompt: text.
    pub(crate) const DEPLOYMENT_REF: u8 = 29;
    /// Where the run was begun by hand: file, line.
    pub(crate) const PLACE: u8 = 50;
    /// The run of another process that the trace goes on from: its dotted order.
    pub(crate) const REMOTE_RUN: u8 = 51;
    /// The foreign W3C trace: value.
    pub(crate) const OTEL: u8 = 52;
    /// A raw text that was streamed, as one chunk: value.
    pub(crate) const RAW_TEXT: u8 = 53;
    /// What the call cost in US dollars, whatever its tokens cost: eight bytes.
    pub(crate) const COST: u8 = 54;
    /// The output is the list of the chunks.
    pub(crate) const CHUNKS_ARE_OUTPUT: u8 = 14;
    /// An attachment that was added by hand: name, value.
    pub(crate) const ATTACHMENT: u8 = 30;
    /// How much of the run may be sent: a byte.
    pub(crate) const CONTENT: u8 = 40;
}

/// A record, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A run began; a `tentative` root's trace is only kept if one of its runs fails.
    Start { key: Key, parent: Key, start: i64, site: u32, client: u16, tentative: bool, body: &'a [u8] },
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
    /// A trace goes on here that began in another process.
    Remote { key: Key, client: u16, body: &'a [u8] },
    /// Something that is no run, such as a score; `root` is that of the trace that it is held back with, or 0.
    Said { kind: SaidKind, client: u16, root: Key, body: &'a [u8] },
}

/// What a record that is no run is. Its body is the model's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SaidKind {
    Score,
    Thread,
    User,
    Attachment,
}

fn first_word(kind: u8, flags: u8, body: &[u8]) -> u64 {
    u64::from(kind) | (u64::from(flags) << 8) | ((body.len() as u64) << 32)
}

pub(crate) fn start_head(key: Key, parent: Key, start: i64, site: u32, client: u16, body: &[u8]) -> [u64; 5] {
    [first_word(START, 0, body), key, parent, start as u64, u64::from(site) | (u64::from(client) << 32)]
}

pub(crate) fn end_head(key: Key, end: i64, status: Status, body: &[u8]) -> [u64; 3] {
    [first_word(END, status_byte(status), body), key, end as u64]
}

/// A status as a byte.
pub(crate) fn status_byte(status: Status) -> u8 {
    match status {
        Status::Error => 1,
        Status::Cancelled => 2,
        Status::Aborted => 3,
        Status::Unknown => 4,
        Status::Pending => 5,
        Status::Ok => 0,
    }
}

fn status(byte: u8) -> Status {
    match byte {
        1 => Status::Error,
        2 => Status::Cancelled,
        3 => Status::Aborted,
        4 => Status::Unknown,
        5 => Status::Pending,
        _ => Status::Ok,
    }
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

pub(crate) fn remote_head(key: Key, client: u16, body: &[u8]) -> [u64; 3] {
    [first_word(REMOTE, 0, body), key, u64::from(client)]
}

pub(crate) fn said_head(kind: SaidKind, client: u16, root: Key, body: &[u8]) -> [u64; 3] {
    [first_word(SAID, kind as u8, body), client.into(), root]
}

/// The words of the record that begins with this word.
pub(crate) fn words(first: u64) -> usize {
    let head = HEADS.get((first & 0xff) as usize).copied().unwrap_or(1);
    head + ((first >> 32) as usize).div_ceil(8)
}

/// The first word of a record and its body.
pub(crate) fn parts(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let first = bytes.first_chunk().map(|word| u64::from_le_bytes(*word))?;
    let body = HEADS.get((first & 0xff) as usize)? * 8;
    Some((first, bytes.get(body..body + (first >> 32) as usize)?))
}

/// When what a record says happened, by the clock of its trace, where it says so.
pub(crate) fn time(bytes: &[u8]) -> Option<i64> {
    let word = |i: usize| bytes.get(i * 8..)?.first_chunk().map(|word| u64::from_le_bytes(*word));
    match (word(0)? & 0xff) as u8 {
        START => word(3).map(|time| time as i64),
        END | CHUNK | NOTE => word(2).map(|time| time as i64),
        _ => None,
    }
}

/// Reads a record from its bytes. `None` for a kind that this version does not know.
pub(crate) fn parse(bytes: &[u8]) -> Option<Record<'_>> {
    let word = |i: usize| bytes.get(i * 8..)?.first_chunk().map(|word| u64::from_le_bytes(*word));
    let (first, body) = parts(bytes)?;
    let kind = (first & 0xff) as u8;
    let key = word(1)?;
    Some(match kind {
        START => {
            let place = word(4)?;
            let (site, client, tentative) = (place as u32, (place >> 32) as u16, place & TENTATIVE != 0);
            Record::Start { key, parent: word(2)?, start: word(3)? as i64, site, client, tentative, body }
        }
        END => Record::End { key, end: word(2)? as i64, status: status((first >> 8) as u8), body },
        CHUNK => Record::Chunk { key, time: word(2)? as i64, body },
        NOTE => Record::Note { key, time: word(2)? as i64, body },
        RETAIN => Record::Retain { key },
        RELEASE => Record::Release { key },
        REMOTE => Record::Remote { key, client: word(2)? as u16, body },
        SAID => {
            let kind = match (first >> 8) & 0xff {
                0 => SaidKind::Score,
                1 => SaidKind::Thread,
                2 => SaidKind::User,
                3 => SaidKind::Attachment,
                _ => return None,
            };
            Record::Said { kind, client: key as u16, root: word(2)?, body }
        }
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
    Thread(&'a str),
    Session(&'a str),
    User(&'a str),
    Environment(&'a str),
    Release(&'a str),
    ScopeTag(&'a str),
    RunType(&'a str),
    Id(RunId),
    Status(Status),
    Variable(&'a str, TapeReader<'a>),
    Expected(TapeReader<'a>),
    PromptRef(&'a str),
    DeploymentRef(&'a str),
    Place(&'a str, u32),
    RemoteRun(&'a str),
    Otel(TapeReader<'a>),
    RawText(TapeReader<'a>),
    Cost(f64),
    Attachment(&'a str, TapeReader<'a>),
}

impl<'a> Item<'a> {
    /// What the program gave to be captured.
    fn value(self) -> Option<TapeReader<'a>> {
        match self {
            Self::Input(_, value)
            | Self::Inputs(value)
            | Self::Metadata(_, value)
            | Self::Output(value)
            | Self::SetOutput(value)
            | Self::Event(_, _, value)
            | Self::SoFar(_, value)
            | Self::Variable(_, value)
            | Self::Expected(value)
            | Self::Attachment(_, value) => Some(value),
            _ => None,
        }
    }
}

/// The captured values in the body of the record that begins with this word.
pub(crate) fn values(first: u64, body: &[u8]) -> impl Iterator<Item = TapeReader<'_>> {
    let is_value = matches!((first & 0xff) as u8, CHUNK | SAID);
    let (value, items) = if is_value { (Some(TapeReader::new(body)), &[][..]) } else { (None, body) };
    value.into_iter().chain(Items::new(items).filter_map(Item::value))
}

/// Reads the items of a body.
pub(crate) struct Items<'a>(TapeReader<'a>);

impl<'a> Items<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(TapeReader::new(body))
    }

    /// Takes the next value out and leaves the reader behind it.
    fn value(&mut self) -> Result<TapeReader<'a>, BrokenTape> {
        self.0.value()
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
            item::THREAD => Item::Thread(self.0.str()?),
            item::SESSION => Item::Session(self.0.str()?),
            item::USER => Item::User(self.0.str()?),
            item::ENVIRONMENT => Item::Environment(self.0.str()?),
            item::RELEASE => Item::Release(self.0.str()?),
            item::SCOPE_TAG => Item::ScopeTag(self.0.str()?),
            item::RUN_TYPE => Item::RunType(self.0.str()?),
            item::ID => {
                let (low, high) = (self.0.u64()?, self.0.u64()?);
                Item::Id(RunId::from_u128(u128::from(low) | (u128::from(high) << 64)))
            }
            item::STATUS => Item::Status(status(self.0.byte()?)),
            item::VARIABLE => Item::Variable(self.0.str()?, self.value()?),
            item::EXPECTED => Item::Expected(self.value()?),
            item::PROMPT_REF => Item::PromptRef(self.0.str()?),
            item::DEPLOYMENT_REF => Item::DeploymentRef(self.0.str()?),
            item::PLACE => Item::Place(self.0.str()?, self.0.u64()? as u32),
            item::REMOTE_RUN => Item::RemoteRun(self.0.str()?),
            item::OTEL => Item::Otel(self.value()?),
            item::RAW_TEXT => Item::RawText(self.value()?),
            item::COST => Item::Cost(f64::from_bits(self.0.u64()?)),
            item::ATTACHMENT => Item::Attachment(self.0.str()?, self.value()?),
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
