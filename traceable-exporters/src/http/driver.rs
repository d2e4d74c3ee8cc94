//! The thread that delivers: one a process, with a runtime of its own. It never uses the application's, and the application
//! needs none.

use std::{
    collections::HashMap,
    future::{Future, pending, poll_fn},
    io,
    sync::{Arc, Mutex, PoisonError, TryLockError, mpsc},
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use traceable_core::{
    delivery::{Delivery, Entry, Step},
    export::{Ack, ExportError},
};

/// Sends the changes of one parcel.
pub(crate) trait Backend: Send + Sync + 'static {
    fn send(&self, entries: &[Entry]) -> impl Future<Output = Result<Ack, ExportError>> + Send;
}

/// Delivers on the process's thread, which is started by the first delivery.
///
/// # Errors
///
/// When the thread cannot be started.
pub(crate) fn drive(backend: impl Backend, delivery: Delivery) -> io::Result<()> {
    handle()?.spawn(deliver(Arc::new(backend), delivery));
    Ok(())
}

/// Does something on the process's thread and waits for it. Not to be called on that thread.
///
/// # Errors
///
/// When the thread cannot be started.
pub(crate) fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    let (done, result) = mpsc::sync_channel(1);
    handle()?.spawn(async move { done.send(work.await) });
    result.recv().map_err(|_| io::Error::other("it was given up"))
}

/// What is sent is asked for, and its answers are told, until nothing more comes.
pub(crate) async fn deliver<B: Backend>(backend: Arc<B>, mut delivery: Delivery) {
    let mut flying = JoinSet::new();
    let mut parcels = HashMap::new();
    loop {
        let until = match delivery.next(Instant::now().into_std()) {
            Step::Send(parcel) => {
                let parcel = Arc::new(parcel);
                let (backend, sent) = (Arc::clone(&backend), Arc::clone(&parcel));
                let task = flying.spawn(async move { backend.send(&sent.entries).await });
                parcels.insert(task.id(), parcel);
                continue;
            }
            Step::Done => return,
            Step::Wait(until) => until,
            _ => None,
        };
        let moment = async {
            match until {
                Some(until) => sleep_until(until.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some(joined) = flying.join_next_with_id() => {
                let (id, answer) = match joined {
                    Ok((id, answer)) => (id, answer),
                    // One of the changes, for the others have come this way before.
                    Err(error) => (error.id(), Err(ExportError::invalid("the exporter panicked"))),
                };
                if let Some(parcel) = parcels.remove(&id).and_then(Arc::into_inner) {
                    delivery.answered(parcel, answer, Instant::now().into_std());
                }
            }
            () = poll_fn(|cx| delivery.poll_news(cx)) => {}
            () = moment => {}
        }
    }
}

/// The runtime of this process's thread.
fn handle() -> io::Result<Handle> {
    /// The process that the thread is in, and its runtime.
    static THREAD: Mutex<Option<(u32, Handle)>> = Mutex::new(None);
    const TRIES: u32 = 1_000;

    // After a fork a lock may stay shut for ever; nobody holds this one for long.
    let mut thread = None;
    for _ in 0..TRIES {
        match THREAD.try_lock() {
            Ok(locked) => thread = Some(locked),
            Err(TryLockError::Poisoned(poisoned)) => thread = Some(PoisonError::into_inner(poisoned)),
            Err(TryLockError::WouldBlock) => {
                thread::sleep(Duration::from_millis(1));
                continue;
            }
        }
        break;
    }
    let mut thread = thread.ok_or_else(|| io::Error::other("the thread that delivers belongs to another process"))?;
    let pid = std::process::id();
    if let Some((_, handle)) = thread.as_ref().filter(|(of, _)| *of == pid) {
        return Ok(handle.clone());
    }
    let handle = start()?;
    *thread = Some((pid, handle.clone()));
    Ok(handle)
}

/// Starts the thread. It lives as long as the process.
fn start() -> io::Result<Handle> {
    let (made, result) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("traceable-deliver".into());
    thread.spawn(move || match Builder::new_current_thread().enable_all().max_blocking_threads(2).build() {
        Ok(runtime) => {
            let _ = made.send(Ok(runtime.handle().clone()));
            runtime.block_on(pending::<()>());
        }
        Err(error) => drop(made.send(Err(error))),
    })?;
    result.recv().map_err(|_| io::Error::other("the thread that delivers has ended"))?
}
