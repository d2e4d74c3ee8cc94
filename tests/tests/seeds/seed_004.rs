//! NeuralTrust: a conversation is a trace, its messages are events of it, and what happens in between are events below.
//!
//! | rows | test |
//! |---|---|
//! | N15, N16, N17 | `a_message` |
//! | N8, N18 | `a_tool` |
//! | N11, N19 | `a_generation`, `a_generation_that_says_more` |
//! | N9, N20 | `an_agent` |
//! | N10, N21 | `a_retrieval` |
//! | N12, N22 | `the_system` |
//! | N13 | `events_of_the_application` |
//! | N14, N23 | `feedback_with_any_tag`, `feedback_on_an_event` |
//! | N25, N26 | `who_and_where_on_every_run` |
//! | N7, N24, N27 | `the_nested_example`, `every_event_below_every_other` |
//! | N28 | `an_error_ends_the_message_with_its_text`, `an_error_that_is_told_as_one` |
//! | N16 | `only_the_first_end_counts`, `what_is_dropped_ends`, `the_first_message_in_and_the_last_one_out` |
//! | N7 | `events_of_other_threads_and_tasks`, `traced_functions_belong_to_the_event_around_them` |

use serde_json::json;
use traceable::{
    Run, RunType, ScoreSource, ScoreTarget, Status, Usage,
    neuraltrust::{Client, Metadata, Trace, User},
    testing::Recorder,
    traceable,
};

use crate::support::{json, ok, runs, tree};

/// A run of the conversation of the examples.
fn event(name: &'static str, run_type: &'static str, input: &str, output: &str) -> Run {
    Run {
        inputs: json(json!({ "input": input })),
        outputs: json(json!({ "output": output })),
        thread_id: Some("conv_123".to_owned()),
        ..ok(name, run_type)
    }
}

/// A trace with one message and, in it, what `inside` does.
fn in_a_message(inside: impl FnOnce(&traceable::neuraltrust::Event)) -> Vec<(Option<usize>, Run)> {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let client = Client::new();
        let trace = client.trace("conv_123");
        let message = trace.message("User input");
        inside(&message);
        message.end("Bot response");
    });
    tree(&recorder)
}

/// What [`in_a_message`] records around what is inside.
fn around(inside: impl IntoIterator<Item = (Option<usize>, Run)>) -> Vec<(Option<usize>, Run)> {
    let outside = [
        (None, event("trace", "chain", "User input", "Bot response")),
        (Some(0), event("message", "message", "User input", "Bot response")),
    ];
    outside.into_iter().chain(inside).collect()
}

/// N15, N16, N17: a trace is made with the ids of conversation and session; a message begins with its input and ends with
/// its output, at the root of the trace.
#[test]
fn a_message() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let client = Client::new();
        let trace = client.trace("conv_123").session("session_123");

        let message = trace.message("User: What's the weather?");
        message.end("Bot: It's sunny!");
    });
    let of = |name, run_type| Run {
        session_id: Some("session_123".to_owned()),
        ..event(name, run_type, "User: What's the weather?", "Bot: It's sunny!")
    };
    assert_eq!(tree(&recorder), [(None, of("trace", "chain")), (Some(0), of("message", "message"))]);
}

/// N8, N18: a call of a tool is recorded below the message.
#[test]
fn a_tool() {
    let recorded = in_a_message(|message| {
        let tool = message.tool("Calling weather API");
        tool.end("API response received");
    });
    let tool = event("tool", "tool", "Calling weather API", "API response received");
    assert_eq!(recorded, around([(Some(1), tool)]));
}

/// N11, N19: the making of a prompt and its answer is recorded below the message.
#[test]
fn a_generation() {
    let recorded = in_a_message(|message| {
        let generation = message.generation("Generating response");
        generation.end("Response generated");
    });
    let generation = event("generation", "llm", "Generating response", "Response generated");
    assert_eq!(recorded, around([(Some(1), generation)]));
}

