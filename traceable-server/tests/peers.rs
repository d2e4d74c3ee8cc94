//! The real SDKs of others, unmodified: what they send, they read back. Run by `scripts/check-peers`, which installs them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Server, printed};

/// A Python program of `tests/peers`.
fn python(program: &str) -> Command {
    let python = std::env::var("TRACEABLE_TEST_PYTHON").unwrap_or_else(|_| panic!("run scripts/check-peers"));
    let mut command = Command::new(python);
    command.args(["-W", "ignore", &format!("{}/../tests/peers/{program}", env!("CARGO_MANIFEST_DIR"))]);
    command
}

/// Lets LangSmith's SDK send and read back, by an address that ends in `base`.
fn langsmith_for_python(base: &str) {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let url = server.url() + base;
    assert!(python("langsmith_server.py").arg(url).status().unwrap().success());
    let shown = printed(home.path(), &["show", "last", "--tree"]);
    assert!(shown.starts_with("✓ late "), "{shown}");
}

#[test]
#[ignore = "needs LangSmith's SDK for Python: see scripts/check-peers"]
fn langsmith_for_python_reads_what_it_sent() {
    langsmith_for_python("");
}

#[test]
#[ignore = "needs LangSmith's SDK for Python: see scripts/check-peers"]
fn langsmith_for_python_reads_what_it_sent_to_the_address_of_a_hosted_api() {
    langsmith_for_python("/api/v1");
}

#[test]
#[ignore = "needs OpenTelemetry's SDK for Python: see scripts/check-peers"]
fn opentelemetry_for_python_is_understood() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    assert!(python("opentelemetry_server.py").arg(server.url()).status().unwrap().success());
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
