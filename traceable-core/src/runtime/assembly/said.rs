//! Records that are no runs: from the tape to the model's types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::files;
use crate::{
    attachments,
    model::{Attachment, AttachmentFor, RunChange, RunId},
    record::SaidKind,
    tape::json::TapeReader,
};

/// The change that a record makes. `None` for an attachment that found no room, and for a broken record, which only a
/// fault of this library could make.
pub(super) fn read(kind: SaidKind, body: &[u8]) -> Option<RunChange> {
    let mut body = TapeReader::new(body);
    Some(match kind {
        SaidKind::Score => RunChange::Score(from_json(&body.json().ok()?)?),
        SaidKind::Thread => RunChange::Thread(from_json(&body.json().ok()?)?),
        SaidKind::User => RunChange::User(from_json(&body.json().ok()?)?),
        SaidKind::Attachment => RunChange::Attachment(read_attachment(body)?),
    })
}

/// By way of a map, in which what was said last of a field stands.
fn from_json<T: DeserializeOwned>(json: &str) -> Option<T> {
    let fields: Value = serde_json::from_str(json).ok()?;
    serde_json::from_value(fields).ok()
}

/// A file, and the run that it is for.
fn read_attachment(body: TapeReader<'_>) -> Option<AttachmentFor> {
    let mut file: Option<Attachment> = None;
    let tape = attachments::take_out(body, |taken| {
        let name = files::clean(&taken.name);
        file = Some(taken.named(name.as_str()));
        name
    })?;
    let fields: Value = serde_json::from_str(&TapeReader::new(&tape).json().ok()?).ok()?;
    let run_id: RunId = serde_json::from_value(fields.get("run_id")?.clone()).ok()?;
    Some(AttachmentFor { run_id, attachment: file? })
}
