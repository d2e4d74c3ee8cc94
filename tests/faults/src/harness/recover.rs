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

/// How often the endpoint is asked.
const STEP: Duration = Duration::from_millis(100);

/// How long nothing may come before it is believed that nothing more will.
const CALM: Duration = Duration::from_secs(1);

/// How long a program may take over its end.
const END: Duration = Duration::from_secs(60);

/// Starts the program again and waits until all that must arrive has arrived, or until nothing has come for as long as
/// the settings say. Answers how many seconds that took.
pub(super) fn recover(
    settings: &Settings,
    setup: &Setup<'_>,
    backend: &Mutex<Backend>,
    truth: &Truth,
) -> Result<f64, String> {
    let start = Instant::now();
    let mut producer = setup.start(&["drain".into()]);
    let (mut known, mut news, mut whole) = (u64::MAX, Instant::now(), None);
    loop {
        let acknowledged = backend.lock().unwrap().report().acknowledged;
        if acknowledged != known {
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
        std::thread::sleep(STEP);
    }
    producer.close_input();
    producer.wait(END)?;
    Ok(whole.unwrap_or_else(|| start.elapsed()).as_secs_f64())
}
