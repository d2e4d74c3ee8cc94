//! Runs that were announced and have not ended: a span needs both, and OTLP has no word for half of one.

use std::{
    collections::{HashMap, VecDeque},
    mem::size_of,
};

use serde_json::Value;
use traceable_core::model::{AttachmentData, Json, Run, RunId};

/// What is kept of open runs, in bytes; beyond, the oldest are forgotten.
pub(super) const MAX_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Open {
    runs: HashMap<RunId, (Box<Run>, usize)>,
    order: VecDeque<RunId>,
    bytes: usize,
}

impl Open {
    /// Keeps what was announced of a run. Answers how many others were forgotten for it.
    pub(super) fn announce(&mut self, run: &Run, max_bytes: usize) -> u64 {
        self.take(run.id);
        let bytes = weight(run);
        self.bytes += bytes;
        self.runs.insert(run.id, (Box::new(run.clone()), bytes));
        self.order.push_back(run.id);
        let mut forgotten = 0;
        while self.bytes > max_bytes
            && let Some(oldest) = self.order.pop_front()
        {
            forgotten += u64::from(self.take(oldest).is_some());
        }
        // Ended runs leave their ids behind; sweep them before the list outgrows the map.
        if self.order.len() > 2 * self.runs.len() + 1024 {
            self.order.retain(|id| self.runs.contains_key(id));
        }
        forgotten
    }

    /// Takes over what was added to an open run; `false` when it is not open.
    pub(super) fn add(&mut self, patch: &Run) -> bool {
        let Some((run, bytes)) = self.runs.get_mut(&patch.id) else { return false };
        run.absorb(patch.clone());
        let now = weight(run);
        self.bytes = self.bytes - *bytes + now;
        *bytes = now;
        true
    }

    pub(super) fn get(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id).map(|(run, _)| &**run)
    }

    pub(super) fn take(&mut self, id: RunId) -> Option<Box<Run>> {
        let (run, bytes) = self.runs.remove(&id)?;
        self.bytes -= bytes;
        Some(run)
    }
}

/// About how much memory a run takes.
fn weight(run: &Run) -> usize {
    let json = |json: &Option<Json>| json.as_ref().map_or(0, |json| json.as_str().len());
    let values = run.metadata.iter().chain(&run.variables).chain(&run.params);
    let values: usize = values.map(|(name, value)| name.len() + 64 + of_value(value)).sum();
    let chunks = run.stream.iter().flat_map(|stream| &stream.raw).map(|(_, chunk)| chunk.as_str().len() + 32);
    let events = run.events.iter().map(|event| 64 + event.data.as_ref().map_or(0, of_value));
    let files = run.attachments.iter().map(|file| match &file.data {
        AttachmentData::Bytes(bytes) => bytes.0.len() + 128,
        _ => 256,
    });
    let tags = run.tags.iter().map(|tag| tag.len() + 24);
    let listed: usize = chunks.chain(events).chain(files).chain(tags).sum();
    let bodies = json(&run.inputs) + json(&run.outputs) + json(&run.expected);
    2 * size_of::<Run>() + run.dotted_order.as_str().len() + run.name.len() + bodies + values + listed
}

fn of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(list) => list.iter().map(of_value).sum(),
            Value::Object(map) => map.iter().map(|(name, value)| name.len() + 32 + of_value(value)).sum(),
            _ => 0,
        }
}