/// N19: a generation is for token usage, quality and parameters, so it can be told them.
#[test]
fn a_generation_that_says_more() {
    let recorded = in_a_message(|message| {
        let generation = message.generation(json!({ "messages": [{ "role": "user", "content": "Hello" }] }));
        generation.set_model("openai", "gpt-4o");
        generation.add_metadata("ls_temperature", &0.5);
        generation.set_usage(&Usage::new(27, 13));
        generation.end(json!({ "role": "assistant", "content": "Hi" }));
    });
    let generation = Run {
        inputs: json(json!({ "messages": [{ "role": "user", "content": "Hello" }] })),
        outputs: json(json!({ "role": "assistant", "content": "Hi" })),
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        params: [("temperature".to_owned(), json!(0.5))].into(),
        metadata: [
            ("ls_provider".to_owned(), json!("openai")),
            ("ls_model_name".to_owned(), json!("gpt-4o")),
            ("ls_temperature".to_owned(), json!(0.5)),
        ]
        .into_iter()
        .collect(),
        usage: Some(Usage::new(27, 13)),
        ..event("generation", "llm", "", "")
    };
    assert_eq!(recorded, around([(Some(1), generation)]));
}

/// N9, N20: an agent's thoughts and decisions are recorded below the message.
#[test]
fn an_agent() {
    let recorded = in_a_message(|message| {
        let agent = message.agent("Planning next action");
        agent.end("Decided to search database");
    });
    let agent = event("agent", "agent", "Planning next action", "Decided to search database");
    assert_eq!(recorded, around([(Some(1), agent)]));
}

/// N10, N21: a search for documents is recorded below the message, with what was found as data.
#[test]
fn a_retrieval() {
    let recorded = in_a_message(|message| {
        let retrieval = message.retrieval("Searching knowledge base");
        retrieval.end("Found 3 relevant documents");
        let retrieval = message.retrieval("Searching again");
        retrieval.end([json!({ "chunk": "x", "score": 0.9 })]);
    });
    let first = event("retrieval", "retriever", "Searching knowledge base", "Found 3 relevant documents");
    let second = Run {
        outputs: json(json!({ "output": [{ "chunk": "x", "score": 0.9 }] })),
        ..event("retrieval", "retriever", "Searching again", "")
    };
    assert_eq!(recorded, around([(Some(1), first), (Some(1), second)]));
}

/// N12, N22: an event of the system is recorded on the trace itself, and can be ended. It is no message: the trace takes
/// neither input nor output from it.
#[test]
fn the_system() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        let system = trace.system("Initializing cache");
        system.end("Cache warmed up");
    });
    let trace = Run { inputs: None, outputs: None, ..event("trace", "chain", "", "") };
    let system = event("system", "system", "Initializing cache", "Cache warmed up");
    assert_eq!(tree(&recorder), [(None, trace), (Some(0), system)]);
}

/// N13: the application has events of its own, on the trace and below other events.
#[test]
fn events_of_the_application() {
    let recorded = in_a_message(|message| {
        let checkout = message.event("checkout", json!({ "items": 2 }));
        let router = checkout.router("Which warehouse?");
        router.end("north");
        checkout.end(true);
    });
    let checkout = Run {
        run_type: RunType::Custom("checkout".into()),
        inputs: json(json!({ "items": 2 })),
        outputs: json(json!({ "output": true })),
        ..event("checkout", "", "", "")
    };
    let router = event("router", "router", "Which warehouse?", "north");
    assert_eq!(recorded, around([(Some(1), checkout), (Some(2), router)]));
}

/// N14, N23: a user's feedback is about the trace, with a tag such as `THUMBS_UP` and a text.
#[test]
fn feedback_with_any_tag() {
    let recorder = Recorder::new();
    let root = recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        trace.feedback("THUMBS_UP").text("User marked response as helpful");
        trace.feedback("negative");
        trace.feedback("confused").text("Which of the two?");
        trace.id().unwrap()
    });
    let scores = recorder.scores();
    let said: Vec<_> = scores.iter().map(|s| (s.label.as_deref().unwrap(), s.score, s.comment.as_deref())).collect();
    assert_eq!(
        said,
        [
            ("THUMBS_UP", Some(1.0), Some("User marked response as helpful")),
            ("negative", Some(0.0), None),
            ("confused", None, Some("Which of the two?")),
        ]
    );
    for score in scores {
        assert_eq!((score.key.as_str(), score.source), ("feedback", ScoreSource::Human));
        assert_eq!(score.target, ScoreTarget::Run(root));
        assert_eq!((score.value, score.correction, score.user, score.tags), Default::default());
        assert!(score.metadata.is_empty() && score.time > 0);
    }
    assert_eq!(recorder.run("trace").id, root);
}

