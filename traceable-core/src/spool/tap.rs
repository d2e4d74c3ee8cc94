//! What one backend is sent: what this process appends, and what processes of the same program left behind.

use std::{
    collections::{HashSet, VecDeque},
    io, mem,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    ack::{self, Ack},
    layout::{Meta, nanos},
    shared::{Adopted, Shared},
    track::Track,
};
use crate::{
    delivery::{Entry, Mark, Source, Standing, Wants},
    model::RunChange,
    restrict::Rules,
    runtime::{Orphaned, lock},
};

/// How often it is looked for directories that processes left behind.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Bytes of a folder of what was refused for good.
const MAX_DEAD: u64 = 50 << 20;

/// See the module.
pub(super) struct Tap {
    shared: Arc<Shared>,
    at: usize,
    wants: Wants,
    orphans: Orphans,
    /// The last mark that was given.
    mark: Mark,
    own: Option<Track>,
    /// Entries that were read and not given out, for they did not fit.
    held: Option<Entry>,
    orphan: Option<Orphan>,
    /// Directories to look into.
    candidates: VecDeque<String>,
    /// Directories that have nothing for this backend, or not any more.
    finished: HashSet<String>,
    next_look: Option<Instant>,
    /// Whose turn it is when there is something in both.
    is_orphans_turn: bool,
}

/// Of what processes left behind that have died, what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Orphans {
    /// What processes of this program recorded for this backend.
    #[default]
    Own,
    /// What any program recorded for this backend.
    Meant,
    /// What any program recorded, also for other backends or for none, as far as no backend has it.
    All,
}

/// The directory of a process that died.
struct Orphan {
    adopted: Arc<Adopted>,
    track: Track,
    /// What it wanted to be replaced for this backend, where this process does not do so anyway.
    rules: Rules,
}

/// Which of the two is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Own,
    Orphan,
}

impl Tap {
    pub(super) fn new(shared: Arc<Shared>, at: usize, wants: Wants, orphans: Orphans) -> Self {
        Self {
            shared,
            at,
            wants,
            orphans,
            mark: Mark::default(),
            own: None,
            held: None,
            orphan: None,
            candidates: VecDeque::new(),
            finished: HashSet::new(),
            next_look: None,
            is_orphans_turn: false,
        }
    }

    fn label(&self) -> &str {
        &self.shared.labels[self.at]
    }

    fn own(&mut self) -> &mut Track {
        let Self { shared, at, wants, own, .. } = self;
        own.get_or_insert_with(|| Track::of_own(shared, *at, *wants, shared.dir().as_deref()))
    }

    /// What comes next on one side, within these bounds.
    fn fill(&mut self, side: Side, out: &mut Vec<Entry>, max_changes: usize, max_bytes: usize) -> io::Result<()> {
        let mut bytes = 0;
        while out.len() < max_changes.max(1) {
            let entry = match self.held.take() {
                Some(held) => Some(held),
                None => self.next_of(side)?,
            };
            let Some(entry) = entry else { break };
            if !out.is_empty() && bytes + entry.bytes > max_bytes {
                self.held = Some(entry);
                break;
            }
            bytes += entry.bytes;
            out.push(entry);
        }
        Ok(())
    }

    fn next_of(&mut self, side: Side) -> io::Result<Option<Entry>> {
        let mut mark = self.mark;
        let next = match side {
            Side::Own => self.own().next_of_own(&mut mark),
            Side::Orphan => self.next_of_orphans(&mut mark),
        };
        self.mark = mark;
        next
    }

