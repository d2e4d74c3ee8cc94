//! `traceable drain`: sends what programs of this machine left, in place of the programs that would do it themselves when
//! they run again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use traceable_core::{
    runtime::{Builder, Drained},
    spool::{Orphans, look},
};
use traceable_exporters::{ConfigError, LangSmith, Otlp, Traceable};

use super::{Cli, Failure};
use crate::print::{BOLD, bytes, count, counted, line};

/// After this time it is said how far it is, on a terminal.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Send everything that no destination has to this one, also what was meant for others or for none. Without, each
    /// destination that the environment names is sent what was meant for it
    #[arg(long, value_name = "DESTINATION")]
    to: Option<To>,
    /// How many seconds it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    within: u64,
}

/// A destination, with its settings in the environment as for the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// `LANGSMITH_API_KEY`, `LANGSMITH_ENDPOINT`, `LANGSMITH_PROJECT`
    Langsmith,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`
    Otlp,
    /// `TRACEABLE_ENDPOINT`, `TRACEABLE_TOKEN`
    Traceable,
}

impl To {
    fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    fn add(self, builder: Builder) -> Result<Builder, ConfigError> {
        Ok(match self {
            Self::Langsmith => LangSmith::all_from_env()?.into_iter().fold(builder, Builder::remote),
            Self::Otlp => Otlp::from_env()?.into_iter().fold(builder, Builder::remote),
            Self::Traceable => builder.remote(Traceable::from_env()?),
        })
    }
}

pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let mut builder = Builder::new().home(cli.home.path());
    // What the environment lacks is the reason why something stays.
    let mut lacking = BTreeMap::new();
    if let Some(to) = arguments.to {
        builder = to.add(builder)?;
    } else {
        let waits = look(cli.home.path())?.into_iter().flat_map(|directory| directory.backlogs);
        let names: BTreeSet<String> =
            waits.filter(|backlog| backlog.pending > 0).map(|backlog| backlog.destination.name).collect();
        for name in names {
            let Some(to) = To::named(&name) else { continue };
            match to.add(Builder::new()) {
                Ok(_) => builder = to.add(builder)?,
                Err(error) => drop(lacking.insert(name, error.to_string())),
            }
        }
    }
    let orphans = if arguments.to.is_some() { Orphans::All } else { Orphans::Meant };
    let (begun, mut said) = (Instant::now(), false);
    let watch = |done: u64| {
        if io::stderr().is_terminal() && begun.elapsed() > PATIENCE {
            said = true;
            let _ = write!(io::stderr(), "\r{} sent", count(done));
        }
    };
    let mut drained =
        builder.drain().orphans(orphans).within(Duration::from_secs(arguments.within)).watch(watch).run()?;
    if said {
        let _ = writeln!(io::stderr());
    }
    for left in drained.left.iter_mut().filter(|left| !left.is_named) {
        if let Some(why) = lacking.get(&left.destination.name) {
            left.why.clone_from(why);
        }
    }
    if cli.is_json {
        cli.json(&drained)?;
    } else {
        print(cli, &drained)?;
    }
    cli.out.flush()?;
    let waiting =
        if arguments.to.is_some() { drained.pending() } else { drained.left.iter().map(|left| left.records).sum() };
    if waiting > 0 { Err(Failure(format!("{} still wait", counted(waiting, "record")))) } else { Ok(()) }
}

fn print(cli: &mut Cli, drained: &Drained) -> Result<(), Failure> {
    let heading = cli.look.paint(BOLD, &format!("{} sent", counted(drained.sent, "change")));
    let refused =
        if drained.refused > 0 { format!(", {} refused for good", count(drained.refused)) } else { String::new() };
    cli.line(format_args!("{heading}{refused}"))?;
    if drained.replayed.sent > 0 {
        cli.line(format_args!("{} that LangSmith's SDKs had left", counted(drained.replayed.sent, "file")))?;
    }
    for (file, why) in &drained.replayed.left {
        cli.line(format_args!("  {} stays: {}", line(file), line(why)))?;
    }
    for left in &drained.left {
        let (records, size) = (counted(left.records, "record"), bytes(left.bytes));
        cli.line(format_args!(
            "  {records} of {}, {size}, wait for {}: {}",
            line(&left.executable),
            line(&left.destination.to_string()),
            line(&left.why)
        ))?;
    }
    Ok(())
}
