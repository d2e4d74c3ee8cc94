//! Many threads, and one that traces much more than the others.

use std::{collections::HashSet, sync::Barrier};

use traceable::{Context, testing::Recorder, traceable};

#[traceable]
fn leaf(n: u32) -> u32 {
    n
}

/// As the blocking pool of a runtime: each thread keeps what it needs for its next run, and that must not be room that
/// others lack.
#[test]
fn threads_that_sleep_leave_room_for_the_runs_of_others() {
    const THREADS: u32 = 600;
    let recorder = Recorder::new();
    let (traced, done) = (Barrier::new(THREADS as usize + 1), Barrier::new(THREADS as usize + 1));
    std::thread::scope(|threads| {
        for n in 0..THREADS {
            let (recorder, traced, done) = (&recorder, &traced, &done);
            threads.spawn(move || {
                recorder.scope(|| leaf(n));
                traced.wait();
                done.wait();
                recorder.scope(|| leaf(n));
            });
            if n % 100 == 0 {
                recorder.flush();
            }
        }
        traced.wait();
        recorder.flush();
        threads.spawn(|| recorder.scope(|| leaf(THREADS))).join().unwrap();
        let runs = recorder.runs();
        done.wait();
        assert_eq!(runs.len(), THREADS as usize + 1, "{:?}", traceable::stats());
    });
    assert_eq!(recorder.runs().len(), 2 * THREADS as usize + 1, "{:?}", traceable::stats());
}

/// What is read of a thread that traces much does not make the writer forget, or miss, what others say of one another.
#[test]
fn a_burst_on_one_thread_does_not_tear_apart_the_traces_of_others() {
    #[traceable]
    fn mother(n: u32) {
        let context = Context::current();
        std::thread::scope(|threads| threads.spawn(|| context.scope(|| leaf(n))).join().unwrap());
    }

    let (burst, recorder) = (Recorder::new(), Recorder::new());
    std::thread::scope(|threads| {
        // Less than the queue takes, so that nothing is left out however late the writer comes.
        threads.spawn(|| {
            for _ in 0..10 {
                burst.scope(|| (0..20_000).for_each(|n| assert_eq!(leaf(n), n)));
                burst.flush();
            }
        });
        for n in 0..2_000 {
            recorder.scope(|| mother(n));
            if n % 50 == 0 {
                recorder.flush();
            }
        }
    });
    let runs = recorder.runs();
    assert_eq!(runs.len(), 4_000, "{:?}", traceable::stats());
    let mothers: HashSet<_> = runs.iter().filter(|run| run.name == "mother").map(|run| Some(run.id)).collect();
    let orphans = runs.iter().filter(|run| run.name == "leaf" && !mothers.contains(&run.parent_id));
    assert_eq!(orphans.count(), 0);
}
