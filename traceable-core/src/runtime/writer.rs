//! The one thread that reads the logs, makes changes of records, and hands them to the destinations.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{
    Pipeline, WRITER_SLEEPS,
    assembly::{Assembly, Route},
    flush::Wanted,
    logs::Logs,
};
use crate::{
    clock,
    export::Batch,
    log::BLOCK_BYTES,
    model::{Report, RunChange},
    redact::Content,
    restrict::exporter_bit,
    sync::Arc,
};

/// How often the logs are read while something is being recorded. What is recorded is to be safe within 20 ms, also where
/// the writer has to wait for a processor.
const TICK: Duration = Duration::from_millis(5);
/// After this many ticks with nothing to read, which are 200 ms, the writer sleeps until it is woken.
const IDLE_TICKS: u32 = 40;
/// Bytes of a batch.
const BATCH_BYTES: usize = 1 << 20;
/// How often the clock is anchored anew.
const ANCHOR_EVERY: Duration = Duration::from_secs(5);
/// Blocks that are kept for the next burst when the writer goes to sleep.
const KEEP_BLOCKS: usize = (1 << 20) / BLOCK_BYTES;
/// How often drops are reported to the destinations.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Reads until the process ends.
pub(super) fn run(pipeline: &'static Pipeline) {
    let (mut logs, mut writer) = (Logs::default(), Writer::new(pipeline));
    loop {
        // A fault in one pass must neither end the thread nor reach the application.
        if catch_unwind(AssertUnwindSafe(|| writer.turn(&mut logs))).is_err() {
            crate::notice::say(format_args!("a fault in the writer; runs that were open may be incomplete"));
            writer.assembly = Assembly::default();
        }
    }
}

struct Writer {
    pipeline: &'static Pipeline,
    assembly: Assembly,
    idle: u32,
    last_anchor: Instant,
    last_report: Instant,
    /// When the spools want to be looked after, whatever happens.
    tend_at: Option<Instant>,
    reported: HashMap<&'static str, u64>,
}

impl Writer {
    fn new(pipeline: &'static Pipeline) -> Self {
        let now = Instant::now();
        Self {
            pipeline,
            assembly: Assembly::default(),
            idle: 0,
            last_anchor: now,
            last_report: now,
            tend_at: None,
            reported: HashMap::new(),
        }
    }

