//! What a run is when it has been a span and is a run again.

use traceable_core::model::{Run, RunType};

use super::write::is_carried;

/// The run as it comes back when it was sent as a span: `decode(encode(run)) == normalise(run)`, whatever conventions were
/// chosen.
///
/// - A run without an end ends when it began.
/// - Files whose bytes are in the run are not sent: OTLP has no place for them. Files that are only named are.
/// - An empty project, environment or release is none.
/// - A kind of one's own that has the name of a known one is the known one.
///
/// A number must be finite, as in all JSON. A run without an environment, release or project gets those of the encoder's
/// [`Resource`](super::Resource), and a span that was too long for a request comes back as it was cut.
///
/// ```
/// use traceable_core::model::{Attachment, Run};
/// use traceable_wire::otlp::normalise;
///
/// let run = Run { start_time: 7, attachments: vec![Attachment::bytes("image/png", b"\x89PNG")], ..Run::default() };
/// let back = normalise(run);
/// assert_eq!((back.end_time, back.attachments.len()), (Some(7), 0));
/// ```
#[must_use]
pub fn normalise(run: Run) -> Run {
    let mut run = run;
    run.end_time = run.end_time.or(Some(run.start_time));
    run.run_type = RunType::from(run.run_type.as_str().to_owned());
    run.project = run.project.filter(|text| !text.is_empty());
    run.environment = run.environment.filter(|text| !text.is_empty());
    run.release = run.release.filter(|text| !text.is_empty());
    run.attachments.retain(is_carried);
    run
}
