//! The one flag that every traced call looks at first, and the settings that a root looks at.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use super::lock;
use crate::{model::RunId, site::Site};

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
/// The share of traces of the default client that is kept, in millionths.
static SAMPLE_MILLIONTHS: AtomicU64 = AtomicU64::new(Sampler::ALL);

/// Whether a call of this site may be recorded.
#[inline]
pub(crate) fn is_open(site: &'static Site) -> bool {
    match GATE.load(Ordering::Relaxed) {
        OFF => false,
        UNDECIDED => decide(site.boot),
        _ => true,
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
    SAMPLE_MILLIONTHS.store(sampler.millionths, Ordering::Relaxed);
    DEFAULT_CLIENT_LISTENS.store(listens, Ordering::Relaxed);
}

/// The sampler of a client, where it keeps less than everything.
#[inline]
pub(crate) fn sampler(client: u16) -> Option<Sampler> {
    let millionths = SAMPLE_MILLIONTHS.load(Ordering::Relaxed);
    (client == 0 && millionths < Sampler::ALL).then_some(Sampler { millionths })
}

/// Decides on a whole trace from its id, so that every process comes to the same answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampler {
    millionths: u64,
}

impl Sampler {
    const ALL: u64 = 1_000_000;

    /// Keeps this share, between 0 and 1.
    pub(crate) fn new(rate: f64) -> Self {
        Self { millionths: (rate.clamp(0.0, 1.0) * Self::ALL as f64).round() as u64 }
    }

    /// LangSmith's rule (Python SDK 0.14): XXH3-128 of the id's text, modulo a million, is below the rate.
    pub(crate) fn keeps(self, trace_id: RunId) -> bool {
        let hash = xxhash_rust::xxh3::xxh3_128(&trace_id.encode());
        ((hash % u128::from(Self::ALL)) as u64) < self.millionths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_near_its_rate_and_always_the_same() {
        let sampler = Sampler::new(0.25);
        let kept = (0..10_000u32).filter(|n| sampler.keeps(RunId::new(1_700_000_000_000_000_000, 42, *n))).count();
        assert!((2_300..2_700).contains(&kept), "{kept}");
        assert!((0..100).all(|n| Sampler::new(1.0).keeps(RunId::new(0, 1, n))));
        assert!(!(0..100).any(|n| Sampler::new(0.0).keeps(RunId::new(0, 1, n))));
    }
}
