//! What tests of all backends over a network share: a server, a spool in memory, and runs.
#![allow(clippy::unwrap_used)]

mod server;

use std::{
    io,
    sync::{Arc, Mutex},
};

use traceable_core::{
    delivery::{Delivery, Entry, Identity, Limits, Link, Mark, Source, Standing},
    model::{Json, Run, RunChange, RunId},
};

pub(crate) use self::server::{Received, Reply, Server};
use crate::http::{self, Backend};

/// A spool in memory.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    given: usize,
    done: Mark,
    buried: Vec<Mark>,
    standings: Vec<Standing>,
}

impl Source for Memory {
    fn next(&mut self, max_changes: usize, _: usize) -> io::Result<Vec<Entry>> {
        let mut kept = self.kept.lock().unwrap();
        let entries: Vec<Entry> = kept.entries[kept.given..].iter().take(max_changes).cloned().collect();
        kept.given += entries.len();
        Ok(entries)
    }

    fn passed(&self) -> u64 {
        self.kept.lock().unwrap().done.0
    }

    fn done(&mut self, mark: Mark) -> io::Result<()> {
        self.kept.lock().unwrap().done = mark;
        Ok(())
    }

    fn bury(&mut self, entries: &[Entry], _: &str) -> io::Result<()> {
        self.kept.lock().unwrap().buried.extend(entries.iter().map(|entry| entry.mark));
        Ok(())
    }

    fn note(&mut self, standing: &Standing) -> io::Result<()> {
        self.kept.lock().unwrap().standings.push(standing.clone());
        Ok(())
    }
}

impl Memory {
    pub(crate) fn of(changes: impl IntoIterator<Item = RunChange>) -> Self {
        let entry = |(n, change)| Entry { mark: Mark(n), change, bytes: 1_000, announced: false };
        let memory = Self::default();
        memory.kept.lock().unwrap().entries = (1..).zip(changes).map(entry).collect();
        memory
    }

    pub(crate) fn announced(self, n: usize) -> Self {
        self.kept.lock().unwrap().entries[n].announced = true;
        self
    }

    pub(crate) fn is_done(&self) -> bool {
        let kept = self.kept.lock().unwrap();
        kept.entries.last().is_none_or(|last| last.mark == kept.done)
    }

    pub(crate) fn buried(&self) -> Vec<u64> {
        self.kept.lock().unwrap().buried.iter().map(|mark| mark.0).collect()
    }

    /// Changes that the backend refused, as was noted last.
    pub(crate) fn refused(&self) -> u64 {
        self.kept.lock().unwrap().standings.last().map_or(0, |standing| standing.refused)
    }

    /// What was noted of the backend's answers, each as often as it came.
    pub(crate) fn answers(&self) -> Vec<String> {
        self.kept.lock().unwrap().standings.iter().map(|standing| standing.last_answer.clone()).collect()
    }
}

/// Delivers everything, on this runtime.
pub(crate) async fn deliver(backend: impl Backend, identity: Identity, limits: Limits, memory: &Memory) {
    let link = Arc::new(Link::default());
    link.appended(memory.kept.lock().unwrap().entries.len() as u64);
    link.hurry();
    let delivery = Delivery::new(identity, limits, Box::new(memory.clone()), Arc::clone(&link));
    let delivering = tokio::spawn(http::deliver(Arc::new(backend), delivery));
    while !memory.is_done() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    link.close();
    delivering.await.unwrap();
}

pub(crate) fn run(n: u128) -> Run {
    let id = RunId::from_u128(n);
    Run {
        id,
        trace_id: id,
        name: format!("run {n}").into(),
        start_time: 1_000_000,
        end_time: Some(2_000_000),
        inputs: Json::parse(r#"{"question":"why?"}"#).ok(),
        ..Run::default()
    }
}

/// So many runs that have ended.
pub(crate) fn runs(count: u128) -> Memory {
    Memory::of((1..=count).map(|n| RunChange::End(Box::new(run(n)))))
}
