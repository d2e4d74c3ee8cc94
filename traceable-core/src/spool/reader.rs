//! Reads the records of one directory, in order, also while another process writes there.
//!
//! Whatever the bytes are: it never panics, ends, and holds one record in memory.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    disk::{Disk, DiskFile},
    layout::{BAD, LOCK, segment_name, segments},
    record::{HEADER, Head, Kind, MAGIC, Wrong},
    std_disk::StdDisk,
};
use crate::model::{RunChange, RunId};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// Records of one segment: more than fit.
const MAX_RECORDS: u64 = 1 << 32;
/// Segments of which copies are kept in `bad`.
const MAX_BAD: usize = 8;

/// A place in a directory: before a record, or at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The segment.
    pub segment: u64,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// What was found that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Damage {
    /// Stretches of bytes between records that were read, and at the ends of segments.
    pub stretches: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that are the end of what a process was just writing when it died: not yet a record to anybody.
    pub torn: u64,
    /// Those of them that begin like records of a later version.
    pub newer: u64,
    /// Records that are not there, by their sequence numbers.
    pub missing: u64,
}

/// A record as it stands in a segment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Where it begins.
    pub position: Position,
    /// Its number in the directory, from 1. Numbers that are left out are records that were dropped and counted.
    pub sequence: u64,
    /// What it is about.
    pub kind: Kind,
    /// The run that it is about; zero where it is about none.
    pub run_id: RunId,
    /// The backends that it is not for, a bit for each in the order of [`Meta::destinations`](super::Meta).
    pub left_out: u32,
    /// The change, as JSON.
    pub payload: &'a [u8],
}

impl Record<'_> {
    /// The change.
    ///
    /// # Errors
    ///
    /// When it is not one that this version knows.
    pub fn change(&self) -> io::Result<RunChange> {
        Ok(serde_json::from_slice(self.payload)?)
    }
}

/// Who writes the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// A process that lives: what is no whole record at the very end is not there yet.
    Lives,
    /// Nobody any more.
    Died,
    /// Whoever holds the lock.
    Ask,
}

/// What stands at a place.
enum Look {
    Whole(Head),
    /// Not a record, but one begins there.
    Damaged {
        next: u64,
        newer: bool,
    },
    /// Nothing more in this segment but this many bytes, which are no record.
    End(u64),
}

/// See the module.
#[derive(Debug)]
pub struct Reader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    at: Position,
    writer: Writer,
    open: Option<Open>,
    damage: Damage,
    /// The sequence number of the record before.
    last: Option<u64>,
    keeps_bad: bool,
}

/// The segment that is being read.
struct Open {
    number: u64,
    file: Box<dyn DiskFile>,
    /// Its length when it was last asked for.
    len: u64,
    /// A part of it, from `from` on.
    buffer: Vec<u8>,
    from: u64,
    /// Bytes that may still be looked at in vain: a limit to what lengths that lie can cost.
    patience: u64,
    /// At this length there was nothing whole behind the end.
    vain_at: Option<u64>,
    /// A later segment was there when it was read to its end.
    is_final: bool,
    was_copied: bool,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("number", &self.number).field("len", &self.len).finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads this directory from here on: [`Position::default`] is its beginning. It changes nothing there.
    pub fn new(dir: impl Into<PathBuf>, from: Position) -> Self {
        Self::on(Arc::new(StdDisk), dir, from)
    }

    /// The same, on another file system.
    pub fn on(disk: Arc<dyn Disk>, dir: impl Into<PathBuf>, from: Position) -> Self {
        Self {
            disk,
            dir: dir.into(),
            at: from,
            writer: Writer::Ask,
            open: None,
            damage: Damage::default(),
            last: None,
            keeps_bad: false,
        }
    }

    /// A reader in the process that holds the directory's lock. It copies damaged segments.
    pub(super) fn of_holder(disk: Arc<dyn Disk>, dir: &Path, from: Position, writer_lives: bool) -> Self {
        let writer = if writer_lives { Writer::Lives } else { Writer::Died };
        Self { writer, keeps_bad: true, ..Self::on(disk, dir, from) }
    }

    /// Where the next record begins, or will begin.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Goes on from there.
    pub fn seek(&mut self, to: Position) {
        self.open = self.open.take().filter(|open| open.number == to.segment);
        self.at = to;
        self.last = None;
    }

