//! Traces that go through other processes and other people's libraries.

use std::fs;

use serde_json::Value;

use crate::support::{Page, example};

#[test]
fn distributed() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::of(example("distributed").env("TMPDIR", folder.path()));

    assert_eq!(page.code, Some(0), "{}", page.err);
    let tree = "ask agent · client\n  GET /stories/{about} chain · server\n    tell llm · server\n";
    assert!(page.out.starts_with(&format!("All that the tea remembers is the rain.\n\n{tree}")), "{}", page.out);

    let (_, files) = page.out.trim_end().rsplit_once(": ").unwrap();
    let read = |name: &str| -> Vec<Value> {
        let lines = fs::read_to_string(format!("{files}/{name}.jsonl")).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let ([ask], theirs) = (&read("client")[..], read("server")) else { panic!("the client has one run: {}", page.out) };
    let named = |name: &str| theirs.iter().find(|run| run["name"] == name).unwrap();
    let (request, tell) = (named("GET /stories/{about}"), named("tell"));

    assert_eq!(theirs.len(), 2);
    for (run, caller) in [(request, ask), (tell, request)] {
        assert_eq!((&run["trace_id"], &run["parent_run_id"]), (&ask["id"], &caller["id"]));
        assert!(run["dotted_order"].as_str().unwrap().starts_with(caller["dotted_order"].as_str().unwrap()));
    }
    // The request is open until its stream has ended, and not only until the handler has returned.
    assert_eq!(tell["outputs"]["output"], "All that the tea remembers is the rain.");
    let end = |run: &Value| run["end_time"].as_str().unwrap().to_owned();
    assert!(end(tell) <= end(request), "{request}");
    assert_eq!(request["extra"]["metadata"]["http.response.status_code"], 200);
}

#[test]
fn opentelemetry() {
    let page = Page::of(&mut example("opentelemetry"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    // Ids, and then the names, each below what is around it.
    let lines: Vec<(&str, &str)> = page.out.lines().map(|line| line.split_at(32)).collect();
    let tree: Vec<&str> = lines.iter().map(|(_, rest)| &rest[" 00f067aa0ba902b7 ".len()..]).collect();
    assert_eq!(
        tree,
        ["GET /answer, a span", "  answer, a run", "    render, a span", "    POST /v1/chat/completions, a span"],
        "{}",
        page.out
    );
    assert!(lines.iter().all(|(trace, _)| *trace == lines[0].0 && !trace.starts_with("0000000000")), "{}", page.out);
}

#[test]
fn otel_bridge() {
    let page = Page::of(&mut example("otel_bridge"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    let lines: Vec<(&str, &str)> = page.out.lines().map(|line| line.split_at(32)).collect();
    let tree: Vec<&str> = lines.iter().map(|(_, rest)| *rest).collect();
    let runs = [" GET /answer", "   answer by gpt-4o", "     render", "     POST /v1/chat/completions"];
    assert_eq!(tree, runs, "{}", page.out);
    assert!(lines.iter().all(|(trace, _)| *trace == lines[0].0), "{}", page.out);
}
