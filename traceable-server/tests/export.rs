//! What is exported, and that it comes back.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Server, command, printed, seed, send};
use traceable_wire::encoding::Encoding;

/// A home with the seed in it, and no server.
fn seeded() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    seed::send(&Server::start(home.path()));
    home
}

fn exported(home: &Path, format: &str, more: &[&str]) -> String {
    printed(home, &[&["export", "--format", format], more].concat())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_lines_are_imported_as_they_were_also_twice() {
    let home = seeded();
    let all = exported(home.path(), "jsonl", &[]);
    let names: Vec<Value> = lines(&all).iter().map(|line| line["name"].clone()).collect();
    assert_eq!(names, ["support", "ask", "find_order", seed::FORMULA, "still open"]);
    assert_eq!(lines(&all)[0]["feedback"][0]["score"], 0.5);
    let file = home.path().join("all.jsonl");
    std::fs::write(&file, &all).unwrap();
    let other = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let said = printed(other.path(), &["import", file.to_str().unwrap()]);
        assert!(said.ends_with("6 records\n"), "{said}");
        assert_eq!(exported(other.path(), "jsonl", &[]), all);
    }
}

#[test]
fn otlp_is_imported_with_all_that_lists_show() {
    let home = seeded();
    let all = exported(home.path(), "otlp", &[]);
    assert!(lines(&all).iter().all(|line| line.get("resourceSpans").is_some()));
    let folder = home.path().join("spans");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("collector.json"), &all).unwrap();
    let other = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        printed(other.path(), &["import", folder.to_str().unwrap()]);
        let rows = |home: &Path| {
            let mut rows = lines(&printed(home, &["ls", "--runs", "--json"]));
            rows.retain(|row| row["status"] != "pending");
            rows
        };
        let [before, after] = [rows(home.path()), rows(other.path())];
        assert_eq!((before.len(), after.len()), (4, 4));
        for (before, after) in before.iter().zip(&after) {
            // OTLP has no place for files.
            for name in before.as_object().unwrap().keys().filter(|name| *name != "attachments") {
                assert_eq!(before[name], after[name], "{name} of {}", before["name"]);
            }
        }
        assert_eq!(lines(&exported(other.path(), "jsonl", &["name:support"]))[0]["feedback"][0]["score"], 0.5);
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let home = seeded();
    let all = exported(home.path(), "jsonl", &["name:support"]);
    for wrong in ["{\"resourceSpans\":[{\"scope_spans\":[]}]}", "no JSON", "{\"id\":1}", "[]"] {
        let file = home.path().join("wrong.jsonl");
        std::fs::write(&file, format!("\u{feff}{all}\n\n{wrong}\n")).unwrap();
        let other = tempfile::tempdir().unwrap();
        let said = command(other.path(), &["import", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains("wrong.jsonl, line 4: "), "{said}");
        assert_eq!(lines(&printed(other.path(), &["ls", "--json"])).len(), 1, "what stands before is there");
    }
}

#[test]
fn no_cell_is_a_formula() {
    let home = seeded();
    let text = exported(home.path(), "csv", &[]);
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let columns = table.headers().unwrap().clone();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!((columns.len(), rows.len()), (27, 5));
    assert_eq!(&rows[3][at("name")], format!("'{}", seed::FORMULA));
    assert_eq!((&rows[1][at("latency_seconds")], &rows[1][at("total_tokens")]), ("0.9", "40"));
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
    }
}

#[test]
fn calls_of_models_become_lines_for_fine_tuning() {
    let home = seeded();
    let rows = lines(&exported(home.path(), "openai", &[]));
    assert_eq!(rows.len(), 1, "the one that is open was not answered");
    let messages = rows[0]["messages"].as_array().unwrap();
    assert_eq!(messages[0], json!({ "role": "system", "content": "You help." }));
    assert_eq!(messages[1], json!({ "role": "user", "content": "Where is order 7?" }));
    let call = &messages[2]["tool_calls"][0];
    assert_eq!((&messages[2]["role"], &call["function"]["name"]), (&json!("assistant"), &json!("find_order")));
    assert_eq!(call["function"]["arguments"], json!("{\"order\":7}"));
    assert_eq!(rows[0]["tools"][0]["function"]["parameters"], json!({ "type": "object" }));
}

#[test]
fn datasets_prefer_what_should_have_come_out() {
    let home = seeded();
    let rows = lines(&exported(home.path(), "dataset", &["project:demo"]));
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0]["outputs"], json!({ "answer": "Sent." }));
    assert_eq!(
        (&rows[0]["metadata"]["region"], &rows[0]["metadata"]["source_run_id"]),
        (&json!("eu"), &json!(seed::id(1)))
    );
    assert_eq!(rows[4]["outputs"], Value::Null);
}