/// N14: feedback may also be about one answer.
#[test]
fn feedback_on_an_event() {
    let recorder = Recorder::new();
    let message = recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        let message = trace.message("User input");
        message.end("Bot response");
        message.feedback("like");
        message.id().unwrap()
    });
    let targets: Vec<_> = recorder.scores().into_iter().map(|score| (score.target, score.score)).collect();
    assert_eq!(targets, [(ScoreTarget::Run(message), Some(1.0))]);
}

fn nested(trace: &Trace) {
    // Start main conversation trace
    let message = trace.message("User: Tell me about neural networks");

    // Track document retrieval
    let retrieval = message.retrieval("Searching documentation");
    retrieval.end("Found 2 relevant articles");

    // Track response generation
    let generation = message.generation("Creating explanation");
    generation.end("Generated response about neural networks");

    // Complete the conversation
    message.end("Bot: Neural networks are...");
}

/// A run of the nested example, which has an environment and a user.
fn in_production(event: Run) -> Run {
    Run { environment: Some("production".to_owned()), user: Some("user_123".to_owned()), ..event }
}

/// N7, N24, N27: operations are nested in the message that they are done for, and that in the trace.
#[test]
fn the_nested_example() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        // Initialize trace with basic context
        let trace = Client::new()
            .trace("conv_123")
            .metadata(Metadata { environment: "production", ..Metadata::default() })
            .user(User::new("user_123"));
        nested(&trace);
    });
    let (asked, answered) = ("User: Tell me about neural networks", "Bot: Neural networks are...");
    let expected = [
        (None, event("trace", "chain", asked, answered)),
        (Some(0), event("message", "message", asked, answered)),
        (Some(1), event("retrieval", "retriever", "Searching documentation", "Found 2 relevant articles")),
        (Some(1), event("generation", "llm", "Creating explanation", "Generated response about neural networks")),
    ];
    assert_eq!(tree(&recorder), expected.map(|(parent, run)| (parent, in_production(run))));
    // Nothing was said of the user but who it is.
    assert_eq!(recorder.users(), []);
}

/// N25, N26: the environment, the user, and what else is said of both, whatever the order in which it is said.
#[test]
fn who_and_where_on_every_run() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new()
            .trace("conv_123")
            .user(User::new("user_123").with("email", "ada@example.com").with("seats", &3))
            .metadata(Metadata { environment: "production", locale: "de-DE", os: "linux", ..Metadata::default() })
            .custom("plan", "team")
            .name("support")
            .session("session_123");
        nested(&trace);
    });
    let runs = runs(&recorder);
    assert_eq!(
        runs.iter().map(|run| &*run.name).collect::<Vec<_>>(),
        ["support", "message", "retrieval", "generation"]
    );
    for run in runs {
        assert_eq!(run.thread_id.as_deref(), Some("conv_123"), "{}", run.name);
        assert_eq!(run.session_id.as_deref(), Some("session_123"));
        assert_eq!(run.user.as_deref(), Some("user_123"));
        assert_eq!(run.environment.as_deref(), Some("production"));
        assert_eq!(json!(run.metadata), json!({ "locale": "de-DE", "os": "linux", "plan": "team" }));
    }
    let [user] = <[_; 1]>::try_from(recorder.users()).unwrap();
    assert_eq!(user.identifier, "user_123");
    assert_eq!(json!(user.metadata), json!({ "email": "ada@example.com", "seats": 3 }));
}

/// N15: what is said of a trace that has begun holds for what begins afterwards.
#[test]
fn what_is_said_late() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        trace.message("before").end("");
        let trace = trace
            .session("session_123")
            .user(User::new("user_123"))
            .metadata(Metadata { environment: "production", location: "Berlin", ..Metadata::default() })
            .name("late");
        trace.message("after").end("");
    });
    let said: Vec<_> = runs(&recorder)
        .into_iter()
        .map(|run| (run.name, run.session_id, run.user, run.environment, json!(run.metadata)))
        .collect();
    let all = |name: &'static str| {
        let [session, user, environment] = ["session_123", "user_123", "production"].map(|text| Some(text.to_owned()));
        (name.into(), session, user, environment, json!({ "location": "Berlin" }))
    };
    assert_eq!(said, [all("late"), ("message".into(), None, None, None, json!({})), all("message")]);
}

