//! The process's pipeline: logs of threads → writer → destinations.
//!
//! One pipeline a process, made at the first use and never torn down: `init` gives it destinations and opens the gate,
//! `shutdown` closes the gate and takes them away. The child of a fork makes its own.

pub(crate) mod assembly;
mod builder;
pub(crate) mod clients;
pub(crate) mod counters;
pub(crate) mod destination;
#[cfg(feature = "spool")]
mod drain;
pub(crate) mod exit;
pub(crate) mod flush;
pub(crate) mod gate;
mod logs;
mod restricted;
mod sampler;
#[cfg(feature = "spool")]
mod spooled;
#[cfg(not(feature = "spool"))]
#[path = "spooled/none.rs"]
mod spooled;
mod writer;

use std::{
    collections::BTreeMap,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant},
};

use once_cell::sync::OnceCell;

#[cfg(feature = "spool")]
pub(crate) use self::drain::Orphaned;
pub use self::{
    builder::{Builder, InitError, is_enabled, may_record, shutdown, stats, switch, switch_off},
    clients::Client,
    counters::Stats,
    flush::{Flush, Flushed, flush, flush_blocking},
};
use self::{clients::Clients, flush::FlushBoard, spooled::Spooled};
#[cfg(feature = "spool")]
pub use self::{
    drain::{Drain, Drained, Left},
    spooled::SpoolMode,
};
pub use crate::{around::share_traces, notice::say};
use crate::{
    attachments::Attachments,
    clock,
    log::{Consumer, Pool, Producer, log},
    model::RunId,
    origin::Origins,
    record::Key,
    sync::Arc,
};

/// Bytes that runs may hold between the application and the backends, when nobody says otherwise.
pub(crate) const DEFAULT_MAX_BYTES: usize = 16 << 20;

/// What a caller does that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The caller goes on at the pace of the spool: it waits while the writer gets on, and as `Drop` where it does not.
    /// Without a spool this is `Drop`, for nobody waits for a backend.
    #[default]
    Spill,
    /// The run is not recorded, and counted.
    Drop,
    /// The caller waits for room, at most this long; then as `Drop`.
    Block(Duration),
}

/// A process forks rarely and its children rarely fork again; a child further down than this does not trace.
const GENERATIONS: usize = 8;
static PIPELINES: [OnceCell<Pipeline>; GENERATIONS] = [const { OnceCell::new() }; GENERATIONS];
/// How many forks lie between the first process and this one.
static GENERATION: AtomicUsize = AtomicUsize::new(0);
/// The random part of every id of this process: 42 bits.
static ID_PREFIX: AtomicU64 = AtomicU64::new(0);
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);
/// The writer sleeps until it is woken.
static WRITER_SLEEPS: AtomicBool = AtomicBool::new(false);
/// Milliseconds that a caller waits for room.
static BLOCK_MILLIS: AtomicU64 = AtomicU64::new(0);
/// What [`BLOCK_MILLIS`] says of callers that wait while the writer gets on.
const SPILL: u64 = u64::MAX;
/// How long the writer may stand still before a caller that waits for it gives up.
const STALL: Duration = Duration::from_secs(2);
/// How often the writer got on.
static PROGRESS: AtomicU64 = AtomicU64::new(0);
/// A call returns when its run lies in the spool.
static INLINE: AtomicBool = AtomicBool::new(false);

/// See the module.
pub(crate) struct Pipeline {
    pub(crate) pool: Arc<Pool>,
    /// Logs that the writer has not seen yet.
    fresh_logs: Mutex<Vec<Consumer>>,
    pub(crate) clients: Clients,
    pub(crate) board: FlushBoard,
    pub(crate) attachments: Attachments,
    pub(crate) origins: Origins,
    writer: OnceCell<Thread>,
    /// Callers that wait for room, under `Overflow::Block`.
    room: (Mutex<()>, Condvar),
}

/// Locks also where a holder panicked: what these locks guard is whole between any two statements.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipeline {
    /// The pipeline of this process, if it has been made.
    pub(crate) fn get() -> Option<&'static Self> {
        PIPELINES.get(GENERATION.load(Ordering::Acquire))?.get()
    }

    /// The pipeline of this process.
    ///
    /// # Errors
    ///
    /// When its thread cannot be started.
    pub(crate) fn get_or_make() -> std::io::Result<&'static Self> {
        let generation = GENERATION.load(Ordering::Acquire);
        let slot = PIPELINES
            .get(generation)
            .ok_or_else(|| std::io::Error::other("this process is the child of too many forks to trace"))?;
        let made = slot.get().is_some();
        let pipeline = slot.get_or_try_init(|| {
            clock::start();
            draw_id_prefix();
            let before = generation.checked_sub(1).and_then(|parent| PIPELINES[parent].get());
            Ok::<_, std::io::Error>(Self {
                pool: Arc::new(Pool::new(before.map_or(DEFAULT_MAX_BYTES / 2, |parent| parent.pool.max_bytes()))),
                fresh_logs: Mutex::new(Vec::new()),
                clients: before.map_or_else(Clients::default, |parent| parent.clients.after_fork()),
                board: FlushBoard::default(),
                attachments: Attachments::default(),
                origins: Origins::default(),
                writer: OnceCell::new(),
                room: (Mutex::new(()), Condvar::new()),
            })
        })?;
        if !made {
            exit::install();
        }
        pipeline.writer.get_or_try_init(|| {
            let thread = std::thread::Builder::new().name("traceable-writer".into());
            thread.spawn(move || writer::run(pipeline)).map(|handle| handle.thread().clone())
        })?;
        Ok(pipeline)
    }

    /// Whether the calling thread is the writer.
    fn is_writer(&self) -> bool {
        self.writer.get().is_some_and(|writer| writer.id() == std::thread::current().id())
    }

    /// Wakes the writer.
    pub(crate) fn wake(&self) {
        WRITER_SLEEPS.store(false, Ordering::Relaxed);
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    fn set_bounds(&self, max_bytes: usize, overflow: Overflow, has_spool: bool) {
        self.pool.set_max_bytes(max_bytes / 2);
        let millis = match overflow {
            Overflow::Spill if has_spool => SPILL,
            Overflow::Spill | Overflow::Drop => 0,
            Overflow::Block(wait) => u64::try_from(wait.as_millis()).unwrap_or(SPILL - 1).clamp(1, SPILL - 1),
        };
        BLOCK_MILLIS.store(millis, Ordering::Relaxed);
    }

    /// What was dropped so far, by reason.
    fn drops(&self) -> BTreeMap<&'static str, u64> {
        let mut drops = counters::drops();
        for set in self.clients.all() {
            for (reason, count) in set.spooled.iter().flat_map(Spooled::losses) {
                *drops.entry(reason).or_default() += count;
            }
        }
        drops
    }

    /// Tells callers that wait for room that there may be some.
    fn announce_room(&self) {
        PROGRESS.fetch_add(1, Ordering::Relaxed);
        if BLOCK_MILLIS.load(Ordering::Relaxed) > 0 {
            drop(lock(&self.room.0));
            self.room.1.notify_all();
        }
    }
}

