//! What has changed, told to whoever looks at it, as soon as it is committed.
//!
//! The last commits are kept once, for all. A reader has nothing but the number of the last commit that it was told of: it
//! asks for what came since, put together. So a slow reader costs no memory, and a burst is one answer. When what came since
//! is no longer known, the answer is that everything must be looked at again.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use traceable_core::model::{RunChange, RunId, ScoreTarget};
use traceable_store::{Ingested, Store};

use crate::print::now;

/// Commits that are kept.
const COMMITS: usize = 256;

/// Ids that are kept of a commit, and that are said at once, of each kind.
const IDS: usize = 200;

/// Scores of a commit whose trace is looked up.
const SCORES: usize = 50;

/// Readers at once, of the connections that there are.
const READERS: usize = 64;

/// What has changed lately.
#[derive(Debug)]
pub(crate) struct Live {
    lately: Mutex<Lately>,
    news: watch::Sender<News>,
    places: Arc<Semaphore>,
}

/// What wakes readers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct News {
    n: u64,
    /// Whether the server is about to stop.
    pub(crate) is_over: bool,
}

#[derive(Debug)]
struct Lately {
    /// The number of the last commit.
    n: u64,
    /// What the last commits changed, up to that one.
    commits: VecDeque<Commit>,
}

#[derive(Debug, Default)]
struct Commit {
    traces: BTreeSet<RunId>,
    /// The trace and the id of each run whose stream went on.
    running: BTreeSet<(RunId, RunId)>,
    /// Whether there was more.
    is_cut: bool,
}

/// What commits have changed, put together.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Changed {
    /// The number of the last of them.
    pub(crate) n: u64,
    /// Traces of which more is known, or less.
    pub(crate) traces: BTreeSet<RunId>,
    /// Open runs whose stream went on.
    pub(crate) running: BTreeSet<RunId>,
    /// Whether there was more than is named here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) more: bool,
}

/// What a reader is answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nothing that it asked for, up to this commit.
    Nothing(u64),
    Changed(Changed),
    /// What came since is no longer known; this is the last commit.
    Lost(u64),
}

impl Default for Live {
    fn default() -> Self {
        // Numbers of a server that is gone must not look like numbers of this one.
        let n = u64::try_from(now() / 1_000).unwrap_or_default();
        Self {
            lately: Mutex::new(Lately { n, commits: VecDeque::new() }),
            news: watch::Sender::new(News { n, is_over: false }),
            places: Arc::new(Semaphore::new(READERS)),
        }
    }
}

impl Live {
    /// Tells what became of these changes.
    pub(crate) fn tell(&self, store: &Store, changes: &[RunChange], ingested: &Ingested) {
        let mut commit = Commit::default();
        commit.traces.extend(ingested.traces.iter().take(IDS));
        commit.is_cut = ingested.traces.len() > IDS;
        let progressed: BTreeSet<RunId> = ingested.progressed.iter().copied().collect();
        let mut scores = 0;
        let mut is_news = !ingested.traces.is_empty();
        for change in changes {
            match change {
                RunChange::Progress(progress) if progressed.contains(&progress.id) => {
                    commit.is_cut |= commit.running.len() >= IDS;
                    if commit.running.len() < IDS {
                        commit.running.insert((progress.trace_id, progress.id));
                    }
                    is_news = true;
                }
                RunChange::Score(given) => {
                    is_news = true;
                    scores += 1;
                    commit.is_cut |= scores > SCORES;
                    let of = match given.target {
                        ScoreTarget::Trace(trace) => Some(trace),
                        ScoreTarget::Run(run) if scores <= SCORES => {
                            store.row(run).ok().flatten().map(|row| row.trace_id)
                        }
                        _ => None,
                    };
                    commit.traces.extend(of.filter(|_| scores <= SCORES));
                }
                RunChange::Thread(_) | RunChange::User(_) => is_news = true,
                _ => {}
            }
        }
        if is_news {
            self.push(commit);
        }
    }

    /// Tells that anything may have changed.
    pub(crate) fn tell_all(&self) {
        self.push(Commit { is_cut: true, ..Commit::default() });
    }

    /// Ends all readers.
    pub(crate) fn end(&self) {
        self.news.send_modify(|news| news.is_over = true);
    }

    /// The number of the last commit. Who asks for it, reads the store, and then asks for what came since, misses nothing.
    pub(crate) fn n(&self) -> u64 {
        self.lately().n
    }

