//! How a burst is measured: lowest wall-clock time, allocations of the calling thread, CPU time of the process.
#![allow(unsafe_code, reason = "an allocator that counts, and the process's CPU clock, are behind unsafe interfaces")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    process::{Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::workload::{Case, Load, Shape, Tracer};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    // While a thread ends, nobody asks for its count any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it came; the count beside it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as for this function.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as for this function.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// CPU time of all threads of the process.
fn process_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value on this stack, which the call fills in.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(done, 0, "the process has a CPU clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a sink has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub records: u64,
    pub bytes: u64,
}

/// What a sink counts in.
#[derive(Debug, Default)]
pub struct Counter {
    records: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    /// Counts records and their payload.
    pub fn add(&self, records: u64, bytes: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was counted since this was last asked.
    pub fn take(&self) -> Totals {
        Totals { records: self.records.swap(0, Ordering::Relaxed), bytes: self.bytes.swap(0, Ordering::Relaxed) }
    }
}

/// The best of what was measured of a tracer in a case.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Nanoseconds a call, in the lowest burst.
    pub ns: f64,
    /// Allocations a call on the calling thread, in the burst with the fewest.
    pub allocations: f64,
}

impl Sample {
    const WORST: Self = Self { ns: f64::INFINITY, allocations: f64::INFINITY };

    /// Takes over what is lower.
    pub fn lower(&mut self, other: Self) {
        self.ns = self.ns.min(other.ns);
        self.allocations = self.allocations.min(other.allocations);
    }
}

/// A tracer delivered something else than what it was given.
#[derive(Debug)]
pub struct Loss {
    pub case: &'static str,
    pub tracer: &'static str,
    pub expected: Totals,
    pub seen: Totals,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { case, tracer, expected, seen } = self;
        write!(f, "{case}: {tracer} was given {expected:?} and delivered {seen:?}")
    }
}

/// Bursts of a visit: one to warm up, and these.
const BURSTS: usize = 4;

/// Visits a tracer with a case: some bursts, each flushed and checked for loss. Answers the best of them.
pub fn visit(tracer: &dyn Tracer, case: Case, load: &'static Load) -> Result<Sample, Loss> {
    let mut best = Sample::WORST;
    for burst in 0..=BURSTS {
        let sample = match case {
            Case::Process20kb | Case::Process20kbFull => of_process(tracer, case, load),
            _ if case.is_shared() => of_two_threads(tracer, case, load),
            _ => of_caller(tracer, case, load),
        };
        tracer.settle();
        let mut expected = load.expected(case, case.shape());
        if case.is_shared() {
            expected = Totals { records: 4 * expected.records, bytes: 4 * expected.bytes };
        }
        if let Some(seen) = tracer.take()
            && seen != expected
        {
            return Err(Loss { case: case.name(), tracer: tracer.name(), expected, seen });
        }
        if burst > 0 {
            best.lower(sample);
        }
    }
    Ok(best)
}

fn of_caller(tracer: &dyn Tracer, case: Case, load: &'static Load) -> Sample {
    let shape = case.shape();
    let (allocated, start) = (allocations(), Instant::now());
    tracer.run(case, load, shape);
    let (elapsed, allocated) = (start.elapsed(), allocations() - allocated);
    a_call(elapsed, allocated, shape)
}

fn of_process(tracer: &dyn Tracer, case: Case, load: &'static Load) -> Sample {
    let shape = case.shape();
    let (allocated, start) = (allocations(), process_cpu());
    tracer.run(case, load, shape);
    let allocated = allocations() - allocated;
    tracer.settle();
    a_call(process_cpu().saturating_sub(start), allocated, shape)
}

/// Two threads at once, after each has warmed up: the time of the slower one.
fn of_two_threads(tracer: &dyn Tracer, case: Case, load: &'static Load) -> Sample {
    let shape = case.shape();
    let barrier = Barrier::new(2);
    let one = || {
        tracer.run(case, load, shape);
        barrier.wait();
        of_caller(tracer, case, load)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(one);
        let mut sample = one();
        let Ok(other) = other.join() else { return Sample::WORST };
        sample.ns = sample.ns.max(other.ns);
        sample.allocations = sample.allocations.max(other.allocations);
        sample
    })
}

fn a_call(elapsed: Duration, allocated: u64, shape: Shape) -> Sample {
    let calls = shape.calls() as f64;
    Sample { ns: elapsed.as_nanos() as f64 / calls, allocations: allocated as f64 / calls }
}

/// Starts of the annotated program and of the bare one in turn: the median of each, in nanoseconds.
pub fn startup(spawns: usize) -> std::io::Result<(f64, f64)> {
    let (mut bare, mut off) = (Vec::new(), Vec::new());
    for _ in 0..spawns {
        bare.push(spawn(env!("CARGO_BIN_EXE_startup-bare"))?);
        off.push(spawn(env!("CARGO_BIN_EXE_startup-off"))?);
    }
    Ok((median(bare), median(off)))
}

fn spawn(program: &str) -> std::io::Result<f64> {
    let mut command = Command::new(program);
    command.env_remove("TRACEABLE").env_remove("LANGSMITH_TRACING").stdin(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed().as_nanos() as f64;
    if status.success() { Ok(elapsed) } else { Err(std::io::Error::other(format!("{program}: {status}"))) }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
