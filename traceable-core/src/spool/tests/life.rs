//! What a spool does in the life of a process, and of the one after it.

use std::{
    io,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use super::{memory::Fault, *};
use crate::{
    delivery::{Mark, Standing},
    spool::{Appended, DiskFile, Listed, Lock, Loss, Reason},
};

fn lost(spool: &Spool) -> Vec<(Reason, String, u64)> {
    let name = |loss: Loss| (loss.reason, loss.destination.map_or(String::new(), |to| to.name), loss.changes);
    let mut lost: Vec<_> = spool.losses().into_iter().map(name).collect();
    lost.sort();
    lost
}

#[test]
fn an_early_backend_is_told_of_starts_and_whether_it_knows_them() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    assert!(source.next(10, 1000).unwrap().is_empty());
    spool.append(&[start(1), progress(1), end(1), end(2), patch(2)]);
    let entries = source.next(10, 10_000).unwrap();
    assert_eq!(names(&entries), "S1 E1 E2 P2");
    assert_eq!(entries.iter().map(|entry| entry.announced).collect::<Vec<_>>(), [false, true, false, false]);
    assert!(entries.is_sorted_by_key(|entry| entry.mark) && entries.iter().all(|entry| entry.bytes > 20));
    assert_eq!(source.passed(), 0);
    source.done(entries[1].mark).unwrap();
    assert_eq!(source.passed(), 3);
    source.done(entries[3].mark).unwrap();
    assert_eq!(source.passed(), 5);
    assert!(source.next(10, 10_000).unwrap().is_empty());
}

#[test]
fn what_a_backend_is_not_given_is_done_with_in_this_process_and_the_next() {
    let disk = MemoryDisk::default();
    let before = disk.of_another();
    let spool = spool(&before, &settings());
    // Not for the first backend, which is `early`: a run that goes on, and one that ends.
    let changes = [start(1), start(2), end(2), start(3), end(3), start(4)];
    let left_out = |at| u32::from(at < 3);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.append_but(&changes, left_out);
    assert_eq!(names(&drain(&mut *source)), "S3 E3 S4");
    assert_eq!(source.passed(), 6);
    let mut whole_source = spool.source(&whole(), Wants::Whole).unwrap();
    assert_eq!(names(&drain(&mut *whole_source)), "E2 E3");
    before.kill();
    drop((spool, source, whole_source));
    // Of what was open only that is ended which the backend was told of.
    assert_eq!(sent(&disk, &early(), Wants::Early), "E4");
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "E1 E4");
}

#[test]
fn what_waits_in_memory_is_not_given_either_and_is_no_loss() {
    let disk = MemoryDisk::default();
    disk.set_read_only(true);
    let spool = spool(&disk, &Settings { memory_bytes: 1, ..settings() });
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.append_but(&[end(1)], |_| 1);
    assert_eq!(names(&drain(&mut *source)), "");
    assert_eq!(lost(&spool), [(Reason::MemoryFull, "whole".to_owned(), 1)]);
}

#[test]
fn what_is_never_given_out_is_done_with() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    spool.append(&[progress(1), start(1), progress(1)]);
    assert!(source.next(10, 10_000).unwrap().is_empty());
    assert_eq!(source.passed(), 3);
}

#[test]
fn a_whole_backend_is_told_of_a_run_once_with_what_its_start_said() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    spool.append(&[start(1), start(2), end(2), end(1)]);
    let entries = drain(&mut *source);
    assert_eq!(names(&entries), "E2 E1");
    let run = entries[1].change.run().unwrap();
    assert_eq!(run.inputs.as_ref().unwrap().as_str(), r#"{"asked":1}"#);
    assert_eq!(run.outputs.as_ref().unwrap().as_str(), r#"{"said":1}"#);
    assert_eq!((run.end_time, run.status), (Some(7), Status::Ok));
}

#[test]
fn batches_keep_to_their_bounds_but_for_one_change() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.append(&[end(1), end(2), end(3), end(4)]);
    assert_eq!(names(&source.next(1, 100_000).unwrap()), "E1");
    assert_eq!(names(&source.next(0, 0).unwrap()), "E2");
    let entries = source.next(2, 100_000).unwrap();
    assert_eq!(names(&entries), "E3 E4");
    source.done(entries[1].mark).unwrap();
    assert_eq!(source.passed(), 4);
}

