//! The spool on real files: processes that are killed, several of them on one home, and who may read what.
#![cfg(all(unix, feature = "spool"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, HashSet},
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use traceable_core::{
    delivery::{Identity, Wants},
    model::{Json, Run, RunChange, RunId, Status},
    spool::{Durability, Position, Reader, Settings, Spool},
};

/// Set in the processes that these tests start of themselves: the home to write to.
const HOME: &str = "TRACEABLE_TEST_HOME";

fn backend() -> Identity {
    Identity::new("test", "https://test.example", "project")
}

fn settings(home: &Path) -> Settings {
    let mut settings = Settings::new(Some(home.to_owned()), vec![backend()]);
    settings.segment_bytes = 64 << 10;
    settings
}

fn run(number: u128) -> Run {
    Run { id: RunId::from_u128(number), start_time: 1, ..Run::default() }
}

fn start(number: u128) -> RunChange {
    let inputs = Some(Json::parse(format!(r#"{{"text":"{}"}}"#, "x".repeat(200))).unwrap());
    RunChange::Start(Box::new(Run { inputs, ..run(number) }))
}

fn end(number: u128) -> RunChange {
    RunChange::End(Box::new(Run { end_time: Some(2), status: Status::Ok, ..run(number) }))
}

/// Appends and prints what was taken until it is killed. No test by itself.
#[test]
fn appends_until_it_is_killed() {
    let Some(home) = env::var_os(HOME).map(PathBuf::from) else { return };
    let spool = Spool::new(settings(&home));
    let mut source = spool.source(&backend(), Wants::Whole).unwrap();
    let mut out = std::io::stdout();
    let mut next = u128::from(std::process::id()) << 64;
    loop {
        let numbers = next..next + 20;
        next += 20;
        let changes: Vec<RunChange> = numbers.clone().flat_map(|number| [start(number), end(number)]).collect();
        assert_eq!(spool.append(&changes).written, 40);
        for number in numbers {
            writeln!(out, "taken {number}").unwrap();
        }
        spool.tend(Instant::now());
        let entries = source.next(15, 1 << 20).unwrap();
        if let Some(last) = entries.last() {
            for entry in &entries {
                assert!(entry.change.run().unwrap().inputs.is_some());
                writeln!(out, "sent {}", entry.change.run().unwrap().id.as_u128()).unwrap();
            }
            source.done(last.mark).unwrap();
        }
    }
}

fn appending(home: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "appends_until_it_is_killed", "--nocapture"]).env(HOME, home).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// What it said before it was killed: the runs behind each word.
fn killed(mut child: Child, after: usize) -> BTreeMap<String, Vec<u128>> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    for _ in 0..after {
        out.read_line(&mut text).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    out.read_to_string(&mut text).unwrap();
    // A line that was cut off by the kill is no line.
    let (whole, _) = text.rsplit_once('\n').unwrap();
    let mut said: BTreeMap<String, Vec<u128>> = BTreeMap::new();
    for line in whole.lines() {
        let Some((word, number)) = line.split_once(' ') else { continue };
        if let Ok(number) = number.parse() {
            said.entry(word.to_owned()).or_default().push(number);
        }
    }
    said
}

/// What is left is sent; by run, how often.
fn drained(home: &Path, sent: &mut BTreeMap<u128, u32>) {
    let spool = Spool::new(settings(home));
    let mut source = spool.source(&backend(), Wants::Whole).unwrap();
    loop {
        let entries = source.next(100, 4 << 20).unwrap();
        let Some(last) = entries.last() else { break };
        for entry in &entries {
            let run = entry.change.run().unwrap();
            assert!(run.inputs.is_some());
            *sent.entry(run.id.as_u128()).or_default() += 1;
        }
        source.done(last.mark).unwrap();
    }
    assert_eq!(spool.losses(), []);
}

#[test]
fn what_was_taken_survives_ten_kills_of_processes_on_one_home() {
    let home = tempfile::tempdir().unwrap();
    let (mut taken, mut sent) = (HashSet::new(), BTreeMap::new());
    for round in 0..5 {
        let children = [appending(home.path()), appending(home.path())];
        for (at, child) in children.into_iter().enumerate() {
            let mut said = killed(child, 500 + 397 * (2 * round + at));
            taken.extend(said.remove("taken").unwrap());
            for number in said.remove("sent").unwrap_or_default() {
                *sent.entry(number).or_default() += 1;
            }
        }
    }
    assert!(taken.len() > 2_000);
    drained(home.path(), &mut sent);
    let lost: Vec<_> = taken.iter().filter(|number| !sent.contains_key(number)).collect();
    assert!(lost.is_empty(), "{} of {} lost", lost.len(), taken.len());
    // What was on its way when a process was killed may be sent again: fifteen runs for each.
    assert!(sent.values().filter(|times| **times > 1).count() <= 10 * 15);
    let before = sent.clone();
    drained(home.path(), &mut sent);
    assert_eq!(sent, before, "all of it was written down as sent");
}

#[test]
fn files_are_for_this_user_alone() {
    let home = tempfile::tempdir().unwrap();
    let spool = Spool::new(settings(&home.path().join("deep/home")));
    spool.append(&[end(1)]);
    let mut source = spool.source(&backend(), Wants::Whole).unwrap();
    let entries = source.next(1, 1).unwrap();
    source.bury(&entries, "no").unwrap();
    source.done(entries[0].mark).unwrap();
    source.note(&traceable_core::delivery::Standing::default()).unwrap();
    let mut folders = vec![home.path().join("deep")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", entry.path().display());
            }
        }
    }
    assert_eq!(files, 6, "lock, meta, a segment, acknowledgements, a state, a dead letter");
}

