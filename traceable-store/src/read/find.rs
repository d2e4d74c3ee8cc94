//! Runs by the beginning of their id.

use rusqlite::params;
use traceable_core::model::RunId;

use super::rows::id;
use crate::{Result, Store, ingest::blob};

impl Store {
    /// The ids of runs, and of traces whose root is missing, that begin with these hexadecimal digits: the newest first, at
    /// most `limit`. With a limit of two it is seen whether there is none, one or several. Dashes may be left out; a text that
    /// cannot be the beginning of an id finds nothing.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn runs_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<RunId>> {
        let Some((first, last)) = range(prefix) else { return Ok(Vec::new()) };
        self.read(|connection| {
            // Each part stops early by itself; together they would be put in order first.
            let part = |table: &str, known: &str| {
                format!("SELECT * FROM (SELECT id FROM {table} WHERE id BETWEEN ?1 AND ?2 {known} ORDER BY id DESC LIMIT ?3)")
            };
            let (runs, traces) = (part("runs", "AND start_time IS NOT NULL"), part("traces", ""));
            let sql = format!("{runs} UNION {traces} ORDER BY id DESC LIMIT ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_map(params![blob(first), blob(last), limit as i64], |row| id(row, 0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }
}

/// The first and the last id that begin like this.
fn range(prefix: &str) -> Option<(RunId, RunId)> {
    let mut digits = 0;
    let mut first = 0_u128;
    for digit in prefix.chars().filter(|c| *c != '-') {
        digits += 1;
        first = first << 4 | u128::from(digit.to_digit(16).filter(|_| digits <= 32)?);
    }
    if digits == 0 {
        return None;
    }
    let rest = 128 - 4 * digits;
    let first = first << rest;
    Some((RunId::from_u128(first), RunId::from_u128(first | ((1 << rest) - 1))))
}
