//! What waits in the spools, as seen from outside.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use serde::Serialize;
use traceable_core::{
    delivery::Standing,
    spool::{Disk as _, Meta, StdDisk},
};
use traceable_store::Store;

use super::Failure;
use crate::home::Home;

/// Bytes of a file that are read.
const MAX_READ: u64 = 1 << 20;

/// A program that records, or has recorded.
#[derive(Debug, Serialize)]
pub(super) struct Spool {
    directory: String,
    pub(super) pid: u32,
    pub(super) executable: String,
    /// When it began, in nanoseconds since the epoch.
    pub(super) start: i64,
    pub(super) is_alive: bool,
    pub(super) bytes: u64,
    pub(super) unread_bytes: u64,
    pub(super) backends: Vec<Backend>,
}

/// How a backend stands.
#[derive(Debug, Serialize)]
pub(super) struct Backend {
    pub(super) name: String,
    pub(super) standing: Standing,
    /// Files with what it refused for good.
    pub(super) refused_files: usize,
}

pub(super) fn spools(home: &Home, store: &Store) -> Result<Vec<Spool>, Failure> {
    home.spools()?.iter().map(|directory| spool(directory, store)).collect()
}

fn spool(directory: &Path, store: &Store) -> Result<Spool, Failure> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let meta = Meta::read(&StdDisk, directory).ok();
    let read = store.positions(&name)?.pop();
    let mut found = Spool {
        pid: meta.as_ref().map_or(0, |meta| meta.pid),
        executable: meta.as_ref().map_or_else(|| "?".into(), |meta| meta.executable.clone()),
        start: meta.map_or(0, |meta| meta.start),
        // Whoever writes a directory holds its lock.
        is_alive: matches!(StdDisk.lock(&directory.join("lock"), false), Ok(None)),
        directory: name,
        bytes: 0,
        unread_bytes: 0,
        backends: Vec::new(),
    };
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(segment) = file.strip_prefix("seg-").and_then(|number| number.parse::<u64>().ok()) {
            let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
            let done = match &read {
                Some(read) if segment < read.segment => bytes,
                Some(read) if segment == read.segment => read.offset.min(bytes),
                _ => 0,
            };
            found.bytes += bytes;
            found.unread_bytes += bytes - done;
        } else if let Some(backend) = file.strip_prefix("state-") {
            let standing = bounded(&entry.path()).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let refused = fs::read_dir(directory.join(format!("dead-{backend}"))).map_or(0, Iterator::count);
            found.backends.push(Backend {
                // Behind the name stands a hash.
                name: backend.rsplit_once('-').map_or(backend, |(name, _)| name).to_owned(),
                standing: standing.unwrap_or_default(),
                refused_files: refused,
            });
        }
    }
    Ok(found)
}

pub(super) fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_READ).read_to_end(&mut text)?;
    Ok(text)
}
