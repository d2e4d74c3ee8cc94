//! Random lives of processes on one home, against a model that remembers everything.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};

use super::{memory::Fault, *};
use crate::delivery::Mark;

#[derive(Debug, Clone)]
enum Action {
    Append(usize, Vec<u8>),
    Read(usize, usize, usize),
    /// Of what was read and is not done with, a part in 256.
    Done(usize, usize, u8),
    Tend(usize, u64),
    Sync(usize),
    Close(usize),
    /// The process is killed, and another one is started.
    Kill(usize),
    /// The machine stops, and all processes are started again.
    Crash(u64),
    Fault(u32, bool),
    ReadOnly,
    Heal,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let (slot, backend) = (0..2_usize, 0..2_usize);
    let action = prop_oneof![
        8 => (slot.clone(), vec(any::<u8>(), 1..6)).prop_map(|(slot, kinds)| Action::Append(slot, kinds)),
        6 => (slot.clone(), backend.clone(), 1..8_usize).prop_map(|(slot, to, max)| Action::Read(slot, to, max)),
        6 => (slot.clone(), backend, any::<u8>()).prop_map(|(slot, to, part)| Action::Done(slot, to, part)),
        2 => (slot.clone(), 0..100_u64).prop_map(|(slot, seconds)| Action::Tend(slot, seconds)),
        1 => slot.clone().prop_map(Action::Sync),
        1 => slot.clone().prop_map(Action::Close),
        2 => slot.prop_map(Action::Kill),
        1 => any::<u64>().prop_map(Action::Crash),
        2 => (0..12_u32, any::<bool>()).prop_map(|(after, is_io)| Action::Fault(after, is_io)),
        1 => Just(Action::ReadOnly),
        2 => Just(Action::Heal),
    ];
    vec(action, 1..120)
}

/// A change, as the model knows it: `S1`, `E1`, `P1`. Runs are numbered for each process.
type Key = String;

struct Process {
    disk: MemoryDisk,
    spool: Spool,
    sources: Vec<Box<dyn Source>>,
    /// What was appended, and whether it is on the disk for good, or can never be said to be.
    log: Vec<(Key, bool, bool)>,
    open: VecDeque<u128>,
    runs: u128,
    unsynced: u64,
    /// By backend: what was given out and is not done with.
    pending: Vec<VecDeque<(Mark, Key)>>,
    /// By backend: what was given out.
    given: Vec<HashSet<Key>>,
    /// By backend and process that appended it: the last that was given out.
    order: BTreeMap<(usize, u128), usize>,
}

struct Model {
    disk: MemoryDisk,
    settings: Settings,
    lives: u128,
    processes: Vec<Process>,
    now: Instant,
    /// Where what was appended stands in its process's log.
    places: BTreeMap<Key, usize>,
    /// By backend: what it must get in the end.
    required: Vec<HashSet<Key>>,
    /// What of it is on the disk for good: of a process that died, nobody forces the rest.
    durable: Vec<HashSet<Key>>,
    given: Vec<HashSet<Key>>,
    delivered: Vec<HashSet<Key>>,
    /// By backend: what dead processes counted as lost, and what they had on its way.
    lost: Vec<u64>,
    on_its_way: Vec<u64>,
    /// There is room for everything, and nothing was lost so far.
    is_exact: bool,
    has_room: bool,
    /// A disk that could not be forced may have lost a start and kept its end.
    is_forced: bool,
}

const WANTS: [Wants; 2] = [Wants::Early, Wants::Whole];

fn life_of(key: &str) -> u128 {
    key[1..].parse::<u128>().unwrap() >> 32
}

/// Of four runs one is not for the first backend, and one not for the second.
fn is_for(to: usize, run: u128) -> bool {
    (run % 4) as usize != to + 1
}

fn left_out(change: &RunChange) -> u32 {
    let run = change.run().map_or(0, |run| run.id.as_u128());
    (0..2).filter(|to| !is_for(*to, run)).map(|to| 1 << to).sum()
}

impl Model {
    fn new(settings: Settings, is_exact: bool) -> Self {
        let mut model = Self {
            disk: MemoryDisk::default(),
            settings,
            lives: 0,
            processes: Vec::new(),
            now: Instant::now(),
            places: BTreeMap::new(),
            required: vec![HashSet::new(); 2],
            durable: vec![HashSet::new(); 2],
            given: vec![HashSet::new(); 2],
            delivered: vec![HashSet::new(); 2],
            lost: vec![0; 2],
            on_its_way: vec![0; 2],
            is_exact,
            has_room: is_exact,
            is_forced: true,
        };
        model.processes = (0..2).map(|_| model.started()).collect();
        model
    }