    /// What could not be read so far.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// The next record; `None` when there is none now.
    ///
    /// # Errors
    ///
    /// When the file system fails. The next call tries the same again.
    #[allow(clippy::should_implement_trait, reason = "a record borrows from the reader")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            if self.open.is_none() && !self.open_segment()? {
                return Ok(None);
            }
            let Some(open) = &mut self.open else { return Ok(None) };
            let position = self.at;
            match open.look(position.offset)? {
                Look::Whole(head) => {
                    self.at.offset += (HEADER + head.length) as u64;
                    if let Some(last) = self.last.filter(|last| head.sequence > *last) {
                        self.damage.missing += head.sequence - last - 1;
                    }
                    self.last = Some(head.sequence);
                    return Ok(self.record(position, head));
                }
                Look::Damaged { next, newer } => {
                    self.note(next - position.offset, newer);
                    self.at.offset = next;
                }
                Look::End(rest) => {
                    if !self.leave_segment(rest)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn record(&self, position: Position, head: Head) -> Option<Record<'_>> {
        let open = self.open.as_ref()?;
        let from = (position.offset - open.from) as usize + HEADER;
        let payload = open.buffer.get(from..from + head.length)?;
        let (payload, left_out) = head.parts(payload);
        Some(Record { position, sequence: head.sequence, kind: head.kind, run_id: head.run_id, left_out, payload })
    }

    /// Opens the segment of the position, or the next one that is there. Answers whether there is one.
    fn open_segment(&mut self) -> io::Result<bool> {
        let numbers = segments(&*self.disk, &self.dir)?;
        for number in numbers.into_iter().filter(|number| *number >= self.at.segment) {
            match self.disk.open(&self.dir.join(segment_name(number))) {
                Ok(file) => {
                    if number != self.at.segment {
                        self.at = Position { segment: number, offset: 0 };
                    }
                    self.open = Some(Open::new(number, file)?);
                    return Ok(true);
                }
                // Dropped between the look and the opening.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Goes on to the next segment when there is nothing more in this one but `rest` bytes that are no record. Answers
    /// whether it is worth another look.
    fn leave_segment(&mut self, rest: u64) -> io::Result<bool> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let next = segments(&*self.disk, &self.dir)?.into_iter().find(|number| *number > open.number);
        let is_over = next.is_some() || (rest > 0 && self.writer_died()?);
        let Some(open) = &mut self.open else { return Ok(false) };
        if is_over && !open.is_final {
            // Something may have been appended after our look and before the writer went on or died.
            open.is_final = true;
            open.forget();
            return Ok(true);
        }
        if is_over && rest > 0 {
            self.damage.torn += 1;
            self.note(rest, false);
            self.at.offset += rest;
        }
        let Some(next) = next else { return Ok(false) };
        self.at = Position { segment: next, offset: 0 };
        self.open = None;
        Ok(true)
    }

    fn writer_died(&self) -> io::Result<bool> {
        Ok(match self.writer {
            Writer::Lives => false,
            Writer::Died => true,
            Writer::Ask => match self.disk.lock(&self.dir.join(LOCK), false) {
                Ok(lock) => lock.is_some(),
                // Whoever wrote it never locked it, or it has been taken away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(error),
            },
        })
    }

    fn note(&mut self, bytes: u64, newer: bool) {
        self.damage.stretches += 1;
        self.damage.bytes += bytes;
        self.damage.newer += u64::from(newer);
        if let Some(open) = &mut self.open
            && self.keeps_bad
            && !newer
            && !open.is_final
            && !std::mem::replace(&mut open.was_copied, true)
        {
            // A copy is for whoever looks into it; reading goes on without.
            let _ = copy_to_bad(&*self.disk, &self.dir, open.number, &*open.file);
        }
    }
}

fn copy_to_bad(disk: &dyn Disk, dir: &Path, number: u64, file: &dyn DiskFile) -> io::Result<()> {
    let (bad, name) = (dir.join(BAD), segment_name(number));
    disk.make_dir(&bad)?;
    let kept = disk.names(&bad)?;
    if kept.len() >= MAX_BAD || kept.contains(&name) {
        return Ok(());
    }
    let mut copy = disk.append(&bad.join(name))?;
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let read = file.read_full_at(offset, &mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        copy.append_all(&chunk[..read])?;
        offset += read as u64;
    }
}

impl Open {
    fn new(number: u64, file: Box<dyn DiskFile>) -> io::Result<Self> {
        let len = file.len()?;
        Ok(Self {
            number,
            file,
            len,
            buffer: Vec::new(),
            from: 0,
            patience: patience(len),
            vain_at: None,
            is_final: false,
            was_copied: false,
        })
    }

    /// Forgets what was read of the file.
    fn forget(&mut self) {
        self.buffer.clear();
        self.vain_at = None;
    }

    /// What stands at `offset`. A whole record is in the buffer then.
    fn look(&mut self, offset: u64) -> io::Result<Look> {
        let wrong = match self.whole(offset)? {
            Ok(head) => return Ok(Look::Whole(head)),
            Err(wrong) => wrong,
        };
        // What could not be read may be there by now.
        let len = self.file.len()?;
        if len > self.len {
            self.patience = self.patience.max(patience(len));
        }
        self.len = len;
        self.buffer.clear();
        if len > offset
            && let Ok(head) = self.whole(offset)?
        {
            return Ok(Look::Whole(head));
        }
        let rest = len.saturating_sub(offset);
        if rest == 0 || self.vain_at == Some(len) {
            return Ok(Look::End(rest));
        }
        if let Some(next) = self.next_whole(offset + 1)? {
            return Ok(Look::Damaged { next, newer: wrong == Wrong::Newer });
        }
        self.vain_at = Some(len);
        Ok(Look::End(rest))
    }

    /// Makes these bytes stand in the buffer, or as many of them as the file has. Answers how many.
    fn fill(&mut self, offset: u64, bytes: usize) -> io::Result<usize> {
        let has = |open: &Self| {
            let end = open.from + open.buffer.len() as u64;
            if offset < open.from { 0 } else { end.saturating_sub(offset) as usize }
        };
        if has(self) < bytes {
            let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
            self.buffer.resize(bytes.max(CHUNK).min(left), 0);
            self.from = offset;
            match self.file.read_full_at(offset, &mut self.buffer) {
                Ok(read) => self.buffer.truncate(read),
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        Ok(has(self).min(bytes))
    }

    /// The record at `offset`, if one stands there, whole and sound.
    fn whole(&mut self, offset: u64) -> io::Result<Result<Head, Wrong>> {
        if self.fill(offset, HEADER)? < HEADER {
            return Ok(Err(Wrong::Bytes));
        }
        let head = match self.header(offset).map(|header| Head::read(&header)) {
            Some(Ok(head)) => head,
            Some(Err(wrong)) => return Ok(Err(wrong)),
            None => return Ok(Err(Wrong::Bytes)),
        };
        let bytes = HEADER + head.length;
        let is_possible = offset + bytes as u64 <= self.len
            && head.sequence >= self.number
            && head.sequence - self.number < MAX_RECORDS;
        if !is_possible || self.fill(offset, bytes)? < bytes {
            return Ok(Err(Wrong::Bytes));
        }
        let from = (offset - self.from) as usize;
        let is_sound =
            self.header(offset).is_some_and(|header| head.is_sound(&header, &self.buffer[from + HEADER..from + bytes]));
        if !is_sound {
            self.patience = self.patience.saturating_sub(bytes as u64);
            return Ok(Err(Wrong::Bytes));
        }
        Ok(Ok(head))
    }

    fn header(&self, offset: u64) -> Option<[u8; HEADER]> {
        let from = usize::try_from(offset.checked_sub(self.from)?).ok()?;
        self.buffer.get(from..from + HEADER)?.try_into().ok()
    }

    /// Where the next whole record begins, from `offset` on.
    fn next_whole(&mut self, mut offset: u64) -> io::Result<Option<u64>> {
        while offset < self.len && self.patience > 0 {
            let have = self.fill(offset, CHUNK)?;
            let from = (offset - self.from) as usize;
            let window = &self.buffer[from..from + have];
            match window.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
                Some(at) => {
                    offset += at as u64;
                    if self.whole(offset)?.is_ok() {
                        return Ok(Some(offset));
                    }
                    offset += 1;
                }
                // The magic may begin in the last bytes.
                None if have >= MAGIC.len() => offset += (have - MAGIC.len() + 1) as u64,
                None => break,
            }
        }
        Ok(None)
    }
}

/// How many bytes of a file of this length may be looked at in vain.
fn patience(len: u64) -> u64 {
    len.saturating_mul(4).max(1 << 20)
}
