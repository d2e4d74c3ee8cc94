//! Draining: what dead processes left is sent to the backends that are named, and what stays is said, with why.
#![cfg(all(unix, feature = "spool"))]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use support::{Backend, Taken, to};
use traceable_core::{
    delivery::Entry,
    export::{Ack, ExportError},
    model::{Run, RunChange, RunId},
    runtime::{Builder, Drained},
    spool::{Orphans, Settings, Spool, look},
};

/// What a process was told that ran in this home.
fn settings(home: &Path, executable: Option<&str>, projects: &[&str]) -> Settings {
    let destinations = projects.iter().map(|project| to(project)).collect();
    let mut settings = Settings::new(Some(home.to_owned()), destinations);
    if let Some(executable) = executable {
        executable.clone_into(&mut settings.executable);
    }
    settings
}

/// What a process leaves that dies after these runs have ended.
fn leave(home: &Path, executable: Option<&str>, projects: &[&str], runs: impl IntoIterator<Item = u128>) {
    let settings = settings(home, executable, projects);
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
    let taken = Taken::default();
    let backend = Backend { project, taken: Arc::clone(&taken), answer };
    let drain = Builder::new().home(home).remote(backend).drain().orphans(orphans).within(Duration::from_secs(60));
    let drained = drain.run().unwrap();
    let mut taken: Vec<u128> =
        taken.lock().unwrap().iter().filter_map(RunChange::run).map(|run| run.id.as_u128()).collect();
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

#[cfg(feature = "redaction")]
#[test]
fn what_another_program_wanted_replaced_is_replaced_and_what_only_it_can_do_is_left_to_it() {
    use traceable_core::redact::Written;

    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut emails = Written::default();
    emails.emails = true;
    let mut code = Written::default();
    code.has_callback = true;
    for (n, rules) in [(1, emails), (2, code)] {
        let mut settings = settings(home, Some("other"), &["b", "a"]);
        settings.redactions = vec![vec![], vec![rules]];
        let error = Some(format!("run {n} of ann@example.com"));
        let end = Run { id: RunId::from_u128(n), error, end_time: Some(2), ..Run::default() };
        Spool::new(settings).append(&[RunChange::End(Box::new(end))]);
    }
    let drain = |project| {
        let taken = Taken::default();
        let backend = Backend { project, taken: Arc::clone(&taken), answer: |_| Ok(Ack::default()) };
        let drained = Builder::new().home(home).remote(backend).drain().orphans(Orphans::Meant).run().unwrap();
        let errors: Vec<_> = taken.lock().unwrap().iter().filter_map(|change| change.run()?.error.clone()).collect();
        (errors, drained)
    };
    let (errors, drained) = drain("a");
    assert_eq!(errors, ["run 1 of [redacted: email]"]);
    let left: Vec<_> = drained.left.iter().filter(|left| left.is_named).map(|left| left.why.as_str()).collect();
    assert_eq!(left, ["only its own program can redact it for this destination: start that again"]);
    // The rules were for one backend.
    let mut errors = drain("b").0;
    errors.sort();
    assert_eq!(errors, ["run 1 of ann@example.com", "run 2 of ann@example.com"]);
}
