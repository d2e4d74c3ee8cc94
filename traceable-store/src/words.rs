//! Full text: what of a run is searched, and how words are asked for.

use serde_json::Value;
use traceable_core::model::{Json, Run};

use crate::{
    Result, Store,
    ingest::records_of,
    query::{Place, Words},
    record::Merged,
};

/// Bytes of a run's inputs, outputs and rest that are searched; what is behind is not found.
const MAX_BYTES: usize = 256 << 10;

impl Store {
    /// Makes the texts of at most `limit` runs ready to be found, and answers how many it were; none when all are.
    ///
    /// Runs are taken in without this, which costs more than all the rest; until it is done, queries find them by their
    /// fields and not by their words.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn index_pending(&self, limit: usize) -> Result<usize> {
        self.write(|tx| {
            let numbers = |sql: &str, limit: usize| {
                let mut statement = tx.prepare_cached(sql)?;
                let numbers = statement.query_map([limit as i64], |row| row.get(0))?;
                Ok::<_, crate::Error>(numbers.collect::<Result<Vec<i64>, _>>()?)
            };
            let again = numbers("SELECT n FROM pending_texts ORDER BY n LIMIT ?", limit)?;
            let sql = "SELECT n FROM runs WHERE n > (SELECT n FROM texts_seen) ORDER BY n LIMIT ?";
            let new = numbers(sql, limit.saturating_sub(again.len()))?;
            for n in again.iter().chain(&new) {
                let Merged { run, is_known, .. } = Merged::of(records_of(tx, *n)?);
                // What is not known yet is indexed when it is.
                if is_known {
                    let texts = texts_of(&run);
                    let sql = "INSERT OR REPLACE INTO texts (rowid, input, output, other) VALUES (?, ?, ?, ?)";
                    tx.prepare_cached(sql)?.execute(rusqlite::params![n, texts[0], texts[1], texts[2]])?;
                }
            }
            for n in &again {
                tx.prepare_cached("DELETE FROM pending_texts WHERE n = ?")?.execute([n])?;
            }
            if let Some(last) = new.last() {
                tx.prepare_cached("UPDATE texts_seen SET n = ?")?.execute([last])?;
            }
            Ok(again.len() + new.len())
        })
    }

    /// How many runs wait for [`index_pending`](Self::index_pending).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn pending_texts(&self) -> Result<u64> {
        self.read(|connection| {
            let sql = "SELECT (SELECT count(*) FROM pending_texts)
                + (SELECT count(*) FROM runs WHERE n > (SELECT n FROM texts_seen) AND start_time IS NOT NULL)";
            Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? as u64)
        })
    }
}

/// The texts of a run: of its inputs, of its outputs, and of all else that has words.
fn texts_of(run: &Run) -> [String; 3] {
    let of = |json: &Option<Json>| {
        let mut text = String::new();
        if let Some(json) = json {
            collect(&json.to_value(), &mut text);
        }
        spaced(&text)
    };
    let mut other = String::new();
    let words = [&*run.name, run.error.as_deref().unwrap_or_default()];
    for word in words.into_iter().chain(run.tags.iter().map(String::as_str)) {
        add(&mut other, word);
    }
    run.metadata.values().for_each(|value| collect(value, &mut other));
    [of(&run.inputs), of(&run.outputs), spaced(&other)]
}

/// All texts and numbers of a value, one a line.
fn collect(value: &Value, text: &mut String) {
    match value {
        Value::String(more) => add(text, more),
        Value::Number(number) => add(text, &number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Value::Object(members) => members.values().for_each(|member| collect(member, text)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn add(text: &mut String, more: &str) {
    let room = MAX_BYTES.saturating_sub(text.len());
    if more.contains("blob:sha256-") || room == 0 {
        return;
    }
    text.push_str(&crate::row::cut(more, room));
    text.push('\n');
}

/// Blanks around each character of writing that has none between its words: each is a word then, and words are found as
/// several one behind the other.
fn spaced(text: &str) -> String {
    let is_unspaced = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    let mut spaced = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => spaced.push(' '),
            c if is_unspaced(c) => spaced.extend([' ', c, ' ']),
            c => spaced.push(c),
        }
    }
    spaced
}

/// The words in the language of the text index, in which only what stands between quotes is data. `None` when there are
/// none, so that nothing is found.
pub(crate) fn matching(place: Place, words: &Words) -> Option<String> {
    let text = spaced(&words.text);
    if !text.chars().any(char::is_alphanumeric) {
        return None;
    }
    let column = match place {
        Place::Any => "",
        Place::Input => "input : ",
        Place::Output => "output : ",
    };
    let quoted = text.replace('"', "\"\"");
    Some(format!("{column}\"{quoted}\"{}", if words.is_prefix { " *" } else { "" }))
}