#[test]
fn the_next_process_sends_what_was_not_done_with() {
    let disk = MemoryDisk::default();
    let before = disk.of_another();
    let spool = spool(&before, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.append(&[start(1), end(2), end(1), end(3)]);
    let entries = source.next(10, 10_000).unwrap();
    source.done(entries[1].mark).unwrap();
    before.kill();
    drop((spool, source));

    let after = disk.of_another();
    let spool = super::spool(&after, &settings());
    let entries = drain(&mut *spool.source(&early(), Wants::Early).unwrap());
    assert_eq!(names(&entries), "E1 E3");
    assert!(entries[0].announced && !entries[1].announced, "the start was delivered by the process before");
    assert_eq!(names(&drain(&mut *spool.source(&whole(), Wants::Whole).unwrap())), "E2 E1 E3");
    drop(spool);
    assert_eq!(sent(&disk, &early(), Wants::Early), "");
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "");
}

#[test]
fn a_run_whose_process_died_gets_an_end() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    spool.append(&[start(1), start(2), end(2)]);
    drop(spool);
    let spool = super::spool(&disk.of_another(), &settings());
    let early = drain(&mut *spool.source(&early(), Wants::Early).unwrap());
    assert_eq!(names(&early), "S1 S2 E2 E1");
    let run = early[3].change.run().unwrap();
    assert!(early[3].announced && run.inputs.is_none() && run.end_time > Some(5));
    assert_eq!(run.status, Status::Unknown);
    assert!(run.error.as_ref().unwrap().contains("process ended"));
    let whole = drain(&mut *spool.source(&whole(), Wants::Whole).unwrap());
    assert_eq!(names(&whole), "E2 E1");
    assert!(whole[1].change.run().unwrap().inputs.is_some());
}

#[test]
fn nobody_ships_what_another_program_or_for_another_backend_recorded() {
    let disk = MemoryDisk::default();
    for foreign in [
        Settings { executable: "other".to_owned(), ..settings() },
        Settings { destinations: vec![Identity::new("early", "https://elsewhere.example", "project")], ..settings() },
    ] {
        spool(&disk, &foreign).append(&[end(1)]);
    }
    assert_eq!(sent(&disk, &early(), Wants::Early), "");
    let theirs = Settings { executable: "other".to_owned(), ..settings() };
    let spool = spool(&disk.of_another(), &theirs);
    assert_eq!(names(&drain(&mut *spool.source(&early(), Wants::Early).unwrap())), "E1");
}

#[test]
fn a_directory_is_adopted_by_one_process_and_by_all_of_its_backends() {
    let disk = MemoryDisk::default();
    spool(&disk, &settings()).append(&[end(1)]);
    let first = spool(&disk.of_another(), &settings());
    let mut early_source = first.source(&early(), Wants::Early).unwrap();
    let mut whole_source = first.source(&whole(), Wants::Whole).unwrap();
    let entries = early_source.next(10, 10_000).unwrap();
    assert_eq!(names(&whole_source.next(10, 10_000).unwrap()), "E1");
    assert_eq!(sent(&disk, &early(), Wants::Early), "", "held by the first process");
    early_source.done(entries[0].mark).unwrap();
    assert!(early_source.next(10, 10_000).unwrap().is_empty());
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "", "still held for the other backend");
    drop((first, early_source, whole_source));
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "E1");
}

