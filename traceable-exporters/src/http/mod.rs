//! What all backends over a network share, in one place: the rules of the client, and the thread that delivers.
//!
//! - A redirect is never followed: what was meant for one host goes to no other, and no key goes along.
//! - An answer is read to 64 KiB, as it is: nothing is decompressed.
//! - A connection is made within 3 seconds and a request is over after 10, with a second more for each 128 KiB above 1 MiB.
//! - A key stands in no message, no `Debug` and no file.

mod client;
mod config;
mod driver;
mod endpoint;

pub use self::config::{ConfigError, Key};
#[cfg(test)]
pub(crate) use self::driver::deliver;
pub(crate) use self::{
    client::{Answered, Client, REQUEST, Request},
    config::{Secret, add_header},
    driver::{Backend, drive, run},
    endpoint::Endpoint,
};
