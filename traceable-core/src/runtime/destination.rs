//! One backend and its thread: takes batches in order, asks the exporter to deliver them, and does what the answer says.

use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::{Condvar, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::{Duration, Instant},
};

use super::{
    Pipeline,
    counters::{self, Reason},
    lock,
};
use crate::{
    export::{Batch, ExportError, Exporter, Remedy},
    sync::Arc,
};

/// The first wait before a batch is tried again; each further one is twice as long.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// How often a paused backend is asked again.
const PAUSE: Duration = Duration::from_secs(60);

/// What is sent to a destination.
#[derive(Debug)]
enum Message {
    Batch(Arc<Batch>),
    /// Everything before this is to be written out; then the board is told.
    Flush(u64),
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// Bytes of batches that wait or are being delivered.
    bytes: usize,
    changes: usize,
    closed: bool,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

type SharedExporter = Arc<Mutex<Box<dyn Exporter>>>;

/// A backend.
pub(crate) struct Destination {
    queue: Arc<Queue>,
    exporter: SharedExporter,
}

impl Destination {
    /// Starts the thread of a backend.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub(crate) fn start(exporter: Box<dyn Exporter>) -> std::io::Result<Self> {
        Self::serve(Arc::new(Mutex::new(exporter)))
    }

    fn serve(exporter: SharedExporter) -> std::io::Result<Self> {
        let queue = Arc::new(Queue { state: Mutex::default(), changed: Condvar::new() });
        let worker = Worker { queue: Arc::clone(&queue), exporter: Arc::clone(&exporter), wait: FIRST_RETRY };
        std::thread::Builder::new().name("traceable-export".into()).spawn(move || worker.run())?;
        Ok(Self { queue, exporter })
    }

    /// The same backend in the child of a fork. `None` when the parent was just using it, for then its lock stays shut
    /// here for ever.
    pub(crate) fn after_fork(&self) -> Option<Self> {
        drop(self.exporter.try_lock().ok()?);
        Self::serve(Arc::clone(&self.exporter)).ok()
    }

    /// Hands over a batch.
    pub(crate) fn send(&self, batch: Arc<Batch>) {
        let mut state = lock(&self.queue.state);
        state.bytes += batch.bytes;
        state.changes += batch.changes.len();
        state.messages.push_back(Message::Batch(batch));
        self.queue.changed.notify_all();
    }

    /// Asks for everything sent so far to be written out.
    pub(crate) fn flush(&self, ticket: u64) {
        lock(&self.queue.state).messages.push_back(Message::Flush(ticket));
        self.queue.changed.notify_all();
    }

