//! What is sent: traces of ten runs with 1 KB in and 1 KB out, each run with an id of its own.

use serde_json::json;
use traceable_core::model::{DottedOrder, Json, Run, RunChange, RunId, RunType, Status, Usage};
use traceable_wire::{
    langsmith, otlp,
    otlp::{Conventions, MAX_BYTES, Resource},
};

/// Runs of one piece of work.
const RUNS: u32 = 100;

/// Runs of one trace.
const TRACE: u32 = 10;

/// A moment in 2026.
const NOW: i64 = 1_780_000_000_000_000_000;

/// Requests that belong together, and how many runs they bring.
pub(crate) struct Piece {
    pub(crate) requests: Vec<Request>,
    pub(crate) runs: u64,
}

pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) trait Work {
    fn next(&mut self) -> Piece;
}

/// Each run is announced in one request, and ends in the next, as the SDKs send it.
pub(crate) struct LangSmith {
    client: u64,
    sent: u32,
    encoder: langsmith::Encoder,
}

impl LangSmith {
    pub(crate) fn new(client: u64) -> Self {
        Self { client, sent: 0, encoder: langsmith::Encoder::default() }
    }
}

impl Work for LangSmith {
    fn next(&mut self) -> Piece {
        let boundary = format!("{:032x}", self.client);
        let runs: Vec<Run> = (self.sent..self.sent + RUNS).map(|number| run(self.client, number)).collect();
        self.sent += RUNS;
        let starts = runs.iter().map(|run| {
            let (status, end_time, outputs) = (Status::Pending, None, None);
            RunChange::Start(Box::new(Run { status, end_time, outputs, usage: None, ..run.clone() }))
        });
        let starts: Vec<_> = starts.collect();
        let ends: Vec<_> = runs.into_iter().map(|run| RunChange::End(Box::new(run))).collect();
        let mut request = |changes: &[RunChange]| {
            let encoded = self.encoder.multipart(changes, &boundary, MAX_BYTES);
            assert_eq!(encoded.taken, changes.len());
            let kind = format!("multipart/form-data; boundary={boundary}");
            Request { path: "/runs/multipart", kind, body: encoded.body }
        };
        Piece { requests: vec![request(&starts), request(&ends)], runs: u64::from(RUNS) }
    }
}

pub(crate) struct Otlp {
    client: u64,
    sent: u32,
    encoder: otlp::Encoder,
}

impl Otlp {
    pub(crate) fn new(client: u64) -> Self {
        let encoder = otlp::Encoder::new(Conventions::default(), Resource::default().with("service.name", "load"));
        Self { client, sent: 0, encoder }
    }
}

impl Work for Otlp {
    fn next(&mut self) -> Piece {
        let ends = (self.sent..self.sent + RUNS).map(|number| RunChange::End(Box::new(run(self.client, number))));
        let ends: Vec<_> = ends.collect();
        self.sent += RUNS;
        let encoded = self.encoder.encode(&ends, MAX_BYTES);
        let requests = encoded.requests.into_iter().map(|request| Request {
            path: "/v1/traces",
            kind: "application/x-protobuf".to_owned(),
            body: request.body,
        });
        Piece { requests: requests.collect(), runs: u64::from(RUNS) }
    }
}

fn run(client: u64, number: u32) -> Run {
    let start_of = |number: u32| NOW + i64::from(number) * 1_000_000;
    let id = |number: u32| RunId::new(start_of(number), client + 1, number);
    let root = number - number % TRACE;
    let (is_root, is_call) = (number == root, number % 3 == 1);
    let words = |salt: u32| {
        let word = |word: u32| format!("w{}", (number ^ salt).wrapping_mul(word * word + 7) % 3_000);
        (0..170).map(word).collect::<Vec<_>>().join(" ")
    };
    let order = DottedOrder::root(start_of(root), id(root));
    Run {
        id: id(number),
        trace_id: id(root),
        parent_id: (!is_root).then(|| id(root)),
        dotted_order: if is_root { order } else { order.child(start_of(number), id(number)) },
        name: if is_root { "handle" } else { "step" }.into(),
        run_type: if is_call { RunType::Llm } else { RunType::Chain },
        start_time: start_of(number),
        end_time: Some(start_of(number) + 900_000),
        status: Status::Ok,
        inputs: Some(Json::from_value(&json!({ "messages": [{ "role": "user", "content": words(1) }] }))),
        outputs: Some(Json::from_value(&json!({ "message": { "role": "assistant", "content": words(2) } }))),
        model: is_call.then(|| "gpt-4o".into()),
        usage: is_call.then(|| Usage::new(250, 220)),
        tags: vec!["load".into()],
        project: Some("load".into()),
        thread_id: Some(format!("t{client}-{}", number / 50)),
        user: Some(format!("u{}", number / TRACE % 1_000)),
        ..Run::default()
    }
}