/// N28: in the seed's branch for errors the message is ended with the error's text.
#[test]
fn an_error_ends_the_message_with_its_text() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        let message = trace.message("User: Tell me about neural networks");
        let tried = || {
            let retrieval = message.retrieval("Searching documentation");
            let found: u32 = "two".parse()?;
            retrieval.end(found);
            message.end("Bot: Neural networks are...");
            Ok::<_, std::num::ParseIntError>(())
        };
        if let Err(e) = tried() {
            message.end(format!("Error: {e}"));
        }
    });
    let (asked, answered) = ("User: Tell me about neural networks", "Error: invalid digit found in string");
    let retrieval = Run { outputs: None, ..event("retrieval", "retriever", "Searching documentation", "") };
    assert_eq!(
        tree(&recorder),
        [
            (None, event("trace", "chain", asked, answered)),
            (Some(0), event("message", "message", asked, answered)),
            (Some(1), retrieval),
        ]
    );
}

/// N28: told as an error, it is one, of the message and of the trace.
#[test]
fn an_error_that_is_told_as_one() {
    let recorded = {
        let recorder = Recorder::new();
        recorder.scope(|| {
            let trace = Client::new().trace("conv_123");
            let message = trace.message("User input");
            let tool = message.tool("Calling weather API");
            tool.fail("timed out");
            message.fail("no weather today");
            message.fail("too late");
        });
        tree(&recorder)
    };
    let failed = |error: &str, run| Run { status: Status::Error, error: Some(error.to_owned()), outputs: None, ..run };
    assert_eq!(
        recorded,
        [
            (None, failed("no weather today", event("trace", "chain", "User input", ""))),
            (Some(0), failed("no weather today", event("message", "message", "User input", ""))),
            (Some(1), failed("timed out", event("tool", "tool", "Calling weather API", ""))),
        ]
    );
}

/// N16, N28: a late error in the branch for errors ends the message once more, which changes nothing.
#[test]
fn only_the_first_end_counts() {
    let recorded = in_a_message(|message| {
        let tool = message.tool("Calling weather API");
        tool.end("API response received");
        tool.end("Error: too late");
        tool.fail("too late");
        message.end("Bot response");
        message.end("Error: too late");
        message.fail("too late");
    });
    let tool = event("tool", "tool", "Calling weather API", "API response received");
    assert_eq!(recorded, around([(Some(1), tool)]));
}

/// N16: what is never ended ends where it is dropped, and while unwinding with the panic.
#[test]
fn what_is_dropped_ends() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        drop(Client::new().trace("conv_123").message("forgotten"));
        let panics = || {
            let trace = Client::new().trace("conv_123");
            let _message = trace.message("panics");
            panic!("on purpose, in a test");
        };
        std::panic::catch_unwind(panics).unwrap_err();
        // Without an event there is no run.
        drop(Client::new().trace("conv_123").session("session_123"));
    });
    let seen = tree(&recorder);
    let said: Vec<_> = seen.iter().map(|(at, run)| (*at, &*run.name, run.status, run.outputs.is_none())).collect();
    assert_eq!(
        said,
        [
            (None, "trace", Status::Ok, true),
            (Some(0), "message", Status::Ok, true),
            (None, "trace", Status::Error, true),
            (Some(2), "message", Status::Error, true),
        ]
    );
    assert!(seen[2].1.error.as_ref().unwrap().contains("on purpose"), "{seen:?}");
    assert!(seen[3].1.error.as_ref().unwrap().contains("on purpose"));
}

