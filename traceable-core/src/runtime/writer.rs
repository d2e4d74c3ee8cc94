//! The one thread that reads the logs, makes changes of records, and hands them to the destinations.

use std::{
    collections::HashMap,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{Pipeline, WRITER_SLEEPS, assembly::Assembly, counters, lock};
use crate::{
    clock,
    export::Batch,
    log::{BLOCK_BYTES, Consumer, Drained},
    model::{Report, RunChange},
    record,
    redact::Content,
    sync::Arc,
};

/// How often the logs are read while something is being recorded.
const TICK: Duration = Duration::from_millis(10);
/// After this many ticks with nothing to read the writer sleeps until it is woken.
const IDLE_TICKS: u32 = 20;
/// Bytes of a batch.
const BATCH_BYTES: usize = 1 << 20;
/// Bytes of records that are copied before what they say is taken.
const COPY_BYTES: usize = 256 << 10;
/// How often the clock is anchored anew.
const ANCHOR_EVERY: Duration = Duration::from_secs(5);
/// Blocks that are kept for the next burst when the writer goes to sleep.
const KEEP_BLOCKS: usize = (1 << 20) / BLOCK_BYTES;
/// How often drops are reported to the destinations.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Reads until the process ends.
pub(super) fn run(pipeline: &'static Pipeline) {
    let mut writer = Writer::new(pipeline);
    loop {
        // A fault in one pass must neither end the thread nor reach the application.
        if catch_unwind(AssertUnwindSafe(|| writer.turn())).is_err() {
            crate::notice::say(format_args!("a fault in the writer; runs that were open may be incomplete"));
            writer.assembly = Assembly::default();
        }
    }
}

/// Records of several logs that were copied and not taken yet.
#[derive(Default)]
struct Copied {
    bytes: Vec<u8>,
    records: Vec<Copy>,
}

struct Copy {
    /// When it happened, by the clock of its trace; what says no time happened when the one before it did.
    time: i64,
    log: usize,
    place: Range<usize>,
    /// Whether it was read when all logs were read for the first time in this pass.
    is_first: bool,
}

impl Copied {
    fn push(&mut self, log: usize, record: &[u8], is_first: bool) {
        let before = self.records.last().filter(|before| before.log == log).map_or(0, |before| before.time);
        self.keep(record::time(record).unwrap_or(before), log, record, is_first);
    }

    fn keep(&mut self, time: i64, log: usize, record: &[u8], is_first: bool) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.records.push(Copy { time, log, place: from..self.bytes.len(), is_first });
    }

    /// Puts the records in the order in which they happened, and answers how many may be taken: all of those that were
    /// read first. What caused them was written before them, so it was read at the latest when the logs were read again;
    /// what caused the others may not have been read yet.
    fn settle(&mut self) -> usize {
        self.records.sort_by_key(|record| record.time);
        self.records.iter().rposition(|record| record.is_first).map_or(0, |last| last + 1)
    }
}

struct Writer {
    copied: Copied,
    pipeline: &'static Pipeline,
    /// The logs by their numbers.
    logs: Vec<(usize, Consumer)>,
    logs_seen: usize,
    assembly: Assembly,
    idle: u32,
    last_anchor: Instant,
    last_report: Instant,
    reported: HashMap<&'static str, u64>,
}

impl Writer {
    fn new(pipeline: &'static Pipeline) -> Self {
        let now = Instant::now();
        Self {
            copied: Copied::default(),
            pipeline,
            logs: Vec::new(),
            logs_seen: 0,
            assembly: Assembly::default(),
            idle: 0,
            last_anchor: now,
            last_report: now,
            reported: HashMap::new(),
        }
    }

    /// One pass over all logs, and the wait for the next.
    fn turn(&mut self) {
        // Asked for before reading: what was recorded before a flush began is read in this pass.
        let ticket = self.pipeline.board.wanted();
        self.assembly.bound_held(self.pipeline.pool.max_bytes() / 2);
        let read = self.read_logs();
        self.assembly.end_pass(clock::now(), ticket.is_some());
        self.dispatch(0);
        self.report_drops();
        for site in self.assembly.take_strays() {
            crate::notice::say(format_args!(
                "hint: `{}` ({}:{}) began a trace of its own while another was open; if it is a part of that one, carry \
                 the run along with `.in_current_run()` or `traceable::wrap` (said once, in debug builds only)",
                site.name, site.file, site.line
            ));
        }
        self.pipeline.announce_room();
        if let Some(ticket) = ticket {
            self.pass_on(ticket);
        }
        self.pipeline.board.tick();
        if self.last_anchor.elapsed() > ANCHOR_EVERY {
            self.last_anchor = Instant::now();
            clock::anchor();
        }
        self.idle = if read { 0 } else { self.idle.saturating_add(1) };
        self.rest();
    }

    /// Sleeps for a tick, or until woken when nothing has happened for a while.
    fn rest(&mut self) {
        if self.pipeline.board.wanted().is_some() {
            return;
        }
        let busy = !self.copied.records.is_empty()
            || self.idle < IDLE_TICKS
            || self.assembly.wants_ticks()
            || self.pipeline.board.has_futures();
        if busy {
            std::thread::park_timeout(TICK);
            return;
        }
        if !WRITER_SLEEPS.load(Ordering::Relaxed) {
            // A thread that appended without having seen the flag has published by the end of one more tick: stores
            // become visible in far less. So the logs are looked at once more before the long sleep.
            self.pipeline.pool.trim(KEEP_BLOCKS);
            WRITER_SLEEPS.store(true, Ordering::SeqCst);
            std::thread::park_timeout(TICK);
            return;
        }
        std::thread::park();
        self.idle = 0;
    }

