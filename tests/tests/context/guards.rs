//! Guards that are kept, moved and dropped where one does not expect it: no other run is harmed.

use traceable::{Context, Entered, EnteredRun, run, scope, testing::Recorder, traceable};

#[traceable]
fn leaf() {}

#[traceable]
fn finish(trace: EnteredRun) {
    trace.set_result("done");
    drop(trace);
    leaf();
}

#[traceable]
fn leave(scope: Entered<'static>) {
    drop(scope);
    leaf();
}

#[traceable]
fn open() -> Entered<'static> {
    scope().tag("left").enter()
}

#[test]
fn a_run_that_is_ended_in_a_call_takes_nothing_along() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        finish(traceable::start_trace("trace"));
        leaf();
    });
    assert_eq!(recorder.tree(), "trace\n  finish\n    leaf\nleaf\n");
}

#[test]
fn a_scope_that_is_left_in_a_call_takes_nothing_along() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        leave(scope().tag("a").enter());
        leaf();
    });
    assert_eq!(recorder.tree(), "leave\n  leaf\nleaf\n");
    let tags: Vec<_> = recorder.runs().into_iter().map(|run| run.tags.join(" ")).collect();
    assert_eq!(tags, ["a", "a", ""]);
}

#[test]
fn a_guard_that_outlives_its_place_takes_nothing_along() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let late = open();
        run("root").call(|_| {
            run("middle").call(|middle| {
                drop(late);
                leaf();
                assert_eq!(traceable::current().id(), middle.id());
            });
        });
    });
    assert_eq!(recorder.tree(), "open\nroot\n  middle\n    leaf\n");
}

#[test]
fn guards_may_end_in_any_order() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        run("root").call(|root| {
            let context = root.context();
            let (a, b, c) = (scope().tag("a").enter(), run("b").enter(), context.attach());
            drop(a);
            leaf();
            drop(b);
            leaf();
            drop(c);
            leaf();
        });
        leaf();
    });
    assert_eq!(recorder.tree(), "root\n  b\n  leaf\n  leaf\n  leaf\nleaf\n");
}

#[test]
fn what_is_kept_by_a_thread_ends_with_it() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<traceable::ActiveRun>> = const { std::cell::RefCell::new(None) };
    }
    let recorder = Recorder::new();
    let client = recorder.client();
    std::thread::spawn(move || KEPT.with_borrow_mut(|kept| *kept = Some(run("kept").client(client).start())))
        .join()
        .unwrap();
    assert_eq!(recorder.tree(), "kept\n");
    drop(Context::current());
}