    fn started(&mut self) -> Process {
        self.lives += 1;
        let disk = self.disk.of_another();
        let spool = spool(&disk, &self.settings);
        let source = |(identity, wants)| spool.source(&identity, wants).unwrap();
        Process {
            sources: [early(), whole()].into_iter().zip(WANTS).map(source).collect(),
            disk,
            spool,
            log: Vec::new(),
            open: VecDeque::new(),
            runs: self.lives << 32,
            unsynced: 0,
            pending: vec![VecDeque::new(); 2],
            given: vec![HashSet::new(); 2],
            order: BTreeMap::new(),
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Append(slot, kinds) => self.append(*slot, kinds),
            Action::Read(slot, to, max) => drop(self.read(*slot, *to, *max)),
            Action::Done(slot, to, part) => self.done(*slot, *to, *part),
            Action::Tend(slot, seconds) => {
                self.disk.advance(Duration::from_secs(*seconds));
                self.now += Duration::from_secs(*seconds);
                self.processes[*slot].spool.tend(self.now);
            }
            Action::Sync(slot) => {
                let process = &mut self.processes[*slot];
                process.spool.sync();
                process.settle(true);
            }
            Action::Close(slot) => drop(self.processes[*slot].spool.close()),
            Action::Kill(slot) => self.kill(*slot, None),
            Action::Crash(seed) => {
                self.kill(0, Some(*seed));
                self.kill(1, Some(*seed));
            }
            Action::Fault(after, is_io) => self.disk.set_fault(*after, if *is_io { Fault::Io } else { Fault::NoSpace }),
            Action::ReadOnly => self.disk.set_read_only(true),
            Action::Heal => self.disk.set_read_only(false),
        }
        for process in &mut self.processes {
            process.settle(false);
        }
    }

    fn append(&mut self, slot: usize, kinds: &[u8]) {
        let process = &mut self.processes[slot];
        let mut changes = Vec::new();
        for kind in kinds {
            process.runs += 1;
            let fresh = process.runs;
            changes.push(match kind % 5 {
                0 => {
                    process.open.push_back(fresh);
                    start(fresh)
                }
                1 => end(process.open.pop_front().unwrap_or(fresh)),
                2 => end(fresh),
                3 => patch(fresh),
                _ => progress(fresh),
            });
        }
        let appended = process.spool.append_but(&changes, |at| left_out(&changes[at]));
        assert_eq!(appended.written + appended.waiting, changes.len());
        for change in &changes {
            let key = if let RunChange::Progress(_) = change { String::new() } else { name(change) };
            self.places.insert(key.clone(), process.log.len());
            process.log.push((key, false, false));
        }
        if self.settings.durability == Durability::Every {
            process.settle(true);
        }
    }

    fn read(&mut self, slot: usize, to: usize, max: usize) -> usize {
        let process = &mut self.processes[slot];
        let Ok(entries) = process.sources[to].next(max, 2_000) else { return 0 };
        assert!(entries.len() <= max);
        for entry in &entries {
            let key = name(&entry.change);
            assert!(process.pending[to].back().is_none_or(|(mark, _)| *mark < entry.mark));
            assert!(process.given[to].insert(key.clone()), "{key} twice in one life");
            let run = entry.change.run().unwrap();
            assert!(is_for(to, run.id.as_u128()), "{key} is not for this backend");
            let start = format!("S{}", run.id.as_u128());
            if key.starts_with('E') && run.status == Status::Ok {
                if to == 0 {
                    assert!(!entry.announced || self.given[0].contains(&start), "{key} was never announced");
                    assert!(
                        !(self.is_exact && self.is_forced) || entry.announced == self.given[0].contains(&start),
                        "{key} is announced"
                    );
                } else if self.is_exact && self.is_forced {
                    assert_eq!(run.inputs.is_some(), self.places.contains_key(&start), "{key} is whole");
                }
            }
            if run.status != Status::Unknown {
                let place = self.places[&key];
                let before = process.order.insert((to, life_of(&key)), place);
                assert!(before.is_none_or(|before| before < place), "{key} out of order");
            }
            self.given[to].insert(key.clone());
            process.pending[to].push_back((entry.mark, key));
        }
        entries.len()
    }

    fn done(&mut self, slot: usize, to: usize, part: u8) {
        let process = &mut self.processes[slot];
        let count = (process.pending[to].len() * usize::from(part)).div_ceil(255);
        let mut last = None;
        for (mark, key) in process.pending[to].drain(..count) {
            self.delivered[to].insert(key);
            last = Some(mark);
        }
        if let Some(mark) = last {
            let before = process.sources[to].passed();
            let _ = process.sources[to].done(mark);
            let passed = process.sources[to].passed();
            assert!(before <= passed && passed <= process.log.len() as u64);
        }
    }

