//! How one backend goes through one directory: what is given out, what is left out, and how far it came.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use super::{
    ack::{self, Ack, AckLog},
    layout::{Meta, nanos, segment_name, segments},
    open_runs::{OpenRuns, Start},
    reader::{Position, Reader, Record},
    record::Kind,
    shared::{Progress, Reason, Shared},
};
use crate::{
    delivery::{Entry, Identity, Mark, Wants},
    model::{Run, RunChange, RunId, Status},
    runtime::lock,
};

/// What a run says that was open when its process ended.
const CUT_OFF: &str = "its end was not recorded: the process ended first";

/// See the module.
pub(super) struct Track {
    shared: Arc<Shared>,
    /// Which of the spool's backends.
    at: usize,
    wants: Wants,
    /// What says of a record that it is not for this backend.
    bit: u32,
    dir: PathBuf,
    reader: Reader,
    /// Reads starts again when their runs end.
    starts: Reader,
    /// Nothing is written down where there are no files.
    ack: Option<AckLog>,
    /// Everything up to here was done with when the track was begun. It is read for the runs that were open there.
    resumed_at: u64,
    /// Everything up to here was read.
    read: u64,
    /// Everything up to here is done with.
    delivered: u64,
    open: OpenRuns,
    /// What was given out and is not done with.
    given: VecDeque<Given>,
    /// Stretches of damage that were counted.
    damage: u64,
}

/// A change that was given out.
struct Given {
    mark: Mark,
    /// With it everything up to here is done with.
    upto: u64,
    /// The start of the run that it ends.
    closes: Option<Start>,
}

/// A record, without what it borrows.
struct Taken {
    sequence: u64,
    kind: Kind,
    run_id: RunId,
    position: Option<Position>,
    bytes: usize,
    is_left_out: bool,
    /// Where it is given out.
    change: Option<io::Result<RunChange>>,
}

/// What a record came to.
enum Step {
    Entry(Entry),
    /// It is not given out.
    Passed,
    /// There is none.
    End,
}

impl Track {
    /// The spool's own directory. `None` where there are no files.
    pub(super) fn of_own(shared: &Arc<Shared>, at: usize, wants: Wants, dir: Option<&Path>) -> Self {
        let ack = dir.map(|dir| AckLog::new(Arc::clone(&shared.disk), dir, &shared.labels[at], Ack::default()));
        let from = (Ack::default(), Position::default());
        Self::new(shared, (at, bit(Some(at))), wants, dir.unwrap_or(Path::new("")), ack, from, true)
    }

