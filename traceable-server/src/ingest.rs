//! The thread that writes what comes over HTTP: requests that come together are one transaction. Between them it makes texts
//! ready to be found, for all that is in the store.
//!
//! A request is answered when what it brought is in the store. A commit costs about the same for one run as for hundreds,
//! so whoever comes while one is on its way waits for the next, together with all others.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread,
};

use tokio::sync::oneshot;
use traceable_core::model::RunChange;
use traceable_store::{Error, Store};

use crate::{
    http::{Refusal, Room},
    live::Live,
};

/// Requests that wait for the next transaction. How much they weigh is bounded by the room that they hold.
const QUEUE: usize = 1_024;

/// Changes of one transaction, or as many as one request has.
const CHANGES: usize = 10_000;

/// Runs whose text is indexed before the thread looks for work again: few where requests come one after the other, for they
/// wait meanwhile, and more as it gets quiet.
const FEW_TEXTS: usize = 32;
const TEXTS: usize = 512;

/// Writes changes to the store.
#[derive(Debug, Clone)]
pub(crate) struct Ingest(SyncSender<Job>);

struct Job {
    changes: Vec<RunChange>,
    /// Given back when the changes are written.
    _room: Room,
    answer: oneshot::Sender<Result<(), Refusal>>,
}

impl Ingest {
    /// Starts the thread. It ends when nobody can send to it any more.
    pub(crate) fn start(store: Arc<Store>, live: Arc<Live>) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(QUEUE);
        thread::Builder::new().name("traceable-ingest".into()).spawn(move || write(&store, &live, &jobs))?;
        Ok(Self(sender))
    }

    /// Writes changes; all or none of them are in the store when this has answered.
    pub(crate) async fn take(&self, changes: Vec<RunChange>, room: Room) -> Result<(), Refusal> {
        if changes.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        match self.0.try_send(Job { changes, _room: room, answer }) {
            Ok(()) => answered.await.unwrap_or(Err(Refusal::Stopped)),
            Err(TrySendError::Full(_)) => Err(Refusal::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::Stopped),
        }
    }

    /// Says that there are new texts in the store.
    pub(crate) fn index(&self) {
        let (answer, _) = oneshot::channel();
        // Where the queue is full, what is in it says so, too.
        let _ = self.0.try_send(Job { changes: Vec::new(), _room: Room::none(), answer });
    }
}

fn write(store: &Store, live: &Live, jobs: &Receiver<Job>) {
    let (mut has_texts, mut texts) = (true, TEXTS);
    loop {
        let first = match jobs.try_recv() {
            Ok(job) => job,
            Err(TryRecvError::Disconnected) => return,
            // What cannot be indexed now stays to be indexed.
            Err(TryRecvError::Empty) if has_texts => {
                has_texts = store.index_pending(texts).is_ok_and(|indexed| indexed > 0);
                texts = TEXTS.min(2 * texts);
                continue;
            }
            Err(TryRecvError::Empty) => match jobs.recv() {
                Ok(job) => job,
                Err(_) => return,
            },
        };
        (has_texts, texts) = (true, FEW_TEXTS);
        let mut batch = vec![first];
        let mut changes = batch[0].changes.len();
        while changes < CHANGES
            && let Ok(job) = jobs.try_recv()
        {
            changes += job.changes.len();
            batch.push(job);
        }
        if changes > 0 {
            commit(store, live, batch);
        }
    }
}

fn commit(store: &Store, live: &Live, mut batch: Vec<Job>) {
    let lengths: Vec<usize> = batch.iter().map(|job| job.changes.len()).collect();
    let mut all: Vec<RunChange> = batch.iter_mut().flat_map(|job| std::mem::take(&mut job.changes)).collect();
    let outcome = store.ingest(&all);
    if let Ok(ingested) = &outcome {
        live.tell(store, &all, ingested);
    }
    let is_alone = batch.len() == 1;
    for (job, length) in batch.into_iter().zip(lengths) {
        let changes: Vec<RunChange> = all.drain(..length).collect();
        let answer = match &outcome {
            Ok(_) => Ok(()),
            // What only one of them brought must not keep the others out.
            Err(error) if !is_alone && !matches!(error, Error::Full) => match store.ingest(&changes) {
                Ok(ingested) => {
                    live.tell(store, &changes, &ingested);
                    Ok(())
                }
                Err(error) => Err(Refusal::of(&error)),
            },
            Err(error) => Err(Refusal::of(error)),
        };
        // Whoever has gone away sends it again, which changes nothing.
        let _ = job.answer.send(answer);
    }
}
