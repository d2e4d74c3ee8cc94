//! What the store answers.

mod list;
mod people;
mod rows;
mod run;

pub(crate) use self::rows::row_of;
pub use self::{
    list::{Cursor, Facet, List, Listed, Of, Order, Page, ParseCursorError},
    people::{ThreadSummary, UserSummary},
    rows::Totals,
    run::{Project, ReportCount, StoredRun, Trace},
};