/// The id of a run of this process.
pub(crate) fn run_id(start: i64, key: Key) -> RunId {
    RunId::new(start, ID_PREFIX.load(Ordering::Relaxed), key as u32)
}

fn draw_id_prefix() {
    // Without the system's randomness two processes are still told apart by time and process id.
    let seed = getrandom::u64().unwrap_or_else(|_| clock::ticks() ^ (u64::from(std::process::id()) << 20));
    ID_PREFIX.store(seed >> 22, Ordering::Relaxed);
}

/// Takes a range of keys for a thread.
pub(crate) fn take_keys(count: u64) -> Key {
    NEXT_KEY.fetch_add(count, Ordering::Relaxed)
}

/// A log for this thread. `None` when the pipeline cannot be made; then nothing is recorded.
pub(crate) fn open_log() -> Option<Producer> {
    let pipeline = Pipeline::get_or_make().ok()?;
    let (producer, consumer) = log(Arc::clone(&pipeline.pool));
    lock(&pipeline.fresh_logs).push(consumer);
    Some(producer)
}

/// Wakes the writer when it sleeps, and when much has come in since it last looked.
#[inline]
pub(crate) fn wake_writer(block_begun: bool) {
    if WRITER_SLEEPS.load(Ordering::Relaxed) || block_begun {
        wake_slowly(block_begun);
    }
}

#[cold]
fn wake_slowly(block_begun: bool) {
    // Of many threads that see the flag one makes the system call.
    let sleeps = WRITER_SLEEPS.swap(false, Ordering::Relaxed);
    if let Some(pipeline) = Pipeline::get()
        && (sleeps || (block_begun && pipeline.pool.is_half_full()))
    {
        pipeline.wake();
    }
}

/// A caller that found no room and waits for it.
#[derive(Default)]
pub(crate) struct Waiting {
    until: Option<Instant>,
    progress: u64,
}

/// Waits a little for room in the queue, when the settings say so. Answers whether it is worth another try.
#[cold]
pub(crate) fn wait_for_room(waiting: &mut Waiting) -> bool {
    const STEP: Duration = Duration::from_millis(20);
    let millis = BLOCK_MILLIS.load(Ordering::Relaxed);
    let Some(pipeline) = Pipeline::get().filter(|pipeline| millis > 0 && !pipeline.is_writer()) else { return false };
    let patience = if millis == SPILL { STALL } else { Duration::from_millis(millis) };
    let now = Instant::now();
    let progress = PROGRESS.load(Ordering::Relaxed);
    if waiting.until.is_none() || (millis == SPILL && progress != waiting.progress) {
        *waiting = Waiting { until: now.checked_add(patience), progress };
    }
    let left = waiting.until.map_or(STEP, |until| until.saturating_duration_since(now));
    pipeline.wake();
    let held = lock(&pipeline.room.0);
    drop(pipeline.room.1.wait_timeout(held, left.min(STEP)));
    !left.is_zero()
}

#[cfg(feature = "spool")]
fn set_inline(inline: bool) {
    INLINE.store(inline, Ordering::Relaxed);
}

/// In inline mode, waits until what this thread has written lies in the spool.
#[inline]
pub(crate) fn settle() {
    if INLINE.load(Ordering::Relaxed) {
        settle_slowly();
    }
}

#[cold]
fn settle_slowly() {
    // A run that ends on the writer, such as in a reducer, must not wait for itself.
    if Pipeline::get().is_some_and(|pipeline| !pipeline.is_writer()) {
        flush::spool();
    }
}

/// How often the writer has got on so far.
fn progress() -> u64 {
    PROGRESS.load(Ordering::Relaxed)
}

/// Which process of a line of forks this is.
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// In the child of a fork: another generation. Only atomics are touched here.
fn forked() {
    GENERATION.fetch_add(1, Ordering::Release);
    gate::renew_after_fork();
}

/// Asks `boot` whether this process traces, where nobody has said so yet.
#[doc(hidden)]
pub fn ask(boot: fn()) {
    gate::ask(boot);
}

/// A `boot` that leaves tracing off until `init`.
#[doc(hidden)]
pub fn decide_off() {}
