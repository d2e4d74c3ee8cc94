//! Where `traceable` keeps runs on one machine.
//!
//! A [`Store`] is one `SQLite` file. [`Store::ingest`] takes changes of runs in, in any order; [`Store::list`], [`Store::run`],
//! [`Store::trace`] and [`Store::stats`] answer questions; a [`Query`] says what is wanted.
//!
//! Its public functions are the seam for another engine: what they answer follows from what was taken in, and not from how
//! it lies on the disk.

mod error;
mod ingest;
mod lift;
mod merge;
mod projects;
mod query;
mod read;
mod record;
mod remove;
mod row;
mod schema;
mod stats;
mod store;
pub mod views;
mod words;

pub use error::{Error, Result};
pub use ingest::{Ingested, Position};
pub use lift::{BlobHash, ParseBlobHashError};
pub use merge::merge;
pub use projects::Project;
pub use query::{Field, FieldInfo, Kind, Op, Place, Query, QueryError, Scope, Value, Words, fields};
pub use read::{
    Body, Cursor, Facet, Facets, List, Listed, Neighbours, Of, Order, Page, ParseCursorError, People, PeopleCursor,
    PeoplePage, ReportCount, ScoreList, ScorePage, Skeleton, Slice, StoredRun, Tally, ThreadSummary, Totals, Trace,
    UserSummary,
};
pub use record::{File, FilePlace};
pub use remove::{Limits, Removed, TOO_MUCH, TOO_OLD};
pub use row::{DEFAULT_PROJECT, Row};
pub use stats::{Quantiles, Stats, StatsBy};
pub use store::{Options, Store};
