//! The programs that were recorded with LangSmith's Python SDK 0.14.17, written with this library and run against a server
//! on this machine: what it is told must be what Python told it, field by field.
#![allow(missing_docs, clippy::unwrap_used)]

mod compare;
mod programs;
#[path = "../../../traceable-wire/tests/golden/mod.rs"]
mod recorded;
mod server;

use std::time::Duration;

use compare::{differences, said_by};
use recorded::{RECORDED, alone, bodies, requests};
use server::Server;
use traceable::exporters::LangSmith;

/// What differs: the program, a part of the field's path, and why that is right. Without a program, in all of them.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("", "/extra/metadata/ls_method", "names the function of Python's SDK that was used"),
    ("py_headers", "srv/session_name", "a stranger's header names no project of ours"),
    (
        "py_gen",
        "plain/events/0/",
        "we say of every stream when its first chunk came, Python's SDK of model calls alone",
    ),
    ("py_gen", "st 2/error", "a stream that nobody reads on is cancelled, and nothing failed"),
    ("py_error", "bad/error", "an error is shown as its own language shows it"),
    ("py_error", "bad/outputs/output", "a call that failed has no output, not even null"),
    ("py_error", "proc/inputs/", "each has its own words for inputs that could not be processed"),
    ("py_attach", "f/events/0/", "the parts of a body name its files"),
    ("py_trace", "ctx/events/0/", "as in py_attach"),
    ("py_openai", "/extra/metadata/ls_agent_type", "is stamped by Python's wrapper of the client"),
    ("py_openai", "/extra/metadata/ls_invocation_params/temperature", "we list those with names of their own, too"),
    (
        "py_openai",
        "/outputs/usage/",
        "the wrapper rewrites the answer, we leave it as it came; both have the same usage",
    ),
    ("py_openai", "/outputs/usage_metadata/", "we have it in metadata, where LangSmith also looks"),
    ("py_feedback", "feedback direct/score", "true is the number 1, as scores are numbers"),
    ("py_feedback", "feedback direct/extend_trace_retention", "a trace is kept longer only where somebody asks for it"),
];

/// Whether this is a difference that is known.
fn is_known((program, field, _): &(&str, &str, &str), found: &(&str, String, String)) -> bool {
    (program.is_empty() || *program == found.0) && found.1.contains(field)
}

#[tokio::test]
async fn a_traced_program_says_what_its_twin_in_python_says() {
    let server = Server::start().await;
    let home = tempfile::tempdir().unwrap();
    let langsmith = LangSmith::builder().endpoint(&server.url).api_key("k").project("demo").build().unwrap();
    traceable::Builder::new().remote(langsmith).home(home.path()).init().unwrap();
    let mut found = Vec::new();
    for program in RECORDED {
        programs::run(program).await;
        assert!(traceable::flush(Duration::from_secs(60)).await.pending == 0, "{program}");
        let ours = said_by(&server.take());
        let feedback = requests(program).into_iter().filter(|request| request["path"] == "/feedback");
        let feedback = feedback.map(|request| vec![alone(&request["json"])]);
        let theirs = said_by(&bodies(program).into_iter().chain(feedback).collect::<Vec<_>>());
        assert!(theirs.len() > 5, "{program}: {theirs:?}");
        for (field, ours, theirs) in differences(&ours, &theirs) {
            found.push((program, field, format!("{ours} and not {theirs}")));
        }
    }
    let unknown: Vec<String> = found
        .iter()
        .filter(|found| !DIFFERENT.iter().any(|known| is_known(known, found)))
        .map(|(program, field, says)| format!("{program}: {field} is {says}"))
        .collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    for known in DIFFERENT {
        assert!(found.iter().any(|found| is_known(known, found)), "no longer so: {known:?}");
    }
}
