//! However a process ends, what it recorded is written, as far as no disk is needed for that.

use std::{
    collections::HashSet,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

/// A file of this test's own.
pub(crate) fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&file);
    file
}

pub(crate) fn program(way: &str, file: &PathBuf, more: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ends"));
    let ours = ["TRACEABLE", "LANGSMITH", "OTEL_", "LITERAL_"];
    for (name, _) in std::env::vars().filter(|(name, _)| ours.iter().any(|ours| name.starts_with(ours))) {
        command.env_remove(name);
    }
    // A busy machine must not cut off what is written at the end.
    command.env("TRACEABLE_EXIT_FLUSH", "600000").env("TRACEABLE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/home"));
    command.arg(way).arg(file).args(more).envs(env.iter().copied()).output().unwrap()
}

pub(crate) fn runs(file: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let _ = std::fs::remove_file(file);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_ordinary_end_writes_every_run() {
    for (way, code) in
        [("return", 0), ("exit", 3), ("exit-in-thread", 3), ("runtime-gone", 0), ("flush-in-async", 0), ("shutdown", 0)]
    {
        let file = file(way);
        let output = program(way, &file, &[], &[]);
        assert_eq!(output.status.code(), Some(code), "{way}: {}", String::from_utf8_lossy(&output.stderr));
        let runs = runs(&file);
        assert_eq!(runs.len(), 1_000, "{way}");
        let ids: HashSet<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1_000, "{way}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{way}");
    }
}

#[test]
fn a_process_says_where_it_runs_and_what() {
    let file = file("deployed");
    let env = [("TRACEABLE_ENVIRONMENT", "staging"), ("LITERAL_ENV", "prod"), ("TRACEABLE_RELEASE", "1.2.3")];
    let output = program("return", &file, &[], &env);
    assert!(output.status.success());
    for run in runs(&file) {
        let metadata = &run["extra"]["metadata"];
        assert_eq!(metadata["revision_id"], "1.2.3");
        assert_eq!(metadata["traceable.rest"]["environment"], "staging");
    }
}

#[test]
fn an_exit_inside_of_a_run_writes_what_has_ended() {
    let file = file("exit-inside");
    let output = program("exit-inside", &file, &[], &[]);
    assert_eq!(output.status.code(), Some(3));
    let runs = runs(&file);
    let parents: HashSet<&str> = runs.iter().filter_map(|run| run["parent_run_id"].as_str()).collect();
    assert!(runs.iter().filter(|run| run["name"] == "work").count() == 1_000);
    assert_eq!(parents.len(), 1);
}

