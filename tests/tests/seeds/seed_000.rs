//! Literal AI: generations, steps, runs and threads, who takes part in them, and scores of them.
//!
//! | rows | test |
//! |---|---|
//! | L1, L9 | `a_generation`, `a_completion`, `a_generation_that_fails` |
//! | L2, L3 | `step_types` |
//! | L4, L15–L17, L22 | `a_run_with_intermediate_steps`, `steps_are_functions_too` |
//! | L17 | `a_run_and_its_steps_await`, `steps_that_are_ended_by_hand` |
//! | L5, L23, L24 | `a_thread`, `a_thread_in_all_forms` |
//! | L7 | `a_client_needs_nothing_around` |
//! | L11 | `a_multimodal_call` |
//! | L12, L13, L20 | `files_on_runs_and_steps` |
//! | L18 | `tags_and_metadata` |
//! | L25, L29–L31 | `a_thread_of_a_user` |
//! | L27, L28 | `users` |
//! | L32, L33 | `environments` |
//! | L34–L36 | `a_release` |
//! | L37 | `a_distributed_trace` |
//! | L38 | `scores_on_three_levels` |
//! | L39, L40, L42 | `feedback_metric_and_evaluation` |
//! | L41 | `the_id_of_a_run_inside_of_it` |
//! | L3, L5 | `messages` |

use std::{sync::LazyLock, time::Duration};

use serde_json::{Map, Value, json};
use traceable::{
    Attachment, Context, Run, RunId, ScoreTarget, Status, Usage, current,
    literal::{Client, Generation, ScoreType, Step as _, StepType},
    messages::{Part, Role, input_messages},
    model::{Event, Score, StreamInfo, Thread, User},
    run,
    testing::Recorder,
    traceable,
};

use crate::support::{json, ok, runs, tree};

fn metadata(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A thread as it was told, but for when.
fn thread(recorder: &Recorder) -> Thread {
    let mut threads = recorder.threads();
    assert_eq!(threads.len(), 1);
    assert!(threads[0].time > 0);
    Thread { time: 0, ..threads.remove(0) }
}

/// What was told of users, but for when.
fn users_told(recorder: &Recorder) -> Vec<User> {
    recorder.users().into_iter().map(|user| User { time: 0, ..user }).collect()
}

/// The scores, but for ids and times, which are their own.
fn scores(recorder: &Recorder) -> Vec<Score> {
    let scores = recorder.scores();
    assert!(scores.iter().all(|score| score.time > 0 && score.id != RunId::default()));
    scores.into_iter().map(|score| Score { id: RunId::default(), time: 0, ..score }).collect()
}

/// A score as [`scores`] answers it.
fn score(target: ScoreTarget, key: &str, source: ScoreType, score: f64) -> Score {
    Score {
        id: RunId::default(),
        target,
        key: key.to_owned(),
        score: Some(score),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source,
        user: None,
        time: 0,
        tags: Vec::new(),
        metadata: Map::new(),
    }
}

/// L1, L9: a generation is a step, and holds prompt, completion, settings, token counts and token latency.
#[test]
fn a_generation() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        Client::new().step("gpt-4o", StepType::Llm).call(|step| {
            let generation = Generation::chat(
                &json!([{ "role": "user", "content": "Hi {{name}}" }]),
                &json!({ "role": "assistant", "content": "Hello" }),
            )
            .provider("openai")
            .model("gpt-4o")
            .settings(&json!({ "temperature": 0.2, "stream": true }))
            .tools(&json!([{ "type": "function", "function": { "name": "weather" } }]))
            .variable("name", "x")
            .prompt_id("prompt-1")
            .token_counts(10, 3)
            .tt_first_token(Duration::from_micros(120_500));
            step.set_generation(&generation);
        });
    });
    let settings = json!({ "temperature": 0.2, "stream": true });
    let expected = Run {
        inputs: json(json!({
            "messages": [{ "role": "user", "content": "Hi {{name}}" }],
            "tools": [{ "type": "function", "function": { "name": "weather" } }],
        })),
        outputs: json(json!({ "role": "assistant", "content": "Hello" })),
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        params: [("temperature".to_owned(), json!(0.2)), ("stream".to_owned(), json!(true))].into(),
        variables: metadata(json!({ "name": "x" })),
        prompt_ref: Some("prompt-1".to_owned()),
        usage: Some(Usage::new(10, 3)),
        stream: Some(StreamInfo { chunks: 1, ..StreamInfo::default() }),
        events: vec![Event { name: "new_token".into(), time: 0, data: None }],
        metadata: metadata(json!({
            "ls_provider": "openai", "ls_model_name": "gpt-4o", "ls_invocation_params": settings,
        })),
        ..ok("gpt-4o", "llm")
    };
    assert_eq!(tree(&recorder), [(None, expected)]);
    let run = recorder.run("gpt-4o");
    assert_eq!(run.time_to_first_chunk(), Some(120_500_000));
    assert_eq!(run.events[0].time, run.start_time + 120_500_000);
}

