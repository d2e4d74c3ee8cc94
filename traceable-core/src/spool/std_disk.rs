//! The system's files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::Path,
    time::SystemTime,
};

use super::{
    disk::{Disk, DiskFile, Listed, Lock},
    lock::Held,
};

/// The system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct StdDisk;

/// Folders are for the user alone, and so are files.
#[cfg(unix)]
mod mode {
    use std::{
        fs::{DirBuilder, OpenOptions},
        os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    };

    pub(super) fn of_dir(dir: &mut DirBuilder) -> &mut DirBuilder {
        dir.mode(0o700)
    }

    pub(super) fn of_file(file: &mut OpenOptions) -> &mut OpenOptions {
        file.mode(0o600)
    }
}

#[cfg(not(unix))]
mod mode {
    use std::fs::{DirBuilder, OpenOptions};

    pub(super) fn of_dir(dir: &mut DirBuilder) -> &mut DirBuilder {
        dir
    }

    pub(super) fn of_file(file: &mut OpenOptions) -> &mut OpenOptions {
        file
    }
}

impl Disk for StdDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        mode::of_dir(DirBuilder::new().recursive(true)).create(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        // What is not text is none of ours.
        fs::read_dir(path)?
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn stat(&self, path: &Path) -> io::Result<Listed> {
        let metadata = fs::symlink_metadata(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Listed { name, bytes: metadata.len(), modified: metadata.modified()? })
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = mode::of_file(OpenOptions::new().read(true).append(true).create(true)).open(path)?;
        Ok(Box::new(StdFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(StdFile(File::open(path)?)))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let written = mode::of_file(OpenOptions::new().write(true).create(true).truncate(true))
            .open(&beside)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    #[cfg(unix)]
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// A folder cannot be opened here.
    #[cfg(not(unix))]
    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path, make: bool) -> io::Result<Option<Lock>> {
        let file = mode::of_file(OpenOptions::new().read(true).write(true).create(make)).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Held::new(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn free(&self, path: &Path) -> Option<u64> {
        crate::sys::free_bytes(path)
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

struct StdFile(File);

impl DiskFile for StdFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, into, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.0, into, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}
