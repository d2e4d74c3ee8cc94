//! A file of lines that is never torn: each line is one write at the end, and half a line is taken back.
//!
//! Invariants, for any number of processes that write one file through this module:
//! - between two batches the file is empty or ends in a newline, unless a writer died or could not take back;
//! - who writes holds the file's lock, so that taking back half a line never takes back another's;
//! - who finds half a line at the end starts a new one. Readers then see one line that is no JSON.

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    thread,
    time::Duration,
};

/// How often the lock is tried, a millisecond apart: another writer holds it for one batch.
const LOCK_TRIES: u32 = 50;

/// What a file does, so that tests can fill the disk.
pub(super) trait Storage: Send {
    /// Takes the lock. `false` when another writer kept it.
    fn lock(&mut self) -> io::Result<bool>;
    /// Gives the lock back.
    fn unlock(&mut self);
    /// Appends what it can in one call.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// The length in bytes; `None` for what has none, such as a pipe.
    fn len(&self) -> io::Result<Option<u64>>;
    /// The last byte of a file of this length.
    fn last_byte(&mut self, len: u64) -> io::Result<u8>;
    /// Cuts the file.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Brings everything to the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Storage for File {
    fn lock(&mut self) -> io::Result<bool> {
        for _ in 0..LOCK_TRIES {
            match self.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
                // Some network file systems know no locks. One write at the end is still one write.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(true),
            }
        }
        Ok(false)
    }

    fn unlock(&mut self) {
        // Fails only where locking failed.
        let _ = File::unlock(self);
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn len(&self) -> io::Result<Option<u64>> {
        let metadata = self.metadata()?;
        Ok(metadata.is_file().then_some(metadata.len()))
    }

    fn last_byte(&mut self, len: u64) -> io::Result<u8> {
        let mut last = [0];
        self.seek(SeekFrom::Start(len.saturating_sub(1)))?;
        self.read_exact(&mut last)?;
        Ok(last[0])
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.sync_data() {
            // A pipe or a terminal has nothing to bring to a disk.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }
}

/// The end of a file of lines, with the lock held.
pub(super) struct Appender<'a, S: Storage> {
    storage: &'a mut S,
    /// Where the file ends, where it has an end.
    end: Option<u64>,
    /// Whether somebody left half a line.
    torn: bool,
}

impl<'a, S: Storage> Appender<'a, S> {
    /// Takes the lock and looks at the end of the file. `None` when another writer keeps it.
    pub(super) fn new(storage: &'a mut S) -> io::Result<Option<Self>> {
        if !storage.lock()? {
            return Ok(None);
        }
        let mut appender = Self { storage, end: None, torn: false };
        appender.end = appender.storage.len()?;
        if let Some(end) = appender.end.filter(|end| *end > 0) {
            appender.torn = appender.storage.last_byte(end)? != b'\n';
        }
        Ok(Some(appender))
    }

    /// Appends a line. `line` begins and ends with a newline: the first is written only after half a line.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        debug_assert!(line.first() == Some(&b'\n') && line.last() == Some(&b'\n'));
        let bytes = &line[usize::from(!self.torn)..];
        let mut written = 0;
        while written < bytes.len() {
            // One call does it, unless the disk is full or the line is longer than what a call may take.
            match self.storage.append(&bytes[written..]) {
                Ok(0) => return Err(self.take_back(written, io::ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.take_back(written, error)),
            }
        }
        self.torn = false;
        self.end = self.end.map(|end| end + written as u64);
        Ok(())
    }

    /// Cuts off half a line, unless something else was written after it.
    fn take_back(&mut self, written: usize, error: io::Error) -> io::Error {
        if written > 0 {
            let end = self.end.filter(|end| matches!(self.storage.len(), Ok(Some(len)) if len == end + written as u64));
            // What cannot be cut off is found by whoever writes next.
            let _ = end.map(|end| self.storage.truncate(end));
        }
        error
    }
}

impl<S: Storage> Drop for Appender<'_, S> {
    fn drop(&mut self) {
        self.storage.unlock();
    }
}

#[cfg(test)]
pub(super) mod disk {
    //! A file without a disk.

    use super::*;

    /// A disk with room for so many bytes.
    #[derive(Default)]
    pub(in crate::jsonl) struct Disk {
        pub(super) bytes: Vec<u8>,
        pub(in crate::jsonl) room: usize,
        pub(super) locked: bool,
        pub(super) kept_by_another: bool,
        pub(super) can_truncate: bool,
    }

    impl Disk {
        pub(in crate::jsonl) fn with_room(room: usize) -> Self {
            Self { room, can_truncate: true, ..Self::default() }
        }

        pub(in crate::jsonl) fn text(&self) -> &str {
            str::from_utf8(&self.bytes).unwrap()
        }
    }

    impl Storage for Disk {
        fn lock(&mut self) -> io::Result<bool> {
            assert!(!self.locked);
            self.locked = !self.kept_by_another;
            Ok(self.locked)
        }

        fn unlock(&mut self) {
            self.locked = false;
        }

        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(self.locked);
            let fits = bytes.len().min(self.room);
            self.room -= fits;
            self.bytes.extend_from_slice(&bytes[..fits]);
            if fits == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(fits) }
        }

        fn len(&self) -> io::Result<Option<u64>> {
            Ok(Some(self.bytes.len() as u64))
        }

        fn last_byte(&mut self, _: u64) -> io::Result<u8> {
            Ok(*self.bytes.last().unwrap())
        }

        fn truncate(&mut self, len: u64) -> io::Result<()> {
            if !self.can_truncate {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            self.bytes.truncate(len as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{disk::Disk, *};

    fn write(disk: &mut Disk, lines: &[&str]) -> Vec<bool> {
        let mut appender = Appender::new(disk).unwrap().unwrap();
        lines.iter().map(|line| appender.line(format!("\n{line}\n").as_bytes()).is_ok()).collect()
    }

    #[test]
    fn a_full_disk_keeps_whole_lines_only_at_every_byte() {
        for room in 0..=12 {
            let mut disk = Disk::with_room(room);
            let done = write(&mut disk, &["{\"a\":1}", "{}"]);
            assert!(disk.text().is_empty() || disk.text().ends_with('\n'), "{room}: {:?}", disk.text());
            assert_eq!(disk.text().lines().count(), done.iter().filter(|done| **done).count(), "{room}");
            assert!(!disk.locked);
        }
    }

    #[test]
    fn half_a_line_that_cannot_be_taken_back_spoils_no_other() {
        let mut disk = Disk { can_truncate: false, ..Disk::with_room(4) };
        assert_eq!(write(&mut disk, &["{\"a\":1}"]), [false]);
        disk.room = 100;
        assert_eq!(write(&mut disk, &["{\"b\":2}", "{\"c\":3}"]), [true, true]);
        assert_eq!(disk.text(), "{\"a\"\n{\"b\":2}\n{\"c\":3}\n");
    }

    #[test]
    fn a_lock_that_another_keeps_is_waited_for_no_longer() {
        let mut disk = Disk { kept_by_another: true, ..Disk::with_room(9) };
        assert!(Appender::new(&mut disk).unwrap().is_none());
    }
}
