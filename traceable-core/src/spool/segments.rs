//! Appends records to the segments of one directory. What it has taken stays whole whatever fails.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    disk::{Disk, DiskFile},
    layout::segment_name,
    record::Encoded,
    settings::Durability,
};

/// The age at which a segment is sealed.
const SEAL_AFTER: Duration = Duration::from_secs(60);

/// The segment that is written.
struct Open {
    number: u64,
    file: Box<dyn DiskFile>,
    bytes: u64,
    opened: Instant,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("number", &self.number).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Segments {
    segment_bytes: u64,
    durability: Durability,
    open: Option<Open>,
    /// Since when there are bytes that were not forced to the disk.
    dirty_since: Option<Instant>,
    /// Bytes of all segments since they were last counted, with those that are gone by now.
    pub(super) bytes: u64,
    /// How often the disk could not be forced.
    pub(super) unsynced: u64,
}

impl Segments {
    pub(super) fn new(segment_bytes: u64, durability: Durability) -> Self {
        Self { segment_bytes, durability, open: None, dirty_since: None, bytes: 0, unsynced: 0 }
    }

    /// The segment that is written.
    pub(super) fn open_number(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.number)
    }

    /// When [`Segments::tend`] has something to do.
    pub(super) fn next_tend(&self) -> Option<Instant> {
        let seal = self.open.as_ref().map(|open| open.opened + SEAL_AFTER);
        let sync = match self.durability {
            Durability::Periodic(every) => self.dirty_since.map(|since| since + every),
            Durability::Process | Durability::Every => None,
        };
        seal.into_iter().chain(sync).min()
    }

    /// Forces to the disk and seals what is due.
    pub(super) fn tend(&mut self, now: Instant) {
        if let Durability::Periodic(every) = self.durability
            && self.dirty_since.is_some_and(|since| now.saturating_duration_since(since) >= every)
        {
            self.sync();
        }
        if self.open.as_ref().is_some_and(|open| now.saturating_duration_since(open.opened) >= SEAL_AFTER) {
            self.seal();
        }
    }

    /// Forces everything to the disk. A failure is counted, and what comes next goes into another segment: asked again,
    /// a system may answer well though what it could not write is gone from its memory.
    pub(super) fn sync(&mut self) {
        if let Some(open) = &mut self.open
            && self.dirty_since.take().is_some()
            && open.file.sync().is_err()
        {
            self.unsynced += 1;
            self.open = None;
        }
    }

    /// Nothing more goes into the segment that is written.
    pub(super) fn seal(&mut self) {
        if self.durability != Durability::Process {
            self.sync();
        }
        self.open = None;
        self.dirty_since = None;
    }

    /// Appends records that stand in `bytes` one after the other, `each` of them as long as it says.
    ///
    /// Answers how many records were taken, from the first on, and why not all.
    pub(super) fn append(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        bytes: &[u8],
        each: &[Encoded],
        now: Instant,
    ) -> (usize, io::Result<()>) {
        let appended = self.append_some(disk, dir, bytes, each, now);
        if self.durability == Durability::Every {
            self.sync();
        }
        appended
    }

    fn append_some(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        mut bytes: &[u8],
        each: &[Encoded],
        now: Instant,
    ) -> (usize, io::Result<()>) {
        let mut taken = 0;
        while taken < each.len() {
            let room = match self.open_for(disk, dir, &each[taken], now) {
                Ok(used) => self.segment_bytes.saturating_sub(used),
                Err(error) => return (taken, Err(error)),
            };
            let mut length = 0;
            let fits = |record: &&Encoded| {
                // The first one goes in any case: an empty segment may be too small for it.
                let fits = length == 0 || length + record.bytes as u64 <= room;
                length += if fits { record.bytes as u64 } else { 0 };
                fits
            };
            let count = each[taken..].iter().take_while(fits).count();
            let (now_bytes, rest) = bytes.split_at_checked(length as usize).unwrap_or((bytes, &[]));
            let (written, outcome) = self.write(now_bytes, &each[taken..taken + count], now);
            taken += written;
            if outcome.is_err() {
                return (taken, outcome);
            }
            bytes = rest;
        }
        (taken, Ok(()))
    }

    /// Opens the next segment unless this record fits into the open one. Answers how many bytes stand in it.
    fn open_for(&mut self, disk: &dyn Disk, dir: &Path, record: &Encoded, now: Instant) -> io::Result<u64> {
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.bytes > 0 && open.bytes + record.bytes as u64 > self.segment_bytes)
        {
            self.seal();
        }
        if let Some(open) = &self.open {
            return Ok(open.bytes);
        }
        let mut file = disk.append(&dir.join(segment_name(record.sequence)))?;
        // What is there was left by an attempt that took nothing.
        if file.len()? > 0 {
            file.truncate(0)?;
        }
        if self.durability != Durability::Process {
            disk.sync_dir(dir)?;
        }
        self.open = Some(Open { number: record.sequence, file, bytes: 0, opened: now });
        Ok(0)
    }

    /// Writes these records to the open segment, all or up to a whole one.
    fn write(&mut self, bytes: &[u8], each: &[Encoded], now: Instant) -> (usize, io::Result<()>) {
        let Some(open) = &mut self.open else { return (0, Err(io::ErrorKind::NotFound.into())) };
        let (written, outcome) = write_some(&mut *open.file, bytes);
        self.dirty_since.get_or_insert(now);
        if outcome.is_ok() {
            open.bytes += written as u64;
            self.bytes += written as u64;
            return (each.len(), Ok(()));
        }
        // A part may have been written, whatever was said. Back to the last whole record: what comes next must begin where
        // one ends.
        let mut whole = 0;
        let is_whole = |record: &&Encoded| {
            let is_whole = whole + record.bytes <= written;
            whole += if is_whole { record.bytes } else { 0 };
            is_whole
        };
        let count = each.iter().take_while(is_whole).count();
        open.bytes += whole as u64;
        self.bytes += whole as u64;
        if open.file.truncate(open.bytes).is_err() {
            // A reader finds the torn end, and goes on in the next segment.
            self.seal();
        }
        (count, outcome)
    }
}

/// Writes until it fails, and answers how many bytes went out.
fn write_some(file: &mut dyn DiskFile, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.append(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
