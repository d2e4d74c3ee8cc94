//! What the writer of a spool and its readers know together.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    ack::{self, Ack, AckLog},
    disk::{Disk, Lock},
    layout::{LOCK, Meta, directory_name, label, spools},
    ring::Ring,
    settings::Settings,
};
use crate::{delivery::Identity, runtime::lock};

/// Why a change did not reach a backend, or the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The files were at their limit, or the disk was full.
    SpoolFull,
    /// No backend had taken it for too long.
    SpoolAge,
    /// Nothing could be written, and there was no more room in memory.
    MemoryFull,
    /// It was too large for a record.
    TooLarge,
    /// Its record was damaged.
    Damaged,
}

impl Reason {
    /// The name as it stands in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SpoolFull => "spool_full",
            Self::SpoolAge => "spool_age",
            Self::MemoryFull => "spool_memory_full",
            Self::TooLarge => "spool_too_large",
            Self::Damaged => "spool_damaged",
        }
    }
}

/// Changes that were dropped since the spool was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Why.
    pub reason: Reason,
    /// The backend that they did not reach; `None` where there was no backend.
    pub destination: Option<Identity>,
    /// How many.
    pub changes: u64,
}

/// How far a backend came in a directory, as its reader in this process says.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) read: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) needed: AtomicU64,
}

/// A directory that a process left behind, locked by this one until the last of its readers is done.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// `None` when it cannot be read: then nobody knows whose runs these are, and they are sent nowhere.
    pub(super) meta: Option<Meta>,
    /// What was read of it, by the spool's backends; 0 where nobody reads.
    pub(super) read: Vec<AtomicU64>,
    _lock: Lock,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: Settings,
    /// What the files of the backends are named after.
    pub(super) labels: Vec<String>,
    /// The folder of all spools. Without a home there is none.
    pub(super) spools: Option<PathBuf>,
    /// The directory of this spool; it is made when there is something to write.
    pub(super) name: String,
    pub(super) ring: Mutex<Ring>,
    /// The number of the last change that was given one.
    pub(super) last: AtomicU64,
    /// Records of the own directory up to here may have been removed and counted.
    pub(super) evicted: AtomicU64,
    /// Bytes of files that there may be, as last looked; 0 before.
    pub(super) limit: AtomicU64,
    /// How far the backends came in this spool's own directory.
    pub(super) progress: Vec<Progress>,
    losses: Mutex<HashMap<(Reason, Option<Identity>), u64>>,
    adopted: Mutex<HashMap<String, Weak<Adopted>>>,
    /// Of the own directory.
    pub(super) lock: Mutex<Option<Lock>>,
}

impl Shared {
    pub(super) fn new(settings: Settings, disk: Arc<dyn Disk>) -> Self {
        Self {
            labels: settings.destinations.iter().map(label).collect(),
            spools: settings.home.as_deref().map(spools),
            name: directory_name(disk.now()),
            ring: Mutex::default(),
            last: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            progress: settings.destinations.iter().map(|_| Progress::default()).collect(),
            losses: Mutex::default(),
            adopted: Mutex::default(),
            lock: Mutex::default(),
            disk,
            settings,
        }
    }

    /// The directory of this spool.
    pub(super) fn dir(&self) -> Option<PathBuf> {
        self.spools.as_ref().map(|spools| spools.join(&self.name))
    }