/// L1, L9: a prompt that is a text, with a text for an answer.
#[test]
fn a_completion() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        Client::new().step("davinci", StepType::Llm).call(|step| {
            step.set_generation(&Generation::completion("Once upon", " a time").model("davinci").token_counts(2, 2));
        });
    });
    let expected = Run {
        inputs: json(json!({ "prompt": "Once upon" })),
        outputs: json(json!({ "output": " a time" })),
        model: Some("davinci".to_owned()),
        usage: Some(Usage::new(2, 2)),
        metadata: metadata(json!({ "ls_model_name": "davinci" })),
        ..ok("davinci", "llm")
    };
    assert_eq!(tree(&recorder), [(None, expected)]);
}

/// L1, L9: a generation may fail; any step may turn out to be one.
#[test]
fn a_generation_that_fails() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        Client::new().step("call", StepType::Undefined).call(|step| {
            step.set_generation(&Generation::chat(&json!([]), &Value::Null).error("overloaded"));
        });
    });
    let expected = Run {
        inputs: json(json!({ "messages": [] })),
        outputs: json(json!({ "output": null })),
        status: Status::Error,
        error: Some("overloaded".to_owned()),
        ..ok("call", "llm")
    };
    assert_eq!(tree(&recorder), [(None, expected)]);
}

/// L2, L3: a step is a function of a known kind, or of one of the application's own.
#[test]
fn step_types() {
    let types = [
        (StepType::Tool, "tool", None),
        (StepType::Embedding, "embedding", None),
        (StepType::Retrieval, "retriever", None),
        (StepType::Rerank, "reranker", None),
        (StepType::Undefined, "chain", None),
        (StepType::Run, "agent", None),
        (StepType::Llm, "llm", None),
        (StepType::UserMessage, "message", Some("user_message")),
        (StepType::AssistantMessage, "message", Some("assistant_message")),
        (StepType::SystemMessage, "message", Some("system_message")),
        (StepType::Other("crawl".to_owned()), "crawl", None),
    ];
    for (step_type, run_type, kept) in types {
        let recorder = Recorder::new();
        recorder.scope(|| {
            Client::new().step("step", step_type.clone()).call(|step| {
                step.step("below", step_type).call(|_| run("inside").call(|_| ()));
            });
        });
        let metadata: Map<_, _> = kept.map(|kept| ("literal_step_type".to_owned(), json!(kept))).into_iter().collect();
        let expected = [
            (None, Run { metadata: metadata.clone(), ..ok("step", run_type) }),
            (Some(0), Run { metadata, ..ok("below", run_type) }),
            // Who spoke is said of the message only.
            (Some(1), ok("inside", "chain")),
        ];
        assert_eq!(tree(&recorder), expected);
    }
}

/// The runs of an agent that searches and answers.
fn agent_runs() -> Vec<(Option<usize>, Run)> {
    vec![
        (
            None,
            Run {
                inputs: json(json!({ "question": "weather in Paris?" })),
                outputs: json(json!({ "content": "21 degrees" })),
                ..ok("My Agent", "agent")
            },
        ),
        (
            Some(0),
            Run {
                inputs: json(json!({ "city": "Paris" })),
                outputs: json(json!({ "temp": 21 })),
                ..ok("weather", "tool")
            },
        ),
        (
            Some(0),
            Run {
                inputs: json(json!({ "messages": [{ "role": "user", "content": "21" }] })),
                outputs: json(json!({ "role": "assistant", "content": "21 degrees" })),
                model: Some("gpt-4o".to_owned()),
                metadata: metadata(json!({ "ls_model_name": "gpt-4o" })),
                ..ok("answer", "llm")
            },
        ),
    ]
}

