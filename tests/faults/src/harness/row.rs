//! One row: a backend that breaks, a program that makes runs meanwhile and ends, and what arrived.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Settings,
    disk::Disk,
    outcome::{Outcome, Truth},
    programs::{Backend, Moment, Printed, Setup},
    recover::recover,
};
use crate::fault::Fault;

/// How long making runs and delivering them may take beyond what is planned.
const SLACK: Duration = Duration::from_secs(300);

const KEY: &str = "test-2f61c0a9d4e84c37";

/// When something is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// From so long after the first run on, for so long.
    During(Duration, Duration),
    /// From before the program starts until it has ended.
    Always,
}

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It waits for delivery, at most so many seconds, and returns.
    Flush(u64),
    /// By itself, in one of the ways that it knows.
    Itself(&'static str),
    /// By a panic that aborts.
    PanicAbort,
    /// By itself, and by no means that a library sees.
    Abort,
    /// By a signal.
    Signal(Signal),
}

/// What a row does.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) when: When,
    /// How many runs, and how many a second, 0 for as fast as it goes.
    pub(super) runs: u64,
    pub(super) rate: u64,
    /// Of so many runs one is marked.
    pub(super) marked: u64,
    pub(super) end: End,
    /// `background` or `inline`.
    pub(super) spool: &'static str,
    /// Whether what is left may be delivered by a program that is started again.
    pub(super) may_restart: bool,
    /// How much memory may grow, in KiB.
    pub(super) grows_kib: u64,
    /// Bytes of the spool, at most; 0 for what the library says.
    pub(super) spool_bytes: u64,
    /// MiB of a disk of its own, which is full while the fault lasts; 0 for none.
    pub(super) disk_mib: u64,
    /// Seconds after the fault within which everything must be delivered; 0 for any.
    pub(super) within: u64,
}

impl Plan {
    /// Runs it.
    pub(super) fn run(&self, settings: &Settings, outcome: &mut Outcome) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let disk = match self.disk_mib {
            0 => None,
            mib => match Disk::mount(folder.path().join("home"), mib) {
                Ok(disk) => Some(disk),
                Err(why) => {
                    outcome.skipped = Some(format!("no disk of its own can be mounted here: {why}"));
                    return Ok(());
                }
            },
        };
        let backend = Mutex::new(Backend::start(settings));
        let url = backend.lock().unwrap().url.clone();
        let set = |fault| backend.lock().unwrap().set(fault);
        let mut setup = Setup {
            program: settings.programs.join("producer"),
            pipeline: &settings.pipeline,
            endpoint: &url,
            key: KEY,
            project: "faults",
            home: folder.path(),
            spool: self.spool,
            spool_bytes: self.spool_bytes,
        };
        if self.end == End::PanicAbort {
            setup.program = settings.abort_producer.clone().ok_or("there is no program whose panics abort")?;
        }
        if matches!(self.when, When::Always) {
            set(self.fault);
        }
        let (printed, killed) = self.produce(&setup, &set, disk.as_ref(), outcome)?;
        set(Fault::Well);