#[test]
fn own_changes_and_those_of_the_dead_take_turns() {
    let disk = MemoryDisk::default();
    spool(&disk, &settings()).append(&[end(1), end(2), end(3)]);
    let spool = spool(&disk.of_another(), &settings());
    spool.append(&[end(11), end(12), end(13)]);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    let batches: Vec<_> = (0..6).map(|_| names(&source.next(1, 10_000).unwrap())).collect();
    assert_eq!(batches, ["E1", "E11", "E2", "E12", "E3", "E13"]);
    source.done(Mark(6)).unwrap();
    assert!(source.next(1, 10_000).unwrap().is_empty());
    assert_eq!(source.passed(), 3, "of this process alone");
}

#[test]
fn a_full_disk_costs_nothing_while_memory_lasts() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    assert_eq!(spool.append(&[start(1)]).written, 1);
    disk.set_fault(0, Fault::NoSpace);
    let appended = spool.append(&[end(1), start(2), end(3)]);
    assert_eq!(appended, Appended { written: 1, waiting: 2, dropped: 0 }, "a half of the bytes went through");
    disk.set_read_only(true);
    assert_eq!(spool.append(&[end(2)]).waiting, 1);
    assert!(spool.health().trouble.is_some());
    let delivered = drain(&mut *source);
    assert_eq!(names(&delivered), "E1 E3 E2", "from memory too");
    assert!(delivered[2].change.run().unwrap().inputs.is_some());
    assert_eq!(source.passed(), 5);

    disk.set_read_only(false);
    let retry = spool.next_tend().unwrap();
    spool.tend(retry);
    assert_eq!((spool.health().trouble, spool.health().waiting), (None, 0));
    assert!(source.next(10, 10_000).unwrap().is_empty(), "nothing twice");
    assert_eq!(spool.append(&[start(4)]).written, 1);
    drop((spool, source));
    assert_eq!(sent(&disk, &whole(), Wants::Whole), "E4");
    assert_eq!(sent(&disk, &early(), Wants::Early), "S1 E1 S2 E3 E2 S4 E4");
}

#[test]
fn a_start_that_waited_in_memory_is_found_in_its_file() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    disk.set_read_only(true);
    spool.append(&[start(1), start(2)]);
    assert!(drain(&mut *source).is_empty());
    disk.set_read_only(false);
    spool.tend(spool.next_tend().unwrap());
    spool.append(&[end(2)]);
    assert!(drain(&mut *source)[0].change.run().unwrap().inputs.is_some());
}

#[test]
fn memory_is_bounded_and_what_goes_is_counted_for_whom_it_did_not_reach() {
    let disk = MemoryDisk::default();
    disk.set_read_only(true);
    let spool = spool(&disk, &Settings { memory_bytes: 2_000, ..settings() });
    spool.append(&[end(1), end(2)]);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    assert_eq!(drain(&mut *source).len(), 2);
    for number in 3..100 {
        spool.append(&[end(number)]);
    }
    let health = spool.health();
    assert!((1..20).contains(&health.waiting) && health.waiting_bytes <= 2_000);
    let gone = 99 - health.waiting as u64;
    let reason = Reason::MemoryFull;
    assert_eq!(lost(&spool), [(reason, "early".to_owned(), gone - 2), (reason, "whole".to_owned(), gone)]);
    assert_eq!(drain(&mut *source).len(), health.waiting);
    assert_eq!(source.passed(), 99, "what is dropped is done with");
}

#[test]
fn without_a_home_everything_goes_through_memory() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &Settings { home: None, ..settings() });
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    assert_eq!(spool.append(&[start(1), end(1)]).waiting, 2);
    assert_eq!(names(&drain(&mut *source)), "E1");
    source.note(&Standing::default()).unwrap();
    assert!(spool.health().trouble.unwrap().contains("TRACEABLE_HOME"));
    assert_eq!(spool.next_tend(), None);
    assert_eq!(spool.close(), 2);
    assert!(disk.paths("").is_empty());
}

