//! One traced program, on each way that leads to the store: read from its spool, and sent in LangSmith's protocol, in
//! OpenTelemetry's, and in our own. Its trees are the same, but for what a protocol cannot carry, which stands here.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use support::{Server, printed};
use traceable::{Attachment, Status, Usage, traceable};
use traceable_core::model::{Run, RunId};
use traceable_store::{List, Of, Store};

#[traceable(run_type = "tool")]
fn find_order(number: u32) -> Result<String, String> {
    if number == 0 { Err("there is no order 0".into()) } else { Ok(format!("order {number} is on its way")) }
}

#[traceable(run_type = "llm", metadata(ls_provider = "openai", ls_model_name = "gpt-4o-mini", ls_temperature = 0.2))]
fn chat(messages: &[Value]) -> Value {
    let run = traceable::current();
    let usage = Usage::new(27, 13).with_input_detail("cache_read", 20).with_output_detail("reasoning", 4);
    run.set_usage(&usage.with_total_cost(0.05));
    run.set_time_to_first_token(Duration::from_millis(1));
    run.add_event("retry", &json!({ "attempt": 2 }));
    json!({ "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": "Unterwegs ✓" } }] })
}

#[traceable(run_type = "retriever")]
fn search(query: &str) -> Vec<Value> {
    vec![json!({ "page_content": format!("All about {query}"), "type": "Document", "metadata": { "page": 3 } })]
}

#[traceable(name = "answer a question", tags = ["beta", "eu"], metadata(tier = "gold"), project_name = "shop")]
fn answer(question: &str) -> String {
    let run = traceable::current();
    run.set_thread("conversation-7");
    run.set_session("visit-1");
    run.set_user("ada");
    run.set_environment("staging");
    run.set_prompt(Some("greeting"), Some("3"));
    run.set_expected(&json!({ "said": "It is on its way." }));
    run.add_variable("city", "Paris");
    traceable::run("plan").run_type("agent").call(|plan| {
        plan.set_inputs(&json!({ "goal": question }));
        find_order(1042).unwrap();
        find_order(0).unwrap_err();
        search("orders");
        plan.set_outputs(&json!({ "steps": 3 }));
    });
    traceable::run("look").run_type("vision check").call(|look| {
        look.attach("photo", &Attachment::bytes("image/png", b"\x89PNG\r\n\x1a\n"));
        look.set_status(Status::Cancelled);
    });
    chat(&[json!({ "role": "user", "content": question })]);
    traceable::feedback(run, "helpful").score(0.75).comment("quick").send();
    "It is on its way.".into()
}

/// The traced program: this test, run again by the other. Where it sends to stands in its environment.
#[test]
#[ignore = "a program of the other test"]
fn program() {
    traceable::init();
    assert_eq!(answer("Where is my order?"), "It is on its way.");
    let flushed = traceable::flush_blocking(Duration::from_secs(60));
    assert_eq!(flushed.pending, 0, "{flushed:?}");
}

/// The runs that the program leaves behind, each with its scores, by their places in the tree.
fn tree(way: &str) -> BTreeMap<String, Value> {
    let (own, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = (way != "local").then(|| Server::start(home.path()));
    let url = server.as_ref().map(Server::url).unwrap_or_default();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "program", "--nocapture"]).env("TRACEABLE_EXPORT", way);
    command.env("TRACEABLE_HOME", if way == "local" { home.path() } else { own.path() });
    for name in ["TRACEABLE_ENDPOINT", "LANGSMITH_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        command.env(name, &url);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{way}: {}", String::from_utf8_lossy(&output.stderr));
    drop(server);
    // What lies in spools is read by a command.
    assert_eq!(printed(home.path(), &["ls", "--runs", "--json"]).lines().count(), 7, "{way}");
    runs(home.path())
}

