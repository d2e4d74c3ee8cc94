//! A score as OpenTelemetry's event of an evaluation: in the span that it is about, or, where that was sent before or
//! is a conversation, in a log record of its own.

#[cfg(feature = "otlp-decode")]
use traceable_core::model::{RunId, ScoreSource};
use traceable_core::model::{Score, ScoreTarget};

use super::{
    names::{genai as names, ours},
    proto::{self, Attributes, Bounds},
};

/// The name of the event.
pub(super) const EVENT: &str = names::EVALUATION;

pub(super) fn attributes(score: &Score, out: &mut Attributes) {
    out.text(names::EVALUATION_NAME, score.key.as_str());
    out.double(names::EVALUATION_SCORE, score.score);
    out.text(names::EVALUATION_LABEL, score.label.as_deref());
    out.text(names::EVALUATION_EXPLANATION, score.comment.as_deref());
    if let ScoreTarget::Thread(thread) = &score.target {
        out.text(names::CONVERSATION_ID, thread.as_str());
    }
    out.json(ours::SCORE, score);
}

/// The score as a log record, with the trace where that is known.
pub(super) fn record(score: &Score, bounds: Bounds, trace: Option<u128>) -> Vec<u8> {
    let mut attributes = Attributes::new(6);
    attributes.clear(bounds);
    self::attributes(score, &mut attributes);
    let mut out = Vec::new();
    proto::fixed64(&mut out, 1, score.time as u64);
    out.extend_from_slice(attributes.as_bytes());
    // The root of a trace has the trace's id. Of a run alone, its trace is not known from its id.
    let place = match score.target {
        ScoreTarget::Trace(root) => Some((trace.unwrap_or(root.otel_trace_id()), root)),
        ScoreTarget::Run(run) => trace.map(|trace| (trace, run)),
        _ => None,
    };
    if let Some((trace, run)) = place {
        proto::bytes(&mut out, 9, &trace.to_be_bytes());
        proto::bytes(&mut out, 10, &run.span_id().to_be_bytes());
    }
    proto::fixed64(&mut out, 11, score.time as u64);
    proto::bytes(&mut out, 12, EVENT.as_bytes());
    out
}

/// Reads a score out of an event or a log record; `None` when it has no name. Where it does not say what it is about, that
/// is the run of `place`, with its trace.
#[cfg(feature = "otlp-decode")]
pub(super) fn read(mut attributes: super::read::Attributes, place: Option<(RunId, RunId)>, time: i64) -> Option<Score> {
    let whole = attributes.exact_text(ours::SCORE).and_then(|json| serde_json::from_str(&json).ok());
    if whole.is_some() {
        return whole;
    }
    let key = attributes.text(&[names::EVALUATION_NAME])?;
    let score = attributes.double(&[names::EVALUATION_SCORE]);
    let label = attributes.text(&[names::EVALUATION_LABEL]);
    let comment = attributes.text(&[names::EVALUATION_EXPLANATION]);
    let thread = attributes.text(&[names::CONVERSATION_ID]);
    let target = match (place, thread) {
        (Some((run, _)), _) => ScoreTarget::Run(run),
        (None, Some(thread)) => ScoreTarget::Thread(thread),
        (None, None) => return None,
    };
    let id = derived_id(&target, &key, time);
    let metadata = attributes.left().filter(|(_, value)| !value.is_null()).collect();
    #[rustfmt::skip]
    let score = Score {
        id, target, key, score, value: None, label, comment, correction: None, source: ScoreSource::Code, user: None,
        time, tags: Vec::new(), metadata,
    };
    Some(score)
}

/// The id of a score that has none: the same for the same score.
#[cfg(feature = "otlp-decode")]
fn derived_id(target: &ScoreTarget, key: &str, time: i64) -> RunId {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let about = match target {
        ScoreTarget::Run(run) | ScoreTarget::Trace(run) => run.to_string(),
        ScoreTarget::Thread(thread) => thread.clone(),
        _ => String::new(),
    };
    // FNV-1a, which is as simple as it is well spread.
    let bytes = about.bytes().chain([0]).chain(key.bytes()).chain([0]).chain(time.to_be_bytes());
    let hash = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    RunId::from_u128(hash & !(0xf000 << 64) | (0x8000 << 64))
}
