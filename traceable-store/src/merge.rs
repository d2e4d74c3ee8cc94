//! One run of all its records, whatever the order in which they came.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use traceable_core::model::{Run, RunChange, Status};

/// How much a record has to say: what a later rank says is taken over what an earlier one said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Rank {
    /// Announced, before its end.
    Start,
    /// Ended.
    End,
    /// Said of it afterwards.
    Patch,
    /// A file for it, by itself.
    File,
}

impl Rank {
    /// The rank of a change that is a record of a run.
    pub(crate) fn of(change: &RunChange) -> Option<Self> {
        match change {
            RunChange::Start(_) => Some(Self::Start),
            RunChange::End(_) => Some(Self::End),
            RunChange::Patch(_) => Some(Self::Patch),
            RunChange::Attachment(_) => Some(Self::File),
            _ => None,
        }
    }
}

/// Which of two records says less: the lower rank, then the earlier end. Among equals the order of arrival holds, so
/// sorting must be stable.
pub(crate) fn order(a: (Rank, &Run), b: (Rank, &Run)) -> Ordering {
    a.0.cmp(&b.0).then_with(|| a.1.end_time.cmp(&b.1.end_time))
}

/// The run that these records make, which must all be of one run. The answer is `None` while there are only patches and
/// files, and none of them says when the run began.
///
/// Records are taken by rank: starts, ends, patches, files; ends by their time, and what is equal by arrival. What a later one
/// says holds; a `null` and the `{}` that stands for the outputs of an open run say nothing. The ids, the place and the
/// start are those of the first record that has them.
///
/// ```
/// use traceable_core::model::{Run, RunChange, RunId};
/// use traceable_store::merge;
///
/// let id = RunId::from_u128(1);
/// let start = Run { id, name: "answer".into(), start_time: 5, ..Run::default() };
/// let end = Run { id, end_time: Some(9), ..Run::default() };
/// let changes = [RunChange::End(Box::new(end)), RunChange::Start(Box::new(start))];
/// let run = merge(&changes).unwrap();
/// assert_eq!((&*run.name, run.start_time, run.end_time), ("answer", 5, Some(9)));
/// ```
#[must_use]
pub fn merge<'a>(changes: impl IntoIterator<Item = &'a RunChange>) -> Option<Run> {
    let record = |change: &RunChange| {
        let rank = Rank::of(change)?;
        let run = match change {
            RunChange::Attachment(of) => {
                Run { id: of.run_id, attachments: vec![of.attachment.clone()], ..Run::default() }
            }
            other => other.run()?.clone(),
        };
        Some((rank, run))
    };
    let mut records: Vec<_> = changes.into_iter().filter_map(record).collect();
    records.sort_by(|a, b| order((a.0, &a.1), (b.0, &b.1)));
    let (run, is_known) = fold(records);
    is_known.then_some(run)
}

/// The run of records that are in [`order`], and whether it is more than patches and files without a start.
pub(crate) fn fold(records: impl IntoIterator<Item = (Rank, Run)>) -> (Run, bool) {
    let mut whole = Run::default();
    let mut is_known = false;
    for (rank, record) in records {
        is_known |= rank <= Rank::End;
        take(&mut whole, record);
    }
    if whole.trace_id.as_u128() == 0 {
        whole.trace_id = whole.dotted_order.trace_id().unwrap_or(whole.id);
    }
    if whole.start_time == 0 {
        whole.start_time = whole.dotted_order.start_time().unwrap_or_default();
    }
    if whole.start_time == 0 && is_known {
        whole.start_time = written_in_id(&whole).or(whole.end_time).unwrap_or_default();
    }
    let is_known = is_known || whole.start_time != 0;
    (whole, is_known)
}

/// Puts a record of a higher rank on top.
fn take(whole: &mut Run, mut record: Run) {
    let said = |json: &traceable_core::model::Json| json.as_str() != "null";
    record.inputs = record.inputs.filter(said);
    record.outputs = record.outputs.filter(said);
    record.expected = record.expected.filter(said);
    let is_open = record.end_time.is_none() && matches!(record.status, Status::Pending | Status::Unknown);
    if is_open && record.outputs.as_ref().is_some_and(|outputs| outputs.as_str() == "{}") {
        record.outputs = None;
    }
    // What `absorb` leaves as it is: the first that says it.
    whole.id = record.id;
    if whole.trace_id.as_u128() == 0 {
        whole.trace_id = record.trace_id;
    }
    whole.parent_id = whole.parent_id.or(record.parent_id);
    if whole.dotted_order.depth() == 0 {
        whole.dotted_order = std::mem::take(&mut record.dotted_order);
    }
    if whole.start_time == 0 {
        whole.start_time = record.start_time;
    }
    whole.absorb(record);
}

/// The start that a `UUIDv7` says.
fn written_in_id(run: &Run) -> Option<i64> {
    let is_v7 = (run.id.as_u128() >> 76) & 0xf == 7;
    is_v7.then(|| (run.id.unix_millis() as i64).saturating_mul(1_000_000))
}
