//! Two programs with two keys on one data home: what one has left is never sent by the other.

use std::{sync::Mutex, time::Duration};

use rustix::process::Signal;

use super::{
    Settings,
    outcome::{Outcome, Truth},
    programs::{Backend, Moment, Setup},
    recover::recover,
};
use crate::fault::Fault;

/// What tells the two apart, beside the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// One executable, two backends, two projects.
    Backends,
    /// Two executables, one backend, one project.
    Programs,
}

const KEYS: [&str; 2] = ["test-51e7c2b08fd94a16", "test-c96d03a47be8215f"];

const WITHIN: Duration = Duration::from_secs(120);

pub(super) fn run(settings: &Settings, between: Between, outcome: &mut Outcome) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let own = settings.programs.join("producer");
    let (backends, programs, projects) = match between {
        Between::Backends => {
            let backends = vec![Mutex::new(Backend::start(settings)), Mutex::new(Backend::start(settings))];
            (backends, [own.clone(), own], ["first", "second"])
        }
        Between::Programs => {
            let other = folder.path().join("another-producer");
            std::fs::copy(&own, &other).map_err(|error| error.to_string())?;
            (vec![Mutex::new(Backend::start(settings))], [own, other], ["shared", "shared"])
        }
    };
    let backend_of = |at: usize| &backends[at % backends.len()];
    let urls: Vec<String> = backends.iter().map(|backend| backend.lock().unwrap().url.clone()).collect();
    let setups = [0, 1].map(|at| Setup {
        program: programs[at].clone(),
        pipeline: &settings.pipeline,
        endpoint: &urls[at % urls.len()],
        key: KEYS[at],
        project: projects[at],
        home: folder.path(),
        spool: "inline",
        spool_bytes: 0,
    });

    // Both leave runs behind.
    for backend in &backends {
        backend.lock().unwrap().set(Fault::Down);
    }
    let mut truths = [Truth::default(), Truth::default()];
    for (setup, truth) in setups.iter().zip(&mut truths) {
        let producer = setup.start(&["wait", "500", "0", "0", "0"].map(str::to_owned));
        producer.reaches(Moment::Done, WITHIN)?;
        let killed = producer.signal(Signal::KILL);
        truth.add(&producer.wait(WITHIN)?, Some((killed, Duration::ZERO)));
    }
    for backend in &backends {
        backend.lock().unwrap().set(Fault::Well);
    }
    // Each delivers its own, the second first, while the first's still lie there.
    for at in [1, 0] {
        let seconds = recover(settings, &setups[at], backend_of(at), &truths[at])?.whole;
        outcome.restart_seconds = Some(outcome.restart_seconds.unwrap_or(0.0) + seconds);
        for (other, truth) in truths.iter().enumerate() {
            compare(&backends, other, truth, at == 0, outcome);
        }
    }
    outcome.keep_secret(KEYS[0], folder.path());
    outcome.keep_secret(KEYS[1], folder.path());
    Ok(())
}

/// The runs of one program are where they belong and nowhere else, under its own key and no other; `all` of them are.
fn compare(backends: &[Mutex<Backend>], owner: usize, truth: &Truth, all: bool, outcome: &mut Outcome) {
    for (at, backend) in backends.iter().enumerate() {
        let mut backend = backend.lock().unwrap();
        let acknowledged = backend.acknowledged();
        let is_own = at == owner % backends.len();
        let wrong =
            truth.ids().filter_map(|id| acknowledged.get(&id)).filter(|keys| !is_own || *keys != &[KEYS[owner]]);
        let wrong = wrong.count();
        outcome.hold(wrong == 0, || format!("{wrong} runs of one program were sent by the other"));
        if all && is_own {
            let before = outcome.clone();
            truth.compare(&acknowledged, outcome);
            outcome.made += before.made;
            outcome.lost += before.lost;
            outcome.reported(backend.report());
            outcome.repeats += before.repeats;
            outcome.requests += before.requests;
        }
    }
}