    /// Makes the own directory, and everything that must stand in it before its first segment.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.make_dir(dir)?;
        let path = dir.join(LOCK);
        let mut own = lock(&self.lock);
        // Once taken it is kept, whatever fails: a directory that is not locked is anybody's. But somebody may have removed
        // it.
        if self.disk.stat(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            *own = None;
        }
        if own.is_none() {
            *own = self.disk.lock(&path, true)?;
        }
        if own.is_none() {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "somebody else holds its lock"));
        }
        drop(own);
        // Whoever looks meanwhile leaves a directory without a `meta` alone for a while.
        Meta::new(self.disk.now(), &self.settings).write(&*self.disk, dir)?;
        self.spools.as_ref().map_or(Ok(()), |spools| self.disk.sync_dir(spools))
    }

    /// Takes a directory that somebody left behind. `None` when somebody holds it.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn adopt(&self, name: &str) -> io::Result<Option<Arc<Adopted>>> {
        let Some(dir) = self.spools.as_ref().map(|spools| spools.join(name)) else { return Ok(None) };
        let mut adopted = lock(&self.adopted);
        adopted.retain(|_, adopted| adopted.strong_count() > 0);
        if let Some(known) = adopted.get(name).and_then(Weak::upgrade) {
            return Ok(Some(known));
        }
        let Some(held) = self.disk.lock(&dir.join(LOCK), false)? else { return Ok(None) };
        let meta = match Meta::read(&*self.disk, &dir) {
            Ok(meta) => Some(meta),
            Err(error) if is_unreadable(&error) => None,
            // It may be readable the next time: nothing is removed meanwhile, for nobody could count it.
            Err(error) => return Err(error),
        };
        let known = Arc::new(Adopted {
            name: name.to_owned(),
            meta,
            dir,
            read: self.labels.iter().map(|_| AtomicU64::new(0)).collect(),
            _lock: held,
        });
        adopted.insert(name.to_owned(), Arc::downgrade(&known));
        Ok(Some(known))
    }

    /// Whether this spool's backends are sent what stands in a directory that another process left.
    pub(super) fn has_adopted(&self, dir: &Path) -> bool {
        lock(&self.adopted).values().filter_map(Weak::upgrade).any(|adopted| adopted.dir == dir)
    }

    /// Makes an adopted directory one for another of the spool's backends, too: it is sent what the one that has least of
    /// it has not taken. Answers whether there is such a one, or no backend at all.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn mean_also(&self, at: usize, dir: &Path) -> io::Result<bool> {
        let _one_at_a_time = lock(&self.adopted);
        let mut meta = Meta::read(&*self.disk, dir)?;
        let of = |identity: &Identity| Ack::read(&*self.disk, &ack::path(dir, &label(identity)));
        let acks = meta.destinations.iter().map(of).collect::<io::Result<Vec<_>>>()?;
        let least = acks.iter().filter(|ack| !ack.is_complete).min_by_key(|ack| ack.delivered).copied();
        if least.is_none() && !acks.is_empty() {
            return Ok(false);
        }
        let begun =
            AckLog::new(Arc::clone(&self.disk), dir, &self.labels[at], Ack::default()).write(least.unwrap_or_default());
        meta.destinations.push(self.settings.destinations[at].clone());
        begun.and_then(|()| meta.write(&*self.disk, dir))?;
        Ok(true)
    }

    /// Counts changes that a backend does not get.
    pub(super) fn lose(&self, reason: Reason, destination: Option<&Identity>, changes: u64) {
        if changes > 0 {
            *lock(&self.losses).entry((reason, destination.cloned())).or_default() += changes;
        }
    }

    /// Counts a change that no backend gets any more but those that have read it.
    pub(super) fn lose_unread(&self, reason: Reason, sequence: u64, left_out: u32) {
        if self.progress.is_empty() {
            self.lose(reason, None, 1);
        }
        for (at, (progress, identity)) in self.progress.iter().zip(&self.settings.destinations).enumerate() {
            let is_left_out = left_out.checked_shr(at as u32).unwrap_or(0) & 1 == 1;
            if !is_left_out && progress.read.load(Ordering::Acquire) < sequence {
                self.lose(reason, Some(identity), 1);
            }
        }
    }

    pub(super) fn losses(&self) -> Vec<Loss> {
        let losses = lock(&self.losses);
        let loss = |(key, changes): (&(Reason, Option<Identity>), &u64)| Loss {
            reason: key.0,
            destination: key.1.clone(),
            changes: *changes,
        };
        losses.iter().map(loss).collect()
    }
}

/// Whether what stands in a file, or that it is not there, is what is wrong.
fn is_unreadable(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, NotFound, UnexpectedEof, Unsupported};
    matches!(error.kind(), FileTooLarge | InvalidData | NotFound | UnexpectedEof | Unsupported)
}