#[test]
fn a_spool_without_anything_to_write_leaves_no_trace() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.tend(Instant::now() + Duration::from_secs(1000));
    source.note(&Standing::default()).unwrap();
    assert!(source.next(1, 1).unwrap().is_empty());
    assert_eq!(spool.close(), 0);
    assert!(disk.paths("").is_empty());
}

#[test]
fn a_removed_directory_is_made_again() {
    let disk = MemoryDisk::default();
    let small = Settings { segment_bytes: 1, ..settings() };
    let spool = spool(&disk, &small);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    spool.append(&[end(1)]);
    for path in disk.paths("") {
        disk.remove(&path).unwrap();
    }
    disk.remove_dir(&spool.health().directory.unwrap()).unwrap();
    spool.append(&[end(2)]);
    assert_eq!(names(&drain(&mut *source)), "E2");
    assert_eq!(source.passed(), 2);
    assert_eq!(disk.paths("/meta").len(), 1);
}

#[test]
fn what_a_change_too_large_for_a_record_is_is_counted() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &Settings { destinations: vec![early()], ..settings() });
    let text = "x".repeat(33 << 20);
    let huge = RunChange::Patch(Box::new(Run { error: Some(text), ..Run::default() }));
    assert_eq!(spool.append(&[end(1), huge, end(2)]), Appended { written: 2, waiting: 0, dropped: 1 });
    assert_eq!(lost(&spool), [(Reason::TooLarge, "early".to_owned(), 1)]);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    assert_eq!(names(&drain(&mut *source)), "E1 E2");
    assert_eq!(source.passed(), 3);
}

#[test]
fn a_record_larger_than_a_segment_has_one_of_its_own() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &Settings { segment_bytes: 400, ..settings() });
    let large = RunChange::Patch(Box::new(Run { error: Some("x".repeat(1000)), ..Run::default() }));
    spool.append(&[patch(1), large, patch(2)]);
    assert_eq!(disk.paths("/seg-").len(), 3);
    assert_eq!(drain(&mut *spool.source(&early(), Wants::Early).unwrap()).len(), 3);
}

#[test]
fn segments_are_sealed_by_age_and_forced_by_time() {
    let disk = MemoryDisk::default();
    let every = Duration::from_millis(500);
    let spool = spool(&disk, &Settings { durability: Durability::Periodic(every), ..settings() });
    assert_eq!(spool.next_tend(), None);
    let before = Instant::now();
    spool.append(&[end(1)]);
    let due = spool.next_tend().unwrap();
    assert!(due >= before + every && due <= Instant::now() + every);
    spool.tend(due);
    let seal = spool.next_tend().unwrap();
    assert!(seal > due + Duration::from_secs(50));
    spool.tend(seal);
    assert_eq!(spool.next_tend(), None, "an idle process is left alone");
    spool.append(&[end(2)]);
    assert_eq!(disk.paths("/seg-").len(), 2);
    disk.crash(1 << 20);
    assert!(disk.get(&disk.paths("/seg-")[0]).unwrap().len() > 100);
}

#[test]
fn files_stay_a_while_for_readers_of_this_machine() {
    let disk = MemoryDisk::default();
    let one = Settings { destinations: vec![early()], segment_bytes: 1, ..settings() };
    let keeper =
        spool(&disk.of_another(), &Settings { destinations: vec![], executable: "keeper".to_owned(), ..settings() });
    let now = Instant::now();
    let mut minutes = 0;
    let mut look = |after: Duration| {
        disk.advance(after);
        minutes += 2;
        keeper.tend(now + Duration::from_secs(60 * minutes));
        disk.paths("/seg-").len()
    };
    spool(&disk, &one).append(&[end(1), end(2)]);
    assert_eq!(look(Duration::from_secs(3600)), 2);
    assert_eq!(look(Duration::from_secs(24 * 3600)), 2, "nobody has them");
    assert_eq!(names(&drain(&mut *spool(&disk, &one).source(&early(), Wants::Early).unwrap())), "E1 E2");
    assert_eq!(look(Duration::ZERO), 0);
    assert!(disk.paths("").is_empty(), "the directory goes with its last segment: {:?}", disk.paths(""));
    assert_eq!(lost(&keeper), []);

    spool(&disk, &one).append(&[end(3)]);
    assert_eq!(names(&drain(&mut *spool(&disk, &one).source(&early(), Wants::Early).unwrap())), "E3");
    assert_eq!(look(Duration::from_secs(3600)), 1, "kept for a day");
    assert_eq!(look(Duration::from_secs(24 * 3600)), 0);
    spool(&disk, &one).append(&[end(4)]);
    assert_eq!(look(Duration::from_secs(8 * 24 * 3600)), 0);
    assert_eq!(lost(&keeper), [(Reason::SpoolAge, "early".to_owned(), 1)]);
}

