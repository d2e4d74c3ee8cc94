//! Traces that the sample left out and that are kept if one of their runs fails: their changes wait here until one does,
//! or until the root has ended without.

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use super::Route;
use crate::{
    export::weight,
    model::RunChange,
    record::Key,
    runtime::counters::{self, Reason},
};

/// What has become of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing has failed yet.
    Waits,
    /// Something failed: all of it goes out.
    Kept,
    /// It went well: none of it goes out.
    Dropped,
    /// There was no room to wait.
    GivenUp,
}

#[derive(Debug)]
struct Trace {
    /// Older traces have smaller numbers.
    number: u64,
    root: Key,
    fate: Cell<Fate>,
}

/// A trace that is not certain to be kept, as its runs know it.
#[derive(Debug, Clone)]
pub(super) struct Held(Rc<Trace>);

/// What waits of one trace.
#[derive(Debug)]
struct Waiting {
    held: Held,
    changes: Vec<(Route, RunChange)>,
    bytes: usize,
    runs: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tentative {
    waiting: BTreeMap<u64, Waiting>,
    /// Traces whose root has ended, with the pass in which it did: what failed may stand in a log that is read later.
    ended: VecDeque<(u64, Held)>,
    bytes: usize,
    /// What may wait altogether, in bytes.
    pub(super) max_bytes: usize,
    traces: u64,
}

impl Tentative {
    /// Begins to hold a trace back.
    pub(super) fn hold(&mut self, root: Key) -> Held {
        self.traces += 1;
        let held = Held(Rc::new(Trace { number: self.traces, root, fate: Cell::new(Fate::Waits) }));
        self.waiting.insert(self.traces, Waiting { held: held.clone(), changes: Vec::new(), bytes: 0, runs: 1 });
        held
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a pass will drop something.
    pub(super) fn wants_passes(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Counts a run of the trace.
    pub(super) fn started(&mut self, held: &Held) {
        match self.waiting.get_mut(&held.0.number) {
            Some(waiting) => waiting.runs += 1,
            None if held.0.fate.get() == Fate::GivenUp => counters::dropped(Reason::HeldFull),
            None => {}
        }
    }

    /// Takes a change; answers it when it is to go out now.
    pub(super) fn take(&mut self, held: &Held, route: Route, change: RunChange) -> Option<RunChange> {
        let Some(waiting) = self.waiting.get_mut(&held.0.number) else {
            return (held.0.fate.get() == Fate::Kept).then_some(change);
        };
        // Nobody looks at a trace that is held back, and the next one says more.
        if !matches!(change, RunChange::Progress(_)) {
            let bytes = weight(&change);
            waiting.changes.push((route, change));
            waiting.bytes += bytes;
            self.bytes += bytes;
            while self.bytes > self.max_bytes && self.give_up_oldest() {}
        }
        None
    }

    fn give_up_oldest(&mut self) -> bool {
        let Some((_, oldest)) = self.waiting.first_key_value() else { return false };
        let held = oldest.held.clone();
        if let Some(waiting) = self.settle(&held, Fate::GivenUp) {
            counters::dropped_many(Reason::HeldFull, waiting.runs);
        }
        true
    }

    /// Keeps a trace, for one of its runs failed; answers what has waited.
    pub(super) fn keep(&mut self, held: &Held) -> Vec<(Route, RunChange)> {
        self.settle(held, Fate::Kept).map_or_else(Vec::new, |waiting| waiting.changes)
    }

    /// Notes that a run has ended well. When it is the root, the trace waits only for what has been written already.
    pub(super) fn ended_well(&mut self, held: &Held, run: Key, pass: u64) {
        if held.0.root == run && held.0.fate.get() == Fate::Waits {
            self.ended.push_back((pass, held.clone()));
        }
    }

    /// Drops the traces whose root ended before this pass and of which nothing failed.
    pub(super) fn drop_ended_before(&mut self, pass: u64) {
        while let Some((ended, _)) = self.ended.front()
            && *ended < pass
            && let Some((_, held)) = self.ended.pop_front()
        {
            self.settle(&held, Fate::Dropped);
        }
    }

    /// Seals the fate of a trace that has waited.
    fn settle(&mut self, held: &Held, fate: Fate) -> Option<Waiting> {
        let waiting = self.waiting.remove(&held.0.number)?;
        held.0.fate.set(fate);
        self.bytes -= waiting.bytes;
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Progress, Run, RunId},
        redact::Content,
    };

    fn to(client: u16) -> Route {
        Route { client, content: Content::Full, left_out: 0 }
    }

    fn change(n: u128) -> RunChange {
        RunChange::End(Box::new(Run { id: RunId::from_u128(n), ..Run::default() }))
    }

    #[test]
    fn what_waited_goes_out_in_order_and_the_rest_follows() {
        let mut tentative = Tentative { max_bytes: 1 << 20, ..Tentative::default() };
        let held = tentative.hold(1);
        assert_eq!(tentative.take(&held, to(7), change(1)), None);
        assert_eq!(tentative.take(&held, to(7), change(2)), None);
        assert_eq!(tentative.keep(&held), [(to(7), change(1)), (to(7), change(2))]);
        assert_eq!(tentative.take(&held, to(7), change(3)), Some(change(3)));
        tentative.ended_well(&held, 1, 0);
        tentative.drop_ended_before(9);
        assert_eq!(tentative.take(&held, to(7), change(4)), Some(change(4)));
        assert_eq!((tentative.bytes(), tentative.keep(&held)), (0, Vec::new()));
    }

    #[test]
    fn what_fails_after_the_root_was_read_is_kept_for_a_while() {
        let mut tentative = Tentative { max_bytes: 1 << 20, ..Tentative::default() };
        let [kept, dropped] = [1, 2].map(|root| {
            let held = tentative.hold(root);
            assert_eq!(tentative.take(&held, to(0), change(root.into())), None);
            tentative.ended_well(&held, 99, 5);
            tentative.ended_well(&held, root, 5);
            held
        });
        tentative.drop_ended_before(5);
        assert_eq!(tentative.keep(&kept).len(), 1);
        tentative.drop_ended_before(6);
        assert_eq!((tentative.keep(&dropped), tentative.bytes()), (Vec::new(), 0));
        assert_eq!(tentative.take(&dropped, to(0), change(3)), None);
        assert!(!tentative.wants_passes());
    }

    #[test]
    fn the_oldest_makes_room() {
        let each = weight(&change(0));
        let mut tentative = Tentative { max_bytes: 3 * each, ..Tentative::default() };
        let held = [1, 2, 3].map(|root| tentative.hold(root));
        for held in &held {
            assert_eq!(tentative.take(held, to(0), change(0)), None);
        }
        assert_eq!(tentative.take(&held[2], to(0), change(0)), None);
        assert_eq!(held.each_ref().map(|held| tentative.keep(held).len()), [0, 1, 2]);
        assert_eq!(tentative.take(&held[0], to(0), change(0)), None);
        // One that is larger than all the room goes, too.
        let large = tentative.hold(4);
        for _ in 0..4 {
            assert_eq!(tentative.take(&large, to(0), change(0)), None);
        }
        assert_eq!((tentative.keep(&large).len(), tentative.bytes()), (0, 0));
    }

    #[test]
    fn live_text_does_not_wait() {
        let mut tentative = Tentative { max_bytes: 1 << 20, ..Tentative::default() };
        let held = tentative.hold(1);
        let id = RunId::from_u128(1);
        let progress = || RunChange::Progress(Progress { id, trace_id: id, time: 0, chunks: 1, outputs: None });
        assert_eq!(tentative.take(&held, to(0), progress()), None);
        assert_eq!(tentative.keep(&held), []);
        assert_eq!(tentative.take(&held, to(0), progress()), Some(progress()));
    }
}
