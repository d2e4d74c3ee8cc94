//! In whatever order and in whatever batches the records of runs come, the store says the same in the end.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use proptest::{collection::vec, prelude::*};
use support::{change, id, store};
use traceable_core::model::{RunChange, RunId};
use traceable_store::{List, Of, Row, Store, Totals, merge};

/// The run that a record is about.
fn run_of(change: &RunChange) -> RunId {
    match change {
        RunChange::Attachment(of) => of.run_id,
        other => other.run().unwrap().id,
    }
}

/// What says that a record holds over another of its run; equal ones hold as they come.
fn rank(change: &RunChange) -> (u8, Option<i64>) {
    let kind = match change {
        RunChange::Start(_) => 0,
        RunChange::End(_) => 1,
        RunChange::Patch(_) => 2,
        _ => 3,
    };
    (kind, change.run().and_then(|run| run.end_time))
}

/// Changes of a few runs: each run has at most one record of each rank, so that no rule depends on the order.
fn changes() -> impl Strategy<Value = Vec<RunChange>> {
    vec((1..5_u128).prop_flat_map(|number| change(id(number))), 1..12).prop_map(|changes| {
        let mut seen = std::collections::BTreeSet::new();
        changes.into_iter().filter(|change| seen.insert((run_of(change), rank(change)))).collect()
    })
}

/// All that a store says.
type Said = (Vec<(Row, Option<Totals>)>, Vec<(Row, Option<Totals>)>);

fn said(store: &Store) -> Said {
    let list = |of| {
        let page = store.list(&List { of, ..List::default() }).unwrap();
        page.rows.into_iter().map(|listed| (listed.row, listed.totals)).collect()
    };
    (list(Of::Runs), list(Of::Traces))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_and_any_batches_give_what_merge_gives(
        changes in changes(),
        shuffled in any::<prop::sample::Index>(),
        cuts in vec(any::<prop::sample::Index>(), 0..4),
        seed in any::<u64>(),
    ) {
        let in_order = store();
        in_order.store.ingest(&changes).unwrap();

        let mut mixed = changes.clone();
        let mut state = seed | 1;
        for at in (1..mixed.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            mixed.swap(at, (state >> 33) as usize % (at + 1));
        }
        // Something comes twice.
        let again = mixed[shuffled.index(mixed.len())].clone();
        mixed.push(again);
        let other = store();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(mixed.len())).collect();
        cuts.sort_unstable();
        let mut from = 0;
        let mut repeated = 0;
        for cut in cuts.into_iter().chain([mixed.len()]) {
            repeated += other.store.ingest(&mixed[from..cut]).unwrap().repeated;
            from = cut;
        }
        prop_assert_eq!(repeated, 1);

        for number in 1..5 {
            let of_it: Vec<_> = changes.iter().filter(|change| run_of(change) == id(number)).cloned().collect();
            let merged = merge(&of_it);
            prop_assert_eq!(in_order.store.whole_run(id(number)).unwrap(), merged.clone());
            prop_assert_eq!(other.store.whole_run(id(number)).unwrap(), merged.clone());
            let row = merged.map(|run| Row::of(&run));
            prop_assert_eq!(other.store.row(id(number)).unwrap().map(without_previews), row.map(without_previews));
        }
        prop_assert_eq!(said(&other.store), said(&in_order.store));
    }
}

/// Previews show marks in the place of pictures.
fn without_previews(row: Row) -> String {
    let mut row = serde_json::to_value(row).unwrap();
    row["input_preview"] = serde_json::Value::Null;
    row["output_preview"] = serde_json::Value::Null;
    row.to_string()
}
