//! Records in, changes out: puts the parts of each run together. Pure: no clock, no thread, no I/O.
//!
//! Records of one run come from several threads, in the order of their times. That may fail where two have one time, or
//! where a log holds traces of several clocks. So a record that is read before the start that it belongs to waits for one
//! more pass, by the end of which that start has been read, for the thread that wrote the record had seen the start.

mod files;
mod open;
mod said;
mod strays;
mod tentative;

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use self::{
    open::{Entry, Open},
    strays::Strays,
    tentative::{Held, Tentative},
};
use super::{
    counters::{self, Reason},
    run_id,
};
use crate::{
    attachments,
    export::weight,
    model::{DottedOrder, Progress, Run, RunChange, RunType, SourceLocation, Status},
    record::{self, Key, Record},
    redact::Content,
    restrict::{Filters, LeftOut},
    site::{self, Site},
    sync::Arc,
};

/// A run that is still open after this long is announced, in nanoseconds.
const ANNOUNCE_AFTER: i64 = 20_000_000;
/// How often an open stream's text is sent to live views, in nanoseconds.
const PROGRESS_EVERY: i64 = 250_000_000;
/// Passes that a run is remembered for that ended in another log than it began in, so that what is said of it in a log
/// that is read later still finds it.
const REMEMBER_PASSES: u64 = 2;
/// How many runs are remembered that ended in the log that they began in. Other threads may have spoken of them, too.
const REMEMBER_AT_HOME: usize = 16 << 10;

/// Keys are small consecutive numbers: one multiplication spreads them.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

/// Where a change goes, and how much of it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) client: u16,
    pub(super) content: Content,
    /// The destinations that it is not for, a bit for each.
    pub(super) left_out: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Assembly {
    entries: HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>,
    sites: Vec<&'static Site>,
    /// Runs that are not announced yet, by start.
    unannounced: VecDeque<(Key, i64)>,
    /// Open runs with chunks that live views have not seen.
    streaming: Vec<Key>,
    /// Records that came before what they belong to, with their log and the pass that they came in.
    early: VecDeque<(u64, usize, Vec<u8>)>,
    /// Runs that ended in another log than they began in, by the pass in which they ended.
    ended: VecDeque<(u64, Key)>,
    /// Runs that ended where they began.
    ended_at_home: VecDeque<Key>,
    /// The log that is being read.
    log: usize,
    pass: u64,
    /// Changes with their client, and what their run allows to be sent of it.
    out: Vec<(Route, RunChange)>,
    out_bytes: usize,
    started: u64,
    finished: u64,
    strays: Strays,
    tentative: Tentative,
    /// What destinations are not given, by client.
    pub(super) filters: HashMap<u16, std::sync::Arc<Filters>>,
    left_out: LeftOut,
}

impl Assembly {
    /// Bounds what is held back of traces that are kept only if they fail.
    pub(super) fn bound_held(&mut self, bytes: usize) {
        self.tentative.max_bytes = bytes;
    }

    /// Bytes of changes that are held back.
    pub(super) fn held_bytes(&self) -> usize {
        self.tentative.bytes()
    }

    /// Bytes of changes that wait to be drained.
    pub(super) fn bytes(&self) -> usize {
        self.out_bytes
    }

