//! A file system in memory that can fail at any step, and processes that can be killed.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::spool::{Disk, DiskFile, Listed, Lock};

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The disk is full: a part of what is written goes through.
    NoSpace,
    /// It is full to the last byte.
    Full,
    /// The device fails: whatever was said, a part of what is written may be there.
    Io,
}

#[derive(Default)]
struct Inode {
    data: Vec<u8>,
    /// As much survives the machine.
    synced: usize,
    /// Forcing failed: nothing behind `synced` is forced any more, whatever is said.
    is_lost: bool,
    modified: Duration,
}

#[derive(Default)]
struct World {
    dirs: HashSet<PathBuf>,
    files: BTreeMap<PathBuf, usize>,
    inodes: Vec<Inode>,
    locks: HashMap<usize, usize>,
    holders: usize,
    now: Duration,
    free: Option<u64>,
    /// The operation, counted from now, that fails.
    fault: Option<(u32, Fault)>,
    /// Everything that changes something fails.
    is_read_only: bool,
}

/// The file system as one process sees it.
#[derive(Clone)]
pub(super) struct MemoryDisk {
    world: Arc<Mutex<World>>,
    lives: Arc<AtomicBool>,
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryDisk")
    }
}

impl Default for MemoryDisk {
    fn default() -> Self {
        let world = World { now: Duration::from_secs(1_700_000_000), ..World::default() };
        Self { world: Arc::new(Mutex::new(world)), lives: Arc::new(AtomicBool::new(true)) }
    }
}

impl MemoryDisk {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The same file system, as another process sees it.
    pub(super) fn of_another(&self) -> Self {
        Self { world: Arc::clone(&self.world), lives: Arc::new(AtomicBool::new(true)) }
    }

    /// The process can do nothing any more.
    pub(super) fn kill(&self) {
        self.lives.store(false, Ordering::SeqCst);
    }

    /// The machine stops: of what was not forced to the disk, files keep more or less.
    pub(super) fn crash(&self, seed: u64) {
        let mut seed = seed;
        for inode in &mut self.world().inodes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let loose = inode.data.len() - inode.synced;
            let kept = inode.synced + (seed >> 33) as usize % (loose + 1);
            inode.data.truncate(kept);
            if seed & (1 << 20) != 0 {
                // Length was written, bytes were not.
                inode.data[inode.synced..].fill(0);
            }
            inode.synced = kept;
        }
    }

    pub(super) fn set_fault(&self, after: u32, fault: Fault) {
        self.world().fault = Some((after, fault));
    }

    pub(super) fn set_read_only(&self, is_read_only: bool) {
        let mut world = self.world();
        (world.is_read_only, world.fault) = (is_read_only, None);
    }

    pub(super) fn set_free(&self, free: Option<u64>) {
        self.world().free = free;
    }

    pub(super) fn advance(&self, by: Duration) {
        self.world().now += by;
    }

    /// What stands in a file.
    pub(super) fn get(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.world();
        Some(world.inodes[*world.files.get(path)?].data.clone())
    }

    /// Puts a file in place, as somebody from outside.
    pub(super) fn put(&self, path: &Path, data: Vec<u8>) {
        let mut world = self.world();
        let id = world.file(path);
        world.inodes[id] = Inode { synced: data.len(), data, is_lost: false, modified: world.now };
    }

    /// All files whose names contain this.
    pub(super) fn paths(&self, part: &str) -> Vec<PathBuf> {
        let world = self.world();
        world.files.keys().filter(|path| path.to_str().unwrap().contains(part)).cloned().collect()
    }

    /// Before whatever can fail.
    fn step(&self, changes: bool) -> io::Result<MutexGuard<'_, World>> {
        if !self.lives.load(Ordering::SeqCst) {
            return Err(io::Error::other("the process is dead"));
        }
        let mut world = self.world();
        if changes && world.is_read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        match world.fault.take() {
            None => {}
            Some((0, Fault::NoSpace | Fault::Full)) if changes => return Err(io::ErrorKind::StorageFull.into()),
            Some((0, Fault::Io)) => return Err(io::Error::other("I/O error")),
            Some((after, fault)) => world.fault = Some((after.saturating_sub(1), fault)),
        }
        Ok(world)
    }
}