fn answered() -> Generation {
    let messages = json!([{ "role": "user", "content": "21" }]);
    Generation::chat(&messages, &json!({ "role": "assistant", "content": "21 degrees" })).model("gpt-4o")
}

/// L4, L15–L17, L22: a run holds all that its agent does: tools and generations; runs and steps are told the same things.
#[test]
fn a_run_with_intermediate_steps() {
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        client.run("My Agent").call(|run| {
            run.set_input(&json!({ "question": "weather in Paris?" }));
            client.step("weather", StepType::Tool).call(|step| {
                step.set_input(&json!({ "city": "Paris" }));
                step.set_output(&json!({ "temp": 21 }));
            });
            run.step("answer", StepType::Llm).call(|step| step.set_generation(&answered()));
            run.set_output(&json!({ "content": "21 degrees" }));
        });
    });
    assert_eq!(tree(&recorder), agent_runs());
}

#[traceable(run_type = "tool")]
fn weather(city: &str) -> Value {
    assert_eq!(city, "Paris");
    json!({ "temp": 21 })
}

#[traceable(run_type = "llm")]
fn answer() {
    current().set_generation(&answered());
}

#[traceable(run_type = "agent", name = "My Agent")]
fn my_agent(question: &str) -> Value {
    assert_eq!(question, "weather in Paris?");
    let temp = &weather("Paris")["temp"];
    answer();
    json!({ "content": format!("{temp} degrees") })
}

/// L16, L17: the same with the attribute; and a function with the attribute is a step of what is around it.
#[test]
fn steps_are_functions_too() {
    let recorder = Recorder::new();
    recorder.scope(|| my_agent("weather in Paris?"));
    assert_eq!(tree(&recorder), agent_runs());

    let recorder = Recorder::new();
    recorder.scope(|| {
        Client::new().run("My Agent").input("question", "weather in Paris?").call(|run| {
            let temp = &weather("Paris")["temp"];
            answer();
            run.set_output(&json!({ "content": format!("{temp} degrees") }));
        });
    });
    assert_eq!(tree(&recorder), agent_runs());
}

/// L17: runs and steps of code that awaits, on any thread.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_and_its_steps_await() {
    let client = Client::new();
    let recorder = Recorder::new();
    let agent = async {
        tokio::task::yield_now().await;
        current().set_input(&json!({ "question": "weather in Paris?" }));
        let tool = async {
            tokio::task::yield_now().await;
            current().set_output(&json!({ "temp": 21 }));
        };
        client.step("weather", StepType::Tool).input("city", "Paris").future(tool).await;
        let generation = async {
            tokio::task::yield_now().await;
            current().set_generation(&answered());
        };
        current().step("answer", StepType::Llm).future(generation).await;
        current().set_output(&json!({ "content": "21 degrees" }));
    };
    recorder.scope_future(async { client.run("My Agent").future(agent).await }).await;
    assert_eq!(tree(&recorder), agent_runs());
}

/// L17: steps that are begun and ended where it suits the application.
#[test]
fn steps_that_are_ended_by_hand() {
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        let run = client.run("My Agent").inputs(&json!({ "question": "weather in Paris?" })).start();
        let step = run.step("weather", StepType::Tool).input("city", "Paris").start();
        step.end_with(&json!({ "temp": 21 }));
        step.end();
        {
            let _inside = run.enter();
            let step = client.step("answer", StepType::Llm).enter();
            step.set_generation(&answered());
        }
        run.end_with(&json!({ "content": "21 degrees" }));
    });
    assert_eq!(tree(&recorder), agent_runs());
}