    /// A place for one more reader, if there is one.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Says when something is new.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// What came after a commit, of all traces or of one.
    pub(crate) fn since(&self, seen: u64, trace: Option<RunId>) -> Since {
        let lately = self.lately();
        let n = lately.n;
        let missed = n.checked_sub(seen).and_then(|missed| usize::try_from(missed).ok());
        let Some(first) = missed.and_then(|missed| lately.commits.len().checked_sub(missed)) else {
            return Since::Lost(n);
        };
        let mut changed = Changed { n, ..Changed::default() };
        let is_wanted = |of: &RunId| trace.is_none_or(|trace| trace == *of);
        let mut is_news = false;
        for commit in lately.commits.iter().skip(first) {
            let traces = commit.traces.iter().filter(|id| is_wanted(id)).copied();
            let running = commit.running.iter().filter(|(of, _)| is_wanted(of)).map(|(_, run)| *run);
            is_news |= trace.is_none() || commit.is_cut;
            changed.more |= commit.is_cut | add(&mut changed.traces, traces) | add(&mut changed.running, running);
        }
        is_news |= !changed.traces.is_empty() || !changed.running.is_empty();
        if is_news { Since::Changed(changed) } else { Since::Nothing(n) }
    }

    fn push(&self, commit: Commit) {
        let mut lately = self.lately();
        lately.n += 1;
        if lately.commits.len() == COMMITS {
            lately.commits.pop_front();
        }
        lately.commits.push_back(commit);
        let n = lately.n;
        drop(lately);
        self.news.send_modify(|news| news.n = news.n.max(n));
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds ids as long as there is room. Answers whether some were left out.
fn add(to: &mut BTreeSet<RunId>, ids: impl Iterator<Item = RunId>) -> bool {
    let mut is_cut = false;
    for id in ids {
        if to.len() < IDS {
            to.insert(id);
        } else {
            is_cut |= !to.contains(&id);
        }
    }
    is_cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(traces: impl IntoIterator<Item = u128>) -> Commit {
        Commit { traces: traces.into_iter().map(RunId::from_u128).collect(), ..Commit::default() }
    }

    fn traces(live: &Live, seen: u64, trace: Option<u128>) -> Option<Vec<u128>> {
        match live.since(seen, trace.map(RunId::from_u128)) {
            Since::Changed(changed) => Some(changed.traces.into_iter().map(RunId::as_u128).collect()),
            Since::Nothing(n) => {
                assert_eq!(n, live.n());
                Some(Vec::new())
            }
            Since::Lost(n) => {
                assert_eq!(n, live.n());
                None
            }
        }
    }

    #[test]
    fn a_reader_is_told_what_came_since_put_together() {
        let live = Live::default();
        let start = live.n();
        assert_eq!(live.since(start, None), Since::Nothing(start));
        live.push(of([2]));
        live.push(of([1, 2]));
        assert_eq!(traces(&live, start, None), Some(vec![1, 2]));
        assert_eq!(traces(&live, start, Some(1)), Some(vec![1]));
        assert_eq!(traces(&live, start, Some(3)), Some(vec![]));
        assert_eq!(traces(&live, start + 2, None), Some(vec![]));
        live.tell_all();
        let Since::Changed(changed) = live.since(start, Some(RunId::from_u128(3))) else { panic!("news") };
        assert!(changed.more && changed.traces.is_empty());
    }

    #[test]
    fn who_is_too_late_or_of_another_server_must_look_again() {
        let live = Live::default();
        let start = live.n();
        assert_eq!(traces(&live, start + 1, None), None);
        assert_eq!(traces(&live, start - 1, None), None);
        for n in 0..COMMITS {
            live.push(of([n as u128]));
        }
        assert!(traces(&live, start, None).is_some());
        live.push(of([0]));
        assert_eq!(traces(&live, start, None), None);
        assert!(traces(&live, start + 1, None).is_some());
    }

    #[test]
    fn what_is_said_at_once_is_bounded() {
        let live = Live::default();
        let start = live.n();
        live.push(of(0..IDS as u128));
        live.push(of([0]));
        let Since::Changed(changed) = live.since(start, None) else { panic!("news") };
        assert!(!changed.more);
        live.push(of([IDS as u128]));
        let Since::Changed(changed) = live.since(start, None) else { panic!("news") };
        assert!(changed.more);
        assert_eq!(changed.traces.len(), IDS);
    }
}
