//! The dotted order that LangSmith sorts a trace by, and by which it passes a parent on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    RunId,
    time::{Civil, parse_compact},
};

/// The place of a run in its trace as LangSmith writes it: one `<start>Z<id>` a level, joined by dots,
/// so that sorting the text sorts the trace.
///
/// ```
/// use traceable_core::model::{DottedOrder, RunId};
///
/// let root = DottedOrder::root(1_717_171_717_123_456_789, RunId::from_u128(1));
/// assert_eq!(
///     root.as_str(),
///     "20240531T160837123456Z00000000-0000-0000-0000-000000000001",
/// );
/// let child = root.child(1_717_171_717_200_000_000, RunId::from_u128(2));
/// assert!(child.as_str().starts_with(root.as_str()));
/// assert_eq!(child.depth(), 2);
///
/// let read: DottedOrder = child.as_str().parse()?;
/// assert_eq!(read.trace_id(), Some(RunId::from_u128(1)));
/// assert_eq!(read.parent_id(), Some(RunId::from_u128(1)));
/// assert_eq!(read.id(), Some(RunId::from_u128(2)));
/// assert_eq!(read.start_time(), Some(1_717_171_717_200_000_000));
/// # Ok::<(), traceable_core::model::ParseDottedOrderError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DottedOrder(String);

impl DottedOrder {
    const ID: usize = 36;
    const SEGMENT: usize = 22 + Self::ID;

    /// How many levels a text may have that is parsed; what is made here may have more.
    pub const MAX_LEVELS: usize = 128;

    /// The order of a run without a parent.
    #[must_use]
    pub fn root(start_time: i64, id: RunId) -> Self {
        let mut text = String::with_capacity(Self::SEGMENT);
        push_segment(&mut text, start_time, id);
        Self(text)
    }

    /// The order of a child of this run.
    #[must_use]
    pub fn child(&self, start_time: i64, id: RunId) -> Self {
        let mut text = String::with_capacity(self.0.len() + 1 + Self::SEGMENT);
        text.push_str(&self.0);
        text.push('.');
        push_segment(&mut text, start_time, id);
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of runs from the root to this one: 1 for a root, 0 when unknown.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.0.is_empty() { 0 } else { self.0.split('.').count() }
    }

    /// The runs from the root to this one: when each started (nanoseconds since the epoch), and its id.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = (i64, RunId)> {
        self.0.split('.').filter_map(|segment| parse_segment(segment).ok())
    }

    /// The id of the root; `None` when unknown.
    #[must_use]
    pub fn trace_id(&self) -> Option<RunId> {
        self.segments().next().map(|(_, id)| id)
    }

    /// The id of the run itself; `None` when unknown.
    #[must_use]
    pub fn id(&self) -> Option<RunId> {
        self.segments().next_back().map(|(_, id)| id)
    }

    /// The id of the run's parent; `None` for a root.
    #[must_use]
    pub fn parent_id(&self) -> Option<RunId> {
        self.segments().nth_back(1).map(|(_, id)| id)
    }

    /// When the run started, in nanoseconds since the epoch; `None` when unknown.
    #[must_use]
    pub fn start_time(&self) -> Option<i64> {
        self.segments().next_back().map(|(start_time, _)| start_time)
    }

    /// The same order with other ids. Times are kept to the letter.
    #[must_use]
    pub fn map_ids(&self, id: impl Fn(RunId) -> RunId) -> Self {
        let segment = |segment: &str| {
            let known = segment.len().checked_sub(Self::ID).and_then(|at| segment.split_at_checked(at));
            match known.and_then(|(time, known)| Some((time, known.parse().ok()?))) {
                Some((time, known)) => format!("{time}{}", id(known)),
                None => segment.to_owned(),
            }
        };
        Self(self.0.split('.').map(segment).collect::<Vec<_>>().join("."))
    }
}

/// Takes what LangSmith's SDKs write, as it is: the text is a prefix of what its children are sorted by, so a fraction of
/// another length and an id in capitals stay.
///
/// # Errors
///
/// When a level is not a time and a UUID, or when there are more than [`MAX_LEVELS`](DottedOrder::MAX_LEVELS).
impl FromStr for DottedOrder {
    type Err = ParseDottedOrderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for (level, segment) in text.split('.').enumerate() {
            let level = level + 1;
            if level > Self::MAX_LEVELS {
                return Err(ParseDottedOrderError { level, problem: Problem::Levels });
            }
            parse_segment(segment).map_err(|problem| ParseDottedOrderError { level, problem })?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DottedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is not a dotted order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseDottedOrderError {
    level: usize,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Time,
    Id,
    Levels,
}

impl ParseDottedOrderError {
    /// The level that is wrong; the root's is 1.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }
}

impl fmt::Display for ParseDottedOrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level;
        write!(f, "not a dotted order: at level {level}, ")?;
        match self.problem {
            Problem::Time => f.write_str("expected a time such as 20240531T160837123456Z"),
            Problem::Id => f.write_str("expected a UUID such as 0190163d-8694-7000-8000-00000000002a behind the time"),
            Problem::Levels => write!(f, "which is more than {}", DottedOrder::MAX_LEVELS),
        }
    }
}