/// L5, L23, L24: the application owns the id of a thread, and every run that is logged with it is a part of the same
/// conversation.
#[test]
fn a_thread() {
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        client
            .thread("thread-1")
            .name("Weather")
            .tags(["vip", "web"])
            .metadata("k", "v")
            .scope(|| client.run("first").call(|run| run.step("tool", StepType::Tool).call(|_| weather("Paris"))));
        client.thread("thread-2").scope(|| client.run("other").call(|_| ()));
        // Another request of the same conversation, in the other way.
        client.run("second").thread("thread-1").call(|_| ());
        client.run("alone").call(|_| ());
    });
    let in_thread = |run: Run, id: &str| Run { thread_id: Some(id.to_owned()), ..run };
    let weather =
        Run { inputs: json(json!({ "city": "Paris" })), outputs: json(json!({ "temp": 21 })), ..ok("weather", "tool") };
    let expected = [
        (None, in_thread(ok("first", "agent"), "thread-1")),
        (Some(0), in_thread(ok("tool", "tool"), "thread-1")),
        (Some(1), in_thread(weather, "thread-1")),
        (None, in_thread(ok("other", "agent"), "thread-2")),
        (None, in_thread(ok("second", "agent"), "thread-1")),
        (None, ok("alone", "agent")),
    ];
    assert_eq!(tree(&recorder), expected);
    let threads: Vec<_> = recorder.threads().into_iter().map(|thread| Thread { time: 0, ..thread }).collect();
    let expected = [
        Thread {
            id: "thread-1".to_owned(),
            name: Some("Weather".to_owned()),
            tags: texts(&["vip", "web"]),
            metadata: metadata(json!({ "k": "v" })),
            ..Thread::default()
        },
        Thread { id: "thread-2".to_owned(), ..Thread::default() },
    ];
    assert_eq!(threads, expected);
}

/// L5, L24: a thread holds what is called in it, what is awaited in it, and what stands behind it; or is only told of.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_in_all_forms() {
    let client = Client::new();
    let recorder = Recorder::new();
    let work = async {
        let awaited = async {
            tokio::task::yield_now().await;
            my_agent("weather in Paris?");
        };
        client.thread("awaited").future(awaited).await;
        {
            let _thread = client.thread("entered").enter();
            weather("Paris");
        }
        assert_eq!(client.thread("called").scope(|| weather("Paris")), json!({ "temp": 21 }));
        client.thread("told").name("no runs").send();
        weather("Paris");
    };
    recorder.scope_future(work).await;
    let threads: Vec<_> = recorder.runs().into_iter().map(|run| run.thread_id).collect();
    let expected = [Some("awaited"), Some("awaited"), Some("awaited"), Some("entered"), Some("called"), None];
    assert_eq!(threads, expected.map(|id| id.map(str::to_owned)));
    let told: Vec<_> = recorder.threads().into_iter().map(|thread| (thread.id, thread.name)).collect();
    let expected = [("awaited", None), ("entered", None), ("called", None), ("told", Some("no runs"))];
    assert_eq!(told, expected.map(|(id, name)| (id.to_owned(), name.map(str::to_owned))));
}

/// L7: a client is made before anything else.
static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new().environment("dev"));

/// L7: a client needs no runtime and no key; keys belong to the destinations.
#[test]
fn a_client_needs_nothing_around() {
    let recorder = Recorder::new();
    recorder.scope(|| CLIENT.clone().run("My Agent").call(|_| ()));
    assert_eq!(runs(&recorder), [Run { environment: Some("dev".to_owned()), ..ok("My Agent", "agent") }]);
}

/// L11: a call of a model that sees pictures is logged as it is.
#[test]
fn a_multimodal_call() {
    let messages = json!([{
        "role": "user",
        "content": [
            { "type": "text", "text": "What is in this picture?" },
            { "type": "image_url", "image_url": { "url": "https://example.com/cat.png" } },
        ],
    }]);
    let recorder = Recorder::new();
    recorder.scope(|| {
        Client::new().step("vision", StepType::Llm).call(|step| {
            let completion = json!({ "role": "assistant", "content": "A cat." });
            step.set_generation(&Generation::chat(&messages, &completion).provider("openai").model("gpt-4o"));
        });
    });
    let expected = Run {
        inputs: json(json!({ "messages": messages })),
        outputs: json(json!({ "role": "assistant", "content": "A cat." })),
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        metadata: metadata(json!({ "ls_provider": "openai", "ls_model_name": "gpt-4o" })),
        ..ok("vision", "llm")
    };
    assert_eq!(tree(&recorder), [(None, expected.clone())]);
    let said = input_messages(&expected.inputs.unwrap().to_value());
    assert_eq!((said[0].role.clone(), said[0].text()), (Role::User, "What is in this picture?".into()));
    assert!(matches!(&said[0].parts[1], Part::Uri { .. }), "{said:?}");
}

