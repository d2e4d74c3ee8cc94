//! The store: one database, one connection that writes, a few that read.

use std::{
    ffi::OsString,
    fmt,
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::{Error, Result, schema};

/// Connections that wait for the next question; more are closed when they have answered.
const IDLE_READERS: usize = 4;

/// How many of the database's steps pass between two looks at the clock.
const STEPS_PER_LOOK: i32 = 10_000;

/// Pages of the journal, of 8 KiB each, that are written back at once.
const CHECKPOINT: i32 = 4_000;

/// Parts of the text index of about one size that are merged into one, a little with each write; and of which so many are
/// merged at once.
const AUTOMERGE: i64 = 8;
const CRISISMERGE: i64 = 32;

/// How a store is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long a question may take. 5 s by default.
    pub query_timeout: Duration,
    /// Whether a commit waits until the disk has it, so that it also survives a power cut. Without, which is the default, it
    /// survives the end of the process in any way.
    pub full_sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { query_timeout: Duration::from_secs(5), full_sync: false }
    }
}

/// Runs, and what belongs to them, in one file.
///
/// All functions block: they read and write files. A store may be shared between threads; they write one after the other
/// and read side by side. What was answered as written is seen by the next question.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_store::{List, Query, Store};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("runs.db");
/// let store = Store::open(path)?;
/// let run = Run { id: RunId::from_u128(1), name: "answer".into(), start_time: 5, ..Run::default() };
/// store.ingest(&[RunChange::End(Box::new(run))])?;
///
/// let page = store.list(&List { query: Query::parse("name:answer", 0)?, ..List::default() })?;
/// assert_eq!(page.rows[0].row.name, "answer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Store {
    path: PathBuf,
    options: Options,
    /// `None` in a store that is only read.
    writer: Option<Mutex<Writer>>,
    readers: Mutex<Vec<Connection>>,
}

/// The connection that writes. It goes with the lock that keeps other processes from writing.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    _lock: File,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of this file, and makes it where there is none. Only its folder must be there.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process writes to it, [`Error::Newer`] when a newer release wrote it,
    /// [`Error::Foreign`] when it is the database of another program, and when files cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Options::default())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let lock = open_private(&beside(&path, ".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { path }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Made here, so that nobody else may read it from the first moment. Its companions take over what it allows.
        drop(open_private(&path)?);
        let mut connection =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        schema::check(&connection, &path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        // Only an empty file takes these two; the second lets deletions give their room back.
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", if options.full_sync { "FULL" } else { "NORMAL" })?;
        schema::migrate(&mut connection, &path)?;
        settle_texts(&connection)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        // Pages of indexes are written again and again; the fewer of these states go into the database, the better.
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(128);
        let writer = Some(Mutex::new(Writer { connection, _lock: lock }));
        Ok(Self { path, options, writer, readers: Mutex::default() })
    }

    /// Opens a store that is there, for reading; also while another process writes to it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but for [`Error::Locked`]; and when there is no store, or one of an older version, which only
    /// [`open`](Self::open) brings up to date.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let store = Self { path, options: Options::default(), writer: None, readers: Mutex::default() };
        let reader = store.reader()?;
        if schema::check(&reader, &store.path)? < schema::VERSION {
            return Err(Error::Damaged("it is of an older version: open it for writing once".into()));
        }
        store.put_back(reader);
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes that the store takes on the disk, without what deletions have left free.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn size(&self) -> Result<u64> {
        self.read(size)
    }

    /// Does what `work` says in one transaction: all of it or nothing.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let Some(writer) = &self.writer else {
            return Err(Error::Locked { path: self.path.clone() });
        };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// The connection that writes, for what is no transaction.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.as_ref().ok_or_else(|| Error::Locked { path: self.path.clone() })?;
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks; all of `work` sees one state of the store.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut reader = self.reader()?;
        let until = Instant::now() + self.options.query_timeout;
        reader.progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() > until))?;
        let answer = {
            let tx = reader.transaction()?;
            work(&tx)
        };
        reader.progress_handler(0, None::<fn() -> bool>)?;
        self.put_back(reader);
        answer
    }

    fn reader(&self) -> Result<Connection> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(reader) = idle {
            return Ok(reader);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&self.path, flags)?;
        reader.busy_timeout(Duration::from_secs(5))?;
        reader.pragma_update(None, "query_only", true)?;
        reader.pragma_update(None, "cache_size", -8_192)?;
        reader.pragma_update(None, "temp_store", "MEMORY")?;
        reader.set_prepared_statement_cache_capacity(64);
        Ok(reader)
    }

    fn put_back(&self, reader: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
    }
}

/// Lets more parts of the text index lie beside each other before they are merged: merging them is most of what indexing
/// costs, and looking into some more costs little.
fn settle_texts(connection: &Connection) -> Result<()> {
    let wanted = [("automerge", AUTOMERGE), ("crisismerge", CRISISMERGE)];
    for (name, wanted) in wanted {
        let sql = "SELECT v = ?2 FROM texts_config WHERE k = ?1";
        let is_so = connection.query_row(sql, params![name, wanted], |row| row.get(0)).optional()?;
        if is_so != Some(true) {
            connection.execute("INSERT INTO texts (texts, rank) VALUES (?, ?)", params![name, wanted])?;
        }
    }
    Ok(())
}

pub(crate) fn size(connection: &Connection) -> Result<u64> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let used = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(used.saturating_mul(number("page_size")?).max(0) as u64)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn open_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    Ok(options.open(path)?)
}
