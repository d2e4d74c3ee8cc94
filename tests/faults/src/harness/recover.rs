//! A program is started again, and delivers what the one before left.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{
    Settings,
    outcome::Truth,
    programs::{Backend, Setup},
};

/// How often the endpoint is asked before anything has come, and then.
const STEPS: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(100)];

/// How long nothing may come before it is believed that nothing more will.
const CALM: Duration = Duration::from_secs(1);

/// How long a program may take over its end.
const END: Duration = Duration::from_secs(60);

/// How many seconds it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    /// Until a run had arrived.
    pub(super) first: f64,
    /// Until all had arrived, or none came any more.
    pub(super) whole: f64,
    /// The most memory that the program had, in KiB.
    pub(super) peak_kib: u64,
}

/// Starts the program again and waits until all that must arrive has arrived, or until nothing has come for as long as
/// the settings say.
pub(super) fn recover(
    settings: &Settings,
    setup: &Setup<'_>,
    backend: &Mutex<Backend>,
    truth: &Truth,
) -> Result<Took, String> {
    let before = backend.lock().unwrap().report().acknowledged;
    let start = Instant::now();
    let mut producer = setup.start(&["drain".into()]);
    let (mut known, mut news, mut first, mut whole) = (u64::MAX, Instant::now(), None, None);
    loop {
        let acknowledged = backend.lock().unwrap().report().acknowledged;
        if acknowledged != known {
            first = first.or_else(|| (acknowledged > before).then(|| start.elapsed()));
            (known, news) = (acknowledged, Instant::now());
            let is_enough = acknowledged >= truth.required();
            if is_enough && whole.is_none() && truth.is_in(&backend.lock().unwrap().acknowledged()) {
                whole = Some(start.elapsed());
            }
        }
        // What may be missing may also come.
        if news.elapsed() > if whole.is_some() { CALM } else { settings.patience } {
            break;
        }
        std::thread::sleep(STEPS[usize::from(first.is_some())]);
    }
    let peak_kib = producer.peak_kib();
    producer.close_input();
    producer.wait(END)?;
    let seconds = |after: Option<Duration>| after.unwrap_or_else(|| start.elapsed()).as_secs_f64();
    Ok(Took { first: seconds(first), whole: seconds(whole), peak_kib })
}