/// L12, L13, L20: images, videos, audio and other files belong to a run or to any of its steps: as bytes, by path, or by
/// address.
#[test]
fn files_on_runs_and_steps() {
    let image = Attachment::bytes("image/png", b"\x89PNG");
    let video = Attachment::path("video/mp4", "/srv/cat.mp4");
    let audio = Attachment::url("audio/mpeg", "https://example.com/cat.mp3");
    let other = Attachment::bytes("text/csv", b"a,b");
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        client.run("My Agent").call(|run| {
            run.attach("image", &image);
            run.attach("video", &video);
            client.step("listen", StepType::Tool).call(|step| {
                step.attach("audio", &audio);
                step.attach("table", &other);
            });
        });
    });
    let files = |run: Run, files: [(&str, &Attachment); 2]| Run {
        attachments: files.map(|(name, file)| file.clone().named(name)).into(),
        ..run
    };
    let expected = [
        (None, files(ok("My Agent", "agent"), [("image", &image), ("video", &video)])),
        (Some(0), files(ok("listen", "tool"), [("audio", &audio), ("table", &other)])),
    ];
    assert_eq!(tree(&recorder), expected);
}

/// L18: runs and steps have tags and metadata, when they begin and later. Steps inherit the metadata.
#[test]
fn tags_and_metadata() {
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        client.run("My Agent").tags(["a", "b"]).metadata("key", "value").call(|run| {
            run.add_tag("c");
            run.set_metadata(&json!({ "late": [1, 2] }));
            client.step("step", StepType::Undefined).tag("d").metadata("key", &1).call(|step| {
                step.add_tags(["e", "d"]);
                step.add_metadata("more", &true);
            });
        });
    });
    let expected = [
        (
            None,
            Run {
                tags: texts(&["a", "b", "c"]),
                metadata: metadata(json!({ "key": "value", "late": [1, 2] })),
                ..ok("My Agent", "agent")
            },
        ),
        (
            Some(0),
            Run {
                tags: texts(&["d", "e"]),
                metadata: metadata(json!({ "key": 1, "late": [1, 2], "more": true })),
                ..ok("step", "chain")
            },
        ),
    ];
    assert_eq!(tree(&recorder), expected);
}

/// L25, L29–L31: a thread is bound to a user, by the user's id or by an identifier such as an e-mail address; which of both
/// it is, is for whoever keeps the users to find out.
#[test]
fn a_thread_of_a_user() {
    for user in ["ada@example.com", "ada", "7e9a19c3-383b-4e27-a67a-4f8e779ba44d"] {
        let client = Client::new();
        let recorder = Recorder::new();
        recorder.scope(|| {
            client.thread("t").participant_id(user).scope(|| client.run("My Agent").call(|_| weather("Paris")));
        });
        let of_user = |run: Run| Run { thread_id: Some("t".to_owned()), user: Some(user.to_owned()), ..run };
        let weather = Run {
            inputs: json(json!({ "city": "Paris" })),
            outputs: json(json!({ "temp": 21 })),
            ..ok("weather", "tool")
        };
        assert_eq!(tree(&recorder), [(None, of_user(ok("My Agent", "agent"))), (Some(0), of_user(weather))]);
        let expected = Thread { id: "t".to_owned(), user: Some(user.to_owned()), ..Thread::default() };
        assert_eq!(thread(&recorder), expected);
    }
}

/// L27, L28: users are created at any time, and their metadata changed.
#[test]
fn users() {
    let client = Client::new();
    let recorder = Recorder::new();
    recorder.scope(|| {
        client.create_user("ada@example.com").metadata("plan", "free").metadata("age", &36).send();
        client.update_user("ada@example.com").metadata("plan", "team").send();
        client.create_user("bob").send();
    });
    let user = |identifier: &str, said| User { identifier: identifier.to_owned(), metadata: metadata(said), time: 0 };
    let expected = [
        user("ada@example.com", json!({ "plan": "free", "age": 36 })),
        user("ada@example.com", json!({ "plan": "team" })),
        user("bob", json!({})),
    ];
    assert_eq!(users_told(&recorder), expected);
}

