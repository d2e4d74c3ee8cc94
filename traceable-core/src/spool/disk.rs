//! What a spool needs of a file system: so few things that a test can stand in for it and fail at any of them.

use std::{any::Any, fmt, io, path::Path, time::SystemTime};

/// A lock that is held until it is dropped, or until the process ends in any way.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was written last.
    pub modified: SystemTime,
}

/// A file system.
#[allow(clippy::missing_errors_doc, reason = "as the operations of the system fail, and with its kinds")]
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a folder, and those above it, for this user alone. It may be there already.
    fn make_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, in no order.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Length and time of a file or folder.
    fn stat(&self, path: &Path) -> io::Result<Listed>;

    /// A file to append to, for this user alone. What is in it stays.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// A file to read.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Puts a file in place, for this user alone: whoever reads it sees the one before or this one, whole.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Forces the names in a folder to the disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Takes a lock. `None` when somebody else has it.
    ///
    /// A lock belongs to this process alone: the child of a fork does not hold it, and does not release it.
    fn lock(&self, path: &Path, make: bool) -> io::Result<Option<Lock>>;

    /// How many bytes are free where this path lies, where that is known.
    fn free(&self, path: &Path) -> Option<u64>;

    /// The time of day.
    fn now(&self) -> SystemTime;
}

/// An open file.
#[allow(clippy::missing_errors_doc, clippy::len_without_is_empty, reason = "as in `Disk`")]
pub trait DiskFile: Send {
    /// Appends the beginning of these bytes, and answers how many.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Reads what stands here, and answers how many bytes; 0 at the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// How long it is.
    fn len(&self) -> io::Result<u64>;

    /// Cuts it off.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// Forces its bytes to the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl dyn DiskFile + '_ {
    /// Appends all of these bytes. When that fails, some of them may have been written.
    pub(super) fn append_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.append(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until `into` is full or the file ends, and answers how many bytes.
    pub(super) fn read_full_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut full = 0;
        while full < into.len() {
            match self.read_at(offset + full as u64, &mut into[full..]) {
                Ok(0) => break,
                Ok(read) => full += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(full)
    }

    /// The whole file, unless it is longer than this.
    pub(super) fn read_all(&self, max: u64) -> io::Result<Vec<u8>> {
        let len = self.len()?;
        if len > max {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {max} bytes")));
        }
        let mut bytes = vec![0; len as usize];
        let read = self.read_full_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}
