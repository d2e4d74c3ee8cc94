//! `traceable drain` and what `traceable doctor` says of what is stuck.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use support::{PROGRAM, Server, printed, send, until};
use traceable_core::{
    delivery::Identity,
    model::{DottedOrder, Run, RunChange, RunId},
    spool::{Settings, Spool},
};

/// What a program leaves that dies after these runs have ended.
fn leave(home: &Path, destinations: Vec<Identity>, runs: std::ops::Range<u128>) {
    let mut settings = Settings::new(Some(home.to_owned()), destinations);
    "/bin/film-club".clone_into(&mut settings.executable);
    let end = |n| {
        let (id, start_time) = (RunId::from_u128(n), 1_790_000_000_000_000_000);
        let dotted_order = DottedOrder::root(start_time, id);
        let end_time = Some(start_time + 1_000_000);
        let run = Run { id, trace_id: id, name: format!("run {n}").into(), start_time, end_time, ..Run::default() };
        RunChange::End(Box::new(Run { dotted_order, ..run }))
    };
    let changes: Vec<RunChange> = runs.map(end).collect();
    assert_eq!(Spool::new(settings).append(&changes).written, changes.len());
}

fn told(home: &Path, arguments: &[&str], endpoint: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEABLE")) {
        command.env_remove(name);
    }
    command.env("TRACEABLE_ENDPOINT", endpoint).arg("--home").arg(home).args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_programs_left_is_sent_by_a_command() {
    let [home, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let home = home.path();
    let server = Server::start(other.path());
    let there = || printed(other.path(), &["export"]).lines().count();
    leave(home, vec![Identity::new("traceable", server.url(), "default")], 1..121);
    leave(home, vec![], 200..203);
    leave(home, vec![Identity::new("langsmith", "https://langsmith.example", "shop")], 300..304);

    let doctor = &json(&told(home, &["doctor", "--json"], ""));
    let waits: Vec<u64> = (0..3).filter_map(|at| doctor["spools"][at]["backends"][0]["pending"].as_u64()).collect();
    assert_eq!(waits.iter().sum::<u64>(), 124, "{doctor}");
    let said = String::from_utf8(told(home, &["doctor"], "").stdout).unwrap();
    assert!(
        said.contains("120 records wait") && said.contains("langsmith at https://langsmith.example (shop)"),
        "{said}"
    );

    // What is for this server goes to it, whoever recorded it; the rest is said, and why.
    let drained = told(home, &["drain", "--json"], &server.url());
    assert!(!drained.status.success());
    assert!(String::from_utf8_lossy(&drained.stderr).contains("4 records still wait"));
    let said = json(&drained);
    assert_eq!((&said["sent"], said["left"].as_array().unwrap().len()), (&120.into(), 1), "{said}");
    assert!(said["left"][0]["why"].as_str().unwrap().contains("LANGSMITH_API_KEY"), "{said}");
    assert_eq!(there(), 120);

    let drained = told(home, &["drain", "--to", "traceable"], &server.url());
    assert!(drained.status.success(), "{}", String::from_utf8_lossy(&drained.stderr));
    let said = String::from_utf8(drained.stdout).unwrap();
    assert!(said.starts_with("7 changes sent") && said.contains("4 records of /bin/film-club"), "{said}");
    assert_eq!(there(), 127);
    assert!(
        String::from_utf8_lossy(&told(home, &["drain", "--to", "nowhere"], "").stderr)
            .contains("langsmith, otlp, traceable")
    );
}

#[test]
fn the_page_of_a_run_says_who_has_it() {
    let [home, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let home = home.path();
    let [server, elsewhere] = [home, other.path()].map(Server::start);
    let langsmith = Identity::new("langsmith", "https://langsmith.example", "shop");
    leave(home, vec![Identity::new("traceable", elsewhere.url(), "default"), langsmith], 1..4);
    let run = RunId::from_u128(2);
    until(|| (server.get(&format!("/api/traceable/v1/runs/{run}")).0 == 200).then_some(()));
    let said = || {
        let page = send(server.address, "GET", &format!("/sent/{run}"), &[("x-part", "more")], b"").unwrap();
        String::from_utf8(page.body).unwrap()
    };

    let before = said();
    assert_eq!(before.matches("waits").count(), 2, "{before}");
    told(home, &["drain"], &elsewhere.url());
    let after = said();
    assert!(after.contains(&format!("traceable at {}: done", elsewhere.url())), "{after}");
    assert!(after.contains("langsmith at https://langsmith.example: <span class=\"wait\">waits"), "{after}");
}
