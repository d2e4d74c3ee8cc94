//! Conversations and users, with what their traces come to.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, OptionalExtension as _, types::Value as Bound};
use serde::Serialize;
use traceable_core::model::{Thread, User};

use super::ParseCursorError;
use crate::{Result, Store, ingest::Said, row::to_dollars};

/// Which conversations or users are wanted. The one with the newest run comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// A part of the id or of the name; upper and lower case are the same, as far as letters are ASCII. Empty for all.
    pub text: String,
    /// How many at most; never more than 10 000.
    pub limit: usize,
    /// Behind which one to go on: what [`PeoplePage::next`] said.
    pub after: Option<PeopleCursor>,
}

impl Default for People {
    /// The first 100 of all.
    fn default() -> Self {
        Self { text: String::new(), limit: 100, after: None }
    }
}

/// A part of a list of conversations or users.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PeoplePage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<PeopleCursor>,
}

/// A place between two pages. As text it can be part of an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeopleCursor {
    time: i64,
    id: String,
}

impl fmt::Display for PeopleCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.time, self.id)
    }
}

impl FromStr for PeopleCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (time, id) = text.split_once('_').ok_or(ParseCursorError)?;
        Ok(Self { time: time.parse().map_err(|_| ParseCursorError)?, id: id.to_owned() })
    }
}

/// What the traces of a conversation or a user come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// How many traces.
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

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ThreadSummary {
    /// What was said of it. Where nobody said whose it is, the user is that of its newest run.
    #[serde(flatten)]
    pub thread: Thread,
    /// What its traces come to.
    #[serde(flatten)]
    pub tally: Tally,
    /// What was asked first.
    pub first_input: Option<String>,
    /// What was answered last.
    pub last_output: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UserSummary {
    /// What was said of them.
    #[serde(flatten)]
    pub user: User,
    /// How many conversations they had.
    pub threads: u64,
    /// What their traces come to.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Where the one or the other is kept, and which column of a run names it.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    column: &'static str,
}

const THREADS: Table = Table { name: "threads", column: "thread_id" };
const USERS: Table = Table { name: "users", column: "user" };

impl Store {
    /// Conversations; `user` asks for those of one user, by their runs or by what was said.
    ///
    /// The traces of a conversation are a [list](Self::list) of traces with [`Field::Thread`](crate::Field::Thread).
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn threads(&self, user: Option<&str>, people: &People) -> Result<PeoplePage<ThreadSummary>> {
        self.read(|connection| page(connection, THREADS, user, people, thread))
    }

    /// A conversation.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn thread(&self, id: &str) -> Result<Option<ThreadSummary>> {
        self.read(|connection| one(connection, THREADS, id, thread))
    }

    /// Users.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn users(&self, people: &People) -> Result<PeoplePage<UserSummary>> {
        self.read(|connection| page(connection, USERS, None, people, user))
    }

    /// A user.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn user(&self, id: &str) -> Result<Option<UserSummary>> {
        self.read(|connection| one(connection, USERS, id, user))
    }
}

/// Makes a row of an id and what was said.
type Summary<T> = fn(&Connection, String, &Said) -> Result<T>;

fn one<T>(connection: &Connection, table: Table, id: &str, summary: Summary<T>) -> Result<Option<T>> {
    let sql = format!("SELECT said FROM {} WHERE id = ?", table.name);
    let said: Option<String> = connection.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
    said.map(|said| summary(connection, id.to_owned(), &serde_json::from_str(&said)?)).transpose()
}

fn page<T>(
    connection: &Connection,
    table: Table,
    user: Option<&str>,
    people: &People,
    summary: Summary<T>,
) -> Result<PeoplePage<T>> {
    let (mut condition, mut values) = ("1".to_owned(), Vec::<Bound>::new());
    if let Some(user) = user {
        condition.push_str(" AND (p.user = ? OR p.id IN (SELECT thread_id FROM runs WHERE user = ?))");
        values.extend([user.to_owned().into(), user.to_owned().into()]);
    }
    if !people.text.is_empty() {
        condition.push_str(" AND (instr(lower(p.id), lower(?)) OR instr(lower(p.said ->> '$.name[1]'), lower(?)))");
        values.extend([people.text.clone().into(), people.text.clone().into()]);
    }
    if let Some(PeopleCursor { time, id }) = &people.after {
        condition.push_str(" AND (p.time, p.id) < (?, ?)");
        values.extend([Bound::from(*time), id.clone().into()]);
    }
    let limit = people.limit.min(10_000);
    let sql = format!(
        "SELECT p.time, p.id, p.said FROM {} p WHERE {condition} ORDER BY p.time DESC, p.id DESC LIMIT {}",
        table.name,
        limit + 1
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    let mut page = PeoplePage { rows: Vec::new(), next: None };
    let mut last = None;
    while let Some(row) = found.next()? {
        if page.rows.len() == limit {
            page.next = last;
            break;
        }
        let (id, said): (String, String) = (row.get(1)?, row.get(2)?);
        last = Some(PeopleCursor { time: row.get(0)?, id: id.clone() });
        page.rows.push(summary(connection, id, &serde_json::from_str(&said)?)?);
    }
    Ok(page)
}

fn tally(connection: &Connection, table: Table, id: &str) -> Result<Tally> {
    let sql = format!(
        "SELECT count(*), min(r.start_time), max(r.start_time), coalesce(sum(t.errors), 0),
            coalesce(sum(t.total_tokens), 0), coalesce(sum(t.cost), 0)
            FROM runs r JOIN traces t ON t.id = r.trace_id WHERE r.{} = ? AND r.head = 1",
        table.column
    );
    Ok(connection.prepare_cached(&sql)?.query_row([id], |row| {
        Ok(Tally {
            traces: row.get::<_, i64>(0)? as u64,
            first_time: row.get(1)?,
            last_time: row.get(2)?,
            errors: row.get::<_, i64>(3)? as u64,
            total_tokens: row.get::<_, i64>(4)? as u64,
            cost: to_dollars(row.get(5)?),
        })
    })?)
}

fn thread(connection: &Connection, id: String, said: &Said) -> Result<ThreadSummary> {
    let preview = |column: &str, direction: &str| -> Result<Option<String>> {
        let sql = format!(
            "SELECT {column} FROM runs WHERE thread_id = ? AND head = 1 AND {column} IS NOT NULL
                ORDER BY start_time {direction} LIMIT 1"
        );
        Ok(connection.prepare_cached(&sql)?.query_row([&id], |row| row.get(0)).optional()?)
    };
    let (first_input, last_output) = (preview("input_preview", "ASC")?, preview("output_preview", "DESC")?);
    let tally = tally(connection, THREADS, &id)?;
    let mut thread = said.thread(id);
    if thread.user.is_none() {
        let sql = "SELECT user FROM runs WHERE thread_id = ? AND user IS NOT NULL ORDER BY start_time DESC LIMIT 1";
        thread.user = connection.prepare_cached(sql)?.query_row([&thread.id], |row| row.get(0)).optional()?;
    }
    Ok(ThreadSummary { thread, tally, first_input, last_output })
}

fn user(connection: &Connection, id: String, said: &Said) -> Result<UserSummary> {
    let tally = tally(connection, USERS, &id)?;
    let sql = "SELECT count(DISTINCT thread_id) FROM runs WHERE user = ?";
    let threads: i64 = connection.prepare_cached(sql)?.query_row([&id], |row| row.get(0))?;
    Ok(UserSummary { user: said.user(id), threads: threads as u64, tally })
}