        let window = if self.spool == "inline" { Duration::ZERO } else { settings.window };
        let mut truth = Truth::default();
        truth.add(&printed, killed.map(|at| (at, window)));
        if self.may_restart && !truth.is_in(&backend.lock().unwrap().acknowledged()) {
            outcome.restart_seconds = Some(recover(settings, &setup, &backend, &truth)?.whole);
        }
        let (acknowledged, report) = {
            let mut backend = backend.lock().unwrap();
            (backend.acknowledged(), backend.report())
        };
        truth.compare(&acknowledged, outcome);
        let strangers = truth.strangers(&acknowledged);
        // The call of one run may have returned without a word of it.
        outcome.hold(strangers <= usize::from(killed.is_some()), || format!("{strangers} runs came that nobody made"));
        // A run that was not even begun to be recorded is lost like any other.
        outcome.made += printed.unrecorded;
        outcome.lost += printed.unrecorded;
        outcome.hold(printed.unrecorded == 0, || format!("{} runs were not even recorded", printed.unrecorded));
        self.judge(&printed, &report, outcome);
        outcome.reported(report);
        outcome.keep_secret(KEY, folder.path());
        if !outcome.problems.is_empty() {
            outcome.problems.push(format!("it counted as dropped: {:?}", printed.said.dropped));
            let messages = std::fs::read_to_string(setup.messages()).unwrap_or_default();
            outcome.problems.extend(messages.lines().take(5).map(|line| format!("it said: {line}")));
        }
        Ok(())
    }

    /// Lets the program live and end. Answers what it printed, and when it was killed if it was.
    fn produce(
        &self,
        setup: &Setup<'_>,
        set: &dyn Fn(Fault),
        disk: Option<&Disk>,
        outcome: &mut Outcome,
    ) -> Result<(Printed, Option<i64>), String> {
        let (way, flush) = match self.end {
            End::Flush(seconds) => ("return", seconds),
            End::Itself(way) => (way, 0),
            End::PanicAbort => ("panic", 0),
            End::Abort => ("abort", 0),
            End::Signal(_) => ("wait", 0),
        };
        let numbers = [self.runs, self.rate, self.marked, flush].map(|number| number.to_string());
        let args: Vec<String> = std::iter::once(way.to_owned()).chain(numbers).collect();
        let planned = Duration::from_secs(self.runs.checked_div(self.rate).unwrap_or(0) + flush) + SLACK;

        let producer = setup.start(&args);
        producer.reaches(Moment::Started, SLACK)?;
        if let When::During(lead, lasting) = self.when {
            if disk.is_some() {
                // So that there is something in the spool when it cannot be written any more.
                set(self.fault);
            }
            std::thread::sleep(lead);
            set(self.fault);
            disk.map_or(Ok(()), Disk::fill).map_err(|error| format!("the disk cannot be filled: {error}"))?;
            std::thread::sleep(lasting);
            disk.map_or(Ok(()), Disk::empty).map_err(|error| format!("the disk cannot be emptied: {error}"))?;
            set(Fault::Well);
        }
        let well = Instant::now();
        let (mut killed, mut peak) = (None, 0);
        if let End::Signal(signal) = self.end {
            producer.reaches(Moment::Done, planned)?;
            peak = producer.peak_kib();
            killed = Some(producer.signal(signal));
        }
        let printed = producer.wait(planned)?;
        let took = well.elapsed().as_secs();
        outcome.hold(self.within == 0 || took <= self.within, || {
            format!("{took} s passed until everything was delivered, and {} s may", self.within)
        });
        if self.end == End::Abort {
            killed = printed.done_at;
        }
        let made = printed.runs.len() as u64 + printed.unrecorded;
        outcome.hold(made == self.runs, || format!("only {made} of {} runs were made", self.runs));
        outcome.start_kib = printed.said.start_kib;
        outcome.peak_kib = printed.said.peak_kib.max(peak);
        (outcome.p50_nanos, outcome.p99_nanos) = (printed.said.p50_nanos, printed.said.p99_nanos);
        Ok((printed, killed))
    }

    /// What must hold in this row beside that nothing is lost.
    fn judge(&self, printed: &Printed, report: &crate::endpoint::Report, outcome: &mut Outcome) {
        let grown = outcome.peak_kib.saturating_sub(outcome.start_kib);
        outcome.hold(grown <= self.grows_kib, || format!("memory grew by {} MiB", grown >> 10));
        outcome.hold(report.early <= 2, || format!("{} requests came before `Retry-After`", report.early));
        let marked = printed.runs.iter().filter(|made| made.is_marked).count() as u64;
        let counted: u64 = printed.said.dropped.values().sum();
        outcome.hold(marked == 0 || counted == marked, || {
            format!("{marked} runs were refused, and {counted} counted: {:?}", printed.said.dropped)
        });
    }
}

/// Runs `job`, and says how long it took and what went wrong.
pub(super) fn timed(outcome: &mut Outcome, job: impl FnOnce(&mut Outcome) -> Result<(), String>) {
    let start = Instant::now();
    if let Err(problem) = job(outcome) {
        outcome.problems.push(problem);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
}