    /// Reads every log up to at least what stood in it when the pass began. Answers whether there was anything.
    ///
    /// Logs are read one after the other, so what is read in one may have been caused by what was written to another when
    /// that had been read already. So all are copied, all are copied again, and what was copied first is taken in the
    /// order in which it happened.
    fn read_logs(&mut self) -> bool {
        let taken = self.assembly.taken();
        self.copy_logs(true);
        if self.logs.len() > 1 && !self.copied.records.is_empty() {
            self.copy_logs(false);
        }
        let settled = self.copied.settle();
        self.take_copied(settled);
        self.assembly.taken() != taken
    }

    fn copy_logs(&mut self, is_first: bool) {
        for log in lock(&self.pipeline.fresh_logs).drain(..) {
            self.logs.push((self.logs_seen, log));
            self.logs_seen += 1;
        }
        // A log cannot hold more blocks than the pool gives out, so this reaches the end that the pass began with.
        let blocks = self.pipeline.pool.max_blocks() + 1;
        let mut closed = Vec::new();
        for at in 0..self.logs.len() {
            for _ in 0..blocks {
                let (number, log) = &mut self.logs[at];
                let copied = &mut self.copied;
                let drained = log.drain(1, record::words, |bytes| copied.push(*number, bytes, is_first));
                if copied.bytes.len() > COPY_BYTES {
                    // A burst: there is no room to wait for what may be said elsewhere.
                    self.take_copied(usize::MAX);
                }
                if drained == Drained::Closed {
                    closed.push(at);
                }
                if drained != Drained::More {
                    break;
                }
            }
        }
        for at in closed.into_iter().rev() {
            self.logs.swap_remove(at).1.close();
        }
    }

    /// Takes what the first of the copied records say. The others are among the first of the next pass.
    fn take_copied(&mut self, count: usize) {
        let mut copied = std::mem::take(&mut self.copied);
        let count = count.min(copied.records.len());
        for Copy { log, place, .. } in copied.records.drain(..count) {
            self.assembly.take(log, &copied.bytes[place]);
            self.dispatch(BATCH_BYTES);
        }
        let mut rest = Copied::default();
        for Copy { time, log, place, .. } in copied.records.drain(..) {
            rest.keep(time, log, &copied.bytes[place], true);
        }
        if rest.records.is_empty() {
            copied.bytes.clear();
            rest.bytes = copied.bytes;
        }
        self.copied = rest;
    }

    /// Hands finished changes over, when there are at least this many bytes of them.
    fn dispatch(&mut self, at_least: usize) {
        if self.assembly.bytes() <= at_least {
            return;
        }
        let mut by_client: HashMap<u16, Vec<(Content, RunChange)>> = HashMap::new();
        for (route, change) in self.assembly.drain() {
            by_client.entry(route.client).or_default().push((route.content, change));
        }
        for (client, changes) in by_client {
            self.send(client, changes);
        }
    }

    /// Hands changes over, without what must not leave the process.
    fn send(&self, client: u16, mut changes: Vec<(Content, RunChange)>) {
        let Some(set) = self.pipeline.clients.get(client) else { return };
        for (_, change) in &mut changes {
            if let RunChange::Start(run) | RunChange::End(run) = change {
                set.defaults.fill(run);
            }
        }
        changes.retain_mut(|(content, change)| set.privacy.apply(*content, change));
        let batch = Arc::new(Batch::new(changes.into_iter().map(|(_, change)| change).collect()));
        let backlog = self.pipeline.pool.max_bytes().saturating_sub(self.assembly.held_bytes());
        for destination in &set.destinations {
            // A slow backend makes the writer wait, which fills the queue, which makes callers drop whole runs: bounded,
            // and counted in one place.
            let room = backlog.saturating_sub(batch.bytes);
            while !destination.wait_until_below(room, Instant::now() + TICK) {
                self.pipeline.board.tick();
            }
            destination.send(Arc::clone(&batch));
        }
    }

    fn pass_on(&self, ticket: u64) {
        let sets = self.pipeline.clients.all();
        let destinations: Vec<_> = sets.iter().flat_map(|set| &set.destinations).collect();
        for destination in &destinations {
            destination.flush(ticket);
        }
        self.pipeline.board.passed_on(ticket, destinations.len());
    }

    /// Tells the process's destinations, and whoever reads standard error, what was dropped since the last time.
    fn report_drops(&mut self) {
        if self.last_report.elapsed() < REPORT_EVERY && self.pipeline.board.wanted().is_none() {
            return;
        }
        self.last_report = Instant::now();
        let mut report = Report::default();
        for (reason, count) in counters::drops() {
            let before = self.reported.insert(reason, count).unwrap_or(0);
            if count > before {
                report.dropped.insert(reason.to_owned(), count - before);
            }
        }
        if !report.dropped.is_empty() {
            crate::notice::say(format_args!("not recorded: {:?}", report.dropped));
            report.id = super::run_id(crate::clock::now(), super::take_keys(1));
            self.send(0, vec![(Content::Full, RunChange::Report(report))]);
        }
    }
}
