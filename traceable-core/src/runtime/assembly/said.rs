//! Records that are no runs: from the tape to the model's types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{model::RunChange, record::SaidKind, tape::json::TapeReader};

/// The change that a record makes. `None` for a broken one, which only a fault of this library could make.
pub(super) fn read(kind: SaidKind, body: &[u8]) -> Option<RunChange> {
    let json = TapeReader::new(body).json().ok()?;
    Some(match kind {
        SaidKind::Score => RunChange::Score(from_json(&json)?),
        SaidKind::Thread => RunChange::Thread(from_json(&json)?),
        SaidKind::User => RunChange::User(from_json(&json)?),
    })
}

/// By way of a map, in which what was said last of a field stands.
fn from_json<T: DeserializeOwned>(json: &str) -> Option<T> {
    let fields: Value = serde_json::from_str(json).ok()?;
    serde_json::from_value(fields).ok()
}