#[test]
fn at_the_limit_the_oldest_goes_and_is_counted() {
    let disk = MemoryDisk::default();
    let bounded = Settings { segment_bytes: 600, max_bytes: 4_000, ..settings() };
    let spool = spool(&disk, &bounded);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    let now = Instant::now();
    let mut delivered = Vec::new();
    for number in 1..=100 {
        spool.append(&[end(number), progress(number)]);
        spool.tend(now);
        if number == 3 {
            delivered.extend(drain(&mut *source));
        }
        let bytes: usize = disk.paths("/seg-").iter().map(|path| disk.get(path).unwrap().len()).sum();
        assert!(bytes < 4_000 + 2 * 600, "{bytes}");
    }
    delivered.extend(drain(&mut *source));
    let losses = lost(&spool);
    assert_eq!(losses[0], (Reason::SpoolFull, "early".to_owned(), 100 - delivered.len() as u64));
    assert_eq!(losses[1].2, losses[0].2 + 3, "the other backend has nothing");
    assert_eq!(name(&delivered.last().unwrap().change), "E100");
}

#[test]
fn what_all_backends_have_goes_first() {
    let disk = MemoryDisk::default();
    let one = Settings { segment_bytes: 1, destinations: vec![early()], ..settings() };
    let spool = spool(&disk, &Settings { max_bytes: 1_000, ..one.clone() });
    // Of a process that is dead, older than ours and sent nowhere.
    let dead = super::spool(&disk.of_another(), &Settings { executable: "other".to_owned(), ..one });
    dead.append(&[end(1)]);
    drop(dead);
    disk.advance(Duration::from_secs(10));
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    for number in 2..10 {
        spool.append(&[end(number)]);
        drain(&mut *source);
        disk.advance(Duration::from_secs(1));
        spool.tend(Instant::now());
    }
    assert_eq!(lost(&spool), []);
    assert!(disk.paths("/seg-").len() < 6);
}

#[test]
fn room_is_left_on_the_disk() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    spool.append(&[end(1)]);
    disk.set_free(Some(100_000_000));
    let now = Instant::now() + Duration::from_secs(120);
    spool.tend(now);
    assert!(spool.health().trouble.unwrap().contains("nearly full"));
    assert_eq!(spool.append(&[end(2)]).waiting, 1);
    disk.set_free(Some(300_000_000));
    spool.tend(now + Duration::from_secs(31));
    assert_eq!(spool.append(&[end(3)]).written, 1);
    assert_eq!(names(&drain(&mut *spool.source(&early(), Wants::Early).unwrap())), "E1 E2 E3");
}