    fn next_of_orphans(&mut self, mark: &mut Mark) -> io::Result<Option<Entry>> {
        loop {
            if self.orphan.is_none() && !self.adopt() {
                return Ok(None);
            }
            let Some(orphan) = &mut self.orphan else { return Ok(None) };
            let next = orphan.track.next_of_dead(mark);
            orphan.adopted.read[self.at].store(orphan.track.read(), Ordering::Release);
            match next {
                Ok(None) if !orphan.track.is_waiting() => {
                    orphan.track.write_ack(true)?;
                    self.finished.insert(orphan.adopted.name.clone());
                    self.orphan = None;
                }
                // Others may be read meanwhile. This one is looked at again later, and nothing of it is given out twice.
                Err(_) if !orphan.track.is_waiting() && orphan.track.write_ack(false).is_ok() => self.orphan = None,
                Ok(Some(mut entry)) => {
                    orphan.rules.apply(&mut entry.change);
                    return Ok(Some(entry));
                }
                next => return next,
            }
        }
    }

    /// Takes the next directory that has something for this backend. Answers whether there is one.
    fn adopt(&mut self) -> bool {
        let now = Instant::now();
        if self.candidates.is_empty() && self.next_look.is_none_or(|next| next <= now) {
            self.next_look = Some(now + LOOK_EVERY);
            self.look();
        }
        while let Some(name) = self.candidates.pop_front() {
            // What fails is held by somebody, or being removed.
            if let Ok(Some(orphan)) = self.try_adopt(&name) {
                self.orphan = Some(orphan);
                return true;
            }
        }
        false
    }

    fn look(&mut self) {
        let Some(spools) = &self.shared.spools else { return };
        let mut names = self.shared.disk.names(spools).unwrap_or_default();
        names.retain(|name| *name != self.shared.name);
        names.sort_unstable();
        let there: HashSet<&String> = names.iter().collect();
        self.finished.retain(|name| there.contains(name));
        names.retain(|name| !self.finished.contains(name));
        self.candidates = names.into();
    }

    fn try_adopt(&mut self, name: &str) -> io::Result<Option<Orphan>> {
        let Some(dir) = self.shared.spools.as_ref().map(|spools| spools.join(name)) else { return Ok(None) };
        let disk = &*self.shared.disk;
        let identity = &self.shared.settings.destinations[self.at];
        let meta = Meta::read(disk, &dir)?;
        let is_meant = meta.destinations.contains(identity);
        // One program never sends what another one recorded, with its own key and to a place of its own, unless somebody
        // says so.
        let is_ours = match self.orphans {
            Orphans::Own => is_meant && meta.executable == self.shared.settings.executable,
            Orphans::Meant => is_meant,
            Orphans::All => true,
        };
        if !is_ours || (is_meant && Ack::read(disk, &ack::path(&dir, self.label()))?.is_complete) {
            self.finished.insert(name.to_owned());
            return Ok(None);
        }
        let Some(rules) = self.rules(&meta) else {
            self.finished.insert(name.to_owned());
            return Ok(None);
        };
        let Some(adopted) = self.shared.adopt(name)? else { return Ok(None) };
        if !is_meant && !self.shared.mean_also(self.at, &dir)? {
            self.finished.insert(name.to_owned());
            return Ok(None);
        }
        let track = Track::of_dead(&self.shared, self.at, self.wants, &dir)?;
        Ok(Some(Orphan { adopted, track, rules }))
    }

    /// What is to be replaced in what a process left. `None` where only its program can do so.
    fn rules(&self, meta: &Meta) -> Option<Rules> {
        let settings = &self.shared.settings;
        let written = meta.redactions(&settings.destinations[self.at]);
        let own = settings.redactions.get(self.at).map_or(&[][..], Vec::as_slice);
        let is_own_program = meta.executable == settings.executable;
        if is_own_program && written == own { Some(Rules::default()) } else { Rules::read(written, is_own_program) }
    }

    fn tracks(&mut self) -> impl Iterator<Item = &mut Track> {
        self.own.iter_mut().chain(self.orphan.as_mut().map(|orphan| &mut orphan.track))
    }

    /// A directory to write to, for what is about no change: the own one, else that of the process that is adopted.
    fn any_dir(&self) -> Option<PathBuf> {
        let own = lock(&self.shared.lock).is_some();
        self.shared.dir().filter(|_| own).or_else(|| Some(self.orphan.as_ref()?.adopted.dir.clone()))
    }
}

