//! What a call of a model was told that the call before it was not. An agent sends its whole history each time; what is
//! new is what people want to read.

use serde_json::json;
use traceable_core::{
    messages::{Message, input_messages},
    model::{Json, RunId},
};
use traceable_store::StoredRun;

/// Longer inputs are not compared.
const MAX_BYTES: usize = 2 << 20;

/// A prompt in two parts, each as a run whose input it is, so that it is shown as any other.
pub(super) struct Added {
    /// The call before.
    pub(super) since: RunId,
    /// How many messages are as they were there.
    pub(super) before: usize,
    pub(super) old: StoredRun,
    /// How many messages are new.
    pub(super) count: usize,
    pub(super) new: StoredRun,
}

pub(super) fn messages(stored: &StoredRun) -> Vec<Message> {
    let inputs = stored.run.inputs.as_ref().filter(|inputs| inputs.as_str().len() <= MAX_BYTES);
    inputs.map(|inputs| input_messages(&inputs.to_value())).unwrap_or_default()
}

/// The run with these messages in place of its inputs.
pub(super) fn told(stored: &StoredRun, messages: &[Message]) -> StoredRun {
    let mut told = stored.clone();
    told.run.inputs = Some(Json::from_value(&json!({ "messages": messages })));
    told
}

impl Added {
    /// Compares with the one of these that it goes on from: the one with the longest common begin, the nearest of equals.
    /// `None` where none has more in common than its instructions.
    pub(super) fn of(stored: &StoredRun, others: &[StoredRun]) -> Option<Self> {
        let own = messages(stored);
        let common = |other: &StoredRun| messages(other).iter().zip(&own).take_while(|(one, two)| one == two).count();
        let found = others.iter().map(|other| (common(other), other.run.id));
        let (before, since) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        let (old, new) = own.split_at(before);
        (before >= 2).then(|| Self { since, before, old: told(stored, old), count: new.len(), new: told(stored, new) })
    }
}
