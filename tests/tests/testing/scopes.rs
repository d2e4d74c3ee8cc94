//! A scope records what begins in it and nothing else, whatever the rest of the process does.

use std::{
    env,
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use traceable::{
    Context, InRunExt as _,
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    testing::{Memory, Recorder, capture, capture_async},
    traceable,
};

use crate::agent::{add, answer};

#[traceable]
fn work(n: usize) {
    for step in 0..n {
        add(step as i64, 1);
    }
}

#[traceable]
async fn work_later(n: usize) {
    for step in 0..n {
        tokio::task::yield_now().await;
        add(step as i64, 1);
    }
}

/// Fifty at the same time, each with another number of runs.
fn fifty_side_by_side() {
    let together = Barrier::new(50);
    thread::scope(|scope| {
        for n in 0..50 {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                let recorded = capture(|| work(n));
                recorded.expect("work").input("n", n).ok();
                recorded.expect_count("add", n);
                assert_eq!(recorded.runs().len(), n + 1);
            });
        }
    });
}

/// A destination that is never well.
struct Broken;

impl Exporter for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn export<'a>(&'a mut self, _: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        Box::pin(std::future::ready(Err(ExportError::pause("on purpose, in a test"))))
    }
}

#[test]
fn with_and_without_init_and_after_shutdown() {
    // Another test of this process may have called `init`: then these are two of its clients more.
    fifty_side_by_side();

    let outside = Memory::new();
    let before = Recorder::new();
    traceable::builder().unwrap().exporter(outside.clone()).exporter(Broken).init().unwrap();
    before.scope(|| work(1));
    work(2);
    // The broken destination never delivers: a recorder does not wait for it.
    before.expect_tree("work\n  add");
    fifty_side_by_side();

    traceable::shutdown(Duration::ZERO);
    work(3);
    before.scope(|| work(1));
    before.expect_tree("work\n  add\nwork\n  add");
    fifty_side_by_side();
    // What began outside of the scopes went where `init` said, while it said so.
    let patience = Instant::now() + Duration::from_secs(30);
    while outside.runs().len() < 3 && Instant::now() < patience {
        thread::yield_now();
    }
    let roots =
        outside.runs().into_iter().filter(|run| run.name == "work").map(|run| run.inputs.unwrap().into_string());
    assert!(roots.eq([r#"{"n":2}"#]), "{:?}", outside.runs());
}

#[test]
fn a_process_that_is_switched_off_still_tests_its_traces() {
    if env::var("TRACEABLE").is_ok_and(|switch| switch == "off") {
        let recorder = Recorder::new();
        traceable::init();
        work(2);
        recorder.scope(|| work(1));
        recorder.expect_tree("work\n  add");
        assert!(!traceable::is_enabled());
        return;
    }
    let mut this = Command::new(env::current_exe().unwrap());
    this.args(["--exact", "scopes::a_process_that_is_switched_off_still_tests_its_traces"]).env("TRACEABLE", "off");
    let output = this.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn on_the_thread_of_a_runtime() {
    let (one, other) = tokio::join!(capture_async(work_later(3)), capture_async(work_later(5)));
    one.expect_count("add", 3);
    other.expect_count("add", 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_tasks_of_many_threads() {
    let tests: Vec<_> = (0..50).map(|n| tokio::spawn(async move { (n, capture_async(work_later(n)).await) })).collect();
    for test in tests {
        let (n, recorded) = test.await.unwrap();
        assert_eq!(recorded.expect_count("add", n).len() + 1, recorded.runs().len());
    }
    // The search inside is a task of its own.
    capture_async(answer("Do you have assam")).await.expect("answer").child("plan");
}

#[traceable]
async fn spreads() {
    let context = Context::current();
    let on_a_thread = thread::spawn(move || context.scope(|| work(1)));
    tokio::spawn(work_later(1).in_current_run()).await.unwrap();
    tokio::task::spawn_blocking(traceable::wrap(|| work(1))).await.unwrap();
    on_a_thread.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scope_reaches_what_its_runs_start_elsewhere() {
    let recorded = capture_async(spreads()).await;
    for below in recorded.expect_count("work", 2) {
        assert_eq!(below.child("add").run().trace_id, recorded.expect("spreads").run().id);
    }
    recorded.expect("spreads").child("work_later").child("add");
    assert_eq!(recorded.runs().len(), 7);
}

#[tokio::test]
async fn a_task_that_begins_a_trace_is_taken_along() {
    let recorder = Recorder::new();
    tokio::spawn(recorder.scope_future(work_later(2))).await.unwrap();
    recorder.expect_tree("work_later\n  add\n  add");
}
