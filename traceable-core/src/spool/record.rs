//! A record: a header, and a change as JSON.
//!
//! ```text
//! magic 4 | version 1 | kind 1 | length of payload 4 | run id 16 | sequence 8 | CRC32C of all else 4 | payload
//! ```
//!
//! Of version 2 it begins with four bytes more: the backends that it is not for, a bit for each in the order of `meta`. Only
//! such records are of version 2.
//!
//! Numbers are little-endian, the id is not. The magic is no UTF-8, so that no payload contains it.

use std::io;

use crate::model::{RunChange, RunId};

/// Begins a record.
pub(super) const MAGIC: [u8; 4] = [0xf5, b't', b'r', 0xf6];
/// The latest version. Readers take this one and the one before; both are written.
pub(super) const VERSION: u8 = 2;
/// The version of a record that is for all backends.
const FOR_ALL: u8 = 1;
/// Bytes that say which backends a record is not for.
const LEFT_OUT: usize = 4;
/// Bytes before the payload.
pub(super) const HEADER: usize = 38;
/// Bytes of a payload, at most.
pub(super) const MAX_PAYLOAD: usize = 32 << 20;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// [`RunChange::Start`].
    Start,
    /// [`RunChange::Progress`].
    Progress,
    /// [`RunChange::End`].
    End,
    /// [`RunChange::Patch`].
    Patch,
    /// Any other change.
    Other,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Start, Self::Progress, Self::End, Self::Patch, Self::Other];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    fn to_byte(self) -> u8 {
        self as u8 + 1
    }

    fn of(change: &RunChange) -> (Self, RunId) {
        match change {
            RunChange::Start(run) => (Self::Start, run.id),
            RunChange::Progress(progress) => (Self::Progress, progress.id),
            RunChange::End(run) => (Self::End, run.id),
            RunChange::Patch(run) => (Self::Patch, run.id),
            RunChange::Attachment(of) => (Self::Other, of.run_id),
            RunChange::Score(_) | RunChange::Thread(_) | RunChange::User(_) | RunChange::Report(_) => {
                (Self::Other, RunId::default())
            }
        }
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) run_id: RunId,
    pub(super) sequence: u64,
    pub(super) length: usize,
    /// How much of the payload is no change.
    skipped: usize,
    crc: u32,
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// They begin otherwise, or say what cannot be.
    Bytes,
    /// They may be a record of a later version.
    Newer,
}

impl Head {
    /// Reads a header.
    pub(super) fn read(bytes: &[u8; HEADER]) -> Result<Self, Wrong> {
        let (magic, rest) = bytes.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(Wrong::Bytes);
        }
        if rest[0] > VERSION {
            return Err(Wrong::Newer);
        }
        let kind = Kind::from_byte(rest[1]).filter(|_| rest[0] >= FOR_ALL).ok_or(Wrong::Bytes)?;
        let skipped = skipped(rest[0]);
        let length = u32::from_le_bytes(part(bytes, 6)) as usize;
        if length > MAX_PAYLOAD || length < skipped {
            return Err(Wrong::Bytes);
        }
        Ok(Self {
            kind,
            length,
            skipped,
            run_id: RunId::from_u128(u128::from_be_bytes(part(bytes, 10))),
            sequence: u64::from_le_bytes(part(bytes, 26)),
            crc: u32::from_le_bytes(part(bytes, 34)),
        })
    }

    /// The change, and the backends that it is not for.
    pub(super) fn parts(self, payload: &[u8]) -> (&[u8], u32) {
        split(self.skipped, payload)
    }

    /// Whether header and payload are as they were written.
    pub(super) fn is_sound(&self, header: &[u8; HEADER], payload: &[u8]) -> bool {
        checksum(&header[..34], payload) == self.crc
    }
}

fn skipped(version: u8) -> usize {
    if version == FOR_ALL { 0 } else { LEFT_OUT }
}

fn split(skipped: usize, payload: &[u8]) -> (&[u8], u32) {
    let (left_out, change) = payload.split_at_checked(skipped).unwrap_or((&[], payload));
    (change, left_out.try_into().map_or(0, u32::from_le_bytes))
}

/// The change of a record that was written just now, and the backends that it is not for.
pub(super) fn parts(record: &[u8]) -> (&[u8], u32) {
    split(record.get(4).map_or(0, |version| skipped(*version)), record.get(HEADER..).unwrap_or_default())
}

fn part<const N: usize>(bytes: &[u8; HEADER], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(header), payload)
}

/// A record to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) kind: Kind,
    pub(super) run_id: RunId,
    pub(super) sequence: u64,
    /// Bytes, with the header.
    pub(super) bytes: usize,
}

/// Appends a change as a record.
///
/// # Errors
///
/// When it is too large or cannot be written as JSON; then nothing is appended.
pub(super) fn encode(into: &mut Vec<u8>, sequence: u64, change: &RunChange, left_out: u32) -> io::Result<Encoded> {
    let from = into.len();
    let (kind, run_id) = Kind::of(change);
    into.extend_from_slice(&[0; HEADER]);
    if left_out != 0 {
        into.extend_from_slice(&left_out.to_le_bytes());
    }
    let written = serde_json::to_writer(&mut *into, change).map_err(io::Error::from);
    let length = into.len() - from - HEADER;
    let written = match written {
        Ok(()) if length > MAX_PAYLOAD => Err(io::ErrorKind::FileTooLarge.into()),
        written => written,
    };
    if let Err(error) = written {
        into.truncate(from);
        return Err(error);
    }
    let (header, payload) = into[from..].split_at_mut(HEADER);
    header[..4].copy_from_slice(&MAGIC);
    header[4] = if left_out == 0 { FOR_ALL } else { VERSION };
    header[5] = kind.to_byte();
    header[6..10].copy_from_slice(&(length as u32).to_le_bytes());
    header[10..26].copy_from_slice(&run_id.as_u128().to_be_bytes());
    header[26..34].copy_from_slice(&sequence.to_le_bytes());
    let crc = checksum(&header[..34], payload);
    header[34..].copy_from_slice(&crc.to_le_bytes());
    Ok(Encoded { kind, run_id, sequence, bytes: HEADER + length })
}
