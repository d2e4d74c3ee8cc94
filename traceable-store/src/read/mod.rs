//! What the store answers.

mod body;
mod facets;
mod find;
mod list;
mod people;
mod rows;
mod run;
mod scores;
mod skeleton;

pub(crate) use self::rows::row_of;
pub use self::{
    body::{Body, Slice},
    facets::{Facet, Facets},
    list::{Cursor, List, Listed, Neighbours, Of, Order, Page, ParseCursorError},
    people::{People, PeopleCursor, PeoplePage, Tally, ThreadSummary, UserSummary},
    rows::Totals,
    run::{ReportCount, StoredRun, Trace},
    scores::{ScoreList, ScorePage},
    skeleton::Skeleton,
};