#[test]
fn a_program_that_traces_nothing_may_score() {
    let file = file("score");
    let to = format!("jsonl:{}", file.display());
    let output = program("score", &file, &["100"], &[("TRACEABLE", "on"), ("TRACEABLE_EXPORT", &to)]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let scores: Vec<f64> = runs(&file).iter().map(|score| score["score"].as_f64().unwrap()).collect();
    assert_eq!(scores, (0..100).map(f64::from).collect::<Vec<_>>());
    let output = program("score", &file, &["100"], &[("TRACEABLE_EXPORT", &to)]);
    assert!(output.status.success() && !file.exists());
}

#[test]
fn a_sample_is_whole_traces_and_may_keep_what_fails() {
    for keep in ["on", "off"] {
        let file = file(&format!("shaky-{keep}"));
        let env = [("TRACEABLE_SAMPLE_RATE", "0.25"), ("TRACEABLE_SAMPLE_KEEP_ERRORS", keep)];
        let output = program("shaky", &file, &["1000"], &env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let runs = runs(&file);
        let of = |root: &Value, name: &str| {
            runs.iter().filter(|run| run["trace_id"] == root["id"] && run["name"] == name).count()
        };
        let (mut well, mut failed) = (0, 0);
        for root in runs.iter().filter(|run| run["parent_run_id"].is_null()) {
            let n = root["inputs"]["n"].as_u64().unwrap();
            let fails = n.is_multiple_of(4);
            assert_eq!((of(root, "shaky"), of(root, "work")), (1, if fails { 1 } else { 2 }), "{n}");
            assert_eq!(root["extra"]["metadata"]["ls_tracing_sample_rate"], 0.25);
            *if fails { &mut failed } else { &mut well } += 1;
        }
        assert!(
            runs.iter()
                .all(|run| run["name"] == "shaky_root" || run["extra"]["metadata"]["ls_tracing_sample_rate"].is_null())
        );
        assert!((100..300).contains(&well), "{keep}: {well} of 750");
        assert!(if keep == "on" { failed == 250 } else { (20..120).contains(&failed) }, "{keep}: {failed} of 250");
    }
}

#[test]
fn a_sample_is_decided_by_the_id_that_was_chosen() {
    let file = file("chosen");
    let output = program("chosen", &file, &["200"], &[("TRACEABLE_SAMPLE_RATE", "0.25")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut kept = std::collections::HashMap::<String, usize>::new();
    for run in runs(&file) {
        *kept.entry(run["id"].to_string()).or_default() += 1;
    }
    assert!((20..80).contains(&kept.len()), "{kept:?}");
    assert!(kept.values().all(|&runs| runs == 2), "{kept:?}");
}

#[test]
fn a_panic_is_the_error_of_its_run() {
    for way in ["panic", "panic-in-thread"] {
        let file = file(way);
        let output = program(way, &file, &[], &[]);
        assert_eq!(output.status.code(), Some(if way == "panic" { 101 } else { 0 }));
        // The hook that was there before still speaks.
        assert!(String::from_utf8_lossy(&output.stderr).contains("on purpose, in a test"));
        let runs = runs(&file);
        assert_eq!(runs.len(), 2, "{way}");
        let failed = runs.iter().find(|run| run["name"] == "panics").unwrap();
        let error = failed["error"].as_str().unwrap();
        assert!(error.starts_with("panicked: on purpose, in a test (") && error.contains("ends.rs:"), "{error}");
    }
}

#[test]
fn a_panic_that_aborts_writes_every_run() {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "build",
            "--profile",
            "abort",
            "-p",
            "traceable-tests",
            "--bin",
            "ends",
            "--offline",
            "--message-format=json",
        ])
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let messages = String::from_utf8(cargo.stdout).unwrap();
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap();
    let file = file("abort");
    let output = Command::new(executable).args(["panic".as_ref(), file.as_os_str()]).output().unwrap();
    assert_eq!(output.status.code(), None, "ended by a signal");
    let runs = runs(&file);
    let names: Vec<&str> = runs.iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["work", "panics"]);
    assert!(runs[1]["error"].as_str().unwrap().starts_with("panicked: on purpose, in a test ("));
}

#[test]
fn the_child_of_a_fork_traces_for_itself() {
    let file = file("fork");
    let output = program("fork", &file, &[], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs = runs(&file);
    let ids: HashSet<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), runs.len(), "no id twice, in neither process");
    assert_eq!(runs.iter().filter(|run| run["name"] == "work").count(), 3_000);
    // The run that was open belongs to the parent.
    assert_eq!(runs.iter().filter(|run| run["name"] == "forks").count(), 1);
    let below = runs.iter().filter(|run| run["parent_run_id"].is_string());
    let (served, below): (Vec<_>, Vec<_>) = below.partition(|run| run["name"] == "served");
    assert_eq!((served.len(), below.len()), (100, 1_000));
}

#[test]
fn a_destination_of_the_environment_stands_beside_one_of_the_program() {
    let (named, own) = (file("named"), file("own"));
    let output = program("return", &own, &[], &[("TRACEABLE_EXPORT", &format!("jsonl:{}", named.display()))]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((runs(&named).len(), runs(&own).len()), (1_000, 1_000));
}

#[test]
fn the_environment_switches_tracing_on_and_off() {
    let file = file("env");
    let export = format!("jsonl:{}", file.display());
    let with = |env: &[(&str, &str)]| {
        let mut env = env.to_vec();
        env.push(("TRACEABLE_EXPORT", &export));
        let output = program("env", &file, &[], &env);
        assert!(output.status.success());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(with(&[]).0, "enabled false\n");
    assert_eq!(with(&[("TRACEABLE", "off"), ("LANGSMITH_TRACING", "true")]).0, "enabled false\n");
    assert!(!file.exists());
    // Also over a program that names its destinations itself.
    assert!(program("return", &file, &[], &[("TRACEABLE", "off")]).status.success());
    assert_eq!(runs(&file).len(), 0);
    assert_eq!(with(&[("TRACEABLE", "on")]).0, "enabled true\n");
    assert_eq!(runs(&file).len(), 1_000);
    assert_eq!(with(&[("LANGSMITH_TRACING", "true"), ("LANGSMITH_PROJECT", "demo")]).0, "enabled true\n");
    assert!(runs(&file).iter().all(|run| run["session_name"] == "demo"));
    // A sample keeps whole traces: about half of a thousand, and none at all.
    assert_eq!(with(&[("TRACEABLE", "on"), ("TRACEABLE_SAMPLE_RATE", "0.5")]).0, "enabled true\n");
    assert!((350..650).contains(&runs(&file).len()));
    assert_eq!(with(&[("TRACEABLE", "on"), ("TRACEABLE_SAMPLE_RATE", "0")]).0, "enabled true\n");
    assert_eq!(runs(&file).len(), 0);
    let (_, error) = with(&[("TRACEABLE", "on"), ("TRACEABLE_SAMPLE_RATE", "twelve")]);
    assert_eq!(
        error,
        "traceable: tracing stays off: the environment variable TRACEABLE_SAMPLE_RATE is \"twelve\", but it must be a \
         number between 0 and 1\n"
    );
}
