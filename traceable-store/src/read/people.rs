//! Conversations and users, with what their traces come to.

use rusqlite::{Connection, OptionalExtension as _, types::Value as Bound};
use serde::Serialize;
use traceable_core::model::{Thread, User};

use crate::{Result, Store, ingest::Said, row::to_dollars};

/// A conversation: what was said of it, and what its traces come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ThreadSummary {
    /// What was said of it.
    #[serde(flatten)]
    pub thread: Thread,
    /// How many traces it has.
    pub traces: u64,
    /// When the first began, in nanoseconds since the epoch.
    pub first_time: Option<i64>,
    /// When the last began.
    pub last_time: Option<i64>,
    /// How many of their runs failed.
    pub errors: u64,
    /// Tokens of all of them.
    pub total_tokens: u64,
    /// US dollars of all of them.
    pub cost: f64,
    /// What was asked first.
    pub first_input: Option<String>,
    /// What was answered last.
    pub last_output: Option<String>,
}

/// A user: what was said of them, and what their traces come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UserSummary {
    /// What was said of them.
    #[serde(flatten)]
    pub user: User,
    /// How many traces they have.
    pub traces: u64,
    /// When the first began, in nanoseconds since the epoch.
    pub first_time: Option<i64>,
    /// When the last began.
    pub last_time: Option<i64>,
    /// How many of their runs failed.
    pub errors: u64,
    /// Tokens of all of them.
    pub total_tokens: u64,
    /// US dollars of all of them.
    pub cost: f64,
}

/// What traces come to.
struct Sums {
    traces: u64,
    first_time: Option<i64>,
    last_time: Option<i64>,
    errors: u64,
    total_tokens: u64,
    cost: f64,
}

impl Store {
    /// Conversations, the one with the newest run first; `user` asks for those of one user, by their runs or by what was said.
    /// `after` is the last id of the page before.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn threads(&self, user: Option<&str>, limit: usize, after: Option<&str>) -> Result<Vec<ThreadSummary>> {
        self.read(|connection| {
            let theirs = "(p.user = ? OR p.id IN (SELECT thread_id FROM runs WHERE user = ?))";
            let condition = if user.is_some() { theirs } else { "1" };
            let values = user.into_iter().flat_map(|user| [user; 2]).map(|user| Bound::from(user.to_owned())).collect();
            let people = page(connection, "threads", condition, values, limit, after)?;
            people.into_iter().map(|(id, said)| thread(connection, id, &said)).collect()
        })
    }

    /// A conversation.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn thread(&self, id: &str) -> Result<Option<ThreadSummary>> {
        self.read(|connection| {
            let sql = "SELECT said FROM threads WHERE id = ?";
            let said: Option<String> = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
            said.map(|said| thread(connection, id.to_owned(), &said)).transpose()
        })
    }

    /// Users, the one with the newest run first. `after` is the last id of the page before.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn users(&self, limit: usize, after: Option<&str>) -> Result<Vec<UserSummary>> {
        self.read(|connection| {
            let people = page(connection, "users", "1", Vec::new(), limit, after)?;
            people.into_iter().map(|(id, said)| user(connection, id, &said)).collect()
        })
    }

    /// A user.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn user(&self, id: &str) -> Result<Option<UserSummary>> {
        self.read(|connection| {
            let sql = "SELECT said FROM users WHERE id = ?";
            let said: Option<String> = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
            said.map(|said| user(connection, id.to_owned(), &said)).transpose()
        })
    }
}

fn page(
    connection: &Connection,
    table: &'static str,
    condition: &str,
    mut values: Vec<Bound>,
    limit: usize,
    after: Option<&str>,
) -> Result<Vec<(String, String)>> {
    let mut place = String::new();
    if let Some(after) = after {
        place = format!("AND (p.time, p.id) < (SELECT time, id FROM {table} WHERE id = ?)");
        values.push(Bound::from(after.to_owned()));
    }
    values.push(Bound::from(limit.min(10_000) as i64));
    let sql =
        format!("SELECT p.id, p.said FROM {table} p WHERE {condition} {place} ORDER BY p.time DESC, p.id DESC LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn sums(connection: &Connection, column: &'static str, id: &str) -> Result<Sums> {
    let sql = format!(
        "SELECT count(*), min(r.start_time), max(r.start_time), coalesce(sum(t.errors), 0),
            coalesce(sum(t.total_tokens), 0), coalesce(sum(t.cost), 0)
            FROM runs r JOIN traces t ON t.id = r.trace_id WHERE r.{column} = ? AND r.head = 1"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([id], |row| {
        Ok(Sums {
            traces: row.get::<_, i64>(0)? as u64,
            first_time: row.get(1)?,
            last_time: row.get(2)?,
            errors: row.get::<_, i64>(3)? as u64,
            total_tokens: row.get::<_, i64>(4)? as u64,
            cost: to_dollars(row.get(5)?),
        })
    })?)
}

fn thread(connection: &Connection, id: String, said: &str) -> Result<ThreadSummary> {
    let Sums { traces, first_time, last_time, errors, total_tokens, cost } = sums(connection, "thread_id", &id)?;
    let preview = |column: &str, direction: &str| -> Result<Option<String>> {
        let sql = format!(
            "SELECT {column} FROM runs WHERE thread_id = ? AND head = 1 AND {column} IS NOT NULL
                ORDER BY start_time {direction} LIMIT 1"
        );
        Ok(connection.prepare_cached(&sql)?.query_row([&id], |row| row.get(0)).optional()?)
    };
    let (first_input, last_output) = (preview("input_preview", "ASC")?, preview("output_preview", "DESC")?);
    let thread = serde_json::from_str::<Said>(said)?.thread(id);
    #[rustfmt::skip]
    let summary = ThreadSummary {
        thread, traces, first_time, last_time, errors, total_tokens, cost, first_input, last_output,
    };
    Ok(summary)
}

fn user(connection: &Connection, id: String, said: &str) -> Result<UserSummary> {
    let Sums { traces, first_time, last_time, errors, total_tokens, cost } = sums(connection, "user", &id)?;
    let user = serde_json::from_str::<Said>(said)?.user(id);
    Ok(UserSummary { user, traces, first_time, last_time, errors, total_tokens, cost })
}
