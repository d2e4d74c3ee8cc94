//! What stays of the files and what goes: of the spool's own directory, and of those that nobody holds.

use std::{
    cmp::Reverse,
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use super::{
    ack::{self, Ack},
    disk::Disk,
    layout::{LOCK, label, segment_name, segments},
    reader::{Position, Reader},
    record::Kind,
    shared::{Adopted, Progress, Reason, Shared},
};
use crate::{delivery::Identity, runtime::lock};

/// Directories that are kept; beyond, the oldest go.
const MAX_DIRECTORIES: usize = 4096;
/// A directory in which nothing stands is left to whoever may be making it, for this long.
const BIRTH: Duration = Duration::from_secs(3600);

/// What is left.
#[derive(Debug)]
pub(super) struct Kept {
    /// Bytes of segments.
    pub(super) bytes: u64,
    /// How many there may be.
    pub(super) limit: u64,
    /// There is too little room to go on writing.
    pub(super) is_disk_full: bool,
}

/// A directory.
struct Directory {
    path: PathBuf,
    /// `None` is the spool's own.
    adopted: Option<Arc<Adopted>>,
    /// How far its backends came.
    backends: Vec<Backend>,
}

struct Backend {
    identity: Identity,
    /// What is read of it reaches the backend, or is on its way.
    read: u64,
    delivered: u64,
    needed: u64,
    is_complete: bool,
}

/// A segment that is not written any more.
struct Segment {
    directory: usize,
    number: u64,
    /// The number of the last record that may stand in it.
    last: u64,
    bytes: u64,
    modified: SystemTime,
    age: Duration,
    /// All backends have it. What has no backends is never passed.
    is_passed: bool,
    /// Its directory is one too many.
    is_beyond: bool,
}

/// Removes what may go. `open` is the segment that is being written, or will be; others may come behind it meanwhile. `None`
/// where there are no files.
pub(super) fn keep(shared: &Shared, open: u64) -> Option<Kept> {
    let spools = shared.spools.as_ref()?;
    let (disk, settings) = (&*shared.disk, &shared.settings);
    let directories = directories(shared, spools);
    let mut bytes = 0;
    let mut kept: Vec<Segment> = Vec::new();
    for (at, directory) in directories.iter().enumerate() {
        collect(shared, directory, at, open, &mut kept, &mut bytes);
    }
    kept.retain(|segment| {
        let reason = if segment.age > settings.max_age {
            Reason::SpoolAge
        } else if segment.is_beyond || (segment.is_passed && segment.age > settings.keep) {
            Reason::SpoolFull
        } else {
            return true;
        };
        !remove(shared, &directories[segment.directory], segment, reason, &mut bytes)
    });
    // What all backends have goes first: nobody misses it but readers of this machine. Of each, the oldest.
    kept.sort_by_key(|segment| (!segment.is_passed, segment.modified, segment.number));
    let free = disk.free(settings.home.as_deref().unwrap_or(spools));
    let limit = limit(shared, free, bytes);
    let mut passed: u64 = kept.iter().filter(|segment| segment.is_passed).map(|segment| segment.bytes).sum();
    let mut missing = free.map_or(0, |free| settings.keep_free.saturating_sub(free));
    for segment in &kept {
        let is_over = bytes > limit || (segment.is_passed && (missing > 0 || passed > settings.keep_bytes));
        if is_over && remove(shared, &directories[segment.directory], segment, Reason::SpoolFull, &mut bytes) {
            passed -= if segment.is_passed { segment.bytes } else { 0 };
            missing = missing.saturating_sub(segment.bytes);
        }
    }
    for directory in directories {
        if let Some(adopted) = directory.adopted {
            bury(shared, &adopted);
        }
    }
    Some(Kept { bytes, limit, is_disk_full: missing > 0 })
}

/// The own directory and those that nobody else holds, the newest first.
fn directories(shared: &Shared, spools: &Path) -> Vec<Directory> {
    let mut names = shared.disk.names(spools).unwrap_or_default();
    names.sort_unstable_by_key(|name| Reverse(name.clone()));
    let directory = |name: String| {
        if name == shared.name {
            let backend = |(progress, identity): (&Progress, &Identity)| Backend {
                identity: identity.clone(),
                read: progress.read.load(Ordering::Acquire),
                delivered: progress.delivered.load(Ordering::Acquire),
                needed: progress.needed.load(Ordering::Acquire),
                is_complete: false,
            };
            let backends = shared.progress.iter().zip(&shared.settings.destinations).map(backend).collect();
            return Some(Directory { path: spools.join(name), adopted: None, backends });
        }
        let adopted = match shared.adopt(&name) {
            Ok(adopted) => adopted?,
            Err(_) => {
                // Somebody could not even make its lock.
                let dir = spools.join(&name);
                if age(&*shared.disk, &dir) > BIRTH {
                    let _ = shared.disk.remove_dir(&dir);
                }
                return None;
            }
        };
        let destinations = adopted.meta.as_ref().map_or(&[][..], |meta| &meta.destinations);
        let backend = |identity: &Identity| {
            let ack = Ack::read(&*shared.disk, &ack::path(&adopted.dir, &label(identity)))?;
            let at = shared.settings.destinations.iter().position(|ours| ours == identity);
            let read = at.map_or(0, |at| adopted.read[at].load(Ordering::Acquire));
            Ok(Backend {
                identity: identity.clone(),
                read: read.max(ack.delivered),
                delivered: ack.delivered,
                needed: ack.needed,
                is_complete: ack.is_complete,
            })
        };
        let backends = destinations.iter().map(backend).collect::<io::Result<_>>().ok()?;
        Some(Directory { path: adopted.dir.clone(), backends, adopted: Some(adopted) })
    };
    names.into_iter().filter_map(directory).collect()
}

/// Adds the segments of a directory.
fn collect(shared: &Shared, directory: &Directory, at: usize, open: u64, kept: &mut Vec<Segment>, bytes: &mut u64) {
    let disk = &*shared.disk;
    let numbers = segments(disk, &directory.path).unwrap_or_default();
    let written = lock(&shared.ring).written();
    let is_own = directory.adopted.is_none();
    for (place, &number) in numbers.iter().enumerate() {
        let Ok(listed) = disk.stat(&directory.path.join(segment_name(number))) else { continue };
        *bytes += listed.bytes;
        if is_own && number >= open {
            continue;
        }
        let last = match numbers.get(place + 1) {
            Some(next) => next - 1,
            None if is_own => written.max(number),
            // Only whoever has read it knows.
            None => u64::MAX,
        };
        let age = disk.now().duration_since(listed.modified).unwrap_or_default();
        // A run that stays open does not keep everything behind it for ever.
        let is_old = age > shared.settings.keep;
        let has =
            |backend: &Backend| backend.is_complete || (backend.delivered >= last && (backend.needed > last || is_old));
        let is_passed = !directory.backends.is_empty() && directory.backends.iter().all(has);
        let is_beyond = !is_own && at >= MAX_DIRECTORIES;
        let (bytes, modified) = (listed.bytes, listed.modified);
        kept.push(Segment { directory: at, number, last, bytes, modified, age, is_passed, is_beyond });
    }
}

/// Bytes of files, at most: a part of what is free. It only ever rises, and begins with what is there: a disk that others
/// fill is no reason to give up what nobody has.
fn limit(shared: &Shared, free: Option<u64>, bytes: u64) -> u64 {
    let part = free.map_or(u64::MAX, |free| (free + bytes) / 10);
    let known = match shared.limit.load(Ordering::Relaxed) {
        0 => bytes,
        known => known,
    };
    let limit = part.max(known).min(shared.settings.max_bytes);
    shared.limit.store(limit, Ordering::Relaxed);
    limit
}

/// Removes a segment, and counts what a backend misses. Answers whether it is gone.
fn remove(shared: &Shared, directory: &Directory, segment: &Segment, reason: Reason, bytes: &mut u64) -> bool {
    let disk = &*shared.disk;
    let missing: Vec<_> = if segment.is_passed {
        Vec::new()
    } else {
        directory.backends.iter().enumerate().filter(|(_, backend)| !backend.is_complete).collect()
    };
    // What cannot be counted stays for now.
    let records = if missing.is_empty() { Ok(Vec::new()) } else { records(shared, directory, segment.number) };
    let Ok(records) = records else { return false };
    if disk.remove(&directory.path.join(segment_name(segment.number))).is_err() {
        return false;
    }
    *bytes -= segment.bytes;
    for (at, backend) in missing {
        let is_for = |left_out: u32| left_out.checked_shr(at as u32).unwrap_or(0) & 1 == 0;
        let lost = records.iter().filter(|(sequence, left_out)| *sequence > backend.read && is_for(*left_out)).count();
        shared.lose(reason, Some(&backend.identity), lost as u64);
    }
    if directory.adopted.is_none() {
        shared.evicted.fetch_max(segment.last, Ordering::AcqRel);
    }
    true
}

/// The records of a segment that backends are given, and the backends that each is not for.
fn records(shared: &Shared, directory: &Directory, number: u64) -> io::Result<Vec<(u64, u32)>> {
    let from = Position { segment: number, offset: 0 };
    let mut reader = Reader::on(Arc::clone(&shared.disk), &directory.path, from);
    let mut records = Vec::new();
    while let Some(record) = reader.next()?
        && record.position.segment == number
    {
        if record.kind != Kind::Progress {
            records.push((record.sequence, record.left_out));
        }
    }
    Ok(records)
}

/// How long ago something was written; nothing where the clock was set back, or where that is not known.
fn age(disk: &dyn Disk, path: &Path) -> Duration {
    let written = disk.stat(path).map(|listed| listed.modified);
    written.ok().and_then(|at| disk.now().duration_since(at).ok()).unwrap_or_default()
}

/// Removes a directory in which nothing is left that anybody wants.
fn bury(shared: &Shared, adopted: &Arc<Adopted>) {
    let disk = &*shared.disk;
    let dir = &adopted.dir;
    // Its readers are done with it, and it is not about to be filled.
    let is_free = Arc::strong_count(adopted) == 1 && segments(disk, dir).is_ok_and(|numbers| numbers.is_empty());
    if !is_free || (adopted.meta.is_none() && age(disk, &dir.join(LOCK)) < BIRTH) {
        return;
    }
    let Ok(names) = disk.names(dir) else { return };
    let (folders, files): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name == super::layout::BAD || name.starts_with("dead-"));
    let inner = |folder: &String| {
        let folder = dir.join(folder);
        let names = disk.names(&folder).unwrap_or_default();
        names.into_iter().map(move |name| folder.join(name)).collect::<Vec<_>>()
    };
    let inside: Vec<PathBuf> = folders.iter().flat_map(inner).collect();
    if inside.iter().any(|path| age(disk, path) < shared.settings.max_age) {
        return;
    }
    if !inside.iter().all(|path| disk.remove(path).is_ok()) {
        return;
    }
    // The lock goes last: as long as it is there, somebody can try again.
    let _ = folders
        .iter()
        .try_for_each(|folder| disk.remove_dir(&dir.join(folder)))
        .and_then(|()| files.iter().filter(|name| *name != LOCK).try_for_each(|name| disk.remove(&dir.join(name))))
        .and_then(|()| disk.remove(&dir.join(LOCK)))
        .and_then(|()| disk.remove_dir(dir));
}