#[test]
fn a_home_that_cannot_be_written_costs_nothing_while_memory_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    // A file where a folder must be: also root cannot write there.
    fs::write(&home, "").unwrap();
    let spool = Spool::new(settings(&home));
    let mut source = spool.source(&backend(), Wants::Whole).unwrap();
    assert_eq!(spool.append(&[start(1), end(1)]).waiting, 2);
    let entries = source.next(10, 1 << 20).unwrap();
    assert!(entries[0].change.run().unwrap().inputs.is_some());
    let _ = source.done(entries[0].mark);
    fs::remove_file(&home).unwrap();
    spool.tend(spool.next_tend().unwrap());
    assert_eq!((spool.health().waiting, spool.health().trouble), (0, None));
    assert_eq!(spool.append(&[end(2)]).written, 1);
}

#[test]
fn a_reader_follows_a_process_that_goes_on_writing() {
    let home = tempfile::tempdir().unwrap();
    let spool = Spool::new(settings(home.path()));
    spool.append(&[end(0)]);
    let mut reader = Reader::new(spool.health().directory.unwrap(), Position::default());
    for number in 0..2_000_u64 {
        assert_eq!(reader.next().unwrap().unwrap().sequence, number + 1);
        assert!(reader.next().unwrap().is_none());
        spool.append(&[end(u128::from(number) + 1)]);
    }
    assert!(reader.position().segment > 1);
    assert_eq!(reader.damage(), traceable_core::spool::Damage::default());
}

#[test]
fn the_files_of_each_version_are_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (version, left_out) in [("spool-v1", [0; 5]), ("spool-v2", [2, 2, 0, 2, 2])] {
        read_fixture(&fixtures.join(version), left_out);
    }
}

fn read_fixture(fixture: &Path, left_out: [u32; 5]) {
    let mut reader = Reader::new(fixture, Position::default());
    let (mut kinds, mut masks) = (Vec::new(), Vec::new());
    while let Some(record) = reader.next().unwrap() {
        let change = record.change().unwrap();
        assert!(change.run().is_none_or(|run| run.id == record.run_id));
        kinds.push(format!("{} {:?}", record.sequence, record.kind));
        masks.push(record.left_out);
    }
    assert_eq!(kinds, ["1 Start", "2 Progress", "3 End", "4 Patch", "5 Other"]);
    assert_eq!(masks, left_out);
    assert_eq!(reader.damage(), traceable_core::spool::Damage::default());
}

