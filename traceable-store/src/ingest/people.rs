//! Conversations and users: what was said of them, each value with the moment when, and their last run.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use traceable_core::model::{Report, RunId, Thread, User};

use super::{Batch, blob, now};
use crate::{Result, Store};

/// What was said, by name: of each, the latest. In whatever order it is heard, the same remains.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said(BTreeMap<String, (i64, Value)>);

/// Reports that are remembered, so that none counts twice.
const REPORTS: i64 = 100_000;

/// Before the names of metadata.
const METADATA: &str = "metadata.";

impl Said {
    fn hear(&mut self, name: &str, time: i64, value: Value) -> bool {
        // Of what was said at one moment, the greater text holds: any rule will do that does not ask for the order.
        let is_news = self.0.get(name).is_none_or(|known| (known.0, known.1.to_string()) < (time, value.to_string()));
        if is_news {
            self.0.insert(name.to_owned(), (time, value));
        }
        is_news
    }

    fn metadata(&mut self, time: i64, metadata: &Map<String, Value>) -> bool {
        let mut is_news = false;
        for (key, value) in metadata {
            is_news |= self.hear(&format!("{METADATA}{key}"), time, value.clone());
        }
        is_news
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(|(_, value)| value.as_str()).map(str::to_owned)
    }

    fn values(&self) -> Map<String, Value> {
        let values = self.0.iter().filter_map(|(name, (_, value))| Some((name.strip_prefix(METADATA)?, value)));
        values.map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    fn last(&self) -> i64 {
        self.0.values().map(|(time, _)| *time).max().unwrap_or_default()
    }

    /// What is known of a conversation.
    pub(crate) fn thread(&self, id: String) -> Thread {
        let tags = self.0.get("tags").and_then(|(_, tags)| serde_json::from_value::<Vec<String>>(tags.clone()).ok());
        // As with runs, one without a name says that there are none.
        let tags = tags.map(|tags| tags.into_iter().filter(|tag| !tag.is_empty()).collect());
        Thread {
            id,
            name: self.text("name"),
            user: self.text("user"),
            tags: tags.unwrap_or_default(),
            metadata: self.values(),
            time: self.last(),
        }
    }

    /// What is known of a user.
    pub(crate) fn user(&self, identifier: String) -> User {
        User { identifier, metadata: self.values(), time: self.last() }
    }
}

impl Store {
    /// Gives a conversation these tags, in the place of those that it had.
    ///
    /// # Errors
    ///
    /// As [`ingest`](Self::ingest).
    pub fn tag_thread(&self, id: &str, tags: &[String]) -> Result<()> {
        self.write(|tx| {
            let mut said = said(tx, "SELECT said FROM threads WHERE id = ?", id)?.unwrap_or_default();
            // Later than what was said before, by whatever clock.
            let before = said.0.get("tags").map_or(i64::MIN, |(time, _)| *time);
            said.hear("tags", now().max(before.saturating_add(1)), Value::from(tags));
            let sql = "INSERT INTO threads (id, time, said) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET said = excluded.said";
            tx.execute(sql, params![id, now(), serde_json::to_string(&said)?])?;
            Ok(())
        })
    }
}

fn said(connection: &Connection, sql: &str, id: &str) -> Result<Option<Said>> {
    let text: Option<String> = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

impl Batch<'_> {
    pub(super) fn thread(&mut self, thread: &Thread) -> Result<()> {
        // Without `..`, so that a new field cannot be forgotten here.
        let Thread { id, name, user, tags, metadata, time } = thread;
        let mut said = said(self.tx, "SELECT said FROM threads WHERE id = ?", id)?.unwrap_or_default();
        // That it was said at all is a fact as well.
        let mut is_news = said.hear("", *time, Value::Null);
        for (name, text) in [("name", name), ("user", user)] {
            if let Some(text) = text {
                is_news |= said.hear(name, *time, Value::from(text.as_str()));
            }
        }
        if !tags.is_empty() {
            is_news |= said.hear("tags", *time, Value::from(tags.as_slice()));
        }
        is_news |= said.metadata(*time, metadata);
        self.ingested.repeated += usize::from(!is_news);
        let sql = "INSERT INTO threads VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
            SET user = excluded.user, said = excluded.said, time = max(time, excluded.time)";
        let text = serde_json::to_string(&said)?;
        self.tx.prepare_cached(sql)?.execute(params![id, time, said.text("user"), text])?;
        Ok(())
    }

    pub(super) fn user(&mut self, user: &User) -> Result<()> {
        let User { identifier, metadata, time } = user;
        let mut said = said(self.tx, "SELECT said FROM users WHERE id = ?", identifier)?.unwrap_or_default();
        let is_news = said.hear("", *time, Value::Null) | said.metadata(*time, metadata);
        self.ingested.repeated += usize::from(!is_news);
        let sql = "INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
            SET said = excluded.said, time = max(time, excluded.time)";
        self.tx.prepare_cached(sql)?.execute(params![identifier, time, serde_json::to_string(&said)?])?;
        Ok(())
    }

    /// Writes down when the threads and users of the runs were last seen.
    pub(super) fn people_seen(&mut self) -> Result<()> {
        for (table, seen) in [("threads", &mut self.threads), ("users", &mut self.users)] {
            let sql = format!(
                "INSERT INTO {table} (id, time, said) VALUES (?, ?, '{{}}')
                    ON CONFLICT (id) DO UPDATE SET time = excluded.time WHERE time < excluded.time"
            );
            let mut statement = self.tx.prepare_cached(&sql)?;
            for (id, time) in std::mem::take(seen) {
                statement.execute(params![id, time])?;
            }
        }
        Ok(())
    }

    /// What a client did not record.
    pub(super) fn report(&mut self, report: &Report) -> Result<()> {
        // A report without an id cannot be known again.
        if report.id != RunId::default() {
            let sql = "INSERT OR IGNORE INTO heard_reports (id) VALUES (?)";
            if self.tx.prepare_cached(sql)?.execute([blob(report.id)])? == 0 {
                self.ingested.repeated += 1;
                return Ok(());
            }
            let last = self.tx.last_insert_rowid();
            self.tx.prepare_cached("DELETE FROM heard_reports WHERE number <= ?")?.execute([last - REPORTS])?;
        }
        for (reason, count) in &report.dropped {
            not_there(self.tx, reason, *count, self.now)?;
        }
        Ok(())
    }
}

/// Counts runs that are not there.
pub(crate) fn not_there(connection: &Connection, reason: &str, count: u64, now: i64) -> Result<()> {
    let sql = "INSERT INTO reports VALUES (?1, ?2, ?3, ?3) ON CONFLICT (reason) DO UPDATE
        SET count = min(count + excluded.count, 1 << 62), last_time = excluded.last_time";
    let count = count.min(1 << 61) as i64;
    connection.prepare_cached(sql)?.execute(params![reason, count, now])?;
    Ok(())
}
