//! Files for runs that are not the current one.

use crate::{
    model::{Attachment, RunId},
    record::SaidKind,
    said::Said,
};

/// Adds a file to a run that may be anywhere: ended long ago, in another process, or not known yet.
///
/// Without a name of its own it is called `attachment`; one of the same name is replaced. The current run takes files by
/// [`Current::attach`](crate::Current::attach). What finds no room is counted.
///
/// ```
/// use traceable_core::{attach_to, model::{Attachment, RunId}};
///
/// let run: RunId = "0190163d-8694-7000-8000-00000000002a".parse()?;
/// attach_to(run, &Attachment::path("application/pdf", "/srv/report.pdf").named("report"));
/// # Ok::<(), traceable_core::model::ParseRunIdError>(())
/// ```
pub fn attach_to(run: RunId, attachment: &Attachment) {
    let mut said = Said::new(None);
    said.field("run_id", &run);
    said.field("attachment", attachment);
    said.send(SaidKind::Attachment);
}
