//! Tags and metadata as pairs that are found without reading a run.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use traceable_core::model::Run;

use crate::Result;

/// Labels of one run at most; its body and the text index have the rest.
const MAX: usize = 256;

/// Bytes of a key and of a value at most.
const MAX_BYTES: usize = 512;

/// The labels of a run: its tags, under an empty key, and its metadata that is one value.
pub(crate) fn labels_of(run: &Run) -> BTreeSet<(String, String)> {
    let tags = run.tags.iter().map(|tag| (String::new(), tag.clone()));
    let metadata = run.metadata.iter().filter(|(key, _)| !key.is_empty());
    let metadata = metadata.filter_map(|(key, value)| Some((key.clone(), text(value)?)));
    tags.chain(metadata).filter(|(key, value)| key.len() <= MAX_BYTES && value.len() <= MAX_BYTES).take(MAX).collect()
}

/// A value as it is compared; `None` for what is no single value.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Makes the labels `new` of a run that had `old`.
pub(super) fn replace(
    connection: &Connection,
    n: i64,
    old: &BTreeSet<(String, String)>,
    new: &BTreeSet<(String, String)>,
) -> Result<()> {
    remove(connection, n, old.difference(new))?;
    for (key, value) in new.difference(old) {
        let label = match id(connection, key, value)? {
            Some(label) => label,
            None => {
                let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
                let sql = "INSERT INTO labels (key, value, number) VALUES (?, ?, ?)";
                connection.prepare_cached(sql)?.execute(params![key, value, number])?;
                connection.last_insert_rowid()
            }
        };
        connection.prepare_cached("INSERT OR IGNORE INTO run_labels VALUES (?, ?)")?.execute([label, n])?;
    }
    Ok(())
}

/// Takes labels from a run.
pub(crate) fn remove<'a>(
    connection: &Connection,
    n: i64,
    labels: impl IntoIterator<Item = &'a (String, String)>,
) -> Result<()> {
    for (key, value) in labels {
        let Some(label) = id(connection, key, value)? else { continue };
        connection.prepare_cached("DELETE FROM run_labels WHERE label = ? AND n = ?")?.execute([label, n])?;
        let sql = "DELETE FROM labels WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run_labels WHERE label = ?1)";
        connection.prepare_cached(sql)?.execute([label])?;
    }
    Ok(())
}

fn id(connection: &Connection, key: &str, value: &str) -> Result<Option<i64>> {
    let sql = "SELECT id FROM labels WHERE key = ? AND value = ?";
    Ok(connection.prepare_cached(sql)?.query_row([key, value], |row| row.get(0)).optional()?)
}
