//! What is encoded for LangSmith comes back as `normalise` says, and bytes of any kind are read or refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod generator;

use generator::{attachment, id, map_of, run, score, text, time, value};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;
use traceable_core::model::{
    AttachmentData, AttachmentFor, Report, Run, RunChange, RunId, Score, ScoreTarget, Thread, User,
};
use traceable_wire::langsmith::{
    Encoder, decode_batch, decode_feedback, decode_multipart, decode_patch, decode_post, normalise, normalise_score,
};

const BOUNDARY: &str = "b7dbe3d42dca402fb18fe22f4b848c92";

/// What a run that was posted comes back as.
fn expected(run: Run) -> RunChange {
    let run = Box::new(normalise(run));
    if run.end_time.is_some() { RunChange::End(run) } else { RunChange::Start(run) }
}

fn sent(changes: &[RunChange]) -> Vec<RunChange> {
    let encoded = Encoder::default().multipart(changes, BOUNDARY, 1 << 24);
    assert_eq!((encoded.taken, encoded.refused), (changes.len(), 0));
    if encoded.body.is_empty() {
        return Vec::new();
    }
    let decoded = decode_multipart(&encoded.body, BOUNDARY);
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    decoded.changes
}

proptest! {
    #[test]
    fn a_run_comes_back_as_it_is_normalised(run in run()) {
        prop_assert_eq!(sent(&[RunChange::End(Box::new(run.clone()))]), [expected(run)]);
    }

    #[test]
    fn what_is_normalised_stays_as_it_is(run in run()) {
        let once = normalise(run);
        prop_assert_eq!(normalise(once.clone()), once);
    }

    #[test]
    fn a_batch_of_json_brings_all_but_bytes(run in run()) {
        let run = Run { attachments: Vec::new(), ..run };
        let encoded = Encoder::default().batch(&[RunChange::End(Box::new(run.clone()))], 1 << 24);
        let decoded = decode_batch(&encoded.body);
        prop_assert_eq!(decoded.errors, []);
        prop_assert_eq!(decoded.changes, [expected(run)]);
    }

    #[test]
    fn a_score_comes_back(score in score()) {
        let score = match score.score {
            Some(number) if !number.is_finite() => Score { score: None, ..score },
            _ => score,
        };
        let is_thread = matches!(score.target, ScoreTarget::Thread(_));
        let bytes = serde_json::to_vec(&traceable_wire::langsmith::Feedback::new(&score)).unwrap();
        let expected = normalise_score(score.clone());
        prop_assert_eq!(decode_feedback(&bytes), Ok(expected.clone()));
        let in_a_body = if is_thread { vec![] } else { vec![RunChange::Score(Box::new(expected))] };
        prop_assert_eq!(sent(&[RunChange::Score(Box::new(score))]), in_a_body);
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode_batch(&bytes);
        let _ = decode_post(&bytes);
        let _ = decode_patch(RunId::from_u128(1), &bytes);
        let _ = decode_feedback(&bytes);
        let _ = decode_multipart(&bytes, BOUNDARY);
        let _ = decode_multipart(&bytes, "-");
    }

    #[test]
    fn a_damaged_body_spoils_only_what_is_damaged(run in run(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let changes = [RunChange::End(Box::new(run))];
        let mut body = Encoder::default().multipart(&changes, BOUNDARY, 1 << 24).body;
        let at = at.index(body.len());
        body[at] = byte;
        let _ = decode_multipart(&body, BOUNDARY);
        let _ = decode_multipart(&body[..cut.index(body.len())], BOUNDARY);
    }

    #[test]
    fn records_of_any_json_are_read(fields in map_of(value()), id in id()) {
        let mut fields = fields;
        for name in ["events", "tags", "extra", "inputs", "start_time", "end_time", "dotted_order", "error", "outputs"] {
            if let Some(value) = fields.values().next().cloned() {
                fields.insert(name.into(), value);
            }
        }
        prop_assert!(decode_patch(id, Value::Object(fields).to_string().as_bytes()).is_ok());
    }

    #[test]
    fn our_own_server_is_told_everything(
        score in score(),
        (file, run_id) in (attachment(), id()),
        (name, user, tags, metadata, time) in (text(), option::of(text()), vec(text(), 0..3), map_of(value()), time()),
        dropped in vec((text(), any::<u64>()), 0..3),
    ) {
        let score = Score { score: score.score.filter(|score| score.is_finite()), ..score };
        let report = Report { id: run_id, dropped: dropped.into_iter().collect() };
        let file = AttachmentFor { run_id, attachment: file };
        let thread = Thread {
            id: name.clone(), name: user.clone(), user: user.clone(), tags, metadata: metadata.clone(), time,
        };
        let changes = [
            RunChange::Score(Box::new(score.clone())),
            RunChange::Attachment(file),
            RunChange::Thread(Box::new(thread)),
            RunChange::User(Box::new(User { identifier: name, metadata, time })),
            RunChange::Report(report),
        ];
        let encoded = Encoder::default().lossless().multipart(&changes, BOUNDARY, 1 << 24);
        prop_assert_eq!((encoded.taken, encoded.left_out, encoded.refused), (5, 0, 0));
        let decoded = decode_multipart(&encoded.body, BOUNDARY);
        prop_assert_eq!(decoded.errors, []);
        let mut changes = changes;
        changes[0] = RunChange::Score(Box::new(normalise_score(score)));
        prop_assert_eq!(decoded.changes, changes);
    }

    #[test]
    fn a_file_of_its_own_comes_back(attachment in attachment(), run_id in id()) {
        let sent = sent(&[RunChange::Attachment(AttachmentFor { run_id, attachment: attachment.clone() })]);
        if !matches!(attachment.data, AttachmentData::Bytes(_)) {
            prop_assert_eq!(sent, []);
            return Ok(());
        }
        let [RunChange::Attachment(back)] = &*sent else { panic!("{sent:?}") };
        prop_assert_eq!((back.run_id, &back.attachment.data), (run_id, &attachment.data));
    }
}
