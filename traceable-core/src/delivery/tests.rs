//! Deliveries against backends of every temper, in time that is made up.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::{Delivery, Entry, Identity, Limits, Link, Mark, Parcel, Source, Standing, Step};
use crate::{
    export::{Ack, ExportError, judge},
    model::{Run, RunChange, RunId},
};

/// What a source keeps, and survives its crash.
#[derive(Clone, Default)]
struct Kept {
    entries: Vec<Entry>,
    /// The last that is done with.
    done: Mark,
    buried: Vec<Mark>,
    said: Vec<String>,
    standing: Standing,
    notes: usize,
    /// What is given out from now on fails so many times.
    broken: usize,
}

/// A spool in memory.
struct Memory {
    kept: Arc<Mutex<Kept>>,
    given: usize,
}

impl Source for Memory {
    fn next(&mut self, max_changes: usize, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let mut kept = self.kept.lock().unwrap();
        if kept.broken > 0 {
            kept.broken -= 1;
            return Err(io::Error::other("an unreadable sector"));
        }
        let (mut out, mut bytes) = (Vec::new(), 0);
        while let Some(entry) = kept.entries.get(self.given) {
            bytes += entry.bytes;
            if out.len() == max_changes || (bytes > max_bytes && !out.is_empty()) {
                break;
            }
            out.push(entry.clone());
            self.given += 1;
        }
        Ok(out)
    }

    fn passed(&self) -> u64 {
        let kept = self.kept.lock().unwrap();
        kept.entries.iter().filter(|entry| entry.mark <= kept.done).count() as u64
    }

    fn done(&mut self, mark: Mark) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap();
        assert!(mark > kept.done, "{mark:?} after {:?}", kept.done);
        kept.done = mark;
        Ok(())
    }

    fn bury(&mut self, entries: &[Entry], answer: &str) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap();
        kept.buried.extend(entries.iter().map(|entry| entry.mark));
        kept.said.push(answer.to_owned());
        Ok(())
    }

    fn note(&mut self, standing: &Standing) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap();
        kept.standing = standing.clone();
        kept.notes += 1;
        Ok(())
    }
}

/// A process that delivers, and its time.
struct Bench {
    kept: Arc<Mutex<Kept>>,
    link: Arc<Link>,
    delivery: Delivery,
    limits: Limits,
    now: Instant,
    flying: VecDeque<Parcel>,
    requests: usize,
    taken: Vec<Mark>,
}

fn change(n: u64, bytes: usize) -> RunChange {
    let id = RunId::from_u128(u128::from(n));
    RunChange::End(Box::new(Run { id, error: Some("x".repeat(bytes)), ..Run::default() }))
}

/// So many runs of 1000 bytes each, as the source counts. Marks have gaps.
fn runs(count: u64) -> Vec<Entry> {
    (1..=count).map(|n| Entry { mark: Mark(n * 7), change: change(n, 10), bytes: 1_000, announced: false }).collect()
}

impl Bench {
    fn new(entries: Vec<Entry>, limits: Limits) -> Self {
        Self::with_jitter(entries, limits, || 0.5)
    }

