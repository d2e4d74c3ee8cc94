//! What arrives at a server, held against what LangSmith's Python SDK 0.14.17 sent it for the same programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use traceable_core::model::{RunChange, parse_time};
use traceable_wire::langsmith::decode_multipart;

use super::{Memory, Received, Reply, Server, deliver_all, settings};

const RECORDED: [&str; 10] = [
    "py_sync",
    "py_nested",
    "py_headers",
    "py_async",
    "py_gen",
    "py_error",
    "py_attach",
    "py_openai",
    "py_feedback",
    "py_trace",
];

/// Parts of bodies by their names: a post and a patch of one run are one record, and fields are members of it.
#[derive(Default, Debug, PartialEq)]
struct Said(BTreeMap<String, Value>);

impl Said {
    fn part(&mut self, name: &str, content: Value) {
        let name = name.replace("patch.", "post.");
        let (record, field) = match name.strip_prefix("post.").and_then(|of| of.split_once('.')) {
            Some((id, field)) => (format!("post.{id}"), Some(field.to_owned())),
            None => (name, None),
        };
        let record = self.0.entry(record).or_insert_with(|| json!({}));
        match (field, content) {
            (Some(field), content) => record[field] = content,
            // What a patch leaves out stays.
            (None, Value::Object(members)) => {
                for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
                    record[name] = value;
                }
            }
            (None, content) => *record = content,
        }
    }

    /// Without what differs by right: who sent it, how a moment is written, and what is not said.
    fn comparable(mut self) -> Self {
        for (name, record) in &mut self.0 {
            tidy(record);
            let Some(record) = record.as_object_mut() else { continue };
            record.retain(|_, value| !matches!(value, Value::Null) && *value != json!([]) && *value != json!({}));
            if let Some(extra) = record.get_mut("extra").and_then(Value::as_object_mut) {
                extra.remove("runtime");
                if let Some(metadata) = extra.get_mut("metadata").and_then(Value::as_object_mut) {
                    // The SDK copies its environment into every run.
                    metadata.retain(|key, value| {
                        !key.starts_with("LANGSMITH_") && !key.starts_with("traceable.") && *value != json!({})
                    });
                }
            }
            if name.starts_with("feedback.") {
                // What the SDK says of how it calls, and when it changed what it never changed.
                record.remove("modified_at");
                record.insert("feedback_source".into(), json!({ "type": "api" }));
                record.remove("extra");
            }
        }
        self
    }
}

fn tidy(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(time) = parse_time(text) {
                *text = time.to_string();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        Value::Object(members) => members.values_mut().for_each(tidy),
        _ => {}
    }
}

fn content(headers: &str, content: &[u8]) -> Value {
    let is_json = headers.to_ascii_lowercase().contains("application/json");
    let json = is_json.then(|| serde_json::from_slice(content).ok()).flatten();
    json.unwrap_or_else(|| json!({ "bytes": content }))
}

/// The multipart bodies of a recorded program. Of files only their length was recorded.
fn recorded(name: &str) -> Vec<Vec<(String, String, Vec<u8>)>> {
    let path = format!("{}/../traceable-wire/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let part = |part: &Value| {
        let headers: Vec<&str> = part["headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let content = match (&part["json"], &part["text"]) {
            (Value::Null, Value::String(text)) => text.clone().into_bytes(),
            (json, _) => json.to_string().into_bytes(),
        };
        (part["name"].as_str().unwrap().to_owned(), headers.join("\r\n"), content)
    };
    let requests = recorded["requests"].as_array().unwrap().iter();
    requests.filter_map(|request| Some(request["parts"].as_array()?.iter().map(part).collect())).collect()
}

/// The parts of a body that we sent.
fn sent(request: &Received) -> Vec<(String, String, Vec<u8>)> {
    let boundary = request.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
    let body = request.plain();
    let delimiter = format!("--{boundary}\r\n").into_bytes();
    let mut parts = Vec::new();
    let mut rest = &body[..];
    while let Some(part) = rest.strip_prefix(&delimiter[..]) {
        let end = part.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(part[..end].to_vec()).unwrap();
        let length: usize = head.rsplit_once("Content-Length: ").unwrap().1.parse().unwrap();
        let name = head.split('"').nth(1).unwrap().to_owned();
        parts.push((name, head, part[end + 4..end + 4 + length].to_vec()));
        rest = &part[end + 4 + length + 2..];
    }
    assert_eq!(rest, format!("--{boundary}--\r\n").as_bytes());
    parts
}

fn said(bodies: &[Vec<(String, String, Vec<u8>)>]) -> Said {
    let mut said = Said::default();
    // The SDK's requests race: a patch may come first.
    for is_patch in [false, true] {
        for (name, headers, bytes) in
            bodies.iter().flatten().filter(|(name, ..)| name.starts_with("patch.") == is_patch)
        {
            said.part(name, content(headers, bytes));
        }
    }
    said.comparable()
}

/// The changes that the recorded program made.
fn changes(bodies: &[Vec<(String, String, Vec<u8>)>]) -> Vec<RunChange> {
    let mut changes = Vec::new();
    for parts in bodies {
        let mut body = Vec::new();
        for (name, headers, content) in parts {
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{headers}\r\n\r\n").bytes());
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        let decoded = decode_multipart(&body, "b");
        assert_eq!(decoded.errors, []);
        changes.extend(decoded.changes);
    }
    changes.sort_by_key(|change| matches!(change, RunChange::End(_) | RunChange::Patch(_)));
    changes
}

#[tokio::test]
async fn the_server_is_told_what_the_python_sdk_tells_it() {
    const INFO: &str =
        r#"{"version":"0.18.0","instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true}}"#;
    for name in RECORDED {
        let bodies = recorded(name);
        let is_info = |request: &Received| request.line == "GET /info";
        let rule = move |request: &Received, _| if is_info(request) { Reply::json(INFO) } else { Reply::status(202) };
        let server = Server::start(rule).await;
        deliver_all(&settings(&server.url), &Memory::of(changes(&bodies))).await;
        let requests: Vec<_> = server.at("/runs/multipart").iter().map(sent).collect();
        let posts = requests.iter().flatten().filter(|(name, ..)| name.starts_with("patch.")).count();
        assert_eq!(posts, 0, "{name}: each run ended before it left, so it is one record");
        let (ours, theirs) = (said(&requests), said(&bodies));
        assert_eq!(ours.0.keys().collect::<Vec<_>>(), theirs.0.keys().collect::<Vec<_>>(), "{name}");
        for (part, theirs) in theirs.0 {
            assert_eq!(ours.0[&part], theirs, "{name}: {part}");
        }
    }
}

#[test]
fn what_is_compared_is_not_nothing() {
    let said = said(&recorded("py_attach"));
    let fields: usize = said.0.values().map(|record| record.as_object().map_or(0, Map::len)).sum();
    assert!(said.0.keys().any(|name| name.starts_with("attachment.")) && fields > 10, "{said:?}");
}
