//! Projects: known by name, with an id that is made of it.

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use traceable_core::model::RunId;

use crate::{BlobHash, Result, Store};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Project {
    /// Its id: see [`Project::id_of`].
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// When it was first seen, in nanoseconds since the epoch.
    pub time: i64,
}

impl Project {
    /// The id of the project of this name: the same in every store, for ever. A UUID of version 8, which is free for such use.
    #[must_use]
    pub fn id_of(name: &str) -> RunId {
        let hash = BlobHash::of(format!("traceable.project\0{name}").as_bytes());
        let id = hash.as_bytes()[..16].iter().fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
        RunId::from_u128(id & !(0xf << 76) & !(0b11 << 62) | 0x8 << 76 | 0b10 << 62)
    }

    fn new(name: String, time: i64) -> Self {
        Self { id: Self::id_of(&name), name, time }
    }
}

impl Store {
    /// All projects, by name.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn projects(&self) -> Result<Vec<Project>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT name, time FROM projects ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok(Project::new(row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The project of this name, which is made where there is none. Runs make theirs by themselves; this is for a project that
    /// has none yet.
    ///
    /// # Errors
    ///
    /// As [`ingest`](Self::ingest).
    pub fn ensure_project(&self, name: &str) -> Result<Project> {
        let sql = "SELECT time FROM projects WHERE name = ?";
        self.write(|tx| {
            let known: Option<i64> = tx.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
            let time = known.unwrap_or_else(crate::ingest::now);
            if known.is_none() {
                tx.execute("INSERT INTO projects (name, time) VALUES (?, ?)", params![name, time])?;
            }
            Ok(Project::new(name.to_owned(), time))
        })
    }
}
