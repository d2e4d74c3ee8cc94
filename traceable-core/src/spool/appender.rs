//! The writer's side of a spool.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, atomic::Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    disk::Disk,
    keeper::{self, Kept},
    record::{self, Encoded, Kind},
    ring::Waiting,
    segments::Segments,
    settings::Settings,
    shared::{Loss, Reason, Shared},
    std_disk::StdDisk,
    tap::{Orphans, Tap},
};
use crate::{
    delivery::{Identity, Source, Wants},
    model::RunChange,
    runtime::{Orphaned, lock},
};

/// How often writing is tried again while nothing can be written.
const RETRY_EVERY: Duration = Duration::from_secs(30);
/// How often it is looked what may go, at least.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether a thread that looks what may go is done.
const KEPT_EVERY: Duration = Duration::from_millis(50);
/// Bytes that are written at once when there is room again.
const CHUNK: usize = 1 << 20;

/// Files that keep changes until their backends have them. See the module.
///
/// It never fails: what cannot be written waits in memory, within a bound, and is written later.
#[derive(Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    segments: Segments,
    /// The own directory stands.
    is_made: bool,
    /// Why nothing can be written, and when it is tried again.
    trouble: Option<(String, Instant)>,
    /// Reused by every append.
    bytes: Vec<u8>,
    each: Vec<Encoded>,
    next_keep: Instant,
    /// Bytes of segments at which it is looked what may go.
    keep_at: u64,
    /// The thread that looks what may go, and the bytes of segments when it began.
    keeping: Option<(JoinHandle<Option<Kept>>, u64)>,
}

/// What became of changes that were appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Appended {
    /// In a file.
    pub written: usize,
    /// In memory, until there is room.
    pub waiting: usize,
    /// Dropped and counted: too large for a record.
    pub dropped: usize,
}

/// How a spool stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Health {
    /// Where the files are, or will be.
    pub directory: Option<PathBuf>,
    /// Why nothing can be written now.
    pub trouble: Option<String>,
    /// Changes that wait in memory.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// How often what was written could not be forced to the disk.
    pub unsynced: u64,
}

impl State {
    fn is_keep_due(&self, now: Instant) -> bool {
        now >= self.next_keep || self.segments.bytes >= self.keep_at
    }
}

impl Spool {
    /// A spool for this process. Its files are made when there is something to write.
    ///
    /// In the child of a fork make another one, of [`Spool::settings`]; what was inherited is not to be used there.
    pub fn new(settings: Settings) -> Self {
        Self::on(Arc::new(StdDisk), settings)
    }