    fn with_jitter(entries: Vec<Entry>, limits: Limits, jitter: impl FnMut() -> f64 + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Kept { entries, ..Kept::default() }));
        let link = Arc::new(Link::default());
        link.appended(kept.lock().unwrap().entries.len() as u64);
        let delivery = start(&kept, &link, limits, jitter);
        let now = Instant::now();
        Self { kept, link, delivery, limits, now, flying: VecDeque::new(), requests: 0, taken: Vec::new() }
    }

    /// How it is now.
    fn kept(&self) -> Kept {
        self.kept.lock().unwrap().clone()
    }

    /// Sends what may be sent. Answers until when to wait; `None` where nothing more is to be done before an answer.
    fn send(&mut self) -> Option<Instant> {
        loop {
            match self.delivery.next(self.now) {
                Step::Send(parcel) => {
                    self.requests += 1;
                    self.flying.push_back(parcel);
                    assert!(self.flying.len() <= self.limits.in_flight);
                }
                Step::Wait(until) => return until,
                Step::Done => return None,
            }
        }
    }

    fn answer(&mut self, at: usize, answer: Result<Ack, ExportError>) {
        let parcel = self.flying.remove(at).unwrap();
        if answer.is_ok() {
            self.taken.extend(parcel.entries.iter().map(|entry| entry.mark));
        }
        self.delivery.answered(parcel, answer, self.now);
    }

    /// Answers everything by this rule, and lets time pass, until nothing is left or the time is up.
    fn run(&mut self, within: Duration, mut rule: impl FnMut(&Parcel) -> Result<Ack, ExportError>) {
        let end = self.now + within;
        loop {
            let until = self.send();
            if let Some(parcel) = self.flying.front() {
                let answer = rule(parcel);
                self.answer(0, answer);
                continue;
            }
            match until {
                Some(until) if until < end => self.now = until,
                Some(_) => {
                    self.now = end;
                    return;
                }
                None => return,
            }
        }
    }

    fn all_marks(&self) -> Vec<Mark> {
        self.kept().entries.iter().map(|entry| entry.mark).collect()
    }
}

fn start(
    kept: &Arc<Mutex<Kept>>,
    link: &Arc<Link>,
    limits: Limits,
    jitter: impl FnMut() -> f64 + Send + 'static,
) -> Delivery {
    let done = kept.lock().unwrap().done;
    let given = kept.lock().unwrap().entries.partition_point(|entry| entry.mark <= done);
    let source = Box::new(Memory { kept: Arc::clone(kept), given });
    let identity = Identity::new("test", "http://127.0.0.1:1", "p");
    Delivery::with_jitter(identity, limits, source, Arc::clone(link), Box::new(jitter))
}

fn limits(changes: usize, bytes: usize) -> Limits {
    Limits { changes, bytes, in_flight: 4 }
}

