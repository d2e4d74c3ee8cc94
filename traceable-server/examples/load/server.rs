//! The server under load, as a child process.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use traceable_store::{Of, Query, Store};

pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &str, home: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg("--home").arg(home).args(["--json", "serve", "--max-size", "none", "--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let url = said["urls"][0].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { process, address }
    }

    /// Memory that it has, in MiB; zero where the system does not say.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
    }

    /// Ends it as `kill -9` does, and counts the runs that are there.
    pub(crate) fn end(mut self, home: &Path) -> u64 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // Not by a command: figures of millions of runs take longer than a question may.
        let store = Store::open_read_only(home.join("traceable.db")).unwrap();
        store.count(&Query::default(), Of::Runs).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Memory over time.
#[derive(Default)]
pub(crate) struct Memory(Vec<(f64, f64)>);

impl Memory {
    pub(crate) fn add(&mut self, after: Duration, mib: f64) {
        self.0.push((after.as_secs_f64(), mib));
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().map(|(_, mib)| *mib).fold(0.0, f64::max)
    }

    /// MiB a second, of the line that lies nearest to the later two thirds.
    pub(crate) fn slope(&self) -> f64 {
        let later = &self.0[self.0.len() / 3..];
        let count = later.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| later.iter().map(of).sum::<f64>() / count;
        let (time, mib) = (mean(|point| point.0), mean(|point| point.1));
        let rise: f64 = later.iter().map(|point| (point.0 - time) * (point.1 - mib)).sum();
        let run: f64 = later.iter().map(|point| (point.0 - time).powi(2)).sum();
        if run > 0.0 { rise / run } else { 0.0 }
    }
}
