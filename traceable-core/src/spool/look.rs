//! What lies in a home, as seen from outside: how each backend stands in each directory, and what waits for it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ack::{self, Ack},
    disk::Disk,
    layout::{LOCK, Meta, label, segment_name, segments, spools},
    reader::{Position, Reader},
    std_disk::StdDisk,
};
use crate::delivery::{Identity, Standing};

/// Bytes of a `state` that are read.
const MAX_STATE: u64 = 1 << 20;

/// A directory: what one process recorded for one set of backends.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Directory {
    /// Where it is.
    pub path: PathBuf,
    /// Who wrote it, and for which backends. `None` when that cannot be read.
    pub meta: Option<Meta>,
    /// Whether a process holds it: the one that writes it, or one that sends what was left.
    pub is_held: bool,
    /// Bytes of records, delivered or not.
    pub bytes: u64,
    /// Its backends.
    pub backlogs: Vec<Backlog>,
}

/// How a backend stands in a directory.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Backlog {
    /// Which backend.
    pub destination: Identity,
    /// How far it came.
    pub ack: Ack,
    /// What it said last, and since when it takes nothing.
    pub standing: Standing,
    /// Records that are not done with. Those that no backend is sent, such as text of open runs, are among them.
    pub pending: u64,
    /// About how many bytes these are: segments are counted whole.
    pub pending_bytes: u64,
    /// Files of what it refused for good.
    pub dead_files: u64,
    /// Their bytes.
    pub dead_bytes: u64,
}

/// Looks at all directories of a home, the oldest first. Changes nothing there.
///
/// ```no_run
/// use traceable_core::spool::{data_home, look};
///
/// for directory in look(&data_home()?)? {
///     for backlog in &directory.backlogs {
///         println!("{}: {} wait, it said {:?}", backlog.destination, backlog.pending, backlog.standing.last_answer);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the folder of the spools is there and cannot be read.
pub fn look(home: &Path) -> io::Result<Vec<Directory>> {
    look_on(&(Arc::new(StdDisk) as Arc<dyn Disk>), home)
}

/// The same, on another file system.
pub(super) fn look_on(disk: &Arc<dyn Disk>, home: &Path) -> io::Result<Vec<Directory>> {
    let spools = spools(home);
    let mut names = match disk.names(&spools) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    names.sort_unstable();
    Ok(names.into_iter().filter_map(|name| directory(disk, spools.join(name))).collect())
}

/// `None` where somebody has just removed it, or it is no directory of a spool.
fn directory(disk: &Arc<dyn Disk>, path: PathBuf) -> Option<Directory> {
    let numbers = segments(&**disk, &path).ok()?;
    let meta = Meta::read(&**disk, &path).ok();
    let size = |number: &u64| disk.stat(&path.join(segment_name(*number))).map_or(0, |file| file.bytes);
    let sizes: Vec<(u64, u64)> = numbers.iter().map(|number| (*number, size(number))).collect();
    let destinations = meta.as_ref().map_or(&[][..], |meta| &meta.destinations);
    let mut last = None;
    let backlogs = destinations.iter().map(|destination| {
        let label = label(destination);
        let ack = Ack::read(&**disk, &ack::path(&path, &label)).unwrap_or_default();
        let pending = if ack.is_complete {
            0
        } else {
            last.get_or_insert_with(|| last_record(disk, &path, &numbers)).saturating_sub(ack.delivered)
        };
        // A segment whose successor begins at or below the next record is done with.
        let open = sizes.partition_point(|(number, _)| *number <= ack.delivered + 1).saturating_sub(1);
        let dead = dead(&**disk, &path.join(format!("dead-{label}")));
        Backlog {
            destination: destination.clone(),
            standing: standing(&**disk, &path.join(format!("state-{label}"))),
            ack,
            pending,
            pending_bytes: if pending > 0 { sizes.iter().skip(open).map(|(_, bytes)| bytes).sum() } else { 0 },
            dead_files: dead.0,
            dead_bytes: dead.1,
        }
    });
    Some(Directory {
        backlogs: backlogs.collect(),
        is_held: matches!(disk.lock(&path.join(LOCK), false), Ok(None)),
        bytes: sizes.iter().map(|(_, bytes)| bytes).sum(),
        meta,
        path,
    })
}

/// The number of the last record. A segment's name says what is in those before, so one is read.
fn last_record(disk: &Arc<dyn Disk>, path: &Path, numbers: &[u64]) -> u64 {
    let Some(&number) = numbers.last() else { return 0 };
    let mut last = number.saturating_sub(1);
    let mut reader = Reader::on(Arc::clone(disk), path, Position { segment: number, offset: 0 });
    while let Ok(Some(record)) = reader.next() {
        last = last.max(record.sequence);
    }
    last
}

fn standing(disk: &dyn Disk, path: &Path) -> Standing {
    let text = disk.open(path).and_then(|file| file.read_all(MAX_STATE));
    text.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn dead(disk: &dyn Disk, folder: &Path) -> (u64, u64) {
    let names = disk.names(folder).unwrap_or_default();
    let bytes = names.iter().map(|name| disk.stat(&folder.join(name)).map_or(0, |file| file.bytes)).sum();
    (names.len() as u64, bytes)
}