fn status(status: u16) -> Result<Ack, ExportError> {
    judge(status, None, "said so", None)
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn everything_is_taken_in_parcels_within_the_limits() {
    let mut bench = Bench::new(runs(1_000), limits(100, 50_000));
    let mut sizes = Vec::new();
    bench.run(HOUR, |parcel| {
        sizes.push(parcel.entries.len());
        Ok(Ack::default())
    });
    assert_eq!(sizes, [50; 20]);
    assert_eq!(bench.taken, bench.all_marks());
    assert_eq!(bench.kept().done, Mark(7_000));
    assert_eq!(bench.link.pending(), 0);
    let standing = &bench.kept().standing;
    assert_eq!((&*standing.last_answer, standing.paused_since), ("taken", None));
}

#[test]
fn a_change_larger_than_the_limit_goes_alone() {
    let mut entries = runs(3);
    entries[1].bytes = 9_000;
    let mut bench = Bench::new(entries, limits(100, 4_000));
    let mut parcels = Vec::new();
    bench.run(HOUR, |parcel| {
        parcels.push(parcel.entries.iter().map(|entry| entry.mark.0).collect::<Vec<_>>());
        Ok(Ack::default())
    });
    assert_eq!(parcels, [[7], [14], [21]]);
}

#[test]
fn a_parcel_waits_a_little_to_be_filled_unless_somebody_waits_for_it() {
    let mut bench = Bench::new(runs(3), limits(100, 50_000));
    let until = bench.send().unwrap();
    assert_eq!((until - bench.now, bench.requests), (Duration::from_millis(250), 0));
    bench.link.hurry();
    bench.send();
    assert_eq!((bench.requests, bench.flying[0].entries.len()), (1, 3));
    bench.answer(0, Ok(Ack::default()));
    // Nobody waits any more when everything is done with.
    let more = runs(5).split_off(3);
    bench.kept.lock().unwrap().entries.extend(more);
    bench.link.appended(2);
    assert!(bench.send().is_some());
    assert_eq!(bench.requests, 1);
    bench.now += Duration::from_millis(250);
    bench.send();
    assert_eq!(bench.requests, 2);
}

#[test]
fn only_what_lies_below_the_lowest_open_parcel_is_done_with() {
    let mut bench = Bench::new(runs(40), limits(10, 1 << 20));
    // Two more at a time after each that was taken.
    bench.send();
    bench.answer(0, Ok(Ack::default()));
    bench.send();
    assert_eq!(bench.flying.len(), 2);
    bench.answer(1, Ok(Ack::default()));
    assert_eq!(bench.kept().done, Mark(70), "the second of the three is still on its way");
    bench.answer(0, Ok(Ack::default()));
    assert_eq!(bench.kept().done, Mark(210));
    assert_eq!(bench.link.pending(), 10);
}

#[test]
fn a_backend_that_is_down_for_ten_minutes_is_asked_at_most_sixty_times_and_nothing_is_lost() {
    for chance in [0.0, 0.5, 1.0] {
        let mut bench = Bench::with_jitter(runs(500), limits(10, 1 << 20), move || chance);
        bench.run(Duration::from_secs(600), |_| Err(ExportError::retry("connection refused")));
        assert!(bench.requests <= 60, "{chance}: {}", bench.requests);
        assert!(!bench.link.wait_until_done(Instant::now() + HOUR), "nobody waits for it");
        assert!(bench.kept().standing.paused_since.is_some());
        bench.run(HOUR, |_| Ok(Ack::default()));
        assert_eq!(bench.taken, bench.all_marks());
        assert_eq!(bench.kept().standing.paused_since, None);
    }
}

#[test]
fn a_backend_is_left_alone_as_long_as_it_asks() {
    let mut bench = Bench::new(runs(500), limits(10, 1 << 20));
    for _ in 0..10 {
        bench.send();
        while !bench.flying.is_empty() {
            bench.answer(0, Ok(Ack::default()));
        }
    }
    bench.send();
    assert_eq!(bench.flying.len(), 4);
    let asked = Duration::from_secs(20);
    for _ in 0..10 {
        let sent = bench.requests;
        while !bench.flying.is_empty() {
            bench.answer(0, judge(429, Some(asked), "", None));
        }
        let begun = bench.now;
        while let Some(until) = bench.send()
            && bench.requests == sent
        {
            bench.now = until;
        }
        let waited = bench.now - begun;
        assert!(waited >= asked && waited <= asked + asked / 10, "{waited:?}");
        assert_eq!(bench.requests, sent + 1, "and then one alone");
    }
    bench.run(HOUR, |_| Ok(Ack::default()));
    assert_eq!(bench.kept().done, Mark(3_500));
}

#[test]
fn a_wrong_key_keeps_everything_until_it_is_put_right() {
    let mut bench = Bench::new(runs(50), limits(10, 1 << 20));
    bench.run(Duration::from_secs(599), |_| status(401));
    assert_eq!(bench.requests, 10, "once a minute");
    assert_eq!((bench.kept().done, bench.kept().buried.len()), (Mark(0), 0));
    assert_eq!(bench.kept().standing.last_answer, "401: said so");
    assert!(!bench.link.wait_until_done(Instant::now() + HOUR), "nobody waits for it");
    bench.run(HOUR, |_| Ok(Ack::default()));
    assert_eq!(bench.taken, bench.all_marks());
}

#[test]
fn a_backend_that_takes_less_at_once_is_sent_less_and_the_size_is_remembered() {
    let mut bench = Bench::new(runs(1_000), limits(100, 1 << 20));
    let mut refused = 0;
    bench.run(HOUR, |parcel| {
        let bytes: usize = parcel.entries.iter().map(|entry| entry.bytes).sum();
        if bytes > 30_000 {
            refused += 1;
            return status(413);
        }
        Ok(Ack::default())
    });
    assert_eq!(bench.taken.iter().collect::<BTreeSet<_>>(), bench.all_marks().iter().collect());
    assert_eq!(bench.taken.len(), 1_000);
    assert!(refused <= 3, "{refused}");
    assert_eq!(bench.kept().standing.passes_bytes, Some(25_000));
    assert_eq!(bench.kept().done, Mark(7_000));
}

#[test]
fn a_run_that_no_request_has_room_for_is_made_smaller_and_at_last_put_aside() {
    let big = change(2, 100_000);
    let bytes = crate::export::weight(&big);
    let mut entries = runs(3);
    entries[1] = Entry { mark: Mark(14), change: big, bytes, announced: false };
    let mut bench = Bench::new(entries.clone(), limits(100, 1 << 20));
    let mut seen = None;
    bench.run(HOUR, |parcel| {
        if let Some(entry) = parcel.entries.iter().find(|entry| entry.mark == Mark(14)) {
            if entry.bytes > 30_000 {
                return status(413);
            }
            seen = Some(entry.clone());
        }
        Ok(Ack::default())
    });
    assert_eq!(bench.kept().done, Mark(21));
    assert!(bench.kept().buried.is_empty());
    let seen = seen.unwrap();
    let run = seen.change.run().unwrap();
    assert!(run.error.as_ref().unwrap().ends_with("of 100000 bytes kept]"));
    assert_eq!(run.metadata["traceable.truncated"], bytes);

    let mut bench = Bench::new(entries, limits(100, 1 << 20));
    bench.run(HOUR, |parcel| {
        if parcel.entries.iter().any(|entry| entry.mark == Mark(14)) { status(413) } else { Ok(Ack::default()) }
    });
    assert_eq!((bench.kept().done, &*bench.kept().buried), (Mark(21), &[Mark(14)][..]));
}

#[test]
fn the_wrong_one_among_many_is_found_and_put_aside_with_what_was_said_of_it() {
    let mut bench = Bench::new(runs(100), limits(100, 1 << 20));
    bench.run(HOUR, |parcel| {
        if parcel.entries.iter().any(|entry| entry.mark == Mark(7 * 42)) { status(422) } else { Ok(Ack::default()) }
    });
    assert_eq!(bench.kept().buried, [Mark(7 * 42)]);
    assert_eq!(bench.kept().said, ["422: said so"]);
    assert_eq!((bench.taken.len(), bench.kept().done), (99, Mark(700)));
    assert!(bench.requests <= 16, "{}", bench.requests);
    assert_eq!((bench.kept().standing.refused, bench.kept().standing.delivered), (1, 99));
}

#[test]
fn half_of_a_parcel_knows_that_the_run_which_ends_in_it_was_announced_in_the_other() {
    let mut entries = runs(2);
    let run = entries[1].change.run().unwrap().clone();
    entries[0].change = RunChange::Start(Box::new(run));
    let mut bench = Bench::new(entries, limits(100, 1 << 20));
    let mut announced = Vec::new();
    bench.run(HOUR, |parcel| {
        announced.push(parcel.entries.iter().map(|entry| entry.announced).collect::<Vec<_>>());
        if parcel.entries.len() > 1 { status(400) } else { Ok(Ack::default()) }
    });
    assert_eq!(announced, [vec![false, false], vec![false], vec![true]]);
}

#[test]
fn what_a_backend_took_without_some_is_counted() {
    let mut bench = Bench::new(runs(10), limits(100, 1 << 20));
    bench.run(HOUR, |_| Ok(Ack { refused: 3, truncated: 2 }));
    assert_eq!((bench.kept().standing.refused, bench.kept().standing.delivered), (3, 7));
}

#[test]
fn a_source_that_cannot_be_read_is_asked_again() {
    let mut bench = Bench::new(runs(10), limits(100, 1 << 20));
    bench.kept.lock().unwrap().broken = 3;
    bench.run(HOUR, |_| Ok(Ack::default()));
    assert_eq!(bench.taken, bench.all_marks());
}

#[test]
fn when_nothing_more_comes_what_is_on_its_way_is_the_end() {
    let mut bench = Bench::new(runs(30), limits(10, 1 << 20));
    bench.send();
    bench.link.close();
    assert!(matches!(bench.delivery.next(bench.now), Step::Wait(None)));
    bench.answer(0, Ok(Ack::default()));
    assert!(matches!(bench.delivery.next(bench.now), Step::Done));
    assert_eq!((bench.kept().done, bench.kept().standing.delivered), (Mark(70), 10));
}

/// What becomes of a request.
#[derive(Debug, Clone)]
enum Fate {
    Status(u16),
    RetryAfter(u64),
    Unreachable,
    /// The process is killed, before or after the backend took the request, and another one goes on.
    Crash(bool),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Status(202)),
        1 => prop::sample::select(vec![409, 400, 422, 413, 401, 404, 307, 408, 500, 503, 418]).prop_map(Fate::Status),
        1 => (0..2_000_u64).prop_map(Fate::RetryAfter),
        1 => Just(Fate::Unreachable),
        1 => any::<bool>().prop_map(Fate::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever a backend answers and however often the process is killed: once it is well, everything was taken or is put
    /// aside, nothing was done with before, and no run was put aside for which the backend did not say so.
    #[test]
    fn nothing_is_lost(
        sizes in prop::collection::vec(1..4_000_usize, 1..60),
        fates in prop::collection::vec((fate(), any::<prop::sample::Index>()), 0..80),
        changes in 1..20_usize,
        bytes in 1..8_000_usize,
        jitter in prop::collection::vec(0.0..=1.0_f64, 1..20),
    ) {
        let entries: Vec<Entry> = (1..).zip(&sizes).map(|(n, size)| {
            let change = change(n, *size);
            let bytes = crate::export::weight(&change);
            Entry { mark: Mark(n * 3), change, bytes, announced: false }
        }).collect();
        let limits = limits(changes, bytes);
        let mut at = 0;
        let draws = jitter.clone();
        let mut bench = Bench::with_jitter(entries, limits, move || {
            at += 1;
            draws[at % draws.len()]
        });
        let mut taken: BTreeMap<Mark, u32> = BTreeMap::new();
        for (fate, which) in fates {
            for _ in 0..4 {
                let Some(until) = bench.send() else { break };
                if !bench.flying.is_empty() {
                    break;
                }
                bench.now = bench.now.max(until);
            }
            if bench.flying.is_empty() {
                break;
            }
            let which = which.index(bench.flying.len());
            let marks: Vec<Mark> = bench.flying[which].entries.iter().map(|entry| entry.mark).collect();
            let mut take = || marks.iter().for_each(|mark| *taken.entry(*mark).or_default() += 1);
            match fate {
                Fate::Crash(was_taken) => {
                    if was_taken {
                        take();
                    }
                    bench.flying.clear();
                    let jitter = jitter.clone();
                    bench.delivery = start(&bench.kept, &bench.link, limits, move || jitter[0]);
                }
                Fate::Status(code) => {
                    let answer = status(code);
                    if answer.is_ok() {
                        take();
                    }
                    bench.answer(which, answer);
                }
                Fate::RetryAfter(seconds) => {
                    bench.answer(which, judge(429, Some(Duration::from_secs(seconds)), "", None));
                }
                Fate::Unreachable => bench.answer(which, Err(ExportError::retry("connection refused"))),
            }
            let kept = bench.kept();
            for entry in kept.entries.iter().filter(|entry| entry.mark <= kept.done) {
                prop_assert!(taken.contains_key(&entry.mark) || kept.buried.contains(&entry.mark), "{:?}", entry.mark);
            }
        }
        while !bench.flying.is_empty() {
            bench.answer(0, Err(ExportError::retry("reset")));
        }
        bench.taken.clear();
        bench.run(100 * HOUR, |_| Ok(Ack::default()));
        for mark in &bench.taken {
            *taken.entry(*mark).or_default() += 1;
        }
        let kept = bench.kept();
        prop_assert_eq!(kept.done, kept.entries.last().unwrap().mark);
        for entry in &kept.entries {
            let (taken, buried) = (taken.contains_key(&entry.mark), kept.buried.contains(&entry.mark));
            prop_assert!(taken || buried, "{:?} is lost", entry.mark);
        }
        prop_assert_eq!(bench.link.pending(), 0);
    }
}