    /// The changes that are finished.
    pub(super) fn drain(&mut self) -> std::vec::Drain<'_, (Route, RunChange)> {
        self.out_bytes = 0;
        self.out.drain(..)
    }

    /// Whether time alone will make a change.
    pub(super) fn wants_ticks(&self) -> bool {
        !self.unannounced.is_empty()
            || !self.streaming.is_empty()
            || !self.early.is_empty()
            || self.tentative.wants_passes()
    }

    /// Takes a record from the log of this number.
    pub(super) fn take(&mut self, log: usize, bytes: &[u8]) {
        self.log = log;
        if !self.apply_or_drop(bytes, false) {
            self.early.push_back((self.pass, log, bytes.to_vec()));
        }
    }

    /// As [`Assembly::apply`]; what a record that is done with has not become a part of is let go.
    fn apply_or_drop(&mut self, bytes: &[u8], last: bool) -> bool {
        let Some(record) = record::parse(bytes) else { return true };
        let done = self.apply(record, last);
        if done {
            attachments::forget_record(bytes);
        }
        done
    }

    /// Ends a pass over all logs: tries again what came too early, and announces what is open. With `all`, runs are
    /// announced however young they are.
    pub(super) fn end_pass(&mut self, now: i64, all: bool) {
        self.retry();
        self.announce(now, all);
        self.progress(now, all);
        self.forget();
        self.tentative.drop_ended_before(self.pass.saturating_sub(REMEMBER_PASSES));
        self.pass += 1;
        counters::taken(std::mem::take(&mut self.started), std::mem::take(&mut self.finished));
    }

    /// Applies a record. Answers whether what it belongs to was known; with `last`, it makes do without.
    fn apply(&mut self, record: Record<'_>, last: bool) -> bool {
        match record {
            Record::Start { key, parent, start, site, client, tentative, body } => {
                if parent != 0 && !last && !self.entries.contains_key(&parent) {
                    return false;
                }
                self.start(key, parent, start, site, client, body);
                if tentative && let Some(entry) = self.entries.get_mut(&key) {
                    entry.held = Some(self.tentative.hold(key));
                }
            }
            Record::End { key, end, status, body } => {
                if !self.entries.contains_key(&key) {
                    if last {
                        counters::dropped(Reason::NoStart);
                    }
                    return last;
                }
                self.end(key, end, status, body);
            }
            Record::Chunk { key, time, body } => {
                let Some(entry) = self.entries.get_mut(&key) else { return last };
                if entry.open.as_mut().is_some_and(|open| open.take_chunk(time, body)) {
                    self.streaming.push(key);
                }
            }
            Record::Note { key, time, body } => {
                let Some(entry) = self.entries.get_mut(&key) else {
                    if last {
                        counters::dropped(Reason::AfterEnd);
                    }
                    return last;
                };
                match &mut entry.open {
                    Some(open) => {
                        open.noted = time;
                        open.take_items(body);
                        if open.so_far.is_some() {
                            self.streaming.push(key);
                        }
                    }
                    None => {
                        let (route, held, patch) = (entry.route(), entry.held.clone(), entry.patch(body));
                        self.emit(route, held, RunChange::Patch(patch));
                    }
                }
            }
            Record::Retain { key } => return self.handle(key, 1) || last,
            Record::Release { key } => return self.handle(key, -1) || last,
            Record::Remote { key, client, body } => {
                self.entries.insert(key, Entry::remote(client, body));
            }
            Record::Said { kind, client, root, body } => {
                let held = self.entries.get(&root).map(|entry| entry.held.clone());
                if root != 0 && held.is_none() && !last {
                    return false;
                }
                if let Some(change) = said::read(kind, body) {
                    let left_out = self.left_out.of(&change);
                    self.emit(Route { client, content: Content::Full, left_out }, held.flatten(), change);
                }
            }
        }
        true
    }

    fn start(&mut self, key: Key, parent: Key, start: i64, number: u32, client: u16, body: &[u8]) {
        let Some(site) = self.site(number) else { return };
        if cfg!(debug_assertions) {
            self.strays.started(site, number, start, parent == 0);
        }
        let id = run_id(start, key);
        let source = SourceLocation { module: site.module.into(), file: site.file.into(), line: site.line };
        let mut run = Box::new(Run {
            id,
            trace_id: id,
            start_time: start,
            name: site.name.into(),
            run_type: RunType::from(site.run_type),
            source: Some(source),
            ..Run::default()
        });
        let above = self.entries.get(&parent);
        if let Some(above) = above {
            above.pass_down_to(&mut run);
        }
        let mut open = Box::new(Open::new(run, number, self.log));
        open.noted = start;
        open.scope_tags.clone_from(&open.run.tags);
        open.take_items(body);
        let run = &mut open.run;
        if run.parent_id.is_none() {
            run.trace_id = run.id;
        }
        run.dotted_order = match above {
            Some(above) => above.dotted_order_of(run),
            None => DottedOrder::root(run.start_time, run.id),
        };
        let mut left_out = above.map_or(0, |above| above.left_out);
        if let Some(filters) = self.filters.get(&client) {
            left_out = filters.judge(left_out, run);
            counters::filtered(left_out.count_ones().into());
            self.left_out.remember(run.id, left_out);
        }
        let entry = Entry {
            id: run.id,
            trace_id: run.trace_id,
            start: run.start_time,
            dotted_order: Arc::new(run.dotted_order.clone()),
            client,
            left_out,
            content: above.map_or(Content::Full, |above| above.content).max(open.content),
            held: above.and_then(|above| above.held.clone()),
            handles: 0,
            is_run: true,
            inherited: None,
            open: Some(open),
        };
        if let Some(held) = &entry.held {
            self.tentative.started(held);
        }
        self.entries.insert(key, entry);
        self.unannounced.push_back((key, start));
        self.started += 1;
    }

    /// The sites that began a trace by what looks like an accident, each once.
    pub(super) fn take_strays(&mut self) -> Vec<&'static Site> {
        self.strays.take()
    }

    fn site(&mut self, number: u32) -> Option<&'static Site> {
        let at = (number as usize).checked_sub(1)?;
        if at >= self.sites.len() {
            self.sites.extend(site::registered_after(self.sites.len()));
        }
        self.sites.get(at).copied()
    }

    fn end(&mut self, key: Key, end: i64, status: Status, body: &[u8]) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(mut open) = entry.open.take() else { return };
        open.take_items(body);
        open.finish(end, status);
        entry.inherited = open.inherited();
        let (route, held) = (entry.route(), entry.held.clone());
        if cfg!(debug_assertions) && open.run.parent_id.is_none() {
            self.strays.ended(open.site, open.run.start_time, end);
        }
        if open.log == self.log {
            self.ended_at_home.push_back(key);
            if self.ended_at_home.len() > REMEMBER_AT_HOME
                && let Some(oldest) = self.ended_at_home.pop_front()
            {
                self.forget_one(oldest);
            }
        } else {
            self.ended.push_back((self.pass, key));
        }
        self.finished += 1;
        let failed = open.run.status == Status::Error;
        if let (Some(held), true) = (&held, failed) {
            for (route, change) in self.tentative.keep(held) {
                self.emit(route, None, change);
            }
        } else if let Some(held) = &held {
            self.tentative.ended_well(held, key, self.pass);
        }
        self.emit(route, held, RunChange::End(open.run));
    }

    fn handle(&mut self, key: Key, by: i32) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        entry.handles += by;
        if entry.open.is_none() && entry.handles == 0 {
            self.ended.push_back((self.pass, key));
        }
        true
    }

    fn emit(&mut self, route: Route, held: Option<Held>, change: RunChange) {
        let change = match held {
            Some(held) => self.tentative.take(&held, route, change),
            None => Some(change),
        };
        let Some(change) = change else { return };
        self.out_bytes += weight(&change);
        self.out.push((route, change));
    }

    /// Tries again what came too early, for as long as that helps: what waited may be what something else waits for.
    fn retry(&mut self) {
        let mut before = usize::MAX;
        while !self.early.is_empty() && self.early.len() < before {
            before = self.early.len();
            for (pass, log, bytes) in std::mem::take(&mut self.early) {
                let last = pass < self.pass;
                self.log = log;
                if !self.apply_or_drop(&bytes, last) {
                    self.early.push_back((pass, log, bytes));
                }
            }
        }
    }

    fn announce(&mut self, now: i64, all: bool) {
        while let Some(&(key, start)) = self.unannounced.front() {
            let entry = self.entries.get_mut(&key);
            let open = entry.and_then(|entry| {
                let (route, held) = (entry.route(), &entry.held);
                entry.open.as_mut().map(|open| (route, held, open))
            });
            if open.is_some() && !all && now - start < ANNOUNCE_AFTER {
                break;
            }
            self.unannounced.pop_front();
            if let Some((route, held, open)) = open {
                let held = held.clone();
                open.announced = true;
                let run = open.run.clone();
                open.run.inputs = None;
                open.run.attachments = Vec::new();
                self.emit(route, held, RunChange::Start(run));
            }
        }
    }

    fn progress(&mut self, now: i64, all: bool) {
        for key in std::mem::take(&mut self.streaming) {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let Some(open) = &mut entry.open else { continue };
            if !open.announced || (now - open.last_progress < PROGRESS_EVERY && !all) {
                self.streaming.push(key);
                continue;
            }
            open.last_progress = now;
            let (chunks, outputs) = open.answer_so_far();
            let (id, trace_id) = (entry.id, entry.trace_id);
            let progress = Progress { id, trace_id, time: now, chunks, outputs: Some(outputs) };
            let (route, held) = (entry.route(), entry.held.clone());
            self.emit(route, held, RunChange::Progress(progress));
        }
    }

    /// Lets go of runs that nobody can ask for any more.
    fn forget(&mut self) {
        while let Some(&(pass, key)) = self.ended.front()
            && pass + REMEMBER_PASSES < self.pass
        {
            self.ended.pop_front();
            self.forget_one(key);
        }
    }

    fn forget_one(&mut self, key: Key) {
        if self.entries.get(&key).is_some_and(|entry| entry.open.is_none() && entry.handles == 0) {
            self.entries.remove(&key);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Nothing else counts by this reason in this program of tests.
    #[test]
    fn an_end_without_a_start_is_counted_when_its_start_can_come_no_more() {
        let counted = || counters::drops().get("no_start").copied().unwrap_or_default();
        let mut assembly = Assembly::default();
        let end: Vec<u8> = record::end_head(7, 1_000, Status::Ok, &[]).into_iter().flat_map(u64::to_le_bytes).collect();
        assembly.take(0, &end);
        assembly.end_pass(2_000, false);
        assert_eq!(counted(), 0);
        assembly.end_pass(3_000, false);
        assert_eq!((counted(), assembly.wants_ticks()), (1, false));
    }
}
