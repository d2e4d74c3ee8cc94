//! What one destination is given less than others: whole trees, and more marks.
#![cfg(all(unix, feature = "spool", feature = "redaction", feature = "testing"))]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use support::{Backend, Taken};
use traceable_core::{
    attach_to,
    delivery::Remote as _,
    export::{Ack, ExportError, Exporter as _},
    feedback,
    model::{Attachment, RunChange},
    redact::Redaction,
    run,
    runtime::{self, Builder, SpoolMode},
    spool::{Position, Reader, look},
    testing::Memory,
};

/// The names and all texts of what a destination has.
fn seen(changes: &[RunChange]) -> (BTreeSet<String>, String) {
    let names = changes.iter().filter_map(RunChange::run).map(|run| run.name.clone().into_owned()).collect();
    (names, serde_json::to_string(changes).unwrap())
}

#[test]
fn a_destination_is_given_no_less_than_whole_trees_and_its_rules_only_add() {
    let home = tempfile::tempdir().unwrap();
    let (all, quiet, discreet) = (Memory::new(), Memory::new(), Memory::new());
    let [backend, narrow] = [Taken::default(), Taken::default()];
    let remote = |project, taken: &Taken| Backend { project, taken: Arc::clone(taken), answer: |_| Ok(Ack::default()) };
    let emails = || Redaction::default().emails();
    Builder::new()
        .home(home.path())
        .project("shop")
        .remote(remote("all", &backend))
        .remote(
            remote("narrow", &narrow)
                .filter(|run| run.project.as_deref() == Some("shop") && run.name != "health")
                .filter(|run| !run.tags.iter().any(|tag| tag == "secret"))
                .redact(emails()),
        )
        .exporter(all.clone())
        .exporter(quiet.clone().filter(|run| if run.name == "broken" { panic!("no") } else { run.name != "health" }))
        .exporter(discreet.clone().redact(emails()))
        .init()
        .unwrap();
    let asked = |name: &str| run(name).input("by", "ann@example.com");
    let health = asked("health").call(|health| {
        asked("disk").call(|disk| disk.add_metadata("late", &1));
        health.id()
    });
    asked("answer").call(|answer| {
        for (name, mime) in [("list", "text/csv"), ("photo", "image/png"), ("plan", "image/svg+xml")] {
            answer.attach(name, &Attachment::path(mime, "/not/read/here"));
        }
        asked("vault").tags(["secret"]).call(|_| asked("key").call(|_| ()));
        asked("model").call(|_| ());
    });
    run("broken").call(|_| ());
    // What is said of a run by its id goes where the run went.
    feedback(health.unwrap(), "useful").comment("said by hand").send();
    attach_to(health.unwrap(), &Attachment::bytes("text/plain", b"seen by eye".as_slice()).named("note"));
    assert!(runtime::flush_blocking(Duration::from_secs(60)).delivered);

    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let everything = names(&["answer", "broken", "disk", "health", "key", "model", "vault"]);
    for (given, expected, hides) in [
        (all.changes(), everything.clone(), false),
        (backend.lock().unwrap().clone(), everything.clone(), false),
        (discreet.changes(), everything.clone(), true),
        (quiet.changes(), names(&["answer", "key", "model", "vault"]), false),
        (narrow.lock().unwrap().clone(), names(&["answer", "broken", "model"]), true),
    ] {
        let (seen, text) = seen(&given);
        assert_eq!(seen, expected);
        assert_eq!(text.contains("ann@example.com"), !hides, "{text}");
        assert_eq!(text.contains("[redacted: email]"), hides, "{text}");
        // What would be read when it is sent cannot be looked into here: but for the photo.
        assert_eq!(text.contains("traceable.unread"), hides, "{text}");
        let files = given.iter().filter_map(RunChange::run).flat_map(|run| &run.attachments);
        let unread = files.filter(|file| file.metadata.contains_key("traceable.unread")).map(|file| &*file.name);
        let unread: BTreeSet<&str> = unread.collect();
        assert_eq!(unread, if hides { BTreeSet::from(["list", "plan"]) } else { BTreeSet::new() });
        let knows_health = seen.contains("health");
        assert_eq!((text.contains("said by hand"), text.contains("note")), (knows_health, knows_health), "{text}");
    }
    // Two and one left out by the filter on this machine, four by the other; none of them is lost, and none waits.
    let stats = runtime::stats();
    assert_eq!((stats.filtered, stats.dropped.len()), (3 + 4, 0), "{stats:?}");
    let found = look(home.path()).unwrap();
    // What is kept on this machine is whole.
    let mut reader = Reader::new(&found[0].path, Position::default());
    let mut kept = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        kept.push(record.change().unwrap());
    }
    assert_eq!(seen(&kept).0, everything);
    assert!(seen(&kept).1.contains("ann@example.com"));
    assert!(found[0].backlogs.iter().all(|backlog| backlog.pending == 0), "{found:?}");
}

/// Set for the process that dies.
const HOME: &str = "TEST_RESTRICT_HOME";

#[test]
fn a_process_that_was_told_of_no_rules_keeps_to_those_of_the_one_that_died() {
    let Some(home) = std::env::var_os(HOME) else { return leave_and_drain() };
    let down = Backend { project: "narrow", taken: Taken::default(), answer: |_| Err(ExportError::pause("503")) };
    // By its name, as where the environment names the destination.
    let builder = Builder::new().home(home).remote(down).filter_for("test", |run| run.name != "health");
    let builder = builder.redaction_for("test", Redaction::default().emails());
    builder.spool_mode(SpoolMode::Inline).exit_timeout(Duration::ZERO).init().unwrap();
    for name in ["health", "answer"] {
        run(name).input("by", "ann@example.com").call(|_| ());
    }
}

fn leave_and_drain() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["a_process_that_was_told_of_no_rules_keeps_to_those_of_the_one_that_died", "--exact"]);
    assert!(command.env(HOME, home.path()).stdout(Stdio::null()).status().unwrap().success());
    let taken = Taken::default();
    let remote = Backend { project: "narrow", taken: Arc::clone(&taken), answer: |_| Ok(Ack::default()) };
    let drained = Builder::new().home(home.path()).remote(remote).drain().run().unwrap();
    assert_eq!((drained.pending(), drained.left.len()), (0, 0));
    let (names, text) = seen(&taken.lock().unwrap());
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["answer"]);
    assert!(text.contains("[redacted: email]") && !text.contains("ann@example.com"), "{text}");
}
