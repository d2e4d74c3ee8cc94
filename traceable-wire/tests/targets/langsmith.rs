//! What is sent to a server of LangSmith's protocol.
#![allow(clippy::unwrap_used, dead_code, reason = "a target fails by panicking, and each fuzzer runs one of them")]

use traceable_core::model::{Run, RunChange, RunId};
use traceable_wire::langsmith::{
    Decoded, Encoder, MAX_PARTS, boundary_of, decode_batch, decode_feedback, decode_multipart, decode_patch,
    decode_post, normalise, normalise_score,
};

const BOUNDARY: &str = "b7dbe3d42dca402fb18fe22f4b848c92";

/// A multipart body, whose boundary is what its first line says.
pub(crate) fn multipart(data: &[u8]) {
    let line = data.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let boundary = line.strip_prefix(b"--").and_then(|line| str::from_utf8(line).ok()).unwrap_or("b");
    let header = format!("multipart/form-data; boundary={boundary}");
    let Some(boundary) = boundary_of(&header) else { return };
    is_read(&decode_multipart(data, boundary), data.len());
}

/// A batch of JSON, a run of its own, a patch or feedback.
pub(crate) fn batch(data: &[u8]) {
    is_read(&decode_batch(data), data.len());
    let alone = [decode_post(data), decode_patch(RunId::from_u128(1), data)];
    alone.iter().flatten().for_each(comes_back);
    if let Ok(score) = decode_feedback(data) {
        comes_back(&RunChange::Score(Box::new(score)));
    }
}

/// What is read is bounded, says of each problem where it is, and comes back when it is sent on.
fn is_read(decoded: &Decoded, length: usize) {
    assert!(decoded.changes.len() <= length && decoded.changes.len() <= 2 * MAX_PARTS);
    assert!(decoded.errors.len() <= length + 1);
    assert!(decoded.errors.iter().all(|error| !error.to_string().is_empty()));
    decoded.changes.iter().for_each(comes_back);
}

fn comes_back(change: &RunChange) {
    let run = |run: &Run| Box::new(normalise(run.clone()));
    let expected = match change {
        RunChange::Start(started) => RunChange::Start(run(started)),
        RunChange::End(ended) => RunChange::End(run(ended)),
        // What a patch does not say stays open, and `normalise` is of runs that are whole.
        RunChange::Patch(_) => sent_on(change),
        RunChange::Score(score) => RunChange::Score(Box::new(normalise_score((**score).clone()))),
        other => other.clone(),
    };
    assert_eq!(sent_on(change), expected);
    assert_eq!(sent_on(&expected), expected);
}

fn sent_on(change: &RunChange) -> RunChange {
    let encoded = Encoder::default().lossless().multipart(std::slice::from_ref(change), BOUNDARY, usize::MAX);
    assert_eq!((encoded.taken, encoded.left_out, encoded.refused), (1, 0, 0), "{change:?}");
    let mut decoded = decode_multipart(&encoded.body, BOUNDARY);
    assert_eq!((decoded.errors.len(), decoded.changes.len()), (0, 1), "{change:?}: {decoded:?}");
    decoded.changes.remove(0)
}
