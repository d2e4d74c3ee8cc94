//! Which run stands below which, and what is drawn left of each.

use std::collections::{HashMap, HashSet};

use traceable_core::model::{RunId, Usage};

use super::entry::Entry;

/// Which run stands below which.
pub(super) struct Forest {
    /// The run that all others stand below.
    pub(super) head: Option<usize>,
    children: Vec<Vec<usize>>,
    /// Those that stand below nothing.
    tops: Vec<usize>,
    parents: Vec<Option<usize>>,
}

impl Forest {
    /// The forest of runs that are sorted already. A run whose parent is not here stands below the head.
    pub(super) fn of(entries: &[&Entry], with_head: bool) -> Self {
        let head = entries.iter().position(|entry| entry.parent.is_none()).filter(|_| with_head);
        let places: HashMap<RunId, usize> = entries.iter().enumerate().map(|(i, entry)| (entry.id, i)).collect();
        let parent_of = |(i, entry): (usize, &&Entry)| {
            let parent = entry.parent.and_then(|id| places.get(&id).copied()).filter(|parent| *parent != i);
            if Some(i) == head { None } else { parent.or(head) }
        };
        let mut parents: Vec<Option<usize>> = entries.iter().enumerate().map(parent_of).collect();
        cut_cycles(&mut parents, head);
        let mut children = vec![Vec::new(); entries.len()];
        let mut tops = Vec::new();
        for (i, parent) in parents.iter().enumerate() {
            parent.map_or(&mut tops, |parent| &mut children[parent]).push(i);
        }
        Self { head, children, tops, parents }
    }

    /// The lines from top to bottom. Without a stack of calls: a trace may be ten thousand runs deep.
    pub(super) fn rows(&self, widest: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.parents.len());
        // For each level above the run: whether its rail goes on below.
        let mut rails: Vec<bool> = Vec::new();
        let below_label = self.head.is_none();
        let mut stack: Vec<(usize, usize, bool)> = Vec::new();
        let push = |stack: &mut Vec<_>, runs: &[usize], depth| {
            let last = runs.len();
            stack.extend(runs.iter().enumerate().rev().map(|(i, run)| (*run, depth, i + 1 < last)));
        };
        push(&mut stack, &self.tops, usize::from(below_label));
        while let Some((run, depth, goes_on)) = stack.pop() {
            rails.truncate(depth.saturating_sub(1));
            if depth > 0 {
                rails.push(goes_on);
            }
            let has_children = !self.children[run].is_empty();
            rows.push(Row::new(run, &rails, has_children, widest));
            push(&mut stack, &self.children[run], depth + 1);
        }
        rows
    }

    /// Tokens and cost, each counted once: a step that repeats the usage of a run below it does not count.
    pub(super) fn spent(&self, entries: &[&Entry]) -> (u64, Option<f64>) {
        let has_usage = |i: usize| entries[i].usage.as_ref().is_some_and(|usage: &Usage| !usage.is_empty());
        let mut repeats = HashSet::new();
        for i in (0..entries.len()).filter(|i| has_usage(*i)) {
            let mut above = self.parents[i];
            while let Some(parent) = above.filter(|parent| repeats.insert(*parent)) {
                above = self.parents[parent];
            }
        }
        let counted = (0..entries.len()).filter(|i| !repeats.contains(i)).map(|i| entries[i]);
        counted.fold((0, None), |(tokens, cost), entry| {
            (entry.total_tokens().saturating_add(tokens), add(cost, entry.cost()))
        })
    }

    /// Whether a run only passes on the error of one below it, which is printed there.
    pub(super) fn error_is_below(&self, entries: &[&Entry], run: usize) -> bool {
        self.children[run].iter().any(|child| entries[*child].error == entries[run].error)
    }
}

/// Parents that lead in a circle, which no run of ours does, would never be printed.
fn cut_cycles(parents: &mut [Option<usize>], head: Option<usize>) {
    let mut seen = vec![0; parents.len()];
    for start in 0..parents.len() {
        let mut at = start;
        while seen[at] == 0 {
            seen[at] = start + 1;
            let Some(parent) = parents[at] else { break };
            if seen[parent] == start + 1 {
                parents[at] = head;
                break;
            }
            at = parent;
        }
    }
}

/// The sum of what is known.
pub(super) fn add(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// A run's place on the page.
pub(super) struct Row {
    pub(super) entry: usize,
    /// What stands left of the run's mark.
    pub(super) before: String,
    /// What stands left of the lines that belong to the run.
    pub(super) under: String,
}

impl Row {
    fn new(entry: usize, rails: &[bool], has_children: bool, widest: usize) -> Self {
        let levels = (widest / 3).max(2);
        let hidden = rails.len().saturating_sub(levels);
        let mut before = String::from(if hidden > 0 { "… " } else { "" });
        let mut under = String::from(if hidden > 0 { "  " } else { "" });
        let shown = &rails[hidden..];
        for (i, goes_on) in shown.iter().enumerate() {
            let rail = if *goes_on { "│  " } else { "   " };
            under.push_str(rail);
            before.push_str(match (i + 1 == shown.len(), goes_on) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, _) => rail,
            });
        }
        under.push_str(if has_children { "│ " } else { "  " });
        Self { entry, before, under }
    }
}
