//! What LangSmith's SDKs ask for, as a query of the store.

use serde::Deserialize;
use traceable_core::model::{RunId, parse_time};
use traceable_store::{Cursor, Field, List, Of, Op, Order, Place, Project, Query, Scope, Value, Words};

use crate::http::Refusal;

/// Runs of a page where nothing is said, and at most.
const LIMIT: (usize, usize) = (100, 1_000);

/// The body of `/runs/query` and `/runs/stats`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    id: Option<Vec<RunId>>,
    trace: Option<RunId>,
    parent_run: Option<RunId>,
    run_type: Option<String>,
    session: Option<Vec<RunId>>,
    reference_example: Option<Vec<RunId>>,
    start_time: Option<String>,
    end_time: Option<String>,
    error: Option<bool>,
    query: Option<String>,
    filter: Option<String>,
    trace_filter: Option<String>,
    tree_filter: Option<String>,
    is_root: Option<bool>,
    cursor: Option<String>,
    order: Option<String>,
    limit: Option<usize>,
}

fn is(field: Field, value: Value) -> Query {
    Query::Compare(field, Op::Eq, value)
}

fn any(of: impl IntoIterator<Item = Query>) -> Query {
    Query::Or(of.into_iter().collect())
}

fn moment(text: &str) -> Result<Value, Refusal> {
    parse_time(text).map(Value::Time).ok_or_else(|| Refusal::Wrong(format!("`{text}` is no moment")))
}

impl Wanted {
    /// What is asked of each run.
    pub(super) fn query(&self, projects: &[Project]) -> Result<Query, Refusal> {
        // Without `..`, so that nothing that narrows a list is forgotten.
        #[rustfmt::skip]
        let Self {
            id, trace, parent_run, run_type, session, reference_example, start_time, end_time, error, query, filter,
            trace_filter, tree_filter, is_root, cursor: _, order: _, limit: _,
        } = self;
        if reference_example.as_ref().is_some_and(|examples| !examples.is_empty()) {
            return Err(Refusal::Wrong("runs are not kept by reference_example here".into()));
        }
        let mut all = Vec::new();
        all.extend(id.as_ref().map(|ids| any(ids.iter().map(|id| is(Field::Id, Value::Id(*id))))));
        all.extend(trace.map(|id| is(Field::Trace, Value::Id(id))));
        all.extend(parent_run.map(|id| is(Field::Parent, Value::Id(id))));
        all.extend(run_type.clone().map(|kind| is(Field::Type, Value::Text(kind))));
        all.extend(session.as_ref().map(|ids| {
            let named = projects.iter().filter(|project| ids.contains(&project.id));
            any(named.map(|project| is(Field::Project, Value::Text(project.name.clone()))))
        }));
        if let Some(time) = start_time {
            all.push(Query::Compare(Field::Start, Op::Ge, moment(time)?));
        }
        if let Some(time) = end_time {
            all.push(Query::Compare(Field::End, Op::Le, moment(time)?));
        }
        all.extend(error.map(|failed| {
            let exists = Query::Exists(Field::Error);
            if failed { exists } else { exists.negated() }
        }));
        all.extend(is_root.map(|root| is(Field::Root, Value::Flag(root))));
        if let Some(text) = query.clone().filter(|text| !text.trim().is_empty()) {
            all.push(Query::Text(Place::Any, Words { text, is_prefix: false }));
        }
        let parsed = |filter: &Option<String>| filter.as_deref().map(Query::parse_langsmith).transpose();
        all.extend(parsed(filter)?);
        all.extend(parsed(trace_filter)?.map(|filter| filter.within(Scope::Root)));
        all.extend(parsed(tree_filter)?.map(|filter| filter.within(Scope::Tree)));
        Ok(all.into_iter().fold(Query::default(), Query::and))
    }

    /// The page that is asked for.
    pub(super) fn list(&self, projects: &[Project]) -> Result<List, Refusal> {
        let after = self.cursor.as_deref().map(str::parse::<Cursor>).transpose();
        Ok(List {
            query: self.query(projects)?,
            // With the sums of the traces that roots stand for.
            of: if self.is_root == Some(true) { Of::Traces } else { Of::Runs },
            order: if self.order.as_deref() == Some("asc") { Order::Oldest } else { Order::Newest },
            limit: self.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1),
            after: after.map_err(|error| Refusal::Wrong(error.to_string()))?,
        })
    }

    /// Whether statistics are of whole traces.
    pub(super) fn of(&self) -> Of {
        if self.is_root == Some(true) { Of::Traces } else { Of::Runs }
    }
}
