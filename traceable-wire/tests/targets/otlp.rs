//! What is sent to a server of OpenTelemetry's protocol.

use traceable_core::model::RunChange;
use traceable_wire::otlp::{
    Conventions, Encoder, MAX_BYTES, Resource, decode_answer, decode_logs, decode_traces, normalise, normalise_score,
};

/// A request of spans, one of log records, or an answer.
pub(crate) fn run(data: &[u8]) {
    let answer = decode_answer(data);
    assert!(answer.message.len() <= 3 * data.len());
    let traces = decode_traces(data);
    assert!(traces.changes.len() + traces.problems.len() <= data.len().max(1));
    traces.changes.iter().for_each(comes_back);
    let logs = decode_logs(data);
    assert!(logs.changes.len() + logs.problems.len() <= data.len().max(1));
    logs.changes.iter().for_each(comes_back);
}

/// What was read is the same run when it is sent on and read again.
fn comes_back(change: &RunChange) {
    let encoded = Encoder::new(Conventions::default(), Resource::default()).encode([change], MAX_BYTES);
    assert_eq!((encoded.requests.len(), encoded.left_out, encoded.refused), (1, 0, 0));
    if encoded.cut > 0 {
        return;
    }
    let body = &encoded.requests[0].body;
    match change {
        RunChange::End(run) => {
            let expected = RunChange::End(Box::new(normalise((**run).clone())));
            let decoded = decode_traces(body);
            assert_eq!((decoded.problems, decoded.changes), (vec![], vec![expected]));
        }
        RunChange::Score(score) => {
            let expected = RunChange::Score(Box::new(normalise_score((**score).clone())));
            assert_eq!(decode_logs(body).changes, [expected]);
        }
        other => panic!("{other:?}"),
    }
}
