//! What waits in the spools, as seen from outside.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use serde::Serialize;
use traceable_core::{
    delivery::{Identity, Standing},
    spool::{Backlog, Directory, look},
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
    pub(super) destination: Identity,
    pub(super) standing: Standing,
    /// Records that it has not taken.
    pub(super) pending: u64,
    pub(super) pending_bytes: u64,
    /// Files with what it refused for good.
    pub(super) refused_files: u64,
    pub(super) refused_bytes: u64,
}

pub(super) fn spools(home: &Home, store: &Store) -> Result<Vec<Spool>, Failure> {
    let known = home.spools()?;
    let found = look(home.path())?.into_iter().filter(|directory| known.contains(&directory.path));
    found.map(|directory| spool(directory, store)).collect()
}

fn spool(found: Directory, store: &Store) -> Result<Spool, Failure> {
    let name = found.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = store.positions(&name)?.pop();
    let mut unread_bytes = 0;
    for entry in fs::read_dir(&found.path)? {
        let entry = entry?;
        let file = entry.file_name();
        let segment = file.to_str().and_then(|file| file.strip_prefix("seg-")).and_then(|number| number.parse().ok());
        let Some(segment): Option<u64> = segment else { continue };
        let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
        unread_bytes += match &read {
            Some(read) if segment < read.segment => 0,
            Some(read) if segment == read.segment => bytes.saturating_sub(read.offset),
            _ => bytes,
        };
    }
    let meta = found.meta.as_ref();
    Ok(Spool {
        pid: meta.map_or(0, |meta| meta.pid),
        executable: meta.map_or_else(|| "?".into(), |meta| meta.executable.clone()),
        start: meta.map_or(0, |meta| meta.start),
        is_alive: found.is_held,
        directory: name,
        bytes: found.bytes,
        unread_bytes,
        backends: found.backlogs.into_iter().map(backend).collect(),
    })
}

fn backend(backlog: Backlog) -> Backend {
    Backend {
        destination: backlog.destination,
        standing: backlog.standing,
        pending: backlog.pending,
        pending_bytes: backlog.pending_bytes,
        refused_files: backlog.dead_files,
        refused_bytes: backlog.dead_bytes,
    }
}

pub(super) fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_READ).read_to_end(&mut text)?;
    Ok(text)
}
