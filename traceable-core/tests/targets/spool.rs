//! Files of a spool that hold anything.
#![allow(clippy::unwrap_used, dead_code, reason = "a target fails by panicking, and each fuzzer runs one of them")]

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use traceable_core::{
    delivery::{Identity, Wants},
    spool::{Disk, DiskFile, Listed, Lock, Position, Reader, Settings, Spool},
};

const DIR: &str = "/home/spool/before";
const FIRST: &str = "seg-00000000000000000001";

/// As a segment, in front of another one: its reader ends, goes forward only, and reads the other one.
pub(crate) fn segment(data: &[u8]) {
    let disk = Files::default();
    disk.put(FIRST, data);
    disk.put("seg-00000000000000001000", b"");
    for kept in [0, data.len() as u64 / 2] {
        let from = Position { segment: 1, offset: kept };
        let mut reader = Reader::on(Arc::new(disk.clone()), DIR, from);
        let (mut before, mut bytes) = (from, 0);
        while let Some(record) = reader.next().unwrap() {
            assert!(record.position >= before && record.sequence > 0 && record.payload.len() <= data.len());
            bytes += record.payload.len() as u64;
            before = record.position;
            let _ = record.change();
        }
        assert_eq!(reader.position(), Position { segment: 1000, offset: 0 });
        let damage = reader.damage();
        assert!(bytes + damage.bytes <= data.len() as u64 && damage.torn <= damage.stretches);
    }
}

/// As acknowledgements of what a process left behind: all of it is given out but a beginning, and then nothing.
pub(crate) fn ack(data: &[u8]) {
    let disk = Files::default();
    let fixture = include_bytes!("../fixtures/spool-v1/seg-00000000000000000001");
    disk.put(FIRST, fixture);
    disk.put("lock", b"");
    let backend = Identity::new("early", "https://early.example", "project");
    let mut settings = Settings::new(Some("/home".into()), vec![backend.clone()]);
    "program".clone_into(&mut settings.executable);
    let meta = include_bytes!("../fixtures/spool-v1/meta");
    disk.put("meta", meta);
    disk.put("ack-early-375fe3901e8badde", data);
    let given = || {
        let spool = Spool::on(Arc::new(disk.clone()), settings.clone());
        let mut source = spool.source(&backend, Wants::Early).unwrap();
        let mut count = 0;
        loop {
            let entries = source.next(3, 1 << 20).unwrap();
            let Some(last) = entries.last() else { break count };
            source.done(last.mark).unwrap();
            count += entries.len();
        }
    };
    assert!(given() <= 4);
    assert_eq!(given(), 0);
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

impl Files {
    fn put(&self, name: &str, data: &[u8]) {
        self.0.lock().unwrap().insert(Path::new(DIR).join(name), data.to_vec());
    }
}

impl Disk for Files {
    fn make_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let files = self.0.lock().unwrap();
        let inner = files.keys().filter_map(|file| file.strip_prefix(path).ok()?.iter().next()?.to_str());
        let mut names: Vec<String> = inner.map(str::to_owned).collect();
        names.dedup();
        Ok(names)
    }

    fn stat(&self, path: &Path) -> io::Result<Listed> {
        let bytes = self.0.lock().unwrap().get(path).ok_or(io::ErrorKind::NotFound)?.len() as u64;
        Ok(Listed { name: String::new(), bytes, modified: UNIX_EPOCH })
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.lock().unwrap().entry(path.to_owned()).or_default();
        self.open(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.stat(path)?;
        Ok(Box::new(Open(self.clone(), path.to_owned())))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().unwrap().remove(path);
        Ok(())
    }

    fn remove_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path, _make: bool) -> io::Result<Option<Lock>> {
        Ok(Some(Box::new(())))
    }

    fn free(&self, _path: &Path) -> Option<u64> {
        None
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

struct Open(Files, PathBuf);

impl Open {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>) -> T) -> io::Result<T> {
        self.0.0.lock().unwrap().get_mut(&self.1).map(act).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|file| file.extend_from_slice(bytes)).map(|()| bytes.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(|file| {
            let rest = file.get(offset as usize..).unwrap_or_default();
            let read = rest.len().min(into.len());
            into[..read].copy_from_slice(&rest[..read]);
            read
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|file| file.len() as u64)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.with(|file| file.truncate(len as usize))
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