    /// Goes on where the backend had come to in the directory of a process that died.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn of_dead(shared: &Arc<Shared>, at: usize, wants: Wants, dir: &Path) -> io::Result<Self> {
        let (disk, label) = (&shared.disk, &shared.labels[at]);
        let written = Ack::read(&**disk, &ack::path(dir, label))?;
        let numbers = segments(&**disk, dir)?;
        let segment = numbers.iter().rfind(|number| **number <= written.needed).copied().unwrap_or_default();
        let ack = AckLog::new(Arc::clone(disk), dir, label, written);
        let identity = &shared.settings.destinations[at];
        let place = Meta::read(&**disk, dir)?.place(identity);
        let from = (written, Position { segment, offset: 0 });
        Ok(Self::new(shared, (at, bit(place)), wants, dir, Some(ack), from, false))
    }

    fn new(
        shared: &Arc<Shared>,
        (at, bit): (usize, u32),
        wants: Wants,
        dir: &Path,
        ack: Option<AckLog>,
        (written, from): (Ack, Position),
        lives: bool,
    ) -> Self {
        let disk = &shared.disk;
        Self {
            at,
            wants,
            bit,
            reader: Reader::of_holder(Arc::clone(disk), dir, from, lives),
            starts: Reader::on(Arc::clone(disk), dir, from),
            dir: dir.to_owned(),
            ack,
            resumed_at: written.delivered,
            read: written.needed.saturating_sub(1),
            delivered: written.delivered,
            open: OpenRuns::default(),
            given: VecDeque::new(),
            damage: 0,
            shared: Arc::clone(shared),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn identity(&self) -> &Identity {
        &self.shared.settings.destinations[self.at]
    }

    /// Everything up to here is read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Everything up to here is done with.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Whether something that was given out is not done with.
    pub(super) fn is_waiting(&self) -> bool {
        !self.given.is_empty()
    }

    /// Whether this was given out here and is not done with.
    pub(super) fn has_given(&self, mark: Mark) -> bool {
        self.given.binary_search_by_key(&mark, |given| given.mark).is_ok()
    }

    /// What comes next of the spool's own directory and of what waits in memory.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn next_of_own(&mut self, mark: &mut Mark) -> io::Result<Option<Entry>> {
        loop {
            // Looked at before reading: what has this number now is in a file, in memory, or gone.
            let last = self.shared.last.load(Ordering::Acquire);
            let written = lock(&self.shared.ring).written();
            if self.read < written {
                match self.step(mark)? {
                    Step::Entry(entry) => return Ok(Some(entry)),
                    Step::Passed => {}
                    Step::End => {
                        let counted = self.shared.evicted.load(Ordering::Acquire).max(self.read);
                        self.shared.lose(Reason::Damaged, Some(self.identity()), written.saturating_sub(counted));
                        self.pass(written);
                    }
                }
                continue;
            }
            let ring = lock(&self.shared.ring);
            if ring.written() > self.read {
                continue;
            }
            let waiting = ring.after(self.read).cloned();
            drop(ring);
            let Some(waiting) = waiting else {
                self.pass(last);
                return Ok(None);
            };
            let (payload, left_out) = waiting.parts();
            let record = Record {
                position: Position::default(),
                sequence: waiting.head.sequence,
                kind: waiting.head.kind,
                run_id: waiting.head.run_id,
                left_out,
                payload,
            };
            let taken = Taken { position: None, ..self.taken(&record) };
            if let Step::Entry(entry) = self.take(taken, mark)? {
                return Ok(Some(entry));
            }
        }
    }

    /// What comes next of a directory whose writer has died; at its end, the ends of the runs that were open.
    ///
    /// # Errors
    ///
    /// When the file system fails.
    pub(super) fn next_of_dead(&mut self, mark: &mut Mark) -> io::Result<Option<Entry>> {
        loop {
            match self.step(mark)? {
                Step::Entry(entry) => return Ok(Some(entry)),
                Step::Passed => {}
                Step::End => break,
            }
        }
        while let Some((id, start)) = self.open.take_oldest() {
            let found = match self.fetch(id, start) {
                Ok(found) => found,
                Err(error) => {
                    self.open.begin(id, start);
                    return Err(error);
                }
            };
            let Some((run, bytes)) = found else {
                self.open.release(Some(start));
                continue;
            };
            let change = RunChange::End(self.cut_off(run));
            let is_early = self.wants == Wants::Early;
            return Ok(Some(self.give(mark, change, bytes, is_early, Some(start))));
        }
        Ok(None)
    }

    /// The end of a run that nobody recorded. A backend that only knows errors must not show it as one that went well.
    fn cut_off(&self, mut run: Box<Run>) -> Box<Run> {
        let last = Path::new(&segment_name(self.reader.position().segment)).to_owned();
        let seen = self.shared.disk.stat(&self.dir.join(last)).map_or(0, |segment| nanos(segment.modified));
        run.end_time = Some(seen.max(run.start_time));
        run.status = Status::Unknown;
        run.error.get_or_insert_with(|| CUT_OFF.to_owned());
        if self.wants == Wants::Early {
            run.inputs = None;
            run.attachments.clear();
        }
        run
    }

    /// Reads the next record of the files.
    fn step(&mut self, mark: &mut Mark) -> io::Result<Step> {
        let before = self.reader.position();
        let Some(record) = self.reader.next()? else { return Ok(Step::End) };
        let (resumed_at, read, wants, bit) = (self.resumed_at, self.read, self.wants, self.bit);
        let taken = taken(&record, resumed_at.max(read), wants, bit);
        let position = taken.position.unwrap_or(before);
        let damage = self.reader.damage().stretches;
        if std::mem::replace(&mut self.damage, damage) != damage && taken.sequence > self.read.max(self.resumed_at) {
            let missing = taken.sequence - self.read.max(self.resumed_at) - 1;
            self.shared.lose(Reason::Damaged, Some(self.identity()), missing);
        }
        let step = self.take(taken, mark);
        if step.is_err() {
            self.reader.seek(position);
        }
        step
    }

    fn taken(&self, record: &Record<'_>) -> Taken {
        taken(record, self.resumed_at.max(self.read), self.wants, self.bit)
    }

    /// Takes a record in: it is given out, or passed.
    ///
    /// # Errors
    ///
    /// When the start of its run cannot be read; then nothing has changed.
    fn take(&mut self, taken: Taken, mark: &mut Mark) -> io::Result<Step> {
        let Taken { sequence, kind, run_id, position, bytes, is_left_out, change } = taken;
        if sequence <= self.read {
            return Ok(Step::Passed);
        }
        let start = if kind == Kind::End { self.open.get(run_id) } else { None };
        let (change, bytes) = match (change, start) {
            (Some(Ok(RunChange::End(end))), Some(start)) if self.wants == Wants::Whole => {
                match self.fetch(run_id, start)? {
                    Some((mut whole, more)) => {
                        whole.absorb(*end);
                        (Some(Ok(RunChange::End(whole))), bytes + more)
                    }
                    None => (Some(Ok(RunChange::End(end))), bytes),
                }
            }
            (change, _) => (change, bytes),
        };
        match kind {
            // Nobody waits for the end of a run that the backend is not given.
            Kind::Start if is_left_out => {}
            Kind::Start => self.open.begin(run_id, Start { sequence, position }),
            Kind::End => drop(self.open.end(run_id)),
            Kind::Progress | Kind::Patch | Kind::Other => {}
        }
        match change {
            Some(Ok(change)) => {
                self.read = sequence;
                let announced = start.is_some() && self.wants == Wants::Early;
                return Ok(Step::Entry(self.give(mark, change, bytes, announced, start)));
            }
            Some(Err(_)) => self.shared.lose(Reason::Damaged, Some(self.identity()), 1),
            None => {}
        }
        self.open.release(start);
        self.pass(sequence);
        Ok(Step::Passed)
    }

    fn give(
        &mut self,
        mark: &mut Mark,
        change: RunChange,
        bytes: usize,
        announced: bool,
        closes: Option<Start>,
    ) -> Entry {
        mark.0 += 1;
        self.given.push_back(Given { mark: *mark, upto: self.read, closes });
        self.publish();
        Entry { mark: *mark, change, bytes, announced }
    }

    /// Everything up to here is read; what was not given out is done with as soon as all before it is.
    fn pass(&mut self, upto: u64) {
        self.read = self.read.max(upto);
        match self.given.back_mut() {
            Some(given) => given.upto = self.read,
            None => self.delivered = self.delivered.max(self.read),
        }
        self.publish();
    }

    /// Everything that was given out up to this mark is done with.
    pub(super) fn done(&mut self, mark: Mark) {
        while self.given.front().is_some_and(|given| given.mark <= mark)
            && let Some(given) = self.given.pop_front()
        {
            self.delivered = self.delivered.max(given.upto);
            self.open.release(given.closes);
        }
        self.publish();
    }

    fn needed(&self) -> u64 {
        self.open.oldest().unwrap_or(u64::MAX).min(self.delivered.saturating_add(1))
    }

    /// Tells whoever removes files.
    fn publish(&self) {
        let Progress { read, delivered, needed } = &self.shared.progress[self.at];
        if self.is_own() {
            read.store(self.read, Ordering::Release);
            delivered.store(self.delivered, Ordering::Release);
            needed.store(self.needed(), Ordering::Release);
        }
    }

    fn is_own(&self) -> bool {
        self.dir.file_name().is_none_or(|name| name == self.shared.name.as_str())
    }

    /// Writes down how far it came.
    ///
    /// # Errors
    ///
    /// When the file system fails. Where the directory is not there, nothing is to be written down.
    pub(super) fn write_ack(&mut self, is_complete: bool) -> io::Result<()> {
        // Of what is read again for its starts nothing is done with less than before, and a directory that is not made yet
        // has nothing to go on from.
        let is_early = self.read < self.resumed_at && !is_complete;
        if is_early || (self.is_own() && lock(&self.shared.lock).is_none()) {
            return Ok(());
        }
        let ack = Ack { delivered: self.delivered, needed: self.needed(), is_complete };
        match self.ack.as_mut().map_or(Ok(()), |log| log.write(ack)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Reads the start of a run again: the run, and how many bytes it was. `None` when it is gone.
    fn fetch(&mut self, id: RunId, start: Start) -> io::Result<Option<(Box<Run>, usize)>> {
        if start.position.is_none() {
            let waiting = lock(&self.shared.ring).get(start.sequence).cloned();
            if let Some(waiting) = waiting {
                let (payload, _) = waiting.parts();
                let change = serde_json::from_slice(payload);
                return Ok(start_run(change.ok(), id).map(|run| (run, payload.len())));
            }
            // Written since then.
            let numbers = segments(&*self.shared.disk, &self.dir)?;
            let Some(segment) = numbers.into_iter().rfind(|number| *number <= start.sequence) else { return Ok(None) };
            self.starts.seek(Position { segment, offset: 0 });
        }
        if let Some(position) = start.position {
            self.starts.seek(position);
        }
        while let Some(record) = self.starts.next()? {
            if record.sequence == start.sequence {
                return Ok(start_run(record.change().ok(), id).map(|run| (run, record.payload.len())));
            }
            if record.sequence > start.sequence {
                break;
            }
        }
        Ok(None)
    }
}

/// What says of a record that it is not for the backend at this place of `meta`.
fn bit(place: Option<usize>) -> u32 {
    place.and_then(|place| 1_u32.checked_shl(place as u32)).unwrap_or(0)
}

fn taken(record: &Record<'_>, passed: u64, wants: Wants, bit: u32) -> Taken {
    let is_left_out = record.left_out & bit != 0;
    let is_given = match record.kind {
        Kind::Progress => false,
        Kind::Start => wants == Wants::Early,
        Kind::End | Kind::Patch | Kind::Other => true,
    };
    Taken {
        sequence: record.sequence,
        kind: record.kind,
        run_id: record.run_id,
        position: Some(record.position),
        bytes: record.payload.len(),
        is_left_out,
        change: (is_given && !is_left_out && record.sequence > passed).then(|| record.change()),
    }
}

fn start_run(change: Option<RunChange>, id: RunId) -> Option<Box<Run>> {
    match change {
        Some(RunChange::Start(run)) if run.id == id => Some(run),
        _ => None,
    }
}