/// L32, L33: a client logs to one environment, in every run that begins with it and in all below.
#[test]
fn environments() {
    for environment in ["dev", "staging", "prod", "experiment"] {
        let client = Client::new().environment(environment);
        let recorder = Recorder::new();
        recorder.scope(|| {
            client.run("My Agent").call(|run| run.step("step", StepType::Tool).call(|_| weather("Paris")));
            client.thread("t").scope(|| weather("Paris"));
            client.message("Hi").send();
            client.step("step", StepType::Rerank).start().end();
        });
        let runs = runs(&recorder);
        assert_eq!(runs.len(), 6);
        assert!(runs.iter().all(|run| run.environment.as_deref() == Some(environment)), "{runs:?}");
    }
}

/// L34–L36: a client names the release, whatever its form; it is found in the metadata of runs and threads.
#[test]
fn a_release() {
    for release in ["1.2.3", "2024.05.31", "4f8e779ba44d"] {
        let client = Client::new().release(release);
        let recorder = Recorder::new();
        recorder.scope(|| {
            client
                .thread("t")
                .scope(|| client.run("My Agent").call(|run| run.step("step", StepType::Tool).call(|_| ())));
            client.step("alone", StepType::Tool).call(|_| ());
        });
        let of = |run: Run| Run {
            release: Some(release.to_owned()),
            metadata: metadata(json!({ "release": release })),
            ..run
        };
        let in_thread = |run: Run| Run { thread_id: Some("t".to_owned()), ..of(run) };
        let expected = [
            (None, in_thread(ok("My Agent", "agent"))),
            (Some(0), in_thread(ok("step", "tool"))),
            (None, of(ok("alone", "tool"))),
        ];
        assert_eq!(tree(&recorder), expected);
        let expected =
            Thread { id: "t".to_owned(), metadata: metadata(json!({ "release": release })), ..Thread::default() };
        assert_eq!(thread(&recorder), expected);
    }
}

/// L37: a trace goes on in another process: by the headers of a request, or by what the application passes on by hand.
#[test]
fn a_distributed_trace() {
    let (here, there) = (Recorder::new(), Recorder::new());
    let client = Client::new();
    let (root, headers) = here.scope(|| {
        let thread = client.thread("t").participant_id("ada@example.com");
        thread.scope(|| client.run("My Agent").call(|run| (run.id().unwrap(), run.headers())))
    });
    there.scope(|| {
        let served = || client.step("served", StepType::Tool).call(|_| weather("Paris"));
        Context::from_headers(headers.clone()).scope(served);
        // As text in any message, with the thread beside it.
        let place = headers.iter().find(|(name, _)| *name == "langsmith-trace").unwrap().1.clone();
        let place: traceable::DottedOrder = place.parse().unwrap();
        client.step("by hand", StepType::Rerank).parent(&place).thread("t").call(|_| ());
    });
    let (agent, served, by_hand) = (here.run("My Agent"), there.run("served"), there.run("by hand"));
    assert_eq!(agent.id, root);
    assert_eq!((served.parent_id, served.trace_id), (Some(root), root));
    assert_eq!((by_hand.parent_id, by_hand.trace_id), (Some(root), root));
    let inner = there.run("weather");
    assert_eq!((inner.parent_id, inner.trace_id), (Some(served.id), root));
    assert_eq!(inner.dotted_order.depth(), 3);
    for run in [&served, &inner, &by_hand] {
        assert_eq!(run.thread_id.as_deref(), Some("t"), "{}", run.name);
    }
    assert_eq!((served.user.as_deref(), inner.user.as_deref()), (Some("ada@example.com"), Some("ada@example.com")));
}

/// L38: scores judge generations, runs and threads.
#[test]
fn scores_on_three_levels() {
    let client = Client::new();
    let recorder = Recorder::new();
    let (run, generation) = recorder.scope(|| {
        client.run("My Agent").call(|run| {
            let generation = run.step("answer", StepType::Llm).start();
            generation.set_generation(&answered());
            generation.score("conciseness", ScoreType::Code, 0.25).send();
            generation.end();
            run.score("helpfulness", ScoreType::Human, 1).comment("nice").tag("x").send();
            client.create_score(ScoreTarget::Thread("t".to_owned()), "resolved", ScoreType::Ai, true).send();
            (run.id().unwrap(), generation.id().unwrap())
        })
    });
    let expected = [
        score(ScoreTarget::Run(generation), "conciseness", ScoreType::Code, 0.25),
        Score {
            comment: Some("nice".to_owned()),
            tags: texts(&["x"]),
            ..score(ScoreTarget::Run(run), "helpfulness", ScoreType::Human, 1.0)
        },
        score(ScoreTarget::Thread("t".to_owned()), "resolved", ScoreType::Ai, 1.0),
    ];
    assert_eq!(scores(&recorder), expected);
}