impl Source for Tap {
    fn next(&mut self, max_changes: usize, max_bytes: usize) -> io::Result<Vec<Entry>> {
        // What is held is the end of what was read last, so that side goes on; marks must grow.
        if self.held.is_none() {
            self.is_orphans_turn = !self.is_orphans_turn;
        }
        let sides = if self.is_orphans_turn { [Side::Orphan, Side::Own] } else { [Side::Own, Side::Orphan] };
        let mut out = Vec::new();
        let mut failed = None;
        for side in sides {
            let filled = self.fill(side, &mut out, max_changes, max_bytes);
            if !out.is_empty() {
                self.is_orphans_turn = side == Side::Orphan;
                return Ok(out);
            }
            failed = failed.or(filled.err());
        }
        // What was left out since may be written down now.
        for track in self.tracks() {
            if !track.is_waiting() {
                let _ = track.write_ack(false);
            }
        }
        failed.map_or(Ok(out), Err)
    }

    fn passed(&self) -> u64 {
        self.own.as_ref().map_or(0, Track::delivered)
    }

    fn done(&mut self, mark: Mark) -> io::Result<()> {
        let mut outcome = Ok(());
        for track in self.tracks() {
            track.done(mark);
            outcome = outcome.and(track.write_ack(false));
        }
        outcome
    }

    fn bury(&mut self, entries: &[Entry], answer: &str) -> io::Result<()> {
        #[derive(Serialize)]
        struct Dead<'a> {
            answer: &'a str,
            changes: Vec<&'a RunChange>,
        }

        let Some(first) = entries.first() else { return Ok(()) };
        let given_by = self.tracks().find(|track| track.has_given(first.mark)).map(|track| track.dir().to_owned());
        let dir = given_by.filter(|dir| self.shared.disk.stat(dir).is_ok()).or_else(|| self.any_dir());
        let Some(dir) = dir else { return Err(io::Error::other("nothing can be written")) };
        let dead = Dead { answer, changes: entries.iter().map(|entry| &entry.change).collect() };
        let bytes = serde_json::to_vec(&dead)?;
        let folder = dir.join(format!("dead-{}", self.label()));
        let disk = &*self.shared.disk;
        disk.make_dir(&folder)?;
        make_room(&self.shared, &folder, bytes.len() as u64)?;
        disk.replace(&folder.join(format!("{:020}-{}.json", nanos(disk.now()), first.mark.0)), &bytes)
    }

    fn note(&mut self, standing: &Standing) -> io::Result<()> {
        let Some(dir) = self.any_dir() else { return Ok(()) };
        let path = dir.join(format!("state-{}", self.label()));
        self.shared.disk.replace(&path, &serde_json::to_vec(standing)?)
    }
}

impl Orphaned for Tap {
    fn is_at_end(&self) -> bool {
        self.next_look.is_some() && self.candidates.is_empty() && self.orphan.is_none() && self.held.is_none()
    }
}

/// Removes the oldest of what was refused until so many bytes fit.
fn make_room(shared: &Shared, folder: &Path, bytes: u64) -> io::Result<()> {
    let disk = &*shared.disk;
    let mut names = disk.names(folder)?;
    names.sort_unstable();
    let sizes: Vec<u64> = names.iter().map(|name| disk.stat(&folder.join(name)).map_or(0, |file| file.bytes)).collect();
    let mut total: u64 = sizes.iter().sum();
    for (name, size) in names.iter().zip(sizes) {
        if total + bytes <= MAX_DEAD {
            break;
        }
        disk.remove(&folder.join(name))?;
        total -= size;
    }
    Ok(())
}

impl Drop for Tap {
    /// What was left out behind the last change need not be looked at by the next process.
    fn drop(&mut self) {
        for track in [mem::take(&mut self.own), self.orphan.take().map(|orphan| orphan.track)].into_iter().flatten() {
            let mut track = track;
            let _ = track.write_ack(false);
        }
    }
}
