//! `traceable doctor`: what is configured, what reaches us, what is stuck.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use traceable_store::{Of, Query, ReportCount, TOO_MUCH, TOO_OLD};

use super::{Cli, Failure, backlog, configured::Configured, open, remote::Remote};
use crate::print::{BOLD, DIM, RED, YELLOW, ago, bytes, counted, line, now};

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    home: String,
    #[serde(flatten)]
    configured: Configured,
    /// What the server of this home says, if one runs.
    server: Option<Value>,
    store: Store,
    spools: Vec<backlog::Spool>,
    /// What clients said that they did not record.
    dropped: Vec<ReportCount>,
}

#[derive(Debug, Serialize)]
struct Store {
    bytes: u64,
    runs: u64,
    traces: u64,
    /// Runs that words are not found in yet.
    not_indexed: u64,
}

pub(super) fn run(cli: &mut Cli) -> Result<(), Failure> {
    let store = open::store(cli)?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        home: cli.home.path().display().to_string(),
        configured: Configured::here(),
        server: Remote::of(&cli.home).map(|server| server.health),
        store: Store {
            bytes: store.size()?,
            runs: store.count(&Query::default(), Of::Runs)?,
            traces: store.count(&Query::default(), Of::Traces)?,
            not_indexed: store.pending_texts()?,
        },
        spools: backlog::spools(&cli.home, &store)?,
        dropped: store.reports()?,
    };
    if cli.is_json { cli.json(&report) } else { print(cli, &report) }
}

fn print(cli: &mut Cli, report: &Report) -> Result<(), Failure> {
    let (look, now) = (cli.look, now());
    let bad = |text: String| look.paint(RED, &text);
    let heading = |name: &str| look.paint(BOLD, name);
    cli.line(format_args!("{} {}", heading("traceable"), report.version))?;
    cli.line(format_args!("  home    {}", line(&report.home)))?;
    let Store { bytes: size, runs, traces, not_indexed } = &report.store;
    cli.line(format_args!("  store   {}, {} in {}", bytes(*size), counted(*runs, "run"), counted(*traces, "trace")))?;
    if *not_indexed > 0 {
        cli.line(format_args!("          {} not searchable by words yet", counted(*not_indexed, "run")))?;
    }
    match &report.server {
        Some(server) => {
            cli.line(format_args!("  server  runs at {}", line(server["url"].as_str().unwrap_or_default())))?;
            for (name, what) in [("not_served", "asked for and not served"), ("not_kept", "taken and not kept")] {
                for (route, times) in server[name].as_object().into_iter().flatten() {
                    let text = format!("          {what}: {} ({times} times)", line(route));
                    cli.line(look.paint(YELLOW, &text))?;
                }
            }
        }
        None => cli.line("  server  does not run; `traceable` starts it")?,
    }
    cli.line(heading("environment"))?;
    let Configured { environment, destinations, doubts } = &report.configured;
    for (name, value) in environment {
        cli.line(format_args!("  {}={}", line(name), line(value)))?;
    }
    if environment.is_empty() {
        cli.line("  nothing is set")?;
    }
    for to in destinations {
        cli.line(format_args!("  programs that are started here send to {}", line(to)))?;
    }
    for doubt in doubts {
        cli.line(look.paint(YELLOW, &format!("  {doubt}")))?;
    }
    cli.line(heading("programs of this machine"))?;
    for spool in &report.spools {
        let program = Path::new(&spool.executable).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let state = if spool.is_alive { "runs" } else { "has ended" };
        let read = if spool.unread_bytes > 0 {
            format!(", {} not read yet", bytes(spool.unread_bytes))
        } else {
            String::new()
        };
        let began = if spool.start > 0 { ago(spool.start, now) } else { "?".into() };
        cli.line(format_args!(
            "  {} ({}) began {began}, {state}: {}{read}",
            line(&program),
            spool.pid,
            bytes(spool.bytes)
        ))?;
        for backend in &spool.backends {
            print_backend(cli, backend, spool.is_alive)?;
        }
    }
    if report.spools.is_empty() {
        cli.line(look.paint(DIM, "  none has recorded anything here; `traceable::init()` switches recording on"))?;
    }
    for dropped in &report.dropped {
        let runs = counted(dropped.count, "run");
        match dropped.reason.as_str() {
            TOO_OLD => cli.line(format_args!("  {runs} removed: older than --keep says"))?,
            TOO_MUCH => cli.line(format_args!("  {runs} removed: the store was larger than --max-size says"))?,
            reason => cli.line(bad(format!("{runs} not recorded: {}", line(reason))))?,
        }
    }
    Ok(())
}

fn print_backend(cli: &mut Cli, backend: &backlog::Backend, is_alive: bool) -> Result<(), Failure> {
    let (look, now, standing) = (cli.look, now(), &backend.standing);
    let bad = |text: String| look.paint(RED, &text);
    let project = if backend.destination.project.is_empty() {
        String::new()
    } else {
        format!(" ({})", line(&backend.destination.project))
    };
    let said = if standing.last_answer.is_empty() {
        "no answer yet".into()
    } else {
        format!("{}, {}", line(&standing.last_answer), ago(standing.last_answer_at, now))
    };
    cli.line(format_args!("    {}{project}: {said}", line(&backend.destination.to_string())))?;
    if let Some(since) = standing.paused_since {
        cli.line(bad(format!("      nothing is delivered since {}", ago(since, now))))?;
    }
    if backend.pending > 0 {
        let who = if is_alive { "" } else { "; `traceable drain`, or the program when it runs again, sends them" };
        let text = format!("      {} wait, {}{who}", counted(backend.pending, "record"), bytes(backend.pending_bytes));
        cli.line(if is_alive { text } else { look.paint(YELLOW, &text) })?;
    }
    if backend.refused_files > 0 {
        let (files, size) = (counted(backend.refused_files, "file"), bytes(backend.refused_bytes));
        cli.line(bad(format!("      refused for good and kept aside: {files}, {size}")))?;
    }
    Ok(())
}
