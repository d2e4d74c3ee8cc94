//! What can go wrong with a store.

use std::{fmt, io, path::PathBuf};

/// An answer of the store, or why there is none.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store cannot do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Another process writes to this store. It can still be opened by [`Store::open_read_only`](crate::Store::open_read_only).
    Locked {
        /// The store.
        path: PathBuf,
    },
    /// A newer release of this crate wrote the store. Nothing was changed.
    Newer {
        /// The version of its tables.
        found: i32,
        /// The newest version that is known here.
        known: i32,
    },
    /// The file is a database of another program. Nothing was changed.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is no room left. What was to be written was not; reading goes on.
    Full,
    /// A question took longer than the [time that it has](crate::Options::query_timeout).
    Timeout,
    /// What lies in the store cannot be read.
    Damaged(String),
    /// A file could not be opened or made.
    Io(io::Error),
    /// The database says so.
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { path } => write!(f, "another process writes to the store {}", path.display()),
            Self::Newer { found, known } => write!(
                f,
                "the store has version {found}, and this program knows versions up to {known}: use the newer program"
            ),
            Self::Foreign { path } => write!(f, "{} is not a store of traceable", path.display()),
            Self::Full => f.write_str("there is no room left for the store"),
            Self::Timeout => f.write_str("the question took too long; ask for less, or for a shorter time"),
            Self::Damaged(what) => write!(f, "the store is damaged: {what}"),
            Self::Io(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Database(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull { Self::Full } else { Self::Io(error) }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, OperationInterrupted};
        match error.sqlite_error_code() {
            Some(DiskFull) => Self::Full,
            Some(OperationInterrupted) => Self::Timeout,
            Some(DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Database(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
