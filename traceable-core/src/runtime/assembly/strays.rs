//! Runs that began a trace of their own by what looks like an accident: most likely the current run was lost on the way
//! to another task or thread. Only debug builds look for them, and it is no more than a hint.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::site::Site;

/// How many ended roots are looked at when another root began in their time.
const PAST_ROOTS: usize = 16;

/// Kinds of work that are a step of something.
const STEPS: [&str; 8] = ["llm", "tool", "retriever", "embedding", "prompt", "parser", "reranker", "guardrail"];

/// See the module.
#[derive(Default)]
pub(super) struct Strays {
    /// Open roots, by site.
    open: HashMap<u32, u32>,
    /// The last roots that ended: site, start, end.
    past: VecDeque<(u32, i64, i64)>,
    /// Sites that have been part of another run.
    inner: HashSet<u32>,
    found: Vec<&'static Site>,
}

impl Strays {
    /// Notes a run that began. A root is a stray when its site is otherwise part of other runs, or does one step's work,
    /// while another trace is open.
    pub(super) fn started(&mut self, site: &'static Site, number: u32, start: i64, is_root: bool) {
        if !is_root {
            self.inner.insert(number);
            return;
        }
        let open = self.open.iter().any(|(&other, &open)| open > 0 && other != number);
        let past = self.past.iter().any(|&(other, from, to)| other != number && (from..to).contains(&start));
        let step = STEPS.contains(&site.run_type) || self.inner.contains(&number);
        let known = self.open.contains_key(&number);
        if (open || past) && step && !known {
            self.found.push(site);
        }
        *self.open.entry(number).or_default() += 1;
    }

    /// Notes a root that ended.
    pub(super) fn ended(&mut self, number: u32, start: i64, end: i64) {
        if let Some(open) = self.open.get_mut(&number) {
            *open = open.saturating_sub(1);
        }
        self.past.push_front((number, start, end));
        self.past.truncate(PAST_ROOTS);
    }

    /// The sites found since the last time, each once in a process.
    pub(super) fn take(&mut self) -> Vec<&'static Site> {
        std::mem::take(&mut self.found)
    }
}
