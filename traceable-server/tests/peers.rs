//! The real SDKs of others, unmodified: what they send, they read back. Run by `scripts/check-peers`, which installs them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Server, printed};

/// Where `scripts/check-peers` has put something.
fn installed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("run scripts/check-peers: it sets {name}"))
}

/// A Python program of `tests/peers`, with the packages of an environment.
fn python(environment: &str, program: &str) -> Command {
    let mut command = Command::new(installed(environment));
    command.args(["-W", "ignore", &format!("{}/../tests/peers/{program}", env!("CARGO_MANIFEST_DIR"))]);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A JavaScript program of `tests/peers/js`, beside its packages.
fn javascript(program: &str) -> Command {
    let mut command = Command::new("node");
    command.args(["--no-deprecation", &format!("{}/{program}", installed("TRACEABLE_TEST_JS"))]);
    command
}

/// Lets a program send and read back, by an address that ends in `base`; answers where its runs lie.
fn reads_back(mut program: Command, base: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    assert!(program.arg(server.url() + base).status().unwrap().success());
    home
}

#[test]
#[ignore = "needs LangSmith's SDK for Python: see scripts/check-peers"]
fn langsmith_for_python_reads_what_it_sent() {
    let home = reads_back(python("TRACEABLE_TEST_PYTHON", "langsmith_server.py"), "");
    let shown = printed(home.path(), &["show", "last", "--tree"]);
    assert!(shown.starts_with("✓ late "), "{shown}");
}

#[test]
#[ignore = "needs LangSmith's SDK for Python: see scripts/check-peers"]
fn langsmith_for_python_reads_what_it_sent_to_the_address_of_a_hosted_api() {
    reads_back(python("TRACEABLE_TEST_PYTHON", "langsmith_server.py"), "/api/v1");
}

#[test]
#[ignore = "needs LangSmith's SDK for JavaScript: see scripts/check-peers"]
fn langsmith_for_javascript_reads_what_it_sent() {
    let home = reads_back(javascript("langsmith_server.js"), "");
    let listed = printed(home.path(), &["ls", "--runs", "name:stream", "--json"]);
    let stream: Value = serde_json::from_str(&listed).unwrap();
    assert!(stream["first_token"].is_u64(), "{listed}");
}

#[test]
#[ignore = "needs OpenLIT and OpenAI's package for Python: see scripts/check-peers"]
fn openlit_around_openai_is_understood() {
    let home = reads_back(python("TRACEABLE_TEST_LIBRARIES", "openlit_server.py"), "");
    // It notes the requests over HTTP as well, which say nothing that the calls do not say.
    let listed = printed(home.path(), &["ls", "name:answer", "--json"]);
    let trace: Value = serde_json::from_str(&listed).unwrap();
    let shown = printed(home.path(), &["show", trace["id"].as_str().unwrap(), "--tree"]);
    assert!(shown.contains("chat gpt-4o-mini") && !shown.contains("POST"), "{shown}");
    assert!(shown.contains("27→13 tok") && shown.contains("3 runs"), "{shown}");
}

#[test]
#[ignore = "needs OpenInference and OpenAI's package for Python: see scripts/check-peers"]
fn openinference_around_openai_is_understood() {
    reads_back(python("TRACEABLE_TEST_LIBRARIES", "openinference_server.py"), "");
}

#[test]
#[ignore = "needs OpenTelemetry's SDK for Python: see scripts/check-peers"]
fn opentelemetry_for_python_is_understood() {
    assert_order(&reads_back(python("TRACEABLE_TEST_PYTHON", "opentelemetry_server.py"), ""));
}

/// Its exporter over HTTP sends JSON.
#[test]
#[ignore = "needs OpenTelemetry's SDK for JavaScript: see scripts/check-peers"]
fn opentelemetry_for_javascript_is_understood() {
    assert_order(&reads_back(javascript("opentelemetry_server.js"), ""));
}

/// Asserts that the spans of an order are there, as both programs send them.
fn assert_order(home: &tempfile::TempDir) {
    let listed = printed(home.path(), &["ls", "--runs", "--json"]);
    let rows: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {listed}"));
    let (root, chat, fails) = (named("handle order"), named("chat gpt-4o-mini"), named("fails"));
    assert_eq!(rows.len(), 3);
    assert_eq!((&root["parent_id"], &chat["parent_id"]), (&Value::Null, &root["id"]));
    assert_eq!(
        (&fails["parent_id"], &fails["status"], &fails["error"]),
        (&root["id"], &json!("error"), &json!("no such order"))
    );
    assert_eq!(
        (&chat["run_type"], &chat["model"], &chat["provider"]),
        (&json!("llm"), &json!("gpt-4o-mini"), &json!("openai"))
    );
    assert_eq!((&chat["input_tokens"], &chat["output_tokens"]), (&json!(27), &json!(13)));
    assert_eq!(chat["thread_id"], "conversation-7");
    assert_eq!(
        (&chat["input_preview"], &chat["output_preview"]),
        (&json!("Where is my order?"), &json!("On its way."))
    );
}