#[test]
fn what_nobody_has_is_not_given_up_because_others_fill_the_disk() {
    let disk = MemoryDisk::default();
    disk.set_free(Some(1_000_000));
    let small = Settings { segment_bytes: 1, keep_free: 100_000, ..settings() };
    let before = disk.of_another();
    let first = spool(&before, &small);
    let now = Instant::now();
    first.append(&[end(1), end(2), end(3)]);
    first.tend(now);
    // First all of it, then all but so much that writing goes on.
    for (minute, free) in [(2, 0), (4, 100_100), (6, 0)] {
        disk.set_free(Some(free));
        first.tend(now + Duration::from_secs(60 * minute));
    }
    assert_eq!((lost(&first), disk.paths("/seg-").len()), (vec![], 3));
    before.kill();
    drop(first);
    // Nor by the next process, which knows nothing of what was free.
    let second = spool(&disk.of_another(), &small);
    second.tend(now);
    assert_eq!(lost(&second), []);
    assert_eq!(names(&drain(&mut *second.source(&early(), Wants::Early).unwrap())), "E1 E2 E3");
}

#[test]
fn a_run_that_stays_open_keeps_its_start_but_not_for_ever() {
    let disk = MemoryDisk::default();
    let one = Settings { segment_bytes: 1, destinations: vec![whole()], keep_bytes: 0, ..settings() };
    let spool = spool(&disk, &one);
    let mut source = spool.source(&whole(), Wants::Whole).unwrap();
    spool.append(&[start(1), end(2), end(3)]);
    drain(&mut *source);
    let now = Instant::now() + Duration::from_secs(120);
    spool.tend(now);
    assert_eq!(disk.paths("/seg-").len(), 3, "needed for the end of run 1");
    disk.advance(Duration::from_secs(25 * 3600));
    spool.tend(now + Duration::from_secs(120));
    assert_eq!(disk.paths("/seg-").len(), 0);
    spool.append(&[end(1)]);
    assert_eq!(names(&drain(&mut *source)), "E1");
}

#[test]
fn what_is_refused_for_good_is_kept_with_the_answer() {
    let disk = MemoryDisk::default();
    let spool = spool(&disk, &settings());
    spool.append(&[end(1), end(2)]);
    let mut source = spool.source(&early(), Wants::Early).unwrap();
    let entries = source.next(2, 10_000).unwrap();
    source.bury(&entries[1..], "422: no such field").unwrap();
    source.done(entries[1].mark).unwrap();
    let dead = disk.paths("/dead-early-").pop().unwrap();
    let text = String::from_utf8(disk.get(&dead).unwrap()).unwrap();
    assert!(text.contains("422: no such field") && text.contains(r#"{"said":2}"#) && !text.contains(r#"{"said":1}"#));
    source.note(&Standing::default()).unwrap();
    let state = disk.paths("/state-early-").pop().unwrap();
    serde_json::from_slice::<Standing>(&disk.get(&state).unwrap()).unwrap();
}

/// A disk that does not say how much is free while the gate is shut.
#[derive(Debug)]
struct Gated {
    disk: MemoryDisk,
    gate: Arc<Mutex<()>>,
}

impl Disk for Gated {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.make_dir(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.names(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Listed> {
        self.disk.stat(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.disk.append(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.disk.open(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.replace(path, bytes)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }

    fn lock(&self, path: &Path, make: bool) -> io::Result<Option<Lock>> {
        self.disk.lock(path, make)
    }

    fn free(&self, path: &Path) -> Option<u64> {
        let _open = self.gate.lock().unwrap();
        self.disk.free(path)
    }

    fn now(&self) -> SystemTime {
        self.disk.now()
    }
}

#[test]
fn what_is_appended_does_not_wait_until_it_is_known_what_may_go() {
    let gate = Arc::new(Mutex::new(()));
    let shut = gate.lock().unwrap();
    let spool = Spool::on(Arc::new(Gated { disk: MemoryDisk::default(), gate: Arc::clone(&gate) }), settings());
    assert_eq!(spool.append(&[end(1)]).written, 1);
    spool.tend_beside(Instant::now());
    assert_eq!(spool.append(&[end(2)]).written, 1);
    drop(shut);
    while spool.is_keeping() {
        spool.tend_beside(Instant::now());
        std::thread::yield_now();
    }
    assert_eq!(spool.append(&[end(3)]).written, 1);
    assert_eq!(lost(&spool), []);
}
