//! The folder in which everything lies.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use traceable_core::spool::{Disk as _, NoHome, StdDisk, data_home};

/// The folder of the store and of the spools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The folder that was named, else that of the environment: see [`data_home`].
    ///
    /// # Errors
    ///
    /// When none was named, and the environment names none either.
    pub fn choose(named: Option<PathBuf>) -> Result<Self, NoHome> {
        named.map_or_else(data_home, Ok).map(Self)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of the store.
    pub fn store(&self) -> PathBuf {
        self.0.join("traceable.db")
    }

    /// The file in which a server says where it listens.
    pub fn server(&self) -> PathBuf {
        self.0.join("server.json")
    }

    /// Makes the folder, for this user alone.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        StdDisk.make_dir(&self.0)
    }

    /// The directories of the spools, the oldest first.
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be read.
    pub fn spools(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.0.join("spool")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            // A link could lead anywhere; a name that is no text is none of ours.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name().to_str().is_some() {
                found.push(entry.path());
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