    /// One pass over all logs, and the wait for the next.
    fn turn(&mut self, logs: &mut Logs) {
        // Asked for before reading: what was recorded before a flush began is read in this pass.
        let wanted = self.pipeline.board.wanted();
        let is_flush = wanted.is_some_and(|wanted| wanted.is_flush);
        self.assembly.bound_held(self.pipeline.pool.max_bytes() / 2);
        let read = self.read_logs(logs);
        self.assembly.end_pass(clock::now(), is_flush);
        self.dispatch(0);
        self.report_drops(is_flush);
        for site in self.assembly.take_strays() {
            crate::notice::say(format_args!(
                "hint: `{}` ({}:{}) began a trace of its own while another was open; if it is a part of that one, carry \
                 the run along with `.in_current_run()` or `traceable::wrap` (said once, in debug builds only)",
                site.name, site.file, site.line
            ));
        }
        self.tend_at = self.pipeline.clients.all().iter().filter_map(|set| set.spooled.as_ref()?.tend()).min();
        self.pipeline.announce_room();
        if let Some(wanted) = wanted {
            self.pass_on(wanted);
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
        let busy = self.idle < IDLE_TICKS || self.assembly.wants_ticks() || self.pipeline.board.has_futures();
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
        match self.tend_at {
            Some(at) => std::thread::park_timeout(at.saturating_duration_since(Instant::now())),
            None => std::thread::park(),
        }
        if !WRITER_SLEEPS.load(Ordering::Relaxed) {
            self.idle = 0;
        }
    }

    /// Takes what was written before the pass began. Answers whether there was anything.
    fn read_logs(&mut self, logs: &mut Logs) -> bool {
        let any = logs.look(&self.pipeline.fresh_logs);
        // After that: no run is read whose client is not known here.
        self.assembly.filters = self.pipeline.clients.filters();
        logs.read(|log, record| {
            self.assembly.take(log, record);
            self.dispatch(BATCH_BYTES);
        });
        any
    }

    /// Hands finished changes over, when there are at least this many bytes of them.
    fn dispatch(&mut self, at_least: usize) {
        if self.assembly.bytes() <= at_least {
            return;
        }
        let mut by_client: HashMap<u16, Vec<(Route, RunChange)>> = HashMap::new();
        for (route, change) in self.assembly.drain() {
            by_client.entry(route.client).or_default().push((route, change));
        }
        for (client, changes) in by_client {
            self.send(client, changes);
        }
    }

    /// Hands changes over, without what must not leave the process.
    fn send(&self, client: u16, mut changes: Vec<(Route, RunChange)>) {
        let Some(set) = self.pipeline.clients.get(client) else { return };
        for (_, change) in &mut changes {
            if let RunChange::Start(run) | RunChange::End(run) = change {
                set.defaults.fill(run);
            }
        }
        changes.retain_mut(|(route, change)| set.privacy.apply(route.content, change));
        let left_out: Vec<u64> = changes.iter().map(|(route, _)| route.left_out).collect();
        let whole = Arc::new(Batch::new(changes.into_iter().map(|(_, change)| change).collect()));
        if let Some(spooled) = &set.spooled {
            spooled.append(&whole.changes, &left_out);
            self.pipeline.announce_room();
        }
        let backlog = self.pipeline.pool.max_bytes().saturating_sub(self.assembly.held_bytes());
        for (at, destination) in set.destinations.iter().enumerate() {
            let Some(batch) = batch_for(exporter_bit(at), &whole, &left_out) else { continue };
            // A slow backend makes the writer wait, which fills the queue, which makes callers drop whole runs: bounded,
            // and counted in one place.
            let room = backlog.saturating_sub(batch.bytes);
            while !destination.wait_until_below(room, Instant::now() + TICK) {
                self.pipeline.board.tick();
            }
            destination.send(batch);
        }
    }

    fn pass_on(&self, Wanted { ticket, is_flush }: Wanted) {
        if !is_flush {
            self.pipeline.board.spooled(ticket);
            return;
        }
        let sets = self.pipeline.clients.all();
        for link in sets.iter().flat_map(|set| set.links()) {
            link.hurry();
        }
        let destinations: Vec<_> = sets.iter().flat_map(|set| &set.destinations).collect();
        for destination in &destinations {
            destination.flush(ticket);
        }
        self.pipeline.board.passed_on(ticket, destinations.len());
    }

    /// Tells the process's destinations, and whoever reads standard error, what was dropped since the last time.
    fn report_drops(&mut self, now: bool) {
        if self.last_report.elapsed() < REPORT_EVERY && !now {
            return;
        }
        self.last_report = Instant::now();
        let mut report = Report::default();
        for (reason, count) in self.pipeline.drops() {
            let before = self.reported.insert(reason, count).unwrap_or(0);
            if count > before {
                report.dropped.insert(reason.to_owned(), count - before);
            }
        }
        if !report.dropped.is_empty() {
            crate::notice::say(format_args!("not recorded: {:?}", report.dropped));
            report.id = super::run_id(crate::clock::now(), super::take_keys(1));
            self.send(0, vec![(Route { client: 0, content: Content::Full, left_out: 0 }, RunChange::Report(report))]);
        }
    }
}

/// What of a batch is for the destination of this bit; `None` where nothing is.
fn batch_for(bit: u64, whole: &Arc<Batch>, left_out: &[u64]) -> Option<Arc<Batch>> {
    if left_out.iter().all(|left_out| left_out & bit == 0) {
        return Some(Arc::clone(whole));
    }
    let is_for = |(change, left_out): (&RunChange, &u64)| (left_out & bit == 0).then(|| change.clone());
    let changes: Vec<RunChange> = whole.changes.iter().zip(left_out).filter_map(is_for).collect();
    (!changes.is_empty()).then(|| Arc::new(Batch::new(changes)))
}
