//! What is encoded as spans comes back as `normalise` says, whatever conventions were chosen, and bytes of any kind are
//! read or refused.
#![cfg(feature = "otlp-decode")]
#![allow(missing_docs, clippy::unwrap_used)]

mod generator;

use generator::{run, score};
use proptest::{collection::vec, prelude::*};
use traceable_core::model::{OtelContext, Run, RunChange, Score, ScoreTarget, Usage};
use traceable_wire::otlp::{
    Convention, Conventions, Encoder, MAX_BYTES, Resource, Signal, decode_answer, decode_logs, decode_traces, normalise,
};

fn conventions() -> impl Strategy<Value = Conventions> {
    use Convention::{GenAi, GenAiOld, LangSmith, OpenInference, OpenLit};
    let all = vec![GenAi, GenAiOld, OpenInference, OpenLit, LangSmith];
    prop_oneof![
        Just(Conventions::default()),
        prop::sample::subsequence(all, 0..=5).prop_map(|chosen| Conventions::of(&chosen)),
    ]
}

fn sent(changes: &[RunChange], conventions: Conventions) -> Vec<RunChange> {
    let encoded = Encoder::new(conventions, Resource::default()).encode(changes, MAX_BYTES);
    assert_eq!((encoded.left_out, encoded.cut, encoded.refused, encoded.forgotten), (0, 0, 0, 0));
    let decoded = encoded.requests.iter().map(|request| match request.signal {
        Signal::Logs => decode_logs(&request.body),
        _ => decode_traces(&request.body),
    });
    let mut changes = Vec::new();
    for decoded in decoded {
        assert_eq!(decoded.problems, []);
        changes.extend(decoded.changes);
    }
    changes
}

/// A foreign trace without an id is none, and what JSON has no word for is not generated.
fn valid(run: Run) -> Run {
    let otel = run.otel.map(|otel| OtelContext { trace_id: otel.trace_id.max(1), ..otel });
    Run { otel, ..run }
}

fn finite(score: Score) -> Score {
    Score { score: score.score.filter(|number| number.is_finite()), ..score }
}

proptest! {
    #[test]
    fn a_run_comes_back_as_it_is_normalised(run in run(), conventions in conventions()) {
        let run = valid(run);
        prop_assert_eq!(
            sent(&[RunChange::End(Box::new(run.clone()))], conventions),
            [RunChange::End(Box::new(normalise(run)))]
        );
    }

    #[test]
    fn what_is_normalised_stays_as_it_is(run in run()) {
        let once = normalise(run);
        prop_assert_eq!(normalise(once.clone()), once);
    }

    #[test]
    fn a_score_comes_back_in_the_span_or_beside_it(run in run(), score in score(), conventions in conventions()) {
        let (run, score) = (valid(run), finite(score));
        let alone = [RunChange::Score(Box::new(score.clone()))];
        prop_assert_eq!(sent(&alone, conventions), alone.clone());

        let score = Score { target: ScoreTarget::Run(run.id), ..score };
        let score = RunChange::Score(Box::new(score));
        let end = RunChange::End(Box::new(normalise(run)));
        prop_assert_eq!(sent(&[score.clone(), end.clone()], conventions), [end, score]);
    }

    #[test]
    fn a_usage_of_known_parts_needs_no_rest(input: u32, output: u32, read: u32, reasoning: u32, cost in 0.0..9.0_f64) {
        let usage = Usage::new(input.into(), output.into()).with_input_detail("cache_read", read.into());
        let usage = usage.with_output_detail("reasoning", reasoning.into()).with_total_cost(cost);
        let run = Run { usage: Some(usage), run_type: "llm".into(), end_time: Some(5), ..Run::default() };
        let change = [RunChange::End(Box::new(run.clone()))];
        let encoded = Encoder::new(Conventions::default(), Resource::default()).encode(&change, MAX_BYTES);
        let text = String::from_utf8_lossy(&encoded.requests[0].body).into_owned();
        prop_assert!(!text.contains("\"usage\""));
        prop_assert_eq!(sent(&change, Conventions::default()), [RunChange::End(Box::new(normalise(run)))]);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode_traces(&bytes);
        let _ = decode_logs(&bytes);
        let _ = decode_answer(&bytes);
    }

    #[test]
    fn a_damaged_body_is_read_or_refused(run in run(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let change = [RunChange::End(Box::new(valid(run)))];
        let encoded = Encoder::new(Conventions::default(), Resource::default()).encode(&change, MAX_BYTES);
        let mut body = encoded.requests[0].body.clone();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode_traces(&body);
        let _ = decode_traces(&body[..cut.index(body.len())]);
    }
}