impl World {
    fn file(&mut self, path: &Path) -> usize {
        let fresh = self.inodes.len();
        let id = *self.files.entry(path.to_owned()).or_insert(fresh);
        if id == fresh {
            self.inodes.push(Inode { modified: self.now, ..Inode::default() });
        }
        id
    }

    fn parent(&self, path: &Path) -> io::Result<()> {
        if self.dirs.contains(path.parent().unwrap()) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

struct Guard {
    world: Arc<Mutex<World>>,
    inode: usize,
    holder: usize,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut world = self.world.lock().unwrap();
        if world.locks.get(&self.inode) == Some(&self.holder) {
            world.locks.remove(&self.inode);
        }
    }
}

impl Disk for MemoryDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.step(true)?;
        world.dirs.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let world = self.step(false)?;
        if !world.dirs.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let all = world.files.keys().chain(&world.dirs).filter(|inner| inner.parent() == Some(path));
        Ok(all.map(|inner| inner.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn stat(&self, path: &Path) -> io::Result<Listed> {
        let world = self.step(false)?;
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if world.dirs.contains(path) {
            return Ok(Listed { name, bytes: 0, modified: UNIX_EPOCH + world.now });
        }
        let inode = &world.inodes[*world.files.get(path).ok_or(io::ErrorKind::NotFound)?];
        Ok(Listed { name, bytes: inode.data.len() as u64, modified: UNIX_EPOCH + inode.modified })
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.step(true)?;
        world.parent(path)?;
        let inode = world.file(path);
        Ok(Box::new(MemoryFile { disk: self.clone(), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let world = self.step(false)?;
        let inode = *world.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile { disk: self.clone(), inode }))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut world = self.step(true)?;
        world.parent(path)?;
        world.files.remove(path);
        let id = world.file(path);
        world.inodes[id].data = bytes.to_vec();
        world.inodes[id].synced = bytes.len();
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.step(true)?;
        world.files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.step(true)?;
        if world.files.keys().chain(&world.dirs).any(|inner| inner.parent() == Some(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if world.dirs.remove(path) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        self.step(true).map(drop)
    }

    fn lock(&self, path: &Path, make: bool) -> io::Result<Option<Lock>> {
        let mut world = self.step(make)?;
        world.parent(path)?;
        if !make && !world.files.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = world.file(path);
        if world.locks.contains_key(&inode) {
            return Ok(None);
        }
        world.holders += 1;
        let holder = world.holders;
        world.locks.insert(inode, holder);
        Ok(Some(Box::new(Guard { world: Arc::clone(&self.world), inode, holder })))
    }

    fn free(&self, _path: &Path) -> Option<u64> {
        self.world().free
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.world().now
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    inode: usize,
}

impl DiskFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fault = self.disk.world().fault;
        let (mut world, written, outcome) = match self.disk.step(true) {
            Ok(world) => (world, bytes.len(), Ok(bytes.len())),
            Err(error) => {
                let mut world = self.disk.world();
                match fault {
                    // As the system does it: a short write, and the error at the next one.
                    Some((0, Fault::NoSpace)) if bytes.len() > 1 => {
                        world.fault = Some((0, Fault::Full));
                        (world, bytes.len() / 2, Ok(bytes.len() / 2))
                    }
                    Some((0, Fault::Io)) => (world, bytes.len() / 2, Err(error)),
                    _ => return Err(error),
                }
            }
        };
        let now = world.now;
        let inode = &mut world.inodes[self.inode];
        inode.data.extend_from_slice(&bytes[..written]);
        inode.modified = now;
        outcome
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let world = self.disk.step(false)?;
        let data = world.inodes[self.inode].data.get(offset as usize..).unwrap_or_default();
        let read = data.len().min(into.len());
        into[..read].copy_from_slice(&data[..read]);
        Ok(read)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.step(false)?.inodes[self.inode].data.len() as u64)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut world = self.disk.step(true)?;
        let inode = &mut world.inodes[self.inode];
        inode.data.truncate(len as usize);
        inode.synced = inode.synced.min(len as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.disk.step(true) {
            Ok(mut world) => {
                let inode = &mut world.inodes[self.inode];
                if !inode.is_lost {
                    inode.synced = inode.data.len();
                }
                Ok(())
            }
            Err(error) => {
                self.disk.world().inodes[self.inode].is_lost = true;
                Err(error)
            }
        }
    }
}
