//! What all routes have in common: the table of them, what guards them, and how a body is read.

mod body;
mod guard;
mod login;
mod rates;
mod refusal;
mod router;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use traceable_store::Store;

pub use self::router::routes;
pub(crate) use self::{
    body::{Bodies, Room},
    guard::Guard,
    login::Peer,
    rates::Rates,
    refusal::Refusal,
    router::{Table, router},
};
use crate::{ingest::Ingest, live::Live};

/// What the routes share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) ingest: Ingest,
    pub(crate) live: Arc<Live>,
    pub(crate) bodies: Bodies,
    pub(crate) guard: Guard,
    pub(crate) rates: Rates,
    /// This server's own word, which no other has.
    pub(crate) instance: String,
    /// Where everything lies, for who is on this machine alone.
    pub(crate) home: Option<String>,
    /// What was asked for and is not served, and how often.
    pub(crate) not_served: Mutex<BTreeMap<String, u64>>,
    /// What was taken in and not kept, and how often.
    pub(crate) not_kept: Mutex<BTreeMap<&'static str, u64>>,
}

impl App {
    /// Asks the store on a thread that may wait.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Store) -> traceable_store::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let app = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || question(&app.store)).await;
        answer.map_err(|_| Refusal::Stopped)?.map_err(|error| Refusal::of(&error))
    }
}
