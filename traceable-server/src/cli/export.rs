//! `traceable export`.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use traceable_core::{
    model::RunId,
    spool::{Disk as _, StdDisk},
};
use traceable_store::{Cursor, Of, Store};

use super::{Cli, Failure, backlog::bounded, open, progress::Progress};
use crate::{
    export::{Export, Format, What},
    print::{bytes, counted},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which runs; see `ls`
    query: Vec<String>,
    /// In which form
    #[arg(short, long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The same as `--format html`: traces as a page that needs nothing else
    #[arg(long, conflicts_with = "format")]
    html: bool,
    /// All runs of the traces that `ls` lists, and not the runs that fit by themselves
    #[arg(long)]
    traces: bool,
    /// A run and all that is below it, in place of a query
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "traces"])]
    below: Option<RunId>,
    /// Into this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on where an export into this file was broken off
    #[arg(long, requires = "output")]
    resume: bool,
}

impl Arguments {
    fn format(&self) -> Format {
        if self.html { Format::Html } else { self.format }
    }
}

/// What lies beside a file that is not whole yet.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    /// What is exported: to go on, it must be the same.
    query: String,
    format: String,
    traces: bool,
    below: Option<RunId>,
    /// Behind which run to go on.
    after: Option<String>,
    /// How much of the file is whole.
    bytes: u64,
}

/// Writes runs, the oldest first.
pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let query = open::query(&arguments.query)?;
    let of = if arguments.traces { Of::Traces } else { arguments.format().usual() };
    let store = open::store(cli)?;
    let (what, total) = match arguments.below {
        Some(run) if store.row(run)?.is_none() => return Err(format!("there is no run {run}").into()),
        Some(run) => (What::Below(run), 1),
        None => {
            let total = store.count(&query, of)?;
            (What::Fitting(query, of), total)
        }
    };
    match &arguments.output {
        Some(path) => into_file(cli, arguments, &store, what, total, path),
        None => {
            let mut export = Export::new(arguments.format(), what, None, None);
            while let Some(piece) = export.piece(&store)? {
                cli.out.write_all(&piece)?;
            }
            Ok(())
        }
    }
}

fn into_file(
    cli: &mut Cli,
    arguments: &Arguments,
    store: &Store,
    what: What,
    total: u64,
    path: &Path,
) -> Result<(), Failure> {
    let beside = path.with_file_name(format!("{}.part", path.file_name().unwrap_or_default().to_string_lossy()));
    let mut part = Part {
        query: arguments.query.join(" "),
        format: arguments.format().name(),
        traces: arguments.traces,
        below: arguments.below,
        after: None,
        bytes: 0,
    };
    if arguments.resume {
        let known = bounded(&beside).map_err(|_| {
            format!(
                "nothing to go on with: there is no {}, so {} is whole or was not begun",
                shown(&beside),
                shown(path)
            )
        })?;
        let known: Part = serde_json::from_slice(&known).map_err(|error| format!("{}: {error}", shown(&beside)))?;
        let is_same = |one: &Part, other: &Part| {
            (&one.format, one.traces, one.below) == (&other.format, other.traces, other.below)
                && one.query == other.query
        };
        if !is_same(&known, &part) {
            return Err(format!("{} was begun with another query or form: `{}`", shown(path), known.query).into());
        }
        part = known;
    }
    let failed = |error: std::io::Error| Failure(format!("{}: {error}", shown(path)));
    let mut file = if arguments.resume {
        let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        file.set_len(part.bytes).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        file
    } else {
        File::create(path).map_err(failed)?
    };
    let after = part.after.as_deref().map(str::parse::<Cursor>).transpose()?;
    let begun = part.bytes;
    let mut export = Export::new(arguments.format(), what, after, None);
    let mut progress = Progress::of(total);
    let mut length = begun;
    while let Some(piece) = export.piece(store)? {
        file.write_all(&piece).map_err(failed)?;
        length += piece.len() as u64;
        let safe = export.safe();
        part.after = safe.after.map(|after| after.to_string());
        part.bytes = begun + safe.bytes;
        if part.after.is_some() {
            StdDisk.replace(&beside, &serde_json::to_vec(&part)?)?;
        }
        progress.at(export.count());
    }
    file.flush().map_err(failed)?;
    drop(progress);
    let _ = fs::remove_file(&beside);
    let noun = if arguments.traces || arguments.format().usual() == Of::Traces { "trace" } else { "run" };
    cli.line(format_args!(
        "{}: {}, {}",
        shown(path),
        counted(export.count().max(u64::from(arguments.below.is_some())), noun),
        bytes(length)
    ))
}

fn shown(path: &Path) -> String {
    crate::print::line(&path.display().to_string())
}