/// L39, L40, L42: a user's feedback, a metric of the product and the result of an evaluation are scores, given when the run
/// is long over, by its id.
#[test]
fn feedback_metric_and_evaluation() {
    let client = Client::new();
    let recorder = Recorder::new();
    let id = recorder.scope(|| client.run("My Agent").call(|run| run.id().unwrap()));
    recorder.scope(|| {
        let feedback = client.create_score(id, "user-feedback", ScoreType::Human, 0);
        feedback.user("ada@example.com").comment("wrong city").label("negative").send();
        client.create_score(id, "conversion", ScoreType::Code, 1).metadata("basket", &39.9).send();
        client.create_score(id, "faithfulness", ScoreType::Ai, 0.8).label("faithful").send();
        client.create_score(id, "broken", ScoreType::Ai, f64::NAN).send();
    });
    let target = || ScoreTarget::Run(id);
    let expected = [
        Score {
            user: Some("ada@example.com".to_owned()),
            comment: Some("wrong city".to_owned()),
            label: Some("negative".to_owned()),
            ..score(target(), "user-feedback", ScoreType::Human, 0.0)
        },
        Score { metadata: metadata(json!({ "basket": 39.9 })), ..score(target(), "conversion", ScoreType::Code, 1.0) },
        Score { label: Some("faithful".to_owned()), ..score(target(), "faithfulness", ScoreType::Ai, 0.8) },
        Score { score: None, ..score(target(), "broken", ScoreType::Ai, 0.0) },
    ];
    assert_eq!(scores(&recorder), expected);
}

/// L41: the id of the run is known inside of it, for the systems that analyse the product.
#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_run_inside_of_it() {
    #[traceable]
    fn captured() -> [RunId; 2] {
        [current().id().unwrap(), current().trace_id().unwrap()]
    }
    let client = Client::new();
    let recorder = Recorder::new();
    let work = async {
        let agent = async {
            tokio::task::yield_now().await;
            (current().id().unwrap(), captured())
        };
        client.run("My Agent").future(agent).await
    };
    let (outer, [inner, trace]) = recorder.scope_future(work).await;
    assert_eq!((recorder.run("My Agent").id, recorder.run("captured").id), (outer, inner));
    assert_eq!(trace, outer);
}

/// L3, L5: what user, assistant and system say in a conversation are steps, too.
#[test]
fn messages() {
    let client = Client::new().release("1.2.3");
    let recorder = Recorder::new();
    let id = recorder.scope(|| {
        client.thread("t").participant_id("ada").scope(|| {
            client.message("Be kind.").by_system().send();
            client.message("Hi").by_user().name("Ada").tags(["first"]).metadata("mood", &1).send();
            client.message("Hello").name("My Agent").send()
        })
    });
    let message = |name, kind: &str, role: &str, content: &str| Run {
        outputs: json(json!({ "role": role, "content": content })),
        thread_id: Some("t".to_owned()),
        user: Some("ada".to_owned()),
        release: Some("1.2.3".to_owned()),
        metadata: metadata(json!({ "literal_step_type": kind, "release": "1.2.3" })),
        ..ok(name, "message")
    };
    let mut of_user = message("Ada", "user_message", "user", "Hi");
    of_user.tags = texts(&["first"]);
    of_user.metadata.insert("mood".to_owned(), json!(1));
    let expected = [
        (None, message("message", "system_message", "system", "Be kind.")),
        (None, of_user),
        (None, message("My Agent", "assistant_message", "assistant", "Hello")),
    ];
    assert_eq!(tree(&recorder), expected);
    assert_eq!(id, Some(recorder.run("My Agent").id));

    let recorder = Recorder::new();
    recorder.scope(|| client.message("Hi").thread_id("owned").send());
    assert_eq!(recorder.run("message").thread_id.as_deref(), Some("owned"));
}