impl std::error::Error for ParseDottedOrderError {}

fn parse_segment(segment: &str) -> Result<(i64, RunId), Problem> {
    let (time, id) = segment.split_once('Z').ok_or(Problem::Time)?;
    let time = parse_compact(time).ok_or(Problem::Time)?;
    if id.len() != DottedOrder::ID {
        return Err(Problem::Id);
    }
    Ok((time, id.parse().map_err(|_| Problem::Id)?))
}

fn push_segment(text: &mut String, start_time: i64, id: RunId) {
    use fmt::Write as _;

    let civil = Civil::from_nanos(start_time);
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "{:04}{:02}{:02}T{:02}{:02}{:02}{:06}Z{id}",
        civil.year,
        civil.month,
        civil.day,
        civil.hour,
        civil.minute,
        civil.second,
        civil.nanos / 1_000
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0190163d-8694-7000-8000-00000000002a";
    const AT: &str = "20240531T160837123456Z";

    proptest! {
        #[test]
        fn what_is_written_is_read_again(runs in prop::collection::vec((any::<i64>(), any::<u128>()), 1..20)) {
            // The first microsecond that 64 bits reach is there in part only.
            let runs: Vec<_> = runs.into_iter().map(|(time, id)| (time.max(i64::MIN + 1_000), RunId::from_u128(id))).collect();
            let mut order = DottedOrder::root(runs[0].0, runs[0].1);
            for (time, id) in &runs[1..] {
                order = order.child(*time, *id);
            }
            let read: DottedOrder = order.as_str().parse().unwrap();
            prop_assert_eq!(&read, &order);
            let expected: Vec<_> = runs.iter().map(|(time, id)| (time.div_euclid(1_000) * 1_000, *id)).collect();
            prop_assert_eq!(read.segments().collect::<Vec<_>>(), expected);
            prop_assert_eq!(read.trace_id(), Some(runs[0].1));
            prop_assert_eq!(read.id(), runs.last().map(|run| run.1));
            prop_assert_eq!(read.parent_id(), runs.iter().nth_back(1).map(|run| run.1));
            prop_assert_eq!(read.depth(), runs.len());
        }

        #[test]
        fn anything_is_refused_or_kept_as_it_is(text in ".{0,200}|[0-9a-fTZ.-]{0,200}") {
            if let Ok(order) = text.parse::<DottedOrder>() {
                prop_assert_eq!(order.as_str(), text);
            }
        }
    }

    #[test]
    fn what_the_sdks_write_is_read() {
        let milliseconds = "20230914T223155647Z1b64098b-4ab7-43f6-afee-992304f198d8";
        let order: DottedOrder = milliseconds.parse().unwrap();
        assert_eq!(order.start_time(), Some(1_694_730_715_647_000_000));
        let capitals = format!("{AT}{}", ID.to_uppercase());
        let order: DottedOrder = capitals.parse().unwrap();
        assert_eq!((order.as_str(), order.id()), (capitals.as_str(), ID.parse().ok()));
    }

    #[test]
    fn an_error_says_what_is_wrong_and_where() {
        let error = |text: &str| text.parse::<DottedOrder>().unwrap_err().to_string();
        assert_eq!(error(""), "not a dotted order: at level 1, expected a time such as 20240531T160837123456Z");
        assert!(error(&format!("{AT}{ID}.20240231T160837123456Z{ID}")).contains("at level 2, expected a time"));
        assert!(error(&format!("{AT}{ID}.")).contains("at level 2, expected a time"));
        assert!(error(&format!("{AT}{}", ID.replace('-', ""))).contains("at level 1, expected a UUID"));
        let deep = vec![format!("{AT}{ID}"); DottedOrder::MAX_LEVELS].join(".");
        assert!(deep.parse::<DottedOrder>().is_ok() && deep.len() < 8 * 1024);
        assert_eq!(error(&format!("{deep}.{AT}{ID}")), "not a dotted order: at level 129, which is more than 128");
    }

    #[test]
    fn an_unknown_order_has_nobody_in_it() {
        let order = DottedOrder::default();
        assert_eq!(
            (order.depth(), order.trace_id(), order.id(), order.parent_id(), order.start_time()),
            (0, None, None, None, None)
        );
    }
}
