//! Lines that other programs have written, as changes of runs.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use traceable_core::model::RunChange;
use traceable_wire::{
    encoding::Encoding,
    langsmith::{boundary_of, decode_batch, decode_feedback, decode_multipart, decode_post},
    otlp::{Format, decode_logs_as, decode_traces_as},
};

/// Bytes of a body when decoded.
const MAX_BODY: usize = 200 << 20;

/// What a line says.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) changes: Vec<RunChange>,
    /// What is in it and cannot be read.
    pub(crate) problems: Vec<String>,
}

/// What tells one kind of line from another.
#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(rename = "resourceSpans")]
    spans: Option<IgnoredAny>,
    #[serde(rename = "resourceLogs")]
    logs: Option<IgnoredAny>,
    #[serde(rename = "resourceMetrics")]
    metrics: Option<IgnoredAny>,
    body_base64: Option<IgnoredAny>,
    feedback: Option<IgnoredAny>,
}

/// Reads a line: a run in LangSmith's fields, a request of OTLP in JSON, or what LangSmith's SDKs could not send.
pub(crate) fn line(line: &str) -> Result<Read, String> {
    let kind: Kind = serde_json::from_str(line).map_err(|error| format!("no JSON object: {error}"))?;
    match kind {
        Kind { spans: Some(_), .. } => {
            let decoded = decode_traces_as(Format::Json, line.as_bytes());
            read(decoded.changes, &decoded.problems)
        }
        Kind { logs: Some(_), .. } => {
            let decoded = decode_logs_as(Format::Json, line.as_bytes());
            read(decoded.changes, &decoded.problems)
        }
        // A collector may write all that it has into one file; nothing is made of these.
        Kind { metrics: Some(_), .. } => Ok(Read::default()),
        Kind { body_base64: Some(_), .. } => unsent(line),
        Kind { feedback: Some(_), .. } => with_feedback(line),
        _ => Ok(Read { changes: vec![run(line)?], ..Read::default() }),
    }
}

fn read<P: ToString>(changes: Vec<RunChange>, problems: &[P]) -> Result<Read, String> {
    match problems.first() {
        Some(problem) if changes.is_empty() => Err(problem.to_string()),
        _ => Ok(Read { changes, problems: problems.iter().map(ToString::to_string).collect() }),
    }
}

fn run(line: &str) -> Result<RunChange, String> {
    decode_post(line.as_bytes()).map_err(|problem| format!("no run: {problem}"))
}

/// A run as our own export writes it, with its scores.
fn with_feedback(line: &str) -> Result<Read, String> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let given: Vec<Box<RawValue>> = match fields.remove("feedback") {
        Some(given) => serde_json::from_str(given.get()).map_err(|error| format!("feedback: {error}"))?,
        None => Vec::new(),
    };
    let rest = serde_json::to_string(&fields).map_err(|error| error.to_string())?;
    let mut changes = vec![run(&rest)?];
    for one in given {
        let score = decode_feedback(one.get().as_bytes()).map_err(|problem| format!("feedback: {problem}"))?;
        changes.push(RunChange::Score(Box::new(score)));
    }
    Ok(Read { changes, ..Read::default() })
}

/// What LangSmith's SDKs leave behind when they could not send.
fn unsent(line: &str) -> Result<Read, String> {
    #[derive(Deserialize)]
    struct Unsent {
        endpoint: String,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        body_base64: String,
    }
    let Unsent { endpoint, headers, body_base64 } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let header =
        |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let body = STANDARD.decode(body_base64).map_err(|error| error.to_string())?;
    let encoding = Encoding::from_name(header("content-encoding").map_or("", String::as_str));
    let body = encoding.ok_or("unknown encoding")?.decompress(&body, MAX_BODY).map_err(|error| error.to_string())?;
    let decoded = match header("content-type").and_then(|kind| boundary_of(kind)) {
        Some(boundary) => decode_multipart(&body, boundary),
        None if endpoint.ends_with("batch") => decode_batch(&body),
        None => return Err(format!("nothing is known of {endpoint}")),
    };
    read(decoded.changes, &decoded.errors)
}
