//! Programs of this machine, read from their spools: with a server and without, before it began and while they run.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use support::{Events, Server, printed, until};
use traceable::traceable;

#[traceable(run_type = "tool")]
fn find_order(number: u32) -> String {
    format!("order {number} \u{1b}[31mis on its way")
}

#[traceable(run_type = "llm", metadata(ls_model_name = "small"))]
fn answer(question: &str) -> String {
    find_order(1042) + question
}

/// The traced program: this test, run again by the others. Says when its first trace is recorded, and waits.
#[test]
#[ignore = "a program of the other tests"]
fn program() {
    traceable::init();
    answer("Where is my order?");
    traceable::flush_blocking(Duration::from_secs(30));
    println!("recorded");
    let open = traceable::run("still open").run_type("llm").start();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(open);
    answer("And now?");
    traceable::flush_blocking(Duration::from_secs(30));
}

struct Program(Child);

impl Program {
    fn start(home: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "program", "--nocapture"]);
        command.env("TRACEABLE_EXPORT", "local").env("TRACEABLE_HOME", home);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("recorded")));
        Self(process)
    }

    /// Ends it as `kill -9` does.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn finish(mut self) {
        self.0.stdin.take().unwrap().flush().unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

fn rows(home: &Path, arguments: &[&str]) -> Vec<Value> {
    printed(home, arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_program_that_has_ended_is_shown_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    Program::start(home.path()).finish();
    let shown = printed(home.path(), &["show", "last"]);
    let mut lines = shown.lines();
    assert!(lines.next().unwrap().starts_with("✓ answer llm "), "{shown}");
    assert!(lines.next().unwrap().starts_with("└─ ✓ find_order tool "), "{shown}");
    assert!(shown.contains("And now?") && shown.contains("order 1042 ␛[31mis on its way"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours and no escapes but on a terminal");
    assert_eq!(rows(home.path(), &["ls", "--json", "name:answer", "model:small"]).len(), 2);
    assert_eq!(rows(home.path(), &["ls", "--json", "\"where is my order\""]).len(), 1);
    let stats = rows(home.path(), &["stats", "--runs", "--by", "name", "--json"]);
    let of = |name: &str| stats.iter().find(|row| row["value"] == name).map(|row| row["count"].as_u64().unwrap());
    assert_eq!((of("answer"), of("find_order"), of("still open")), (Some(2), Some(2), Some(1)));
    let doctor = &rows(home.path(), &["doctor", "--json"])[0];
    assert_eq!(doctor["spools"][0]["is_alive"], false);
    assert_eq!(doctor["spools"][0]["unread_bytes"], 0);
    assert_eq!(doctor["store"]["traces"], 3);
}

#[test]
fn a_server_reads_what_was_recorded_before_it_began_and_what_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path());
    let server = Server::start(home.path());
    let named = |name: &str| {
        let found = server.post("/runs/query", &serde_json::json!({ "filter": format!("eq(name, \"{name}\")") })).1;
        found["runs"].as_array().unwrap().clone()
    };
    until(|| (named("answer").len() == 1).then_some(()));
    let mut events = Events::of(&server, "", &[]);
    assert_eq!(events.next().unwrap().0, "ready");
    let open = until(|| named("still open").pop());
    assert_eq!(open["status"], "pending");
    // The server keeps the store; commands read it.
    assert_eq!(rows(home.path(), &["ls", "--json", "status:pending"]).len(), 1);
    program.finish();
    while !events.next().unwrap().2["traces"].as_array().unwrap().contains(&open["trace_id"]) {}
    until(|| (named("answer").len() == 2).then_some(()));
    assert_eq!(until(|| named("still open").pop().filter(|run| run["status"] != "pending"))["name"], "still open");
    drop(server);
    assert_eq!(rows(home.path(), &["ls", "--json", "--runs"]).len(), 5, "what was read is not read again");
}

#[test]
fn a_run_whose_program_was_killed_does_not_stay_open() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path());
    let open = || rows(home.path(), &["ls", "--json", "status:pending"]);
    assert_eq!(until(|| open().pop())["name"], "still open");
    program.kill();
    assert!(open().is_empty());
    let ended = rows(home.path(), &["ls", "--json", "status:unknown"]);
    assert_eq!((ended.len(), &ended[0]["name"]), (1, &Value::from("still open")));
    assert!(ended[0]["error"].as_str().unwrap().contains("process ended"));
    assert_eq!(rows(home.path(), &["ls", "--json", "status:unknown"]), ended, "and it is ended once");
}

#[test]
fn every_command_says_what_it_does() {
    let home = tempfile::tempdir().unwrap();
    let help = printed(home.path(), &["--help"]);
    let commands = "serve show ls grep tail stats export import rm score tag drain doctor completions";
    for command in commands.split(' ') {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        assert!(printed(home.path(), &["completions", "bash"]).contains(command));
    }
}

#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    let home = tempfile::tempdir().unwrap();
    let wrong = support::command(home.path(), &["ls", "lateny:>2s"]);
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("`latency`"));
    let none = support::command(home.path(), &["show", "last"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("nothing was traced yet"));
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_end_says_farewell() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(home.path());
    assert!(home.path().join("server.json").exists());
    assert!(server.terminate().success());
    assert!(!home.path().join("server.json").exists());
}