#[test]
fn nothing_that_was_traced_gets_out_of_its_fence() {
    let home = seeded();
    let text = exported(home.path(), "markdown", &[]);
    let mut open: Option<&str> = None;
    let mut headings = Vec::new();
    for line in text.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match open {
            Some(fence) if line == fence => open = None,
            None if ticks.len() >= 3 => open = Some(ticks),
            None if line.starts_with('#') => headings.push(line),
            _ => {}
        }
    }
    assert_eq!(open, None);
    let formula = format!("# `{}`", seed::FORMULA);
    let wanted = ["# `support`", "## ✓ `support`", "### ✓ `ask`", "### ✓ `find_order`", &formula];
    assert_eq!(headings[..5], wanted);
    assert!(text.contains("├─ ✓ ask llm") && text.contains("Calls `find_order`:"), "{text}");
    let below = exported(home.path(), "markdown", &["--below", &seed::id(3).to_string()]);
    assert!(below.starts_with("# `find_order`") && !below.contains("ask"), "{below}");
}

#[test]
fn a_trace_is_one_page() {
    let home = seeded();
    let page = printed(home.path(), &["export", "--html", "name:support"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("find_order"), "{page}");
    assert!(!page.contains("<script") && !page.contains(" src=\"/"), "{page}");
    assert_eq!(page, exported(home.path(), "html", &["name:support"]));
}

#[test]
fn runs_that_overlap_have_threads_of_their_own() {
    let home = seeded();
    let trace: Value = serde_json::from_str(&exported(home.path(), "chrome", &[])).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |name: &str| events.iter().find(|event| event["ph"] == "X" && event["name"] == name).unwrap();
    assert_eq!(
        (of("support")["tid"].clone(), of("ask")["tid"].clone()),
        (json!(0), json!(0)),
        "one inside of the other"
    );
    assert_ne!(of("ask")["tid"], of("find_order")["tid"]);
    assert_eq!(of("ask")["dur"], json!(900_000.0));
    assert_ne!(of("support")["pid"], of("still open")["pid"]);
}

#[test]
fn an_export_that_broke_off_goes_on() {
    let home = seeded();
    let all = exported(home.path(), "jsonl", &[]);
    let file = home.path().join("out.jsonl");
    let path = file.to_str().unwrap();
    let said = printed(home.path(), &["export", "-o", path]);
    assert!(said.contains("5 runs"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), all);
    let resume = |query: &[&str]| command(home.path(), &[&["export", "-o", path, "--resume"], query].concat());
    assert!(String::from_utf8_lossy(&resume(&[]).stderr).contains("nothing to go on with"));
    let whole: usize = all.lines().take(2).map(|line| line.len() + 1).sum();
    std::fs::write(&file, format!("{}half of a li", &all[..whole])).unwrap();
    let after = format!("{}_{}", seed::START + 100_000_000, seed::id(2));
    let part =
        json!({ "query": "", "format": "jsonl", "traces": false, "below": null, "after": after, "bytes": whole });
    std::fs::write(home.path().join("out.jsonl.part"), part.to_string()).unwrap();
    assert!(String::from_utf8_lossy(&resume(&["name:ask"]).stderr).contains("another query"));
    assert!(resume(&[]).status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), all);
    assert!(!home.path().join("out.jsonl.part").exists());
}

#[test]
fn a_long_export_is_made_of_pieces_and_the_same_over_http() {
    let home = seeded();
    let server = Server::start(home.path());
    // Some megabytes, so that one piece is not all.
    let text = "some words ".repeat(100_000);
    let long = |n: u32| {
        let id = format!("0190163d-8694-7000-8000-0000000001{n:02x}");
        json!({
            "id": id, "trace_id": id, "name": "long", "run_type": "chain", "start_time": "2026-09-21T10:13:20Z",
            "end_time": "2026-09-21T10:13:21Z", "inputs": { "text": text },
        })
    };
    let batch: Vec<Value> = (0..4).map(long).collect();
    assert_eq!(server.post("/runs/batch", &json!({ "post": batch, "patch": [] })).0, 202);
    for (format, name) in [("jsonl", "traceable.jsonl"), ("csv", "traceable.csv"), ("otlp", "traceable.otlp.jsonl")] {
        let path = format!("/api/traceable/v1/export?format={format}&q=project:demo%20OR%20name:long");
        let answer = send(server.address, "GET", &path, &[], b"").unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-disposition"), Some(&*format!("attachment; filename=\"{name}\"")));
        let local = exported(home.path(), format, &["project:demo OR name:long"]);
        let sent = unchunked(&answer.body);
        assert!(sent == local.as_bytes(), "{format}: {} and {} bytes", sent.len(), local.len());
        let packed = send(server.address, "GET", &path, &[("accept-encoding", "gzip")], b"").unwrap();
        let packed = Encoding::Gzip.decompress(&unchunked(&packed.body), 1 << 30).unwrap();
        assert!(packed == local.as_bytes(), "{format}, as browsers ask for it");
    }
    let (status, said) = server.get("/api/traceable/v1/export?format=jsonl&q=nmae:x");
    assert_eq!((status, &said["query"]["nearest"]), (400, &json!("name")));
    let (status, said) = server.get("/api/traceable/v1/export?format=xml");
    assert!(status == 400 && said["detail"].as_str().unwrap().contains("jsonl"), "{said}");
}

/// A body without the lengths of its chunks.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|bytes| bytes == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
    whole
}
