//! The tables of a store, their versions, and how an older store becomes a newer one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, Result};

/// Written into the head of the file, so that no other program's database is taken for a store.
const APPLICATION: i32 = 0x7472_6163;

/// What makes each version of the one before; the first of nothing. Published steps are never changed.
const STEPS: [&str; 2] = [include_str!("1.sql"), include_str!("2.sql")];

/// The newest version.
pub(crate) const VERSION: i32 = STEPS.len() as i32;

/// Refuses what is no store, or one of a newer release, and answers the version; 0 for an empty file.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<i32> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let foreign = || Error::Foreign { path: path.to_owned() };
    let (application, version) = match (number("application_id"), number("user_version")) {
        (Ok(application), Ok(version)) => (application, version),
        (Err(error), _) | (_, Err(error)) => {
            let is_no_database = error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase);
            return Err(if is_no_database { foreign() } else { error.into() });
        }
    };
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION, 0..=VERSION) => Ok(version),
        (APPLICATION, found) => Err(Error::Newer { found, known: VERSION }),
        _ => Err(foreign()),
    }
}

/// Brings a store to the newest version, all steps or none.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    if check(connection, path)? == VERSION {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = check(&tx, path)?;
    for step in STEPS.iter().skip(version as usize) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    Ok(tx.commit()?)
}