fn runs(home: &Path) -> BTreeMap<String, Value> {
    let store = Store::open(home.join("traceable.db")).unwrap();
    let listed = store.list(&List { of: Of::Runs, limit: 100, ..List::default() }).unwrap();
    let whole = |id: RunId| store.whole_run(id).unwrap().unwrap();
    let all: BTreeMap<RunId, Run> = listed.rows.iter().map(|listed| (listed.row.id, whole(listed.row.id))).collect();
    let view = |run: &Run| {
        let mut levels = vec![place(run)];
        let mut above = run.parent_id;
        while let Some(parent) = above.map(|id| &all[&id]) {
            assert!(parent.start_time <= run.start_time && run.end_time <= parent.end_time);
            assert!(run.dotted_order.as_str().starts_with(parent.dotted_order.as_str()), "{run:?}");
            levels.push(place(parent));
            above = parent.parent_id;
        }
        levels.reverse();
        let scores = store.scores_in_trace(run.id).unwrap();
        let scores: Vec<Value> = scores.iter().map(|score| without(score, &["id", "target", "time"])).collect();
        let mut said = without(run, &["id", "trace_id", "parent_id", "dotted_order", "start_time", "end_time"]);
        said["scores"] = json!(scores);
        for event in said.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten() {
            event.as_object_mut().unwrap().remove("time");
        }
        if let Some(stream) = &run.stream {
            assert!((run.start_time..=run.end_time.unwrap() + 1_000_000).contains(&stream.first_chunk), "{run:?}");
            said["stream"] = json!({ "chunks": stream.chunks });
        }
        (levels.join(" › "), said)
    };
    all.values().map(view).collect()
}

/// A name, and what tells two runs of one name apart.
fn place(run: &Run) -> String {
    let number = run.inputs.as_ref().and_then(|inputs| inputs.to_value()["number"].as_u64());
    number.map_or_else(|| run.name.to_string(), |number| format!("{} {number}", run.name))
}

/// What differs each time a program runs is left out.
fn without<T: serde::Serialize>(of: &T, names: &[&str]) -> Value {
    let mut value = serde_json::to_value(of).unwrap();
    value.as_object_mut().unwrap().retain(|name, value| !names.contains(&&**name) && !value.is_null());
    value
}

/// In which fields a tree differs from another, and how.
fn differences(tree: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) -> Vec<String> {
    assert_eq!(tree.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let mut all = Vec::new();
    for (place, run) in tree {
        let (run, other) = (run.as_object().unwrap(), other[place].as_object().unwrap());
        let names: BTreeSet<&String> = run.keys().chain(other.keys()).collect();
        let differs = names.into_iter().filter(|name| run.get(*name) != other.get(*name));
        let said = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        all.extend(
            differs
                .map(|name| format!("{place}: {name}: {} in place of {}", said(run.get(name)), said(other.get(name)))),
        );
    }
    all
}

#[test]
fn a_program_leaves_the_same_tree_on_every_way() {
    let local = tree("local");
    let root = &local["answer a question"];
    assert_eq!(
        (&root["project"], &root["thread_id"], &root["user"]),
        (&json!("shop"), &json!("conversation-7"), &json!("ada"))
    );
    assert_eq!((root["scores"].as_array().unwrap().len(), &root["scores"][0]["score"]), (1, &json!(0.75)));
    assert_eq!(local["answer a question › look"]["status"], "cancelled");

    // What each protocol cannot carry. LangSmith's has one place for what metadata of these names and a field both say,
    // and so has our own, which is the same; OpenTelemetry's has none for files.
    let (chat, look) = ("answer a question › chat", "answer a question › look");
    assert_eq!(local[chat]["metadata"]["ls_model_name"], local[chat]["model"]);
    let once = format!("{chat}: metadata: {{\"tier\":\"gold\"}} in place of {}", local[chat]["metadata"]);
    let files = format!("{look}: attachments: nothing in place of {}", local[look]["attachments"]);
    assert_eq!(differences(&tree("traceable"), &local), [&*once]);
    assert_eq!(differences(&tree("langsmith"), &local), [&*once]);
    assert_eq!(differences(&tree("otlp"), &local), [&*files]);
}
