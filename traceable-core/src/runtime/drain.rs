//! Sending what lies in the spools of this machine, now and to its end: what processes left that have died.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{Pipeline, flush::flush_blocking, lock};
use crate::{
    delivery::{Delivery, Entry, Identity, Link, Mark, Replayed, Source, Standing},
    restrict::{Rules, Target},
    spool::{Backlog, Directory, Orphans, Settings, Spool, look},
};

/// How often whoever watches is told, and a delivery that runs in this process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long requests are waited for that are still on their way at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What a drain achieved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drained {
    /// Changes that backends have taken, counted once a backend.
    pub sent: u64,
    /// Changes that backends refused for good. They are kept aside.
    pub refused: u64,
    /// Files of other SDKs that were sent: see [`Remote::replay`](crate::delivery::Remote::replay).
    pub replayed: Replayed,
    /// What still waits, and why.
    pub left: Vec<Left>,
}

impl Drained {
    /// Records that still wait for the destinations that were named.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.left.iter().filter(|left| left.is_named).map(|left| left.records).sum()
    }
}

/// What still waits in a directory for a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Left {
    /// The directory.
    pub directory: PathBuf,
    /// The program that recorded it.
    pub executable: String,
    /// The backend that it is for.
    pub destination: Identity,
    /// Whether the backend is one of those that were named.
    pub is_named: bool,
    /// Records.
    pub records: u64,
    /// About how many bytes.
    pub bytes: u64,
    /// Why it waits.
    pub why: String,
}

/// A drain that is about to begin. Made by [`Builder::drain`](super::Builder::drain).
#[must_use = "nothing is sent before `run`"]
pub struct Drain<'a> {
    /// Each with what it replaces, or what is wrong with that.
    targets: io::Result<Vec<Target>>,
    settings: Settings,
    orphans: Orphans,
    timeout: Duration,
    watch: Box<dyn FnMut(u64) + 'a>,
}

