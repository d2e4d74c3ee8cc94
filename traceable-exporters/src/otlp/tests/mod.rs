//! OpenTelemetry's exporter: what it reads of the environment, what arrives at a server, and what a server may do to it.
#![allow(clippy::unwrap_used)]

mod environment;
mod faults;
mod requests;

use std::sync::Arc;

use serde_json::Map;
use traceable_core::{
    delivery::Remote as _,
    model::{RunChange, RunId, Score, ScoreSource, ScoreTarget},
};
use traceable_wire::otlp::decode_traces;

use super::{Otlp, Session, Settings, env};
use crate::tests::{Memory, Received, Reply, Server, deliver, run, runs};

/// As these variables say.
fn from(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
    let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    env::settings(&lookup).map_err(|error| error.to_string())
}

fn plain(url: &str) -> Otlp {
    Otlp::builder().endpoint(url).compression(false).build().unwrap()
}

/// Delivers everything, on this runtime.
async fn deliver_all(otlp: &Otlp, memory: &Memory) {
    deliver(Session::new(&otlp.settings).unwrap(), otlp.identity(), otlp.limits(), memory).await;
}

fn end(n: u128) -> RunChange {
    RunChange::End(Box::new(run(n)))
}

fn score(n: u128, target: ScoreTarget) -> RunChange {
    RunChange::Score(Box::new(Score {
        id: RunId::from_u128(n),
        target,
        key: "helpful".into(),
        score: Some(1.0),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: 3_000_000,
        tags: vec![],
        metadata: Map::new(),
    }))
}

/// What somebody else's decoder reads in a request to `/v1/traces`.
fn spans(request: &Received) -> Vec<RunChange> {
    let decoded = decode_traces(&request.plain());
    assert_eq!(decoded.problems, []);
    decoded.changes
}

/// The names of all runs that a server was sent, each as often as it came.
fn names<'a>(requests: impl IntoIterator<Item = &'a Received>) -> Vec<Arc<str>> {
    let changes = requests.into_iter().flat_map(spans);
    let mut names: Vec<Arc<str>> =
        changes.filter_map(|change| change.run().map(|run| run.name.to_string().into())).collect();
    names.sort();
    names
}