    /// The same, on another file system.
    pub fn on(disk: Arc<dyn Disk>, settings: Settings) -> Self {
        let now = Instant::now();
        let state = State {
            segments: Segments::new(settings.segment_bytes, settings.durability),
            is_made: false,
            trouble: None,
            bytes: Vec::new(),
            each: Vec::new(),
            next_keep: now,
            keep_at: settings.segment_bytes,
            keeping: None,
        };
        Self { shared: Arc::new(Shared::new(settings, disk)), state: Mutex::new(state) }
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Takes changes, in order.
    pub fn append(&self, changes: &[RunChange]) -> Appended {
        self.append_but(changes, |_| 0)
    }

    /// As [`Spool::append`]; `left_out` says of each change, by its place, which of the spool's backends are not given it: a
    /// bit for each of the first 32, in their order.
    pub fn append_but(&self, changes: &[RunChange], left_out: impl Fn(usize) -> u32) -> Appended {
        let mut state = lock(&self.state);
        let State { bytes, each, .. } = &mut *state;
        bytes.clear();
        each.clear();
        let mut last = self.shared.last.load(Ordering::Relaxed);
        for (at, change) in changes.iter().enumerate() {
            last += 1;
            match record::encode(bytes, last, change, left_out(at)) {
                Ok(encoded) => each.push(encoded),
                Err(_) => self.shared.lose_unread(Reason::TooLarge, last, left_out(at)),
            }
        }
        let dropped = changes.len() - each.len();
        let written = if state.trouble.is_some() { 0 } else { self.write(&mut state, Instant::now()) };
        let waiting = state.each.len() - written;
        self.keep_in_memory(&state, written);
        state.bytes.shrink_to(4 * CHUNK);
        // Whoever finds nothing up to here and has seen this number knows that there is nothing: so it comes last.
        self.shared.last.store(last, Ordering::Release);
        Appended { written, waiting, dropped }
    }

    /// Writes what was encoded, and answers how many records were taken.
    fn write(&self, state: &mut State, now: Instant) -> usize {
        let mut taken = 0;
        let outcome = self.write_to_dir(state, &mut taken, now);
        if let Some(last) = state.each[..taken].last() {
            lock(&self.shared.ring).set_written(last.sequence);
        }
        if let Err(error) = outcome {
            let text = crate::notice::chain(&error);
            crate::notice::say(format_args!("the spool cannot be written ({text}); runs wait in memory"));
            state.trouble = Some((text, now + RETRY_EVERY));
        }
        taken
    }

    fn write_to_dir(&self, state: &mut State, taken: &mut usize, now: Instant) -> io::Result<()> {
        let dir = self.shared.dir().ok_or_else(|| io::Error::other(super::home::NoHome))?;
        let disk = &*self.shared.disk;
        for _ in 0..2 {
            if state.each.len() == *taken {
                return Ok(());
            }
            if !state.is_made {
                self.shared.make_dir(&dir)?;
                state.is_made = true;
            }
            let from: usize = state.each[..*taken].iter().map(|record| record.bytes).sum();
            let bytes = state.bytes.get(from..).unwrap_or_default();
            let (more, outcome) = state.segments.append(disk, &dir, bytes, &state.each[*taken..], now);
            *taken += more;
            match outcome {
                // Somebody has removed the directory: it is made again.
                Err(error) if error.kind() == io::ErrorKind::NotFound => state.is_made = false,
                outcome => return outcome,
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Keeps those of the encoded records that were not written.
    fn keep_in_memory(&self, state: &State, written: usize) {
        if written == state.each.len() {
            return;
        }
        let mut from: usize = state.each[..written].iter().map(|record| record.bytes).sum();
        let mut gone = Vec::new();
        let mut ring = lock(&self.shared.ring);
        for &head in &state.each[written..] {
            let bytes = state.bytes.get(from..from + head.bytes).unwrap_or_default().into();
            from += head.bytes;
            gone.extend(ring.push(Waiting { head, bytes }, self.shared.settings.memory_bytes));
        }
        drop(ring);
        for waiting in gone.iter().filter(|waiting| waiting.head.kind != Kind::Progress) {
            self.shared.lose_unread(Reason::MemoryFull, waiting.head.sequence, waiting.parts().1);
        }
    }

    /// Does what is due: forces files to the disk, seals them, removes what may go, tries again to write. Cheap when
    /// nothing is due.
    pub fn tend(&self, now: Instant) {
        let mut state = self.tend_files(now);
        if state.is_keep_due(now) {
            self.keep(&mut state, now);
        }
    }

    /// The same, but what may go is looked for on a thread of its own: a home where many processes have died has many
    /// directories, and what is appended meanwhile must not wait for all of them to be read.
    pub(crate) fn tend_beside(&self, now: Instant) {
        let mut state = self.tend_files(now);
        if let Some((thread, before)) = state.keeping.take_if(|(thread, _)| thread.is_finished())
            && let Ok(Some(kept)) = thread.join()
        {
            let meanwhile = state.segments.bytes.saturating_sub(before);
            self.kept(&mut state, &kept, now);
            state.segments.bytes += meanwhile;
        }
        if state.keeping.is_some() || !state.is_keep_due(now) {
            return;
        }
        state.next_keep = now + KEEP_EVERY;
        let (shared, open) = (Arc::clone(&self.shared), self.open(&state));
        match thread::Builder::new().name("traceable-keep".into()).spawn(move || keeper::keep(&shared, open)) {
            Ok(thread) => state.keeping = Some((thread, state.segments.bytes)),
            Err(_) => self.keep(&mut state, now),
        }
    }

    #[cfg(test)]
    pub(super) fn is_keeping(&self) -> bool {
        lock(&self.state).keeping.is_some()
    }

    fn tend_files(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.segments.tend(now);
        if state.trouble.as_ref().is_some_and(|(_, retry)| *retry <= now) {
            self.retry(&mut state, now);
        }
        state
    }

    /// When [`Spool::tend`] has something to do; `None` when only an append changes that.
    pub fn next_tend(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let retry = state.trouble.as_ref().filter(|_| self.shared.spools.is_some()).map(|(_, retry)| *retry);
        let kept = state.keeping.as_ref().map(|_| Instant::now() + KEPT_EVERY);
        state.segments.next_tend().into_iter().chain(retry).chain(kept).min()
    }

    /// Writes what waits in memory, as far as that is possible.
    fn retry(&self, state: &mut State, now: Instant) {
        state.trouble = None;
        if self.shared.spools.is_some() {
            self.keep(state, now);
        }
        while state.trouble.is_none() {
            let waiting = lock(&self.shared.ring).oldest(CHUNK);
            if waiting.is_empty() {
                return;
            }
            state.bytes.clear();
            state.each.clear();
            for Waiting { head, bytes } in &waiting {
                state.each.push(*head);
                state.bytes.extend_from_slice(bytes);
            }
            self.write(state, now);
        }
    }

    /// Removes what may go, and looks whether there is room.
    fn keep(&self, state: &mut State, now: Instant) {
        state.next_keep = now + KEEP_EVERY;
        if let Some(kept) = keeper::keep(&self.shared, self.open(state)) {
            self.kept(state, &kept, now);
        }
    }

    /// The number of the segment that is being written, or of the next.
    fn open(&self, state: &State) -> u64 {
        state.segments.open_number().unwrap_or_else(|| self.shared.last.load(Ordering::Relaxed) + 1)
    }

    /// Goes by what was found to be there.
    fn kept(&self, state: &mut State, kept: &Kept, now: Instant) {
        state.segments.bytes = kept.bytes;
        // At the limit every new segment is a reason to look again.
        state.keep_at = kept.bytes + self.shared.settings.segment_bytes.min(kept.limit / 8).max(1);
        if kept.is_disk_full && state.trouble.is_none() {
            state.segments.seal();
            state.trouble = Some(("the disk is nearly full".to_owned(), now + RETRY_EVERY));
        }
    }

    /// Forces everything that was written to the disk.
    pub fn sync(&self) {
        lock(&self.state).segments.sync();
    }

    /// Writes what waits in memory if that is possible now, and seals the files. Answers how many changes are in memory
    /// alone. What is appended later is taken as before.
    pub fn close(&self) -> usize {
        let mut state = lock(&self.state);
        if state.trouble.is_some() {
            self.retry(&mut state, Instant::now());
        }
        state.segments.seal();
        drop(state);
        lock(&self.shared.ring).len()
    }

    /// What this backend is to be sent: from this spool, and from those of processes of the same program that died.
    /// To be asked for once a backend; `None` when it is none of those that the spool was made for.
    pub fn source(&self, identity: &Identity, wants: Wants) -> Option<Box<dyn Source>> {
        let at = self.shared.settings.destinations.iter().position(|known| known == identity)?;
        Some(Box::new(Tap::new(Arc::clone(&self.shared), at, wants, Orphans::Own)))
    }

    /// Whether the spool's backends are sent what stands in a directory that another process left.
    pub(crate) fn has_adopted(&self, dir: &std::path::Path) -> bool {
        self.shared.has_adopted(dir)
    }

    /// What processes left for the backend of this number.
    pub(crate) fn orphans(&self, at: usize, wants: Wants, orphans: Orphans) -> Box<dyn Orphaned> {
        Box::new(Tap::new(Arc::clone(&self.shared), at, wants, orphans))
    }

    /// What was dropped so far, and why.
    pub fn losses(&self) -> Vec<Loss> {
        self.shared.losses()
    }

    /// How it stands.
    pub fn health(&self) -> Health {
        let state = lock(&self.state);
        let ring = lock(&self.shared.ring);
        Health {
            directory: self.shared.dir(),
            trouble: state.trouble.as_ref().map(|(text, _)| text.clone()),
            waiting: ring.len(),
            waiting_bytes: ring.bytes(),
            unsynced: state.segments.unsynced,
        }
    }
}
