//! What is known of runs and traces whose ids are not made of their start and key: a trace that began in another process,
//! and a run whose id the caller has chosen.
//!
//! Kept aside, so that a frame stays small: only frames with the flag `FOREIGN` are looked up here.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use crate::{
    frame::{FOREIGN, Frame},
    model::{DottedOrder, OtelContext, RunId},
    record::Key,
    runtime::{self, Pipeline, lock},
    sync::Arc,
};

/// How many are remembered. A service that takes more requests at once than this loses the ids of the oldest: they are
/// then unknown, never wrong.
const REMEMBERED: usize = 1 << 16;

/// Where a trace comes from, or what id was chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The run that this key stands for, where it is not made of the key.
    pub(crate) id: Option<RunId>,
    /// The trace of the runs that have this key as their root.
    pub(crate) trace_id: Option<RunId>,
    /// The place of the run in another process that the trace goes on from.
    pub(crate) dotted_order: Option<Arc<DottedOrder>>,
    /// The foreign W3C trace.
    pub(crate) otel: Option<Arc<OtelContext>>,
}

/// What is remembered, newest last. A part of the pipeline: the child of a fork could not open its parent's lock.
#[derive(Default)]
pub(crate) struct Origins(Mutex<Table>);

#[derive(Default)]
struct Table {
    by_key: HashMap<Key, Origin>,
    order: VecDeque<Key>,
}

fn table() -> Option<MutexGuard<'static, Table>> {
    Pipeline::get().map(|pipeline| lock(&pipeline.origins.0))
}

/// Remembers what a key stands for.
pub(crate) fn remember(key: Key, origin: Origin) {
    let Some(mut origins) = table() else { return };
    if origins.by_key.insert(key, origin).is_none() {
        origins.order.push_back(key);
    }
    if origins.order.len() > REMEMBERED
        && let Some(oldest) = origins.order.pop_front()
    {
        origins.by_key.remove(&oldest);
    }
}

/// What a key stands for.
pub(crate) fn of(key: Key) -> Option<Origin> {
    table()?.by_key.get(&key).cloned()
}

/// Whether a key stands for a run of another process.
pub(crate) fn is_remote(key: Key) -> bool {
    of(key).is_some_and(|origin| origin.dotted_order.is_some())
}

/// Gives a run the id that its caller has chosen.
pub(crate) fn choose_id(frame: &mut Frame, id: RunId) {
    let is_root = frame.key == frame.root_key;
    if !frame.is(FOREIGN) && !is_root {
        // Whoever looks up the run's id asks for its trace as well.
        let trace_id = Some(runtime::run_id(frame.root_start, frame.root_key));
        remember(frame.root_key, Origin { id: trace_id, trace_id, ..Origin::default() });
    }
    let before = if is_root { of(frame.key).unwrap_or_default() } else { Origin::default() };
    let trace_id = if is_root { Some(id) } else { None };
    remember(frame.key, Origin { id: Some(id), trace_id, ..before });
    frame.set(FOREIGN);
}

/// Makes a root a part of a foreign W3C trace, unless it is a part of another one; it keeps its own id. Answers whether it
/// does.
pub(crate) fn share_trace(root: &mut Frame, otel: &Arc<OtelContext>) -> bool {
    let before = if root.is(FOREIGN) { of(root.root_key).and_then(|origin| origin.otel) } else { None };
    // Below a run of another process, the trace is that one's.
    if root.key != root.root_key || before.is_some_and(|before| before.trace_id != otel.trace_id) {
        return false;
    }
    let trace_id = Some(runtime::run_id(root.start, root.key));
    remember(root.key, Origin { trace_id, otel: Some(Arc::clone(otel)), ..Origin::default() });
    root.set(FOREIGN);
    true
}

/// The id of a run with the flag `FOREIGN`.
pub(crate) fn id_of(frame: &Frame) -> Option<RunId> {
    // The root was remembered before the run was, so as long as it is known the run would be.
    of(frame.root_key)?;
    Some(id_of_key(frame.start, frame.key))
}

/// The id of a run below a foreign root that is still known.
fn id_of_key(start: i64, key: Key) -> RunId {
    of(key).and_then(|origin| origin.id).unwrap_or_else(|| runtime::run_id(start, key))
}

/// The id of the trace of a run with the flag `FOREIGN`.
pub(crate) fn trace_of(frame: &Frame) -> Option<RunId> {
    of(frame.root_key)?.trace_id
}

/// The place of a run in its trace, given the starts and keys from the first run of this process down to it.
pub(crate) fn dotted_order(frame: &Frame, lineage: &[(i64, Key)]) -> Option<DottedOrder> {
    if !frame.is(FOREIGN) {
        let mut order = DottedOrder::default();
        for &(start, key) in lineage {
            order = below(&order, start, runtime::run_id(start, key));
        }
        return Some(order);
    }
    let origin = of(frame.root_key)?;
    let mut order = origin.dotted_order.map_or_else(DottedOrder::default, |order| (*order).clone());
    for &(start, key) in lineage {
        order = below(&order, start, id_of_key(start, key));
    }
    Some(order)
}

fn below(order: &DottedOrder, start: i64, id: RunId) -> DottedOrder {
    if order.depth() == 0 { DottedOrder::root(start, id) } else { order.child(start, id) }
}
