//! Runs by hand: everything that the attribute can say of a run, without one.

use serde_json::json;
use traceable::{Attachment, Run, Status, Usage, current, run, start_trace, testing::Recorder, traceable};

#[traceable]
fn leaf() -> u32 {
    7
}

#[test]
fn a_guard_is_the_current_run_until_it_is_dropped() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = start_trace("guess");
        leaf();
        trace.set_result("The Godfather");
        trace.set_metadata(&json!({ "attempt": 1, "genre": "crime" }));
        trace.end();
        trace.end();
        drop(trace);
        leaf();
    });
    assert_eq!(recorder.tree(), "guess\n  leaf\nleaf\n");
    let guess = recorder.run("guess");
    assert_eq!(guess.outputs.unwrap().as_str(), r#"{"output":"The Godfather"}"#);
    assert_eq!(guess.metadata, *json!({ "attempt": 1, "genre": "crime" }).as_object().unwrap());
    let source = guess.source.unwrap();
    assert!(source.file.ends_with("tests/context/by_hand.rs") && source.line > 0, "{source:?}");
}

#[test]
fn everything_that_a_run_can_be_told() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let call = run("answer")
            .run_type("llm")
            .input("question", "why?")
            .provider("openai")
            .model("gpt-4o")
            .expected("because")
            .variable("name", "Ada")
            .prompt("prompt-1")
            .deployment("deployment-1")
            .tags(["a", "b"])
            .thread("t")
            .user("u")
            .start();
        call.set_usage(&Usage::new(27, 13));
        call.set_cost(0.002);
        call.set_raw_stream("data: {}");
        call.add_event("retry", &json!({ "after": 2 }));
        call.end_with(&json!({ "role": "assistant", "content": "because" }));
        call.end_with("too late");
    });
    let run = recorder.run("answer");
    assert_eq!(run.run_type.as_str(), "llm");
    assert_eq!(run.inputs.unwrap().as_str(), r#"{"question":"why?"}"#);
    assert_eq!(run.outputs.unwrap().to_value(), json!({ "role": "assistant", "content": "because" }));
    assert_eq!((run.provider.as_deref(), run.model.as_deref()), (Some("openai"), Some("gpt-4o")));
    assert_eq!(run.expected.unwrap().as_str(), "\"because\"");
    assert_eq!(run.variables["name"], "Ada");
    assert_eq!((run.prompt_ref.as_deref(), run.deployment_ref.as_deref()), (Some("prompt-1"), Some("deployment-1")));
    assert_eq!(run.usage, Some(Usage::new(27, 13).with_total_cost(0.002)));
    assert_eq!(run.stream.unwrap().raw[0].1.as_str(), r#""data: {}""#);
    assert_eq!(run.events[0].name, "retry");
    assert_eq!(
        (run.tags, run.thread_id.as_deref(), run.user.as_deref()),
        (vec!["a".into(), "b".into()], Some("t"), Some("u"))
    );
    assert_eq!(run.status, Status::Ok);
}

#[test]
fn runs_below_a_run_that_is_nobodys_current_one() {
    let recorder = Recorder::new();
    let ids = recorder.scope(|| {
        let message = run("message").start();
        let tool = message.child("tool").run_type("tool").start();
        let deeper = tool.child("deeper").start();
        deeper.scope(leaf);
        deeper.end();
        tool.end_with("done");
        message.end();
        // Children may still come, and be begun on another thread.
        std::thread::scope(|threads| {
            threads.spawn(|| message.child("late").start().end());
        });
        leaf();
        [message.id(), tool.id(), deeper.id()]
    });
    assert_eq!(recorder.tree(), "message\n  tool tool\n    deeper\n      leaf\n  late\nleaf\n");
    let order = recorder.runs().into_iter().find(|run| run.name == "leaf").unwrap().dotted_order;
    assert_eq!(order.segments().map(|(_, id)| Some(id)).collect::<Vec<_>>()[..3], ids);
}

#[test]
fn an_error_and_a_panic() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let failed: Result<(), &str> = run("fails").try_call(|_| Err("no such film"));
        assert_eq!(failed, Err("no such film"));
        let caught = std::panic::catch_unwind(|| run("panics").call(|_| panic!("on purpose")));
        assert!(caught.is_err());
        let stopped = run("stopped").start();
        stopped.set_status(Status::Aborted);
        stopped.end();
        run("refused").start().fail("no");
    });
    let said = |name| {
        let run = recorder.run(name);
        (run.status, run.error)
    };
    assert_eq!(said("fails"), (Status::Error, Some("no such film".to_owned())));
    assert_eq!(said("refused"), (Status::Error, Some("no".to_owned())));
    assert_eq!(said("stopped"), (Status::Aborted, None));
    let (status, error) = said("panics");
    assert_eq!(status, Status::Error);
    assert!(error.unwrap().contains("on purpose"));
}

#[tokio::test(flavor = "multi_thread")]
async fn futures() {
    let recorder = Recorder::new();
    let work = async {
        let outer = run("outer").future(async {
            tokio::task::yield_now().await;
            current().add_tag("inside");
            leaf()
        });
        assert_eq!(outer.await, 7);
        let failed: Result<u32, &str> = run("fails").try_future(async { Err("no") }).await;
        failed.unwrap_err();
        let shared = run("shared").start();
        tokio::join!(shared.future(async { leaf() }), shared.future(async { leaf() }));
        drop(run("dropped").future(std::future::pending::<()>()));
    };
    recorder.scope_future(work).await;
    assert_eq!(recorder.tree(), "outer\n  leaf\nfails error\nshared\n  leaf\n  leaf\ndropped cancelled\n");
    assert_eq!(recorder.run("outer").tags, ["inside"]);
}

#[test]
fn nothing_below_a_run_that_is_left_out() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let root = run("root").enabled(false).start();
        root.child("child").start().scope(leaf);
        root.scope(leaf);
    });
    assert_eq!(recorder.tree(), "");
}

#[test]
fn a_handle_ends_on_another_thread() {
    let recorder = Recorder::new();
    let open = recorder.scope(|| run("travels").start());
    std::thread::spawn(move || open.end_with(&1)).join().unwrap();
    assert_eq!(recorder.run("travels").outputs.unwrap().as_str(), r#"{"output":1}"#);
}

#[test]
fn files_of_runs_by_hand() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let picture = Attachment::bytes("image/png", b"png");
        let look = run("look").input("picture", &picture).expected(&picture).start();
        look.attach("notes", &Attachment::bytes("text/plain", b"seen"));
        look.end_with(&picture);
        // Neither a run that does not begin nor one that is left out keeps a file waiting.
        drop(run("never").input("picture", &picture));
        run("left out").input("picture", &picture).enabled(false).start().end();
    });
    let names: Vec<String> = recorder.run("look").attachments.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["picture", "expected", "notes", "output"]);
}

#[test]
fn an_end_is_the_last_word_on_how_a_run_stands() {
    for status in [Status::Unknown, Status::Pending, Status::Aborted] {
        let mut run = Run { status: Status::Pending, ..Run::default() };
        run.absorb(Run { end_time: Some(1), status, ..Run::default() });
        assert_eq!(run.status, status);
        // What only adds something does not say.
        run.absorb(Run { status: Status::Unknown, tags: vec!["late".to_owned()], ..Run::default() });
        assert_eq!(run.status, status);
    }
}