/// N16: the trace's input is the first one that comes in and its output the last one that goes out, also from a message
/// that outlives it.
#[test]
fn the_first_message_in_and_the_last_one_out() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        let first = trace.message("one");
        let second = trace.message("two");
        // A message below a message is none of the trace's.
        first.message("inner").end("inner");
        second.end("second");
        first.end("first");
        let last = trace.message("three");
        drop(trace);
        last.end("last");
    });
    let runs = runs(&recorder);
    assert_eq!(runs[0], event("trace", "chain", "one", "last"));
    assert_eq!(runs[1], event("message", "message", "one", "first"));
    assert_eq!(
        recorder.tree(),
        "trace\n  message message\n    message message\n  message message\n  message message\n"
    );
}

/// N7, N24: every kind of event can stand on the trace and below every other kind.
#[test]
fn every_event_below_every_other() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = Client::new().trace("conv_123");
        let outer = [
            trace.message("m"),
            trace.tool("t"),
            trace.generation("g"),
            trace.agent("a"),
            trace.retrieval("r"),
            trace.router("o"),
            trace.system("s"),
            trace.event("custom", "c"),
        ];
        for event in &outer {
            let inner = [
                event.message("m"),
                event.tool("t"),
                event.generation("g"),
                event.agent("a"),
                event.retrieval("r"),
                event.router("o"),
                event.system("s"),
                event.event("custom", "c"),
            ];
            inner.iter().for_each(|event| event.end("done"));
            event.end("done");
        }
    });
    let kinds = ["message", "tool", "llm", "agent", "retriever", "router", "system", "custom"];
    let runs = tree(&recorder);
    let (trace, events) = runs.split_first().unwrap();
    assert_eq!(*trace, (None, event("trace", "chain", "m", "done")));
    let of = |parent| -> Vec<_> {
        events.iter().filter(|(at, _)| *at == Some(parent)).map(|(_, run)| run.run_type.as_str()).collect()
    };
    assert_eq!(of(0), kinds);
    for parent in 1..=kinds.len() {
        assert_eq!(of(parent), kinds);
    }
}

#[traceable]
fn leaf(n: u32) -> u32 {
    n
}

/// N7: functions with the attribute are a part of the event that they are called in.
#[tokio::test]
async fn traced_functions_belong_to_the_event_around_them() {
    let recorder = Recorder::new();
    let conversation = async {
        let trace = Client::new().trace("conv_123");
        let message = trace.message("User input");
        message.scope(|| leaf(1));
        let tool = message.tool("Calling");
        let entered = tool.enter();
        leaf(2);
        drop(entered);
        tool.future(async { leaf(3) }).await;
        trace.scope(|| leaf(4));
        leaf(5);
    };
    recorder.scope_future(conversation).await;
    assert_eq!(
        recorder.tree(),
        "trace\n  message message\n    leaf\n    tool tool\n      leaf\n      leaf\n  leaf\nleaf\n"
    );
    let threads: Vec<_> = recorder.runs().into_iter().map(|run| run.thread_id.is_some()).collect();
    assert_eq!(threads, [true, true, true, true, true, true, true, false]);
}

/// N7: one conversation may be led by several threads and tasks, and none of them needs a runtime.
#[test]
fn events_of_other_threads_and_tasks() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    let recorder = Recorder::new();
    let client = Client::from(recorder.client());
    let trace = client.trace("conv_123").user(User::new("user_123"));
    is_shared(&trace);
    std::thread::scope(|threads| {
        for n in 0..4 {
            let trace = &trace;
            threads.spawn(move || {
                let message = trace.message(format!("in {n}"));
                is_shared(&message);
                let tool = message.tool(n);
                std::thread::spawn(move || tool.end(n)).join().unwrap();
                message.end(format!("out {n}"));
            });
        }
    });
    drop(trace);
    let runs = tree(&recorder);
    assert_eq!((runs.len(), runs.iter().filter(|(parent, _)| parent.is_none()).count()), (9, 1));
    for (parent, run) in &runs {
        assert_eq!((run.thread_id.as_deref(), run.user.as_deref()), (Some("conv_123"), Some("user_123")));
        assert_eq!(run.status, Status::Ok);
        if run.run_type == RunType::Tool {
            let said = run.outputs.as_ref().unwrap().to_value()["output"].clone();
            let message = &runs[parent.unwrap()].1;
            assert_eq!(message.inputs, json(json!({ "input": format!("in {said}") })));
            assert_eq!(message.outputs, json(json!({ "output": format!("out {said}") })));
        }
    }
}