    /// Ends a process, and with a seed the machine.
    fn kill(&mut self, slot: usize, crash: Option<u64>) {
        self.processes[slot].disk.kill();
        if let Some(seed) = crash {
            self.disk.crash(seed);
        }
        // A machine that stops later may do it too.
        self.is_forced &= self.processes[slot].unsynced == 0;
        self.lost_by(slot);
        let fresh = self.started();
        let old = std::mem::replace(&mut self.processes[slot], fresh);
        let waiting = old.spool.health().waiting;
        for (key, is_durable, _) in old.log[..old.log.len() - waiting].iter().filter(|(key, ..)| !key.is_empty()) {
            if crash.is_some() && !is_durable {
                continue;
            }
            // A run that began gets an end, whoever says it.
            let ended = key.replace('S', "E");
            let all = [(0, key.clone()), (0, ended.clone()), (1, ended.clone())];
            // Where its start was delivered and had to go, it cannot.
            let is_required = |(to, required): &(usize, Key)| {
                is_for(*to, key[1..].parse().unwrap()) && (self.has_room || required == key)
            };
            for (to, key) in all.into_iter().filter(is_required) {
                if *is_durable {
                    self.durable[to].insert(key.clone());
                }
                self.required[to].insert(key);
            }
        }
        if crash.is_some() {
            self.required.clone_from(&self.durable);
        }
        for (to, pending) in old.pending.iter().enumerate() {
            self.on_its_way[to] += pending.len() as u64;
        }
    }

    fn lost_by(&mut self, slot: usize) {
        for loss in self.processes[slot].spool.losses() {
            let to = usize::from(loss.destination.unwrap() == whole());
            self.lost[to] += loss.changes;
            // Starts may be gone that ends need.
            self.is_exact = false;
        }
    }

    /// All ends well, and somebody sends what is left.
    fn finish(mut self) {
        self.disk.set_read_only(false);
        for slot in 0..2 {
            // What waits in memory is required once it could be written.
            self.processes[slot].spool.close();
            self.kill(slot, None);
        }
        for to in 0..2 {
            // The first process holds what it adopts; the second one must find nothing then.
            while self.read(0, to, 5) > 0 {
                self.done(0, to, 255);
            }
            assert_eq!(self.processes[1].sources[to].next(1, 1).unwrap().len(), 0);
        }
        self.lost_by(0);
        for to in 0..2 {
            let missing: Vec<_> = self.required[to].difference(&self.delivered[to]).collect();
            let allowed = if self.is_exact { 0 } else { self.lost[to] + self.on_its_way[to] };
            assert!(missing.len() as u64 <= allowed, "{missing:?} of {allowed}");
        }
        // When all is sent and kept long enough, nothing is left.
        self.disk.advance(Duration::from_secs(8 * 24 * 3600));
        self.processes[0].sources.clear();
        self.processes[1].sources.clear();
        self.processes[1].spool.tend(self.now + Duration::from_secs(1_000_000));
        assert_eq!(self.disk.paths("/seg-"), Vec::<std::path::PathBuf>::new());
        assert!(self.disk.paths("/ack-").is_empty(), "{:?}", self.disk.paths(""));
    }
}

impl Process {
    /// Keeps account of what is on the disk for good.
    fn settle(&mut self, was_synced: bool) {
        let health = self.spool.health();
        let failed = std::mem::replace(&mut self.unsynced, health.unsynced) != health.unsynced;
        let written = self.log.len() - health.waiting;
        for (_, is_durable, is_hopeless) in &mut self.log[..written] {
            *is_hopeless |= failed && !*is_durable;
            *is_durable |= was_synced && !failed && !*is_hopeless;
        }
    }
}

fn check(settings: Settings, is_exact: bool, actions: &[Action]) {
    let mut model = Model::new(settings, is_exact);
    for action in actions {
        model.act(action);
    }
    model.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_with_room_to_spare(actions in actions(), every in any::<bool>()) {
        let durability = if every { Durability::Every } else { Durability::default() };
        check(Settings { segment_bytes: 900, durability, ..settings() }, true, &actions);
    }

    #[test]
    fn nothing_is_lost_uncounted_without_room(actions in actions(), max in 1_000..5_000_u64, memory in 500..5_000_usize) {
        let durability = Durability::default();
        let tight = Settings { segment_bytes: 500, max_bytes: max, memory_bytes: memory, durability, ..settings() };
        check(tight, false, &actions);
    }
}
