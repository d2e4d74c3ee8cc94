//! The two programs as processes: how they are started, spoken to, and ended.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};
use traceable_core::model::RunId;

use super::{Said, Settings};
use crate::{endpoint::Report, fault::Fault};

/// A backend in a process of its own.
pub(super) struct Backend {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(super) url: String,
}

impl Backend {
    pub(super) fn start(settings: &Settings) -> Self {
        let mut command = Command::new(settings.programs.join("endpoint"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`endpoint` starts");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut backend = Self { child, input, output, url: String::new() };
        backend.url = backend.line();
        backend
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the endpoint answers");
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the endpoint listens");
        self.line()
    }

    pub(super) fn set(&mut self, fault: Fault) {
        assert_eq!(self.ask(&format!("fault {fault}")), "ok");
    }

    pub(super) fn report(&mut self) -> Report {
        serde_json::from_str(&self.ask("report")).expect("a report")
    }

    /// The runs that it acknowledged, with the keys that they came under.
    pub(super) fn acknowledged(&mut self) -> HashMap<RunId, Vec<String>> {
        let ids: Vec<(RunId, Vec<String>)> = serde_json::from_str(&self.ask("acknowledged")).expect("ids");
        ids.into_iter().collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run whose call has returned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) id: RunId,
    /// When the call had returned, in nanoseconds since the epoch.
    pub(super) at: i64,
    /// Whether it is one that the backend refuses.
    pub(super) is_marked: bool,
}

/// What a producer has printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) runs: Vec<Made>,
    /// Runs that were not even begun to be recorded.
    pub(super) unrecorded: u64,
    pub(super) said: Said,
    /// When it was about to end.
    pub(super) done_at: Option<i64>,
}

/// A moment in the life of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The first run is about to be made.
    Started,
    /// Everything is made, and it is about to end.
    Done,
}

/// How a producer is started.
#[derive(Debug, Clone)]
pub(super) struct Setup<'a> {
    pub(super) program: PathBuf,
    pub(super) pipeline: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) key: &'a str,
    pub(super) project: &'a str,
    /// The data home, and where its messages go.
    pub(super) home: &'a Path,
    /// `background` or `inline`.
    pub(super) spool: &'a str,
    /// Bytes of the spool, at most; 0 for what the library says.
    pub(super) spool_bytes: u64,
}

impl Setup<'_> {
    /// Starts it with these arguments.
    pub(super) fn start(&self, args: &[String]) -> Producer {
        const OURS: [&str; 7] =
            ["TRACEABLE", "LANGSMITH", "LANGCHAIN", "OTEL_", "LITERAL_", "ADALINE_", "NEURALTRUST_"];
        let messages = File::options().create(true).append(true).open(self.messages()).expect("a file for messages");
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if OURS.iter().any(|ours| name.as_encoded_bytes().starts_with(ours.as_bytes())) {
                command.env_remove(name);
            }
        }
        if self.pipeline == "direct" {
            command.env("FAULTS_PIPELINE", "direct");
        } else {
            command.env("TRACEABLE_EXPORT", self.pipeline);
        }
        if self.spool_bytes > 0 {
            command.env("TRACEABLE_SPOOL_MAX_BYTES", self.spool_bytes.to_string());
        }
        command
            .env("LANGSMITH_TRACING", "true")
            .env("LANGSMITH_ENDPOINT", self.endpoint)
            .env("LANGSMITH_API_KEY", self.key)
            .env("LANGSMITH_PROJECT", self.project)
            .env("TRACEABLE_HOME", self.home.join("home"))
            .env("TRACEABLE_SPOOL", self.spool)
            .args(args);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(messages).spawn();
        let mut child = child.expect("`producer` starts");
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, moments) = channel();
        let reader = std::thread::spawn(move || read(output, &sender));
        Producer { child, moments, reader: Some(reader) }
    }

    /// The file of what it says on standard error.
    pub(super) fn messages(&self) -> PathBuf {
        self.home.join("messages")
    }
}

/// A traced program in a process of its own.
pub(super) struct Producer {
    child: Child,
    moments: Receiver<Moment>,
    reader: Option<JoinHandle<Printed>>,
}

impl Producer {
    /// Waits for a moment. Answers whether it came before the end, which may be any.
    pub(super) fn reaches(&self, moment: Moment, within: Duration) -> Result<bool, String> {
        let deadline = Instant::now() + within;
        loop {
            match self.moments.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(reached) if reached == moment => return Ok(true),
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => return Err(format!("the producer is stuck before {moment:?}")),
            }
        }
    }

    /// The most memory that it had so far, in KiB.
    pub(super) fn peak_kib(&self) -> u64 {
        super::memory(&self.child.id().to_string(), "VmHWM:")
    }

    /// Ends it by a signal. Answers a time before its end.
    pub(super) fn signal(&self, signal: Signal) -> i64 {
        let now = now();
        let _ = kill_process(Pid::from_child(&self.child), signal);
        now
    }

    /// Closes its input.
    pub(super) fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits for its end. Answers what it has printed.
    pub(super) fn wait(mut self, within: Duration) -> Result<Printed, String> {
        let deadline = Instant::now() + within;
        while self.child.try_wait().map_err(|error| error.to_string())?.is_none() {
            if Instant::now() > deadline {
                return Err("the producer does not end".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.reader.take().unwrap().join().map_err(|_| "what the producer printed cannot be read".into())
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a producer prints to its end. A line that was cut off is not a line.
fn read(mut output: BufReader<ChildStdout>, moments: &Sender<Moment>) -> Printed {
    let mut printed = Printed::default();
    let mut line = String::new();
    while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
        let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        match word {
            "start" => {
                printed.said.start_kib = rest.parse().unwrap_or(0);
                let _ = moments.send(Moment::Started);
            }
            "run" | "marked" => {
                let (id, at) = rest.split_once(' ').expect("an id and a time");
                let (id, at) = (id.parse().expect("an id"), at.parse().expect("a time"));
                printed.runs.push(Made { id, at, is_marked: word == "marked" });
            }
            "unrecorded" => printed.unrecorded += 1,
            "stats" => printed.said = serde_json::from_str(rest).unwrap_or_default(),
            "done" => {
                printed.done_at = rest.parse().ok();
                let _ = moments.send(Moment::Done);
            }
            _ => {}
        }
        line.clear();
    }
    printed
}

/// Nanoseconds since the epoch, by a clock that all processes share.
pub(super) fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as i64
}
