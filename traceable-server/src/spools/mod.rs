//! Takes in what programs of this machine have recorded, from their spools: no socket, and also when they ran before.
//!
//! Nothing is acknowledged there. How far a directory was read lies in the store, and is written with what was read.

mod cut_off;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use traceable_core::spool::{Disk as _, Position as Place, Reader, StdDisk};
use traceable_store::{Position, Store};

use crate::{home::Home, ingest::Ingest, live::Live};

/// Changes and bytes of one transaction.
const CHANGES: usize = 2_000;
const BYTES: usize = 8 << 20;

/// How long it takes at least and at most until a directory is looked at again.
const SOON: Duration = Duration::from_millis(40);
const LATER: Duration = Duration::from_secs(2);

/// Where a directory stands of which nothing more can come: behind every segment.
const DONE: Place = Place { segment: i64::MAX as u64 - 1, offset: 0 };

/// A directory that is being read.
struct Tail {
    directory: PathBuf,
    reader: Reader,
    /// Its writer was found to have died; what it had written by then is read before the directory is done with.
    is_dead: bool,
    /// When something was last found.
    found: Instant,
    next: Instant,
}

/// The spools of a home.
pub(crate) struct Spools<'a> {
    home: &'a Home,
    tails: BTreeMap<String, Tail>,
    /// Who is told what was read.
    live: Option<&'a Live>,
}

/// Why the spools are not read.
#[derive(Debug)]
pub(crate) enum Stuck {
    Store(traceable_store::Error),
    Files(io::Error),
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Files(error) => error.fmt(f),
        }
    }
}

impl From<traceable_store::Error> for Stuck {
    fn from(error: traceable_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Stuck {
    fn from(error: io::Error) -> Self {
        Self::Files(error)
    }
}

impl<'a> Spools<'a> {
    pub(crate) fn new(home: &'a Home) -> Self {
        Self { home, tails: BTreeMap::new(), live: None }
    }

    /// Reads all that is there now.
    pub(crate) fn catch_up(&mut self, store: &Store) -> Result<(), Stuck> {
        while self.look(store, None)? {}
        Ok(())
    }

    /// Reads some of what is there, of the directories that are due `now`, or of all. Answers whether something was found.
    fn look(&mut self, store: &Store, now: Option<Instant>) -> Result<bool, Stuck> {
        let directories = self.home.spools()?;
        let names: Vec<&str> = directories.iter().filter_map(|directory| directory.file_name()?.to_str()).collect();
        let gone: Vec<String> = self.tails.keys().filter(|name| !names.contains(&name.as_str())).cloned().collect();
        for name in gone {
            store.forget_positions(&name, i64::MAX as u64)?;
            self.tails.remove(&name);
        }
        let mut has_found = false;
        for (directory, name) in directories.iter().zip(names) {
            if !self.tails.contains_key(name) {
                self.tails.insert(name.to_owned(), Tail::new(directory, name, store)?);
            }
            let Some(tail) = self.tails.get_mut(name) else { continue };
            if now.is_none_or(|now| tail.next <= now) {
                // One that cannot be read must not keep the others from being read.
                has_found |= tail.read(name, store, self.live).or_else(|stuck| match stuck {
                    Stuck::Files(_) => Ok(false),
                    stuck @ Stuck::Store(_) => Err(stuck),
                })?;
            }
        }
        Ok(has_found)
    }
}

impl Tail {
    fn new(directory: &Path, name: &str, store: &Store) -> Result<Self, Stuck> {
        let known = store.positions(name)?.pop();
        let from = known.map_or_else(Place::default, |known| Place { segment: known.segment, offset: known.offset });
        let now = Instant::now();
        let reader = Reader::new(directory, from);
        Ok(Self { directory: directory.to_owned(), reader, is_dead: false, found: now, next: now })
    }

    /// Takes in the next records. Answers whether there were any.
    fn read(&mut self, name: &str, store: &Store, live: Option<&Live>) -> Result<bool, Stuck> {
        let before = self.reader.position();
        if before == DONE {
            return Ok(false);
        }
        let (mut changes, mut bytes) = (Vec::new(), 0);
        while changes.len() < CHANGES && bytes < BYTES {
            let Some(record) = self.reader.next()? else { break };
            bytes += record.payload.len();
            // A record of a later version is for a later version of this program.
            changes.extend(record.change().ok());
        }
        let place = self.reader.position();
        let now = Instant::now();
        let has_found = place != before;
        if !has_found && self.is_dead {
            return self.finish(name, store, live);
        }
        // Whoever writes a directory holds its lock.
        self.is_dead = !has_found && !matches!(StdDisk.lock(&self.directory.join("lock"), false), Ok(None));
        if has_found || self.is_dead {
            self.found = now;
        }
        if has_found {
            let position = Position { directory: name.to_owned(), segment: place.segment, offset: place.offset };
            match store.ingest_from(&position, &changes) {
                Ok(ingested) => live.iter().for_each(|live| live.tell(store, &changes, &ingested)),
                Err(error) => {
                    self.reader.seek(before);
                    return Err(error.into());
                }
            }
            if place.segment != before.segment {
                store.forget_positions(name, place.segment)?;
            }
        }
        // Who has been silent for long will probably be silent for some time more.
        self.next = now + (now.duration_since(self.found) / 8).clamp(SOON, LATER);
        Ok(has_found || self.is_dead)
    }

    /// Takes in the ends of runs that nobody can record any more.
    fn finish(&mut self, name: &str, store: &Store, live: Option<&Live>) -> Result<bool, Stuck> {
        let ends = cut_off::ends(&self.directory)?;
        let done = Position { directory: name.to_owned(), segment: DONE.segment, offset: DONE.offset };
        let ingested = store.ingest_from(&done, &ends)?;
        live.iter().for_each(|live| live.tell(store, &ends, &ingested));
        store.forget_positions(name, DONE.segment)?;
        self.reader.seek(DONE);
        Ok(!ends.is_empty())
    }
}

/// Reads the spools until it is over, as something comes.
pub(crate) fn follow(store: &Store, home: &Home, live: &Live, ingest: &Ingest, is_over: &AtomicBool) {
    let mut spools = Spools { live: Some(live), ..Spools::new(home) };
    while !is_over.load(Ordering::Relaxed) {
        let has_found = spools.look(store, Some(Instant::now()));
        // A full disk has room again some day; what is in a spool waits.
        let pause = match has_found {
            Ok(true) => {
                ingest.index();
                Duration::ZERO
            }
            Ok(false) => SOON,
            Err(_) => LATER,
        };
        if pause > Duration::ZERO {
            thread::park_timeout(pause);
        }
    }
}
