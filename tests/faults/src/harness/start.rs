//! A program is started while much waits in the spool: how soon it sends, and that nothing is lost.

use std::{path::Path, sync::Mutex, time::Duration};

use super::{
    Settings,
    outcome::{Outcome, Truth},
    programs::{Backend, Setup},
    progress,
    recover::recover,
};
use crate::fault::Fault;

const KEY: &str = "test-d07b3c5e91fa2468";

/// Bytes of the spool that a run takes, about.
const RUN_BYTES: u64 = 2_600;

/// How long the program may take that leaves the runs.
const MAKING: Duration = Duration::from_secs(900);

/// Seconds until something is sent, at most.
const FIRST: f64 = 2.0;

pub(super) fn run(settings: &Settings, outcome: &mut Outcome) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let backend = Mutex::new(Backend::start(settings));
    let url = backend.lock().unwrap().url.clone();
    let setup = Setup {
        program: settings.programs.join("producer"),
        pipeline: &settings.pipeline,
        endpoint: &url,
        key: KEY,
        project: "faults",
        home: folder.path(),
        spool: "background",
        // Room for all of it: what goes at the limit is another matter.
        spool_bytes: (settings.spool_mib + 512) << 20,
    };
    backend.lock().unwrap().set(Fault::Down);
    let runs = (settings.spool_mib << 20) / RUN_BYTES;
    let args = ["return".to_owned(), runs.to_string(), "0".into(), "0".into(), "0".into()];
    let printed = setup.start(&args).wait(MAKING)?;
    let mut truth = Truth::default();
    truth.add(&printed, None);
    (outcome.p50_nanos, outcome.p99_nanos) = (printed.said.p50_nanos, printed.said.p99_nanos);
    let left = bytes(&folder.path().join("home"));
    progress(&format!("{} MiB of spool are left", left >> 20));
    backend.lock().unwrap().set(Fault::Well);

    let took = recover(settings, &setup, &backend, &truth)?;
    (outcome.first_seconds, outcome.restart_seconds) = (Some(took.first), Some(took.whole));
    outcome.peak_kib = took.peak_kib;
    outcome.start_kib = printed.said.start_kib;
    outcome.what = format!("{} ({} MiB)", outcome.what, left >> 20);
    // A busy machine is no reason for a short run to fail.
    outcome
        .hold(settings.is_short || took.first <= FIRST, || format!("{:.1} s passed until a run arrived", took.first));
    let mut backend = backend.lock().unwrap();
    truth.compare(&backend.acknowledged(), outcome);
    outcome.hold(truth.made() == runs, || format!("only {} of {runs} runs were made", truth.made()));
    outcome.reported(backend.report());
    outcome.keep_secret(KEY, folder.path());
    Ok(())
}

/// Bytes of all files in a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let each = entries.filter_map(|entry| {
        let about = entry.metadata().ok()?;
        Some(if about.is_dir() { bytes(&entry.path()) } else { about.len() })
    });
    each.sum()
}
