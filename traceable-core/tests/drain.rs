//! Draining: what dead processes left is sent to the backends that are named, and what stays is said, with why.
#![cfg(all(unix, feature = "spool"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    task::{Context, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use traceable_core::{
    delivery::{Delivery, Entry, Identity, Remote, Step},
    export::{Ack, ExportError},
    model::{Run, RunChange, RunId},
    runtime::{Builder, Drained},
    spool::{Orphans, Settings, Spool, look},
};

/// A backend in this process.
struct Backend {
    project: &'static str,
    taken: Arc<Mutex<Vec<u128>>>,
    answer: fn(&[Entry]) -> Result<Ack, ExportError>,
}

impl Remote for Backend {
    fn identity(&self) -> Identity {
        to(self.project)
    }

    fn drive(self: Arc<Self>, mut delivery: Delivery) -> io::Result<()> {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let deliver = move || {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            loop {
                match delivery.next(Instant::now()) {
                    Step::Send(parcel) => {
                        let answer = (self.answer)(&parcel.entries);
                        if answer.is_ok() {
                            let ids = parcel.entries.iter().filter_map(|entry| entry.change.run());
                            self.taken.lock().unwrap().extend(ids.map(|run| run.id.as_u128()));
                        }
                        delivery.answered(parcel, answer, Instant::now());
                    }
                    Step::Done => return,
                    Step::Wait(until) if delivery.poll_news(&mut Context::from_waker(&waker)).is_pending() => {
                        let wait = until.map_or(Duration::from_secs(60), |until| until - Instant::now());
                        thread::park_timeout(wait);
                    }
                    _ => {}
                }
            }
        };
        thread::Builder::new().spawn(deliver).map(drop)
    }
}

fn to(project: &str) -> Identity {
    Identity::new("test", "https://test.example", project)
}

/// What a process leaves that dies after these runs have ended.
fn leave(home: &Path, executable: Option<&str>, projects: &[&str], runs: impl IntoIterator<Item = u128>) {
    let destinations = projects.iter().map(|project| to(project)).collect();
    let mut settings = Settings::new(Some(home.to_owned()), destinations);
    if let Some(executable) = executable {
        executable.clone_into(&mut settings.executable);
    }
    let end = |n| RunChange::End(Box::new(Run { id: RunId::from_u128(n), end_time: Some(2), ..Run::default() }));
    let changes: Vec<RunChange> = runs.into_iter().map(end).collect();
    assert_eq!(Spool::new(settings).append(&changes).written, changes.len());
}

fn drain_with(
    home: &Path,
    project: &'static str,
    orphans: Orphans,
    answer: fn(&[Entry]) -> Result<Ack, ExportError>,
) -> (Drained, Vec<u128>) {
    let taken = Arc::default();
    let backend = Backend { project, taken: Arc::clone(&taken), answer };
    let drain = Builder::new().home(home).remote(backend).drain().orphans(orphans).within(Duration::from_secs(60));
    let drained = drain.run().unwrap();
    let mut taken = taken.lock().unwrap().clone();
    taken.sort_unstable();
    (drained, taken)
}

fn drain(home: &Path, project: &'static str, orphans: Orphans) -> (Drained, Vec<u128>) {
    drain_with(home, project, orphans, |_| Ok(Ack::default()))
}

#[test]
fn what_is_left_goes_to_where_it_was_meant_for_and_the_rest_is_said() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    leave(home, None, &["a"], 1..=250);
    leave(home, None, &["a", "b"], 251..=300);
    leave(home, Some("other"), &["a"], [1_000]);
    leave(home, None, &["b"], [2_000]);
    leave(home, None, &[], [3_000]);

    let (drained, taken) = drain(home, "a", Orphans::Own);
    assert!(taken.into_iter().eq(1..=300));
    assert_eq!((drained.sent, drained.refused, drained.pending()), (300, 0, 1));
    let left: Vec<_> =
        drained.left.iter().map(|left| (left.destination.project.as_str(), left.records, left.is_named)).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    for expected in [("b", 50, false), ("a", 1, true), ("b", 1, false)] {
        assert!(left.contains(&expected), "{expected:?} in {left:?}");
    }
    let others = drained.left.iter().find(|left| left.executable == "other").unwrap();
    assert_eq!((others.why.as_str(), others.bytes > 0), ("another program recorded it", true));

    assert_eq!(drain(home, "a", Orphans::Own).1, [0; 0], "nothing is sent twice");
    assert_eq!(drain(home, "a", Orphans::Meant).1, [1_000]);
    assert_eq!(drain(home, "b", Orphans::Own).1.len(), 51);
    assert_eq!(drain(home, "b", Orphans::Own).0.left, []);
}

#[test]
fn what_was_meant_for_others_or_nobody_goes_where_somebody_says_and_only_what_they_lack() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    leave(home, None, &[], [1, 2]);
    leave(home, Some("other"), &["gone"], [3, 4]);
    leave(home, None, &["well"], [5]);
    assert_eq!(drain(home, "well", Orphans::Own).1, [5]);

    let (drained, taken) = drain(home, "new", Orphans::All);
    assert_eq!(taken, [1, 2, 3, 4]);
    assert_eq!(drained.pending(), 0);
    // It also stays for the one that it was meant for.
    assert_eq!(drained.left.iter().map(|left| left.destination.project.as_str()).collect::<Vec<_>>(), ["gone"]);
    assert_eq!(drain(home, "new", Orphans::All).1, [0; 0]);
    assert_eq!(drain(home, "gone", Orphans::Meant).1, [3, 4]);
}

#[test]
fn a_backend_that_takes_nothing_is_not_waited_for_and_what_it_says_is_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    leave(home, None, &["a"], 1..=3);
    let begun = Instant::now();
    let (drained, _) = drain_with(home, "a", Orphans::Own, |_| Err(ExportError::pause("401: no such key")));
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!((drained.sent, drained.pending(), drained.left[0].why.as_str()), (0, 3, "401: no such key"));
    let found = &look(home).unwrap()[0].backlogs[0];
    assert_eq!((found.pending, found.standing.last_answer.as_str()), (3, "401: no such key"));
    assert!(found.standing.paused_since.is_some() && found.pending_bytes > 0);
}

#[test]
fn what_is_refused_for_good_is_done_with_and_kept_aside() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    leave(home, None, &["a"], 1..=30);
    let wrong = |entries: &[Entry]| {
        let is_wrong = entries.iter().any(|entry| entry.change.run().unwrap().id.as_u128() == 7);
        if is_wrong { Err(ExportError::invalid("422: no")) } else { Ok(Ack::default()) }
    };
    let (drained, taken) = drain_with(home, "a", Orphans::Own, wrong);
    assert_eq!((drained.sent, taken.len(), drained.pending()), (29, 29, 0));
    let found = &look(home).unwrap()[0].backlogs[0];
    assert_eq!((found.dead_files, found.dead_bytes > 0, found.ack.is_complete), (1, true, true));
}

#[test]
fn whoever_lives_sends_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let spool = Spool::new(Settings::new(Some(home.to_owned()), vec![to("a")]));
    spool.append(&[RunChange::End(Box::default())]);
    let (drained, taken) = drain(home, "a", Orphans::All);
    assert_eq!((taken.len(), drained.left[0].why.as_str()), (0, "a process that runs sends it"));
    drop(spool);
    assert_eq!(drain(home, "a", Orphans::Own).1, [0]);
}