impl std::fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drain").field("orphans", &self.orphans).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<'a> Drain<'a> {
    pub(super) fn new(targets: io::Result<Vec<Target>>, settings: Settings) -> Self {
        Self {
            targets,
            settings,
            orphans: Orphans::default(),
            timeout: Duration::from_secs(30),
            watch: Box::new(|_| ()),
        }
    }

    /// What is sent of that which processes left; what this program recorded for these destinations unless this says
    /// otherwise.
    ///
    /// With [`Orphans::All`] a destination is also sent what was meant for others or for none: whoever says that names the
    /// destination for it. It stays there for those that it was meant for, too.
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = orphans;
        self
    }

    /// How long it may take; 30 seconds unless this says otherwise.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Calls `watch` from time to time with the number of changes that are done with.
    pub fn watch<'b>(self, watch: impl FnMut(u64) + 'b) -> Drain<'b>
    where
        'a: 'b,
    {
        Drain { watch: Box::new(watch), ..self }
    }

    /// Sends, and waits until all is acknowledged, until no destination takes anything, or until the time is over.
    ///
    /// Blocks; in asynchronous code, call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// When what delivers cannot be started, when the spools cannot be looked at, or when a pattern of a destination's
    /// redaction is no regular expression.
    pub fn run(mut self) -> io::Result<Drained> {
        let deadline = Instant::now() + self.timeout;
        let targets = std::mem::replace(&mut self.targets, Ok(Vec::new()))?;
        let mut drained = Drained::default();
        if Pipeline::get().is_some() {
            flush_blocking(self.timeout);
        }
        let spool = Spool::new(self.settings.clone());
        let mut counts = Vec::new();
        let mut links = Vec::new();
        let (on_its_way, last_answers) = mpsc::channel::<()>();
        for (at, (remote, rules)) in targets.iter().enumerate() {
            let (link, count) = (Arc::new(Link::default()), Arc::new(Count::default()));
            let tap = spool.orphans(at, remote.wants(), self.orphans);
            let source = Box::new(Draining {
                tap,
                count: Arc::clone(&count),
                is_given: Vec::new(),
                is_at_end: false,
                _on_its_way: on_its_way.clone(),
            });
            // Its one change is the end of what there is: whoever waits for that waits for all.
            link.appended(1);
            link.hurry();
            Arc::clone(remote).drive(Delivery::new(
                remote.identity(),
                remote.limits(),
                rules.source(source),
                Arc::clone(&link),
            ))?;
            links.push(link);
            counts.push(count);
        }
        let done = |counts: &[Arc<Count>]| counts.iter().map(|count| count.done.load(Relaxed)).sum::<u64>();
        for link in &links {
            while !link.wait_until(1, deadline.min(Instant::now() + LOOK_EVERY), true) {
                (self.watch)(done(&counts));
                if link.is_open() || Instant::now() >= deadline {
                    break;
                }
            }
        }
        self.wait_for_this_process(deadline);
        links.iter().for_each(|link| link.close());
        drop(on_its_way);
        // What they said last is noted when they end.
        let _ = last_answers.recv_timeout(LAST_ANSWERS);
        for (remote, _) in &targets {
            let Replayed { sent, left } = remote.replay(deadline)?;
            drained.replayed.sent += sent;
            drained.replayed.left.extend(left);
        }
        (self.watch)(done(&counts));
        let standings: Vec<Standing> = counts.iter().map(|count| lock(&count.standing).clone()).collect();
        drained.refused = standings.iter().map(|standing| standing.refused).sum();
        drained.sent = done(&counts).saturating_sub(drained.refused);
        drained.left = self.left(&standings)?;
        Ok(drained)
    }

    fn look(&self) -> io::Result<Vec<Directory>> {
        self.settings.home.as_deref().map_or(Ok(Vec::new()), look)
    }

    /// Where tracing is on in this process, its own delivery may have taken directories already.
    fn wait_for_this_process(&self, deadline: Instant) {
        let is_ours = |backlog: &Backlog| {
            let is_named = self.settings.destinations.contains(&backlog.destination);
            is_named && backlog.pending > 0 && backlog.standing.paused_since.is_none()
        };
        let is_sent_here = |directory: &Directory| {
            Pipeline::get().is_some_and(|pipeline| {
                let sets = pipeline.clients.all();
                let is_adopted =
                    sets.iter().any(|set| set.spooled.as_ref().is_some_and(|s| s.has_adopted(&directory.path)));
                is_adopted && directory.backlogs.iter().any(is_ours)
            })
        };
        while Instant::now() < deadline && self.look().is_ok_and(|found| found.iter().any(is_sent_here)) {
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn left(&self, standings: &[Standing]) -> io::Result<Vec<Left>> {
        let mut left = Vec::new();
        for directory in self.look()? {
            let executable = directory.meta.as_ref().map_or("", |meta| meta.executable.as_str());
            for backlog in directory.backlogs.iter().filter(|backlog| backlog.pending > 0) {
                left.push(Left {
                    directory: directory.path.clone(),
                    executable: executable.to_owned(),
                    is_named: self.settings.destinations.contains(&backlog.destination),
                    destination: backlog.destination.clone(),
                    records: backlog.pending,
                    bytes: backlog.pending_bytes,
                    why: self.why(&directory, backlog, executable, standings),
                });
            }
        }
        Ok(left)
    }

    fn why(&self, directory: &Directory, backlog: &Backlog, executable: &str, standings: &[Standing]) -> String {
        let named = self.settings.destinations.iter().zip(standings).find(|(named, _)| **named == backlog.destination);
        let Some((_, standing)) = named else {
            return "it is for another destination than those that were named".to_owned();
        };
        let is_others = executable != self.settings.executable;
        if self.orphans == Orphans::Own && is_others {
            return "another program recorded it".to_owned();
        }
        let redactions = directory.meta.as_ref().map_or(&[][..], |meta| meta.redactions(&backlog.destination));
        if is_others && Rules::read(redactions, false).is_none() {
            return "only its own program can redact it for this destination: start that again".to_owned();
        }
        match standing.paused_since.and(Some(&standing.last_answer)) {
            Some(answer) => answer.clone(),
            None if directory.is_held => "a process that runs sends it".to_owned(),
            None => "there was no more time".to_owned(),
        }
    }
}

/// What is done with.
#[derive(Default)]
struct Count {
    done: AtomicU64,
    standing: Mutex<Standing>,
}

/// What processes left, for one backend, and how much of it is done with.
struct Draining {
    tap: Box<dyn Orphaned>,
    count: Arc<Count>,
    /// What was given out and is not done with.
    is_given: Vec<Mark>,
    is_at_end: bool,
    /// Dropped when nothing of it is on its way any more.
    _on_its_way: mpsc::Sender<()>,
}

/// A source that comes to an end.
pub(crate) trait Orphaned: Source {
    /// Whether all that was left is done with, or is somebody else's.
    fn is_at_end(&self) -> bool;
}

impl Source for Draining {
    fn next(&mut self, max_changes: usize, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let entries = self.tap.next(max_changes, max_bytes)?;
        self.is_given.extend(entries.iter().map(|entry| entry.mark));
        self.is_at_end = entries.is_empty() && self.tap.is_at_end();
        Ok(entries)
    }

    fn passed(&self) -> u64 {
        u64::from(self.is_at_end)
    }

    fn done(&mut self, mark: Mark) -> io::Result<()> {
        let open = self.is_given.partition_point(|given| *given <= mark);
        self.count.done.fetch_add(open as u64, Relaxed);
        self.is_given.drain(..open);
        self.tap.done(mark)
    }

    fn bury(&mut self, entries: &[Entry], answer: &str) -> io::Result<()> {
        self.tap.bury(entries, answer)
    }

    fn note(&mut self, standing: &Standing) -> io::Result<()> {
        lock(&self.count.standing).clone_from(standing);
        self.tap.note(standing)
    }
}
