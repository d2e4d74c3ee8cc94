//! The one flag that every traced call looks at first, and the settings that a root looks at.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use super::lock;
use crate::{adapters, model::RunId, record::item, site::Site, tape};

/// Nobody has said yet whether this process traces.
const UNDECIDED: u32 = 0;
const OFF: u32 = 1;
/// Off, then on under this and every later number: a new pipeline has a new number.
const FIRST_EPOCH: u32 = 2;

static GATE: AtomicU32 = AtomicU32::new(UNDECIDED);
static EPOCHS: AtomicU32 = AtomicU32::new(FIRST_EPOCH);
/// A test records in this process: the gate stays open, whatever another test does.
static HELD: Mutex<bool> = Mutex::new(false);
static DEFAULT_CLIENT_LISTENS: AtomicBool = AtomicBool::new(false);
/// Which traces of the default client are kept.
static SAMPLER: AtomicU64 = AtomicU64::new(Sampler::ALL);

/// Whether a call of this site may be recorded.
#[inline]
pub(crate) fn is_open(site: &'static Site) -> bool {
    match GATE.load(Ordering::Relaxed) {
        OFF => false,
        UNDECIDED => decide(site.boot),
        _ => true,
    }
}

/// Asks `boot` whether this process traces, where nobody has said so yet.
pub(crate) fn ask(boot: fn()) {
    if GATE.load(Ordering::Relaxed) == UNDECIDED {
        decide(boot);
    }
}

/// Whether anything is recorded now.
#[inline]
pub(crate) fn is_on() -> bool {
    GATE.load(Ordering::Relaxed) >= FIRST_EPOCH
}

/// Whether a call may still be recorded: tracing is on, or nobody has said yet.
#[inline]
pub(crate) fn may_open() -> bool {
    GATE.load(Ordering::Relaxed) != OFF
}

#[inline]
pub(crate) fn epoch() -> u32 {
    GATE.load(Ordering::Relaxed)
}

/// The first traced call asks the environment, by the function that its site brings along.
#[cold]
fn decide(boot: fn()) -> bool {
    boot();
    // What `boot` did not switch on stays off until `init`.
    let _ = GATE.compare_exchange(UNDECIDED, OFF, Ordering::Relaxed, Ordering::Relaxed);
    is_on()
}

pub(crate) fn open() {
    GATE.store(EPOCHS.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
}

pub(crate) fn close() {
    let held = lock(&HELD);
    if *held {
        DEFAULT_CLIENT_LISTENS.store(false, Ordering::Relaxed);
    } else {
        GATE.store(OFF, Ordering::Relaxed);
    }
}

/// Opens the gate for good. What is recorded is then a matter of clients alone.
#[cfg(feature = "testing")]
pub(crate) fn hold_open() {
    let mut held = lock(&HELD);
    *held = true;
    if !is_on() {
        open();
    }
}

/// Gives every thread to understand that the pipeline it knew is not this process's. Called in the child of a fork, so
/// it may only touch atomics.
pub(crate) fn renew_after_fork() {
    if is_on() {
        open();
    }
}

#[inline]
pub(crate) fn default_client_listens() -> bool {
    DEFAULT_CLIENT_LISTENS.load(Ordering::Relaxed)
}

pub(crate) fn set_default_client(listens: bool, sampler: Sampler) {
    SAMPLER.store(sampler.0, Ordering::Relaxed);
    DEFAULT_CLIENT_LISTENS.store(listens, Ordering::Relaxed);
}

/// The sampler of a client, where it keeps less than everything.
#[inline]
pub(crate) fn sampler(client: u16) -> Option<Sampler> {
    let sampler = Sampler(SAMPLER.load(Ordering::Relaxed));
    (client == 0 && sampler.rate() < 1.0).then_some(sampler)
}

/// Says on a sampled root what share it stands for, by LangSmith's name.
pub(crate) fn write_sample_rate(body: &mut Vec<u8>) {
    let rate = Sampler(SAMPLER.load(Ordering::Relaxed)).rate();
    adapters::text(body, item::METADATA, "ls_tracing_sample_rate");
    body.push(tape::F64);
    body.extend_from_slice(&rate.to_le_bytes());
}

/// Decides on a whole trace from its id, so that every process comes to the same answer.
///
/// One word: the share that is kept, in millionths, and whether the others are kept if they fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampler(u64);

impl Sampler {
    const ALL: u64 = 1.0_f64.to_bits();
    /// The sign, which a share has no use for.
    const KEEP_ERRORS: u64 = 1 << 63;
    const BUCKETS: u32 = 1_000_000;

    /// Keeps this share, between 0 and 1, and with `keep_errors` all that fails.
    pub(crate) fn new(rate: f64, keep_errors: bool) -> Self {
        let errors = if keep_errors { Self::KEEP_ERRORS } else { 0 };
        Self(rate.clamp(0.0, 1.0).abs().to_bits() | errors)
    }

    const fn rate(self) -> f64 {
        f64::from_bits(self.0 & !Self::KEEP_ERRORS)
    }

    /// Whether traces that the sample leaves out are kept if they fail.
    pub(crate) const fn keeps_errors(self) -> bool {
        self.0 & Self::KEEP_ERRORS != 0
    }

    /// LangSmith's rule (Python SDK 0.14): XXH3-128 of the id's text, modulo a million, is below the rate.
    ///
    /// The division is theirs too: a rate such as 0.29 times a million is not exactly 290 000.
    pub(crate) fn keeps(self, trace_id: RunId) -> bool {
        let hash = xxhash_rust::xxh3::xxh3_128(&trace_id.encode());
        let bucket = (hash % u128::from(Self::BUCKETS)) as u32;
        f64::from(bucket) / f64::from(Self::BUCKETS) < self.rate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_near_its_rate_and_always_the_same() {
        let sampler = Sampler::new(0.25, true);
        let kept = (0..10_000u32).filter(|n| sampler.keeps(RunId::new(1_700_000_000_000_000_000, 42, *n))).count();
        assert!((2_300..2_700).contains(&kept), "{kept}");
        assert!((0..100).all(|n| Sampler::new(1.0, false).keeps(RunId::new(0, 1, n))));
        assert!(!(0..100).any(|n| Sampler::new(0.0, true).keeps(RunId::new(0, 1, n))));
    }

    /// What Python SDK 0.14.17 kept and dropped: the id, the rate, the decision. The last 120 lines are at the edge, with
    /// rates of exactly the id's own bucket, the next one, and a little more than its own.
    #[test]
    fn it_keeps_what_langsmith_keeps() {
        let table = include_str!("../../tests/fixtures/sampling.tsv");
        assert!(table.lines().count() >= 200);
        for line in table.lines() {
            let [id, rate, decision] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let kept = Sampler::new(rate.parse().unwrap(), false).keeps(id.parse().unwrap());
            assert_eq!(kept, decision == "keep", "{line}");
        }
    }
}