/// The child of a fork neither releases its parent's lock nor keeps it when the parent has died. Forking is done by a
/// process of its own, which has one thread of ours: the harness's other threads do nothing that the child needs.
#[test]
fn the_child_of_a_fork_does_not_hold_its_parents_lock() {
    if let Some(home) = env::var_os(HOME).map(PathBuf::from) {
        let spool = Spool::new(settings(&home));
        spool.append(&[end(1)]);
        // SAFETY: the child makes system calls only: it says that it is there, and ends itself should nobody kill it.
        #[allow(unsafe_code)]
        unsafe {
            if libc::fork() == 0 {
                let line = format!("\nchild {}\n", libc::getpid());
                libc::write(1, line.as_ptr().cast(), line.len());
                libc::sleep(60);
                libc::_exit(0);
            }
        }
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "the_child_of_a_fork_does_not_hold_its_parents_lock", "--nocapture"]);
    let mut parent = command.env(HOME, home.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
    let child: i32 = lines.find_map(|line| line.strip_prefix("child ")?.parse().ok()).unwrap();
    let ends = || {
        let spool = Spool::new(settings(home.path()));
        spool.source(&backend(), Wants::Whole).unwrap().next(10, 1 << 20).unwrap().len()
    };
    let while_it_lives = ends();
    parent.kill().unwrap();
    parent.wait().unwrap();
    let when_it_died = ends();
    // SAFETY: a process that this test has started.
    #[allow(unsafe_code)]
    unsafe {
        libc::kill(child, libc::SIGKILL);
    }
    assert_eq!((while_it_lives, when_it_died), (0, 1));
}

/// Figures, for `--ignored --nocapture` in a release build.
#[test]
#[ignore = "measures"]
fn figures() {
    let text = |seed: u64| -> String {
        (0..1_000_u64).map(|at| char::from(b'a' + ((seed * 31 + at * at) % 26) as u8)).collect()
    };
    let change = |number: u64| {
        let json = |name: &str| Some(Json::parse(format!(r#"{{"{name}":"{}"}}"#, text(number))).unwrap());
        RunChange::End(Box::new(Run { inputs: json("in"), outputs: json("out"), ..run(u128::from(number)) }))
    };
    let changes: Vec<RunChange> = (0..1_000).map(change).collect();
    for (durability, batch, rounds) in [
        (Durability::Process, 1, 20),
        (Durability::Process, 20, 20),
        (Durability::default(), 20, 20),
        (Durability::Every, 20, 2),
        (Durability::Every, 1, 1),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(Some(home.path().to_owned()), vec![backend()]);
        settings.durability = durability;
        let spool = Spool::new(settings);
        let began = Instant::now();
        for _ in 0..rounds {
            for part in changes.chunks(batch) {
                assert_eq!(spool.append(part).written, batch);
                spool.tend(Instant::now());
            }
        }
        let each = began.elapsed() / (rounds * 1_000);
        println!("append {durability:?}, {batch} at once: {each:?} a record");
        if rounds == 20 && batch == 20 {
            let dir = spool.health().directory.unwrap();
            for parses in [false, true] {
                let mut reader = Reader::new(&dir, Position::default());
                let (began, mut bytes) = (Instant::now(), 0);
                while let Some(record) = reader.next().unwrap() {
                    bytes += record.payload.len();
                    if parses {
                        record.change().unwrap();
                    }
                }
                let rate = bytes as f64 / 1e6 / began.elapsed().as_secs_f64();
                println!("read, parsed: {parses}: {rate:.0} MB/s, {} bytes a record", bytes / 20_000);
            }
        }
    }
    let began = Instant::now();
    let bytes: usize = (0..20).flat_map(|_| &changes).map(|change| serde_json::to_vec(change).unwrap().len()).sum();
    println!("serialize alone: {:?} a record, {} bytes", began.elapsed() / 20_000, bytes / 20_000);
}