    /// Waits until at most `bytes` wait here, or until `deadline`. Answers whether that is so.
    pub(crate) fn wait_until_below(&self, bytes: usize, deadline: Instant) -> bool {
        let mut state = lock(&self.queue.state);
        while state.bytes > bytes {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.queue.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Changes that are not delivered yet.
    pub(crate) fn pending(&self) -> usize {
        lock(&self.queue.state).changes
    }
}

impl Drop for Destination {
    /// The thread delivers what it was sent and then ends.
    fn drop(&mut self) {
        lock(&self.queue.state).closed = true;
        self.queue.changed.notify_all();
    }
}

/// The thread's side.
struct Worker {
    queue: Arc<Queue>,
    exporter: SharedExporter,
    wait: Duration,
}

impl Worker {
    fn run(mut self) {
        while let Some(message) = self.next() {
            match message {
                Message::Batch(batch) => self.deliver(&batch),
                Message::Flush(ticket) => {
                    let outcome = block_on(lock(&self.exporter).flush());
                    if let Err(error) = outcome {
                        self.complain(&error);
                    }
                    if let Some(pipeline) = Pipeline::get() {
                        pipeline.board.flushed(ticket);
                    }
                }
            }
        }
        let _ = block_on(lock(&self.exporter).flush());
    }

    fn next(&self) -> Option<Message> {
        let mut state = lock(&self.queue.state);
        loop {
            if let Some(message) = state.messages.pop_front() {
                return Some(message);
            }
            if state.closed {
                return None;
            }
            state = self.queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tries until the batch is taken, refused, or nobody waits for it any more.
    fn deliver(&mut self, batch: &Batch) {
        let changes = batch.changes.len() as u64;
        loop {
            let answer = block_on(lock(&self.exporter).export(batch));
            let pause = match answer {
                Ok(ack) => {
                    self.wait = FIRST_RETRY;
                    counters::dropped_many(Reason::Refused, ack.refused);
                    counters::delivered(changes.saturating_sub(ack.refused));
                    break;
                }
                Err(error) => {
                    self.complain(&error);
                    match error.remedy() {
                        // Nothing stands before this thread that could send a part of a batch.
                        Remedy::Refuse | Remedy::TooLarge | Remedy::Invalid => {
                            counters::dropped_many(Reason::Refused, changes);
                            break;
                        }
                        Remedy::Retry(after) => after.unwrap_or_else(|| self.next_wait()),
                        Remedy::Pause => PAUSE,
                    }
                }
            };
            if !self.sleep(pause) {
                counters::dropped_many(Reason::Undelivered, changes);
                break;
            }
        }
        let mut state = lock(&self.queue.state);
        state.bytes = state.bytes.saturating_sub(batch.bytes);
        state.changes = state.changes.saturating_sub(batch.changes.len());
        self.queue.changed.notify_all();
    }

    /// Twice the wait before, and somewhere below it, so that many processes do not come back at once.
    fn next_wait(&mut self) -> Duration {
        let longest = self.wait;
        self.wait = (self.wait * 2).min(LONGEST_RETRY);
        let share = getrandom::u32().unwrap_or(u32::MAX / 2);
        longest.mul_f64(0.1 + 0.9 * f64::from(share) / f64::from(u32::MAX))
    }

    /// Answers whether the batch is still wanted after that time.
    fn sleep(&self, pause: Duration) -> bool {
        let deadline = Instant::now() + pause;
        let mut state = lock(&self.queue.state);
        loop {
            if state.closed {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.queue.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn complain(&self, error: &ExportError) {
        crate::notice::say(format_args!("{}: {}", lock(&self.exporter).name(), crate::notice::chain(error)));
    }
}

/// Runs a future on this thread, which belongs to the library.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc;

    use super::*;
    use crate::{
        export::{Ack, BoxFuture},
        model::{Report, RunChange},
    };

    /// Gives the answers it was made with, one a batch, and then is well; tells of every batch.
    struct Scripted {
        answers: Vec<Result<Ack, ExportError>>,
        seen: mpsc::Sender<usize>,
    }

    impl Exporter for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
            self.seen.send(batch.changes.len()).unwrap();
            let answer = if self.answers.is_empty() { Ok(Ack::default()) } else { self.answers.remove(0) };
            Box::pin(std::future::ready(answer))
        }
    }

    fn batch(changes: usize) -> Arc<Batch> {
        Arc::new(Batch::new(vec![RunChange::Report(Report::default()); changes]))
    }

    fn destination(answers: Vec<Result<Ack, ExportError>>) -> (Destination, mpsc::Receiver<usize>) {
        let (seen, receiver) = mpsc::channel();
        (Destination::start(Box::new(Scripted { answers, seen })).unwrap(), receiver)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn a_batch_is_tried_again_until_it_is_taken_and_the_next_one_waits() {
        let wait = Duration::from_millis(1);
        let (destination, seen) =
            destination(vec![Err(ExportError::retry_after("busy", wait)), Err(ExportError::retry_after("busy", wait))]);
        destination.send(batch(1));
        destination.send(batch(2));
        assert!(destination.wait_until_below(0, soon()));
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1, 1, 1, 2]);
        assert_eq!(destination.pending(), 0);
    }

    #[test]
    fn a_refused_batch_is_given_up_and_the_next_one_goes_on() {
        let (destination, seen) = destination(vec![Err(ExportError::refuse("no such project"))]);
        destination.send(batch(3));
        destination.send(batch(4));
        assert!(destination.wait_until_below(0, soon()));
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_paused_backend_keeps_everything_and_does_not_hold_up_the_end() {
        let (destination, seen) = destination(vec![Err(ExportError::pause("the key is wrong"))]);
        destination.send(batch(5));
        assert_eq!(seen.recv_timeout(Duration::from_secs(30)), Ok(5));
        assert_eq!(destination.pending(), 5);
        assert!(!destination.wait_until_below(0, Instant::now()));
        drop(destination);
        // The thread gives the batch up and lets go of the exporter.
        assert_eq!(seen.recv_timeout(Duration::from_secs(30)), Err(mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn waits_grow_and_are_spread() {
        let queue = Arc::new(Queue { state: Mutex::default(), changed: Condvar::new() });
        let (seen, _receiver) = mpsc::channel();
        let exporter: Box<dyn Exporter> = Box::new(Scripted { answers: Vec::new(), seen });
        let mut worker = Worker { queue, exporter: Arc::new(Mutex::new(exporter)), wait: FIRST_RETRY };
        for n in 0..20 {
            let most = (FIRST_RETRY * 2_u32.pow(n.min(10))).min(LONGEST_RETRY);
            let wait = worker.next_wait();
            assert!(wait <= most && wait >= most / 11, "{n}: {wait:?} of {most:?}");
        }
    }
}
