//! Time on the hot path: raw ticks, and their meaning in nanoseconds.
//!
//! Ticks are the time-stamp counter where the kernel itself trusts it, else nanoseconds of `Instant`. Wall time is
//! an anchor (ticks, nanoseconds since the epoch) that the writer renews, read under a sequence lock. A run takes the
//! anchor once, at its root; all times below the root are its start plus elapsed ticks, so one trace never jumps.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::sys;

/// Whether ticks are the time-stamp counter. Fixed before the first run.
static TSC: AtomicBool = AtomicBool::new(false);
/// Nanoseconds a tick, as a 32.32 fixed-point number.
static NANOS_PER_TICK: AtomicU64 = AtomicU64::new(1 << 32);
/// Even when the anchor is whole, odd while it is being written.
static VERSION: AtomicU64 = AtomicU64::new(0);
static ANCHOR_TICKS: AtomicU64 = AtomicU64::new(0);
static ANCHOR_NANOS: AtomicU64 = AtomicU64::new(0);
/// The first calibration, the far end of every later one.
static ORIGIN: OnceLock<(Instant, u64)> = OnceLock::new();

/// How long the first calibration spins. The writer refines it with a longer base soon after.
const FIRST_CALIBRATION: Duration = Duration::from_micros(300);

/// The moment, in ticks.
#[inline]
pub(crate) fn ticks() -> u64 {
    if TSC.load(Ordering::Relaxed) { sys::time_stamp() } else { instant_ticks() }
}

fn instant_ticks() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Nanoseconds between two moments; 0 when they stand the wrong way round, as they may between two processors.
#[inline]
pub(crate) fn nanos_between(from: u64, to: u64) -> i64 {
    let ticks = to.saturating_sub(from);
    ((u128::from(ticks) * u128::from(NANOS_PER_TICK.load(Ordering::Relaxed))) >> 32) as i64
}

/// Nanoseconds since the epoch at a moment that is now or was just now.
#[inline]
pub(crate) fn wall(ticks: u64) -> i64 {
    loop {
        let version = VERSION.load(Ordering::Acquire);
        let anchor = ANCHOR_TICKS.load(Ordering::Relaxed);
        let nanos = ANCHOR_NANOS.load(Ordering::Relaxed) as i64;
        fence(Ordering::Acquire);
        if version.is_multiple_of(2) && version == VERSION.load(Ordering::Relaxed) {
            return if ticks >= anchor {
                nanos + nanos_between(anchor, ticks)
            } else {
                nanos - nanos_between(ticks, anchor)
            };
        }
        std::hint::spin_loop();
    }
}

/// Nanoseconds since the epoch, now.
pub(crate) fn now() -> i64 {
    wall(ticks())
}

/// Chooses the clock and calibrates it. Called by every start of the runtime; the choice is made once.
pub(crate) fn start() {
    ORIGIN.get_or_init(|| {
        TSC.store(tsc_is_trusted(), Ordering::Relaxed);
        let origin = pair();
        while TSC.load(Ordering::Relaxed) && origin.0.elapsed() < FIRST_CALIBRATION {
            std::hint::spin_loop();
        }
        origin
    });
    anchor();
}

/// Renews rate and anchor. Called by the writer from time to time, and by `start`.
pub(crate) fn anchor() {
    let Some(&(origin, origin_ticks)) = ORIGIN.get() else { return };
    let (now, ticks) = pair();
    let (elapsed, passed) = (now.duration_since(origin).as_nanos(), ticks.saturating_sub(origin_ticks));
    let Ok(epoch) = SystemTime::now().duration_since(UNIX_EPOCH) else { return };
    // Only one thread may write at a time; whoever comes second leaves it to the first.
    let version = VERSION.load(Ordering::Relaxed);
    let free = version.is_multiple_of(2);
    if !free || VERSION.compare_exchange(version, version + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return;
    }
    fence(Ordering::Release);
    if TSC.load(Ordering::Relaxed) && passed > 0 {
        NANOS_PER_TICK.store(((elapsed << 32) / u128::from(passed)) as u64, Ordering::Relaxed);
    }
    ANCHOR_TICKS.store(ticks, Ordering::Relaxed);
    ANCHOR_NANOS.store(epoch.as_nanos() as u64, Ordering::Relaxed);
    VERSION.store(version + 2, Ordering::Release);
}

/// Both clocks at one moment: of some tries the one in which the two reads stood closest together.
fn pair() -> (Instant, u64) {
    let read = || {
        let before = ticks();
        let now = Instant::now();
        (ticks().saturating_sub(before), now, before)
    };
    let mut best = read();
    for _ in 0..4 {
        let next = read();
        if next.0 < best.0 {
            best = next;
        }
    }
    (best.1, best.2 + best.0 / 2)
}

/// Whether the counter runs at one rate on all processors: the kernel checks that, so its own choice is asked for.
fn tsc_is_trusted() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
        && std::fs::read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .is_ok_and(|source| source.trim_ascii() == b"tsc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_tell_the_time() {
        start();
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
        let (first, instant) = (ticks(), Instant::now());
        while instant.elapsed() < Duration::from_millis(5) {}
        let elapsed = nanos_between(first, ticks());
        assert!((4_900_000..50_000_000_000).contains(&elapsed), "{elapsed}");
        anchor();
        assert!((now() - before).abs() < 60_000_000_000);
        assert!(nanos_between(10, 5) == 0);
    }
}
