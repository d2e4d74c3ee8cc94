//! A client's spool: the writer appends to it, and its backends over a network are fed from it.

pub(crate) mod settings;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Instant,
};

pub use self::settings::SpoolMode;
use self::settings::Wishes;
use super::lock;
use crate::{
    delivery::{Delivery, Link, Remote},
    model::RunChange,
    spool::{Settings, Spool, data_home},
};

/// See the module.
pub(crate) struct Spooled {
    spool: Mutex<Spool>,
    settings: Settings,
    remotes: Vec<Arc<dyn Remote>>,
    links: Vec<Arc<Link>>,
}
