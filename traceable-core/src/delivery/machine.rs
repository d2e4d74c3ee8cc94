//! One backend's deliveries: batches, retries, pauses, and what to do with what is refused.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::{Entry, Identity, Limits, Link, Source};
use crate::export::{Ack, ExportError};

/// Changes that are to be sent as one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parcel {
    /// Names it in the answer.
    pub number: u64,
    /// What to send.
    pub entries: Vec<Entry>,
}

/// What is to be done next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Send this, and tell the answer. Ask again at once: more may go at the same time.
    Send(Parcel),
    /// Nothing to do before an answer, before [`Delivery::poll_news`] is ready, or before this moment.
    Wait(Option<Instant>),
    /// Nothing more will come.
    Done,
}

/// See the module.
pub struct Delivery {
    identity: Identity,
    limits: Limits,
    source: Box<dyn Source>,
    link: Arc<Link>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Delivery {
    /// Deliveries of what a source gives out.
    pub fn new(identity: Identity, limits: Limits, source: Box<dyn Source>, link: Arc<Link>) -> Self {
        Self { identity, limits, source, link }
    }

    /// What to do now.
    pub fn next(&mut self, now: Instant) -> Step {
        todo!("{now:?} {:?} {}", self.limits, self.source.passed())
    }

    /// What became of a parcel.
    pub fn answered(&mut self, parcel: Parcel, answer: Result<Ack, ExportError>, now: Instant) {
        todo!("{parcel:?} {answer:?} {now:?}")
    }

    /// Ready when [`Delivery::next`] may answer otherwise than before.
    pub fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.poll_news(cx)
    }
}
