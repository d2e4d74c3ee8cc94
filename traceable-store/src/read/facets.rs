//! The values that fields have, and how many runs have each: for completion, and beside a list.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, types::Value as Bound};
use serde::Serialize;

use super::Of;
use crate::{
    Field, Query, Result, Store,
    query::{Asked, compile, text_column},
};

/// Runs that are looked at.
const NEWEST: usize = 20_000;

/// A name of metadata with more values than this tells runs apart, and does not group them.
const MAX_VALUES: i64 = 2_000;

/// A value of a field, and how many runs have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many runs.
    pub runs: u64,
}

/// The values of some fields among the runs that a query fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facets {
    /// The values of each field, in the order in which the fields were named; the most frequent value first.
    pub fields: Vec<Vec<Facet>>,
    /// How many runs or traces were looked at: the newest that fit, at most 20 000.
    pub counted: u64,
    /// Whether these are all that fit.
    pub is_all: bool,
}

impl Store {
    /// How many of the runs (or traces, by their heads) that a query fits have which value: at most `limit` values of each
    /// field, counted in the newest 20 000 that fit. [`Facets::is_all`] says whether there are more.
    ///
    /// Fields that are no text have no values, and neither has a name of metadata with more than 2 000 of them.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn facets(&self, query: &Query, of: Of, fields: &[Field], limit: usize) -> Result<Facets> {
        self.read(|connection| {
            let Asked { condition, values } = compile(query, connection)?;
            let head = if of == Of::Traces { "r0.head = 1 AND " } else { "" };
            let columns: String = fields
                .iter()
                .map(|field| match field {
                    Field::Tag => ", r0.tags".to_owned(),
                    other => format!(", {}", text_column(other).unwrap_or_else(|| "NULL".into())),
                })
                .collect();
            let sql = format!(
                "SELECT r0.n{columns} FROM runs r0 WHERE {head}r0.start_time IS NOT NULL AND ({condition})
                    ORDER BY r0.start_time DESC LIMIT {}",
                NEWEST + 1
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut runs = HashSet::new();
            let mut counts = vec![BTreeMap::<String, u64>::new(); fields.len()];
            let mut is_all = true;
            while let Some(row) = rows.next()? {
                is_all = runs.len() < NEWEST;
                if !is_all {
                    break;
                }
                runs.insert(row.get::<_, i64>(0)?);
                for (at, (field, counts)) in fields.iter().zip(&mut counts).enumerate() {
                    let Ok(text) = row.get_ref(at + 1)?.as_str() else { continue };
                    match field {
                        Field::Tag if text == "[]" => {}
                        Field::Tag => {
                            let tags: HashSet<String> = serde_json::from_str(text).unwrap_or_default();
                            tags.iter().for_each(|tag| count(counts, tag));
                        }
                        _ => count(counts, text),
                    }
                }
            }
            for (field, counts) in fields.iter().zip(&mut counts) {
                if let Field::Metadata(key) = field {
                    metadata(connection, key, &runs, counts)?;
                }
            }
            let fields = counts.into_iter().map(|counts| sorted(counts, limit)).collect();
            Ok(Facets { fields, counted: runs.len() as u64, is_all })
        })
    }

    /// The values that a field has, the most frequent first, for completion. Values of metadata and tags are counted in all
    /// runs, others in the newest 20 000. A field that is no text has none.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn values(&self, field: &Field, limit: usize) -> Result<Vec<Facet>> {
        match field {
            Field::Tag => self.labels("", limit),
            Field::Metadata(key) => self.labels(key, limit),
            other => {
                let facets = self.facets(&Query::default(), Of::Runs, std::slice::from_ref(other), limit)?;
                Ok(facets.fields.into_iter().next().unwrap_or_default())
            }
        }
    }

    /// The names of metadata that runs have.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn metadata_keys(&self, limit: usize) -> Result<Vec<String>> {
        self.read(|connection| {
            let sql = "SELECT DISTINCT key FROM labels WHERE key <> '' ORDER BY key LIMIT ?";
            let mut statement = connection.prepare_cached(sql)?;
            let keys = statement.query_map([limit as i64], |row| row.get(0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }

    fn labels(&self, key: &str, limit: usize) -> Result<Vec<Facet>> {
        let sql = "SELECT l.value, (SELECT count(*) FROM run_labels x WHERE x.label = l.id) AS runs
            FROM labels l WHERE l.key = ? ORDER BY runs DESC, l.value LIMIT ?";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let values = [Bound::from(key.to_owned()), Bound::from(limit as i64)];
            let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
                Ok(Facet { value: row.get(0)?, runs: row.get::<_, i64>(1)? as u64 })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Counts the values of one name among these runs.
fn metadata(connection: &Connection, key: &str, runs: &HashSet<i64>, counts: &mut BTreeMap<String, u64>) -> Result<()> {
    let Some(first) = runs.iter().min() else { return Ok(()) };
    let sql = "SELECT count(*) FROM (SELECT 1 FROM labels WHERE key = ? LIMIT ?)";
    let values = rusqlite::params![key, MAX_VALUES + 1];
    if connection.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0))? > MAX_VALUES {
        return Ok(());
    }
    let sql =
        "SELECT l.value, x.n FROM labels l CROSS JOIN run_labels x ON x.label = l.id AND x.n >= ? WHERE l.key = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params![first, key])?;
    while let Some(row) = rows.next()? {
        if runs.contains(&row.get(1)?) {
            count(counts, row.get_ref(0)?.as_str().unwrap_or_default());
        }
    }
    Ok(())
}

fn count(counts: &mut BTreeMap<String, u64>, value: &str) {
    match counts.get_mut(value) {
        Some(count) => *count += 1,
        None => {
            counts.insert(value.to_owned(), 1);
        }
    }
}

/// The most frequent, and of equals the first in the alphabet.
fn sorted(counts: BTreeMap<String, u64>, limit: usize) -> Vec<Facet> {
    let mut facets: Vec<_> = counts.into_iter().map(|(value, runs)| Facet { value, runs }).collect();
    facets.sort_by_key(|facet| std::cmp::Reverse(facet.runs));
    facets.truncate(limit);
    facets
}
