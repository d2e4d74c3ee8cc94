//! What LangSmith's Python SDK 0.14.17 sent for some programs, and what is said by bodies, theirs or ours, so that they
//! can be compared. Tests of several crates read the recorded programs through this file.
#![allow(clippy::unwrap_used, dead_code, reason = "in tests, of which each needs a part")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Programs that sent multipart bodies.
pub(crate) const RECORDED: [&str; 10] = [
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

/// A part of a body: its name, the other headers, and what is in it.
pub(crate) type Part = (String, String, Vec<u8>);

/// The requests of a recorded program.
pub(crate) fn requests(name: &str) -> Vec<Value> {
    let path = format!("{}/../traceable-wire/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    recorded["requests"].as_array().unwrap().clone()
}

/// The parts of a recorded request. Of bytes only their number was recorded.
pub(crate) fn parts(request: &Value) -> Vec<Part> {
    let part = |part: &Value| {
        let headers: Vec<&str> = part["headers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let content = match (&part["json"], &part["text"]) {
            (Value::Null, Value::String(text)) if text == "<8 bytes binary>" => {
                vec![0xff, 0, b'\r', b'\n', b'-', b'-', 0, 1]
            }
            (Value::Null, Value::String(text)) => text.clone().into_bytes(),
            (json, _) => json.to_string().into_bytes(),
        };
        (part["name"].as_str().unwrap().to_owned(), headers.join("\r\n"), content)
    };
    request["parts"].as_array().into_iter().flatten().map(part).collect()
}

/// The multipart bodies of a recorded program.
pub(crate) fn bodies(name: &str) -> Vec<Vec<Part>> {
    requests(name).iter().map(parts).filter(|parts| !parts.is_empty()).collect()
}

/// Feedback that came alone, as the part that it would have been.
pub(crate) fn alone(feedback: &Value) -> Part {
    let name = format!("feedback.{}", feedback["id"].as_str().unwrap());
    (name, "Content-Type: application/json".into(), feedback.to_string().into_bytes())
}

/// Parts as a body.
pub(crate) fn body(parts: &[Part], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, headers, content) in parts {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{headers}\r\n\r\n");
        body.extend(head.bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    body
}

/// A body of ours, whose parts say how long they are, as parts.
pub(crate) fn split(body: &[u8], boundary: &str) -> Vec<Part> {
    let delimiter = format!("--{boundary}\r\n").into_bytes();
    let mut parts = Vec::new();
    let mut rest = body;
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

/// Parts of bodies by their names: a post and a patch of one run are one record, and fields are members of it.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Said(pub(crate) BTreeMap<String, Value>);

impl Said {
    /// What these bodies say.
    pub(crate) fn by(bodies: &[Vec<Part>]) -> Self {
        let mut said = Self::default();
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

fn content(headers: &str, content: &[u8]) -> Value {
    let is_json = headers.to_ascii_lowercase().contains("application/json");
    let json = is_json.then(|| serde_json::from_slice(content).ok()).flatten();
    json.unwrap_or_else(|| json!({ "bytes": content }))
}

/// Writes moments in one way, wherever they stand.
pub(crate) fn tidy(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(moment) = moment(text) {
                *text = moment;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        Value::Object(members) => members.values_mut().for_each(tidy),
        _ => {}
    }
}

/// A moment of UTC, as one SDK or another writes it, to the microsecond.
pub(crate) fn moment(text: &str) -> Option<String> {
    let local = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'))?;
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, ""));
    let is_form = seconds.len() == "2026-11-21T02:14:25".len()
        && seconds.bytes().all(|byte| byte.is_ascii_digit() || b"-:T".contains(&byte))
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_form.then(|| format!("{seconds}.{fraction:0<6}Z"))
}
