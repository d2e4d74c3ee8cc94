//! Files that keep what is recorded until its backends have it.
//!
//! # What holds
//!
//! 1. What [`Spool::append`] has written survives the end of the process in any way. It survives the end of the machine
//!    once it was forced to the disk: at once, within a time, or when the system wills ([`Durability`]).
//! 2. What was appended is delivered, or is still there, or is counted as dropped, with the reason and for each backend.
//! 3. Within the life of a process no change is given out twice to one backend. After a crash those may be that were on
//!    their way, in the same order.
//! 4. A directory has one writer, the process that made it, and at most one process that adopts it when its writer has
//!    died. Both hold its lock. Nothing else is ever written there, but acknowledgements by whoever holds the lock.
//! 5. Records are numbered from 1 in the order in which they were appended, those that are dropped included. A record
//!    stands in one segment; a segment is named after the number of its first record; only the last one grows.
//! 6. A segment may be read at any time by anybody who may read files. Bytes behind its last whole record are nothing as
//!    long as its writer lives.
//! 7. An acknowledgement says what is done with, never what is not: one that is missing, old or damaged makes changes be
//!    sent again, and loses none.
//! 8. Memory is bounded, whatever stands in the files and however long nothing can be written.
//!
//! # Files
//!
//! ```text
//! <home>/spool/<start>-<pid>-<random>/     a directory for each spool, for this user alone
//!     lock                                 held by whoever writes or adopts it
//!     meta                                 who wrote it, and for which backends, as JSON
//!     seg-<number>                         records: see `record.rs`
//!     ack-<backend>                        how far a backend came: see `ack.rs`
//!     state-<backend>                      how the backend stands, as JSON
//!     dead-<backend>/                      what the backend refused for good, as JSON, with what it said
//!     bad/                                 copies of damaged segments
//! ```
//!
//! A backend's files are named after its exporter and a hash of its [`Identity`](crate::delivery::Identity).
//!
//! # Who does what
//!
//! The writer appends ([`Spool`]), and removes what may go. For each backend a [`Source`](crate::delivery::Source) reads,
//! and writes down how far it came. Readers of this machine ([`Reader`]) leave no trace; files stay for them a while.

mod ack;
mod appender;
mod disk;
mod home;
mod keeper;
mod layout;
mod lock;
mod look;
mod open_runs;
mod reader;
mod record;
mod ring;
mod segments;
mod settings;
mod shared;
mod std_disk;
mod tap;
mod track;

pub use self::{
    ack::Ack,
    appender::{Appended, Health, Spool},
    disk::{Disk, DiskFile, Listed, Lock},
    home::{NoHome, data_home},
    layout::Meta,
    look::{Backlog, Directory, look},
    reader::{Damage, Position, Reader, Record},
    record::Kind,
    settings::{Durability, Settings},
    shared::{Loss, Reason},
    std_disk::StdDisk,
    tap::Orphans,
};

#[cfg(test)]
mod tests;
