//! The command line.
#![allow(clippy::doc_markdown, reason = "what is said of arguments is read on a terminal")]

mod backlog;
mod change;
mod configured;
mod doctor;
mod drain;
mod export;
mod import;
mod ls;
mod open;
mod progress;
mod remote;
mod serve;
mod show;
mod stats;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand};
use serde::Serialize;

pub(crate) use self::stats::stretch;
use crate::{home::Home, print::Look};

/// Takes traces of LLM applications in, keeps them on this machine, and shows them. Without a command: serve.
#[derive(Debug, Parser)]
#[command(name = "traceable", version, about, disable_help_subcommand = true)]
struct Arguments {
    /// The folder of the store and the spools [default: $TRACEABLE_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take traces in over HTTP and from the programs of this machine
    Serve(serve::Arguments),
    /// Show a trace or a run: its tree, and what was said
    Show(show::Arguments),
    /// List traces, the newest first
    Ls(ls::Arguments),
    /// Count runs, errors, tokens and cost, and say how long runs take
    Stats(stats::Arguments),
    /// List runs in which words stand
    Grep(ls::Grep),
    /// Show traces as they come
    Tail(ls::Tail),
    /// Write runs for other programs: JSON Lines, OTLP, Markdown, HTML, CSV, fine-tuning, datasets, Perfetto
    Export(export::Arguments),
    /// Read what `export` or an OpenTelemetry collector wrote, or what LangSmith's SDKs could not send; twice is as once
    Import(import::Arguments),
    /// Remove traces or runs, with their texts, scores and files
    Rm(change::Rm),
    /// Judge a run
    Score(change::Judge),
    /// Give a run tags
    Tag(change::Tag),
    /// Print what a shell needs to complete commands
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Send what programs left for their destinations
    Drain(drain::Arguments),
    /// Say what is configured, what reaches us, and what is stuck
    Doctor,
}

/// What went wrong, for the user.
#[derive(Debug)]
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What every command is given.
struct Cli {
    home: Home,
    is_json: bool,
    look: Look,
    out: io::BufWriter<io::Stdout>,
}

impl Cli {
    /// Prints a line.
    fn line(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Prints one line of JSON.
    fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, value)?;
        Ok(writeln!(self.out)?)
    }
}

/// The address of the server of this home, if one runs.
pub fn running(home: &Home) -> Option<String> {
    let remote = remote::Remote::of(home)?;
    remote.health["url"].as_str().map(str::to_owned)
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let Arguments { home, json, command } = Arguments::parse();
    let done = Home::choose(home).map_err(Failure::from).and_then(|home| {
        let mut cli = Cli { home, is_json: json, look: Look::of_stdout(), out: io::BufWriter::new(io::stdout()) };
        let done = match command.unwrap_or_else(|| Command::Serve(serve::Arguments::default())) {
            Command::Serve(arguments) => serve::run(&mut cli, arguments),
            Command::Show(arguments) => show::run(&mut cli, &arguments),
            Command::Ls(arguments) => ls::run(&mut cli, &arguments),
            Command::Stats(arguments) => stats::run(&mut cli, &arguments),
            Command::Grep(arguments) => ls::grep(&mut cli, &arguments),
            Command::Tail(arguments) => ls::tail(&mut cli, &arguments),
            Command::Export(arguments) => export::run(&mut cli, &arguments),
            Command::Import(arguments) => import::run(&mut cli, &arguments),
            Command::Rm(arguments) => change::rm(&mut cli, &arguments),
            Command::Score(arguments) => change::score(&mut cli, &arguments),
            Command::Tag(arguments) => change::tag(&mut cli, &arguments),
            Command::Completions { shell } => {
                clap_complete::generate(shell, &mut Arguments::command(), "traceable", &mut cli.out);
                Ok(())
            }
            Command::Drain(arguments) => drain::run(&mut cli, &arguments),
            Command::Doctor => doctor::run(&mut cli),
        };
        done.and_then(|()| Ok(cli.out.flush()?))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(what)) => {
            let what = crate::print::line(&what);
            let _ = writeln!(io::stderr(), "traceable: {what}");
            ExitCode::FAILURE
        }
    }
}
