//! The runs of a trace, each behind the one that it is a part of.

use std::collections::{HashMap, HashSet};

use traceable_core::model::RunId;
use traceable_store::Row;

/// Where a run stands in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: RunId,
    pub(super) depth: usize,
}

/// The places of all runs of a trace, from rows in the order of their starts. What has no parent among them is at depth 0.
pub(super) fn places(rows: &[Row]) -> Vec<Place> {
    let known: HashSet<RunId> = rows.iter().map(|row| row.id).collect();
    let mut children: HashMap<Option<RunId>, Vec<RunId>> = HashMap::new();
    for row in rows {
        let parent = row.parent_id.filter(|parent| known.contains(parent) && *parent != row.id);
        children.entry(parent).or_default().push(row.id);
    }
    let mut places = Vec::with_capacity(rows.len());
    // Without recursion: a trace may be ten thousand runs deep.
    let mut stack: Vec<Place> = children.remove(&None).map(|ids| reversed(ids, 0)).unwrap_or_default();
    while let Some(place) = stack.pop() {
        places.push(place);
        stack.extend(children.remove(&Some(place.id)).map(|ids| reversed(ids, place.depth + 1)).unwrap_or_default());
    }
    // Runs that are parts of each other stand below none.
    let known: HashSet<RunId> = places.iter().map(|place| place.id).collect();
    let circles = rows.iter().filter(|row| !known.contains(&row.id));
    places.extend(circles.map(|row| Place { id: row.id, depth: 0 }));
    places
}

/// A run and what stands below it, of places in their order.
pub(super) fn below(places: &[Place], top: RunId) -> Vec<Place> {
    let Some(at) = places.iter().position(|place| place.id == top) else { return Vec::new() };
    let depth = places[at].depth;
    let rest = places[at + 1..].iter().take_while(|place| place.depth > depth);
    let of = |place: &Place| Place { id: place.id, depth: place.depth - depth };
    std::iter::once(&places[at]).chain(rest).map(of).collect()
}

fn reversed(ids: Vec<RunId>, depth: usize) -> Vec<Place> {
    ids.into_iter().rev().map(|id| Place { id, depth }).collect()
}
