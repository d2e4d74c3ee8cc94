//! How far a backend came in a directory: an append-only file of small records, of which the last sound one counts.
//!
//! ```text
//! magic 4 | version 1 | flags 1 | 0 2 | delivered 8 | needed 8 | 0 4 | CRC32C of all before 4
//! ```

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::disk::{Disk, DiskFile};

const MAGIC: [u8; 4] = [0xf5, b't', b'a', 0xf6];
const VERSION: u8 = 1;
const BYTES: usize = 32;
/// A file of this many bytes is begun anew.
const MAX_BYTES: u64 = 64 << 10;
/// Nothing more will come of this directory.
const COMPLETE: u8 = 1;

/// How far a backend came, by the records' sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ack {
    /// Everything up to here is done with; 0 is nothing.
    pub delivered: u64,
    /// The oldest record that is still of use: the start of a run whose end is not done with. Never beyond the next one.
    pub needed: u64,
    /// The process that wrote the directory has died, and all that it left is done with.
    pub is_complete: bool,
}

impl Ack {
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = if self.is_complete { COMPLETE } else { 0 };
        bytes[8..16].copy_from_slice(&self.delivered.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.needed.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; BYTES]) -> Option<Self> {
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        let is_sound = bytes[28..] == crc32c::crc32c(&bytes[..28]).to_le_bytes();
        let ack = Self { delivered: number(8), needed: number(16), is_complete: bytes[5] & COMPLETE != 0 };
        let is_possible = ack.needed <= ack.delivered.saturating_add(1);
        (is_sound && is_possible && bytes[..4] == MAGIC && bytes[4] == VERSION).then_some(ack)
    }

    /// What a file says: its last sound record.
    fn last_of(bytes: &[u8]) -> Option<Self> {
        bytes.as_chunks().0.iter().rev().find_map(Self::from_bytes)
    }

    /// What stands in a file; nothing where there is none, or none that can be read: then all is given out again.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let file = match disk.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        // More than this was not written by us; what we wrote stands at the end.
        let from = file.len()?.saturating_sub(2 * MAX_BYTES).next_multiple_of(BYTES as u64);
        let mut bytes = vec![0; 2 * MAX_BYTES as usize];
        let read = file.read_full_at(from, &mut bytes)?;
        Ok(Self::last_of(&bytes[..read]).unwrap_or_default())
    }
}

/// The file of one backend in one directory.
pub(super) struct AckLog {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    bytes: u64,
    written: Ack,
}

impl AckLog {
    /// The file that `label` names, and what it says.
    pub(super) fn new(disk: Arc<dyn Disk>, dir: &Path, label: &str, written: Ack) -> Self {
        Self { disk, path: path(dir, label), file: None, bytes: 0, written }
    }

    /// Writes it down, unless it is what was written last.
    ///
    /// # Errors
    ///
    /// When the file system fails; the next call tries it again.
    pub(super) fn write(&mut self, ack: Ack) -> io::Result<()> {
        if ack == self.written {
            return Ok(());
        }
        let written = self.append(&ack.to_bytes());
        match written {
            Ok(()) => self.written = ack,
            // Opened again, it is cut to whole records.
            Err(_) => self.file = None,
        }
        written
    }

    fn append(&mut self, record: &[u8; BYTES]) -> io::Result<()> {
        if self.file.is_some() && self.bytes >= MAX_BYTES {
            self.file = None;
            self.disk.replace(&self.path, record)?;
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = self.disk.append(&self.path)?;
                let len = file.len()?;
                self.bytes = len - len % BYTES as u64;
                if self.bytes != len {
                    file.truncate(self.bytes)?;
                }
                self.file.insert(file)
            }
        };
        file.append_all(record)?;
        self.bytes += BYTES as u64;
        Ok(())
    }
}

/// The file of a backend.
pub(super) fn path(dir: &Path, label: &str) -> PathBuf {
    dir.join(format!("ack-{label}"))
}
