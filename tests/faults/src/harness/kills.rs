//! Programs that are killed at any moment, again and again, while others share their data home.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use rustix::process::Signal;

use super::{
    Settings,
    outcome::{Outcome, Truth},
    programs::{Backend, Setup, now},
    progress,
    recover::recover,
};
use crate::{fault::Fault, text::mix};

/// Programs at a time.
const PROGRAMS: u32 = 4;

const KEY: &str = "test-8a17d40be2c95f63";

/// How long a program that was killed may take to be gone.
const GONE: Duration = Duration::from_secs(60);

pub(super) fn run(settings: &Settings, outcome: &mut Outcome) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let backend = Mutex::new(Backend::start(settings));
    let url = backend.lock().unwrap().url.clone();
    let setup = |spool| Setup {
        program: settings.programs.join("producer"),
        pipeline: &settings.pipeline,
        endpoint: &url,
        key: KEY,
        project: "faults",
        home: folder.path(),
        spool,
        spool_bytes: 0,
    };
    let truth = Mutex::new(Truth::default());
    let left = AtomicU32::new(settings.kills);
    let is_over = AtomicBool::new(false);
    let seed = now() as u64;
    let problems: Vec<String> = std::thread::scope(|scope| {
        let breaking = scope.spawn(|| break_now_and_then(&backend, &is_over));
        let programs: Vec<_> = (0..PROGRAMS)
            .map(|program| {
                let (truth, left, setup) = (&truth, &left, &setup);
                let spool = if program.is_multiple_of(2) { "background" } else { "inline" };
                scope.spawn(move || kill(settings, &setup(spool), seed, truth, left))
            })
            .collect();
        let ended = programs.into_iter().map(|program| program.join().expect("no panic"));
        let problems = ended.filter_map(Result::err).collect();
        is_over.store(true, Ordering::Relaxed);
        breaking.join().expect("no panic");
        problems
    });
    outcome.problems.extend(problems);
    backend.lock().unwrap().set(Fault::Well);
    let truth = truth.into_inner().unwrap();
    outcome.restart_seconds = Some(recover(settings, &setup("background"), &backend, &truth)?.whole);
    let mut backend = backend.lock().unwrap();
    let acknowledged = backend.acknowledged();
    truth.compare(&acknowledged, outcome);
    let strangers = truth.strangers(&acknowledged);
    outcome.hold(strangers <= settings.kills as usize, || format!("{strangers} runs came that nobody made"));
    outcome.hold(truth.made() > 0, || "no run was made".into());
    outcome.reported(backend.report());
    outcome.keep_secret(KEY, folder.path());
    outcome.what = format!("{} (killed {} times)", outcome.what, settings.kills);
    Ok(())
}

/// Starts a program and kills it, until there were enough of them.
fn kill(
    settings: &Settings,
    setup: &Setup<'_>,
    seed: u64,
    truth: &Mutex<Truth>,
    left: &AtomicU32,
) -> Result<(), String> {
    let window = if setup.spool == "inline" { Duration::ZERO } else { settings.window };
    let next = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    while let Ok(number) = next() {
        let args = ["wait", "1000000", "1000", "0", "0"].map(str::to_owned);
        let producer = setup.start(&args);
        // Also before its first run, while it takes over what another one left.
        let lives = mix(seed ^ u64::from(number)) % 400;
        std::thread::sleep(Duration::from_millis(lives));
        let killed = producer.signal(Signal::KILL);
        let printed = producer.wait(GONE)?;
        let mut truth = truth.lock().unwrap();
        truth.add(&printed, Some((killed, window)));
        if number.is_multiple_of(100) {
            progress(&format!("row 22: {} runs made, {number} kills left", truth.made()));
        }
    }
    Ok(())
}

/// The backend has its own troubles.
fn break_now_and_then(backend: &Mutex<Backend>, is_over: &AtomicBool) {
    let faults = [Fault::Well, Fault::Random(50), Fault::Down, Fault::Lost, Fault::Well];
    for fault in faults.into_iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        backend.lock().unwrap().set(fault);
        std::thread::sleep(Duration::from_millis(700));
    }
}
