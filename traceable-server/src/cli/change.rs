//! Commands that change what is kept: `rm`, `score`, `tag`, `import`. A server that holds the store does it for them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use traceable_core::model::{Run, RunChange, RunId, Score, ScoreSource, ScoreTarget};
use traceable_store::{Error, Of, Removed, Store};
use traceable_wire::{
    encoding::Encoding,
    langsmith::{boundary_of, decode_batch, decode_multipart, decode_post},
};

use super::{Cli, Failure, open, remote::Remote};
use crate::{
    api,
    print::{counted, now},
};

/// Changes that are written at once.
const AT_ONCE: usize = 500;

/// Bytes of a body when decoded.
const MAX_BODY: usize = 200 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Rm {
    /// What to remove; see `ls`. Traces go whole
    #[arg(required = true)]
    query: Vec<String>,
    /// Remove single runs
    #[arg(long)]
    runs: bool,
    /// Do it, and not only say how much it would be
    #[arg(long)]
    yes: bool,
}

pub(super) fn rm(cli: &mut Cli, arguments: &Rm) -> Result<(), Failure> {
    let query = open::query(&arguments.query)?;
    let of = if arguments.runs { Of::Runs } else { Of::Traces };
    let store = open::store(cli)?;
    if !arguments.yes {
        let found = store.count(&query, of)?;
        let noun = if arguments.runs { "run" } else { "trace" };
        return cli.line(format_args!("{} would go; --yes removes them", counted(found, noun)));
    }
    let removed = match store.delete(&query, of) {
        Err(Error::Locked { .. }) => {
            let wanted = api::Delete { query: arguments.query.join(" "), runs: arguments.runs };
            let said = server(cli)?.post(api::DELETE, &serde_json::to_vec(&wanted)?)?;
            if cli.is_json {
                return cli.json(&said);
            }
            return cli.line(format_args!("removed {} runs", said["runs"]));
        }
        removed => removed?,
    };
    let Removed { runs, traces, .. } = &removed;
    if cli.is_json { cli.json(&removed) } else { cli.line(format_args!("removed {runs} runs, {traces} traces")) }
}

#[derive(Debug, clap::Args)]
pub(super) struct Judge {
    /// The run
    id: RunId,
    /// What is judged, such as helpfulness
    key: String,
    /// A number, or a word such as good
    value: String,
    /// A remark
    #[arg(long)]
    comment: Option<String>,
}

pub(super) fn score(cli: &mut Cli, arguments: &Judge) -> Result<(), Failure> {
    let Judge { id, key, value, comment } = arguments;
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = now();
    let given = Score {
        id: RunId::new(time, u64::from(std::process::id()), time as u32),
        target: ScoreTarget::Run(*id),
        key: key.clone(),
        score: number,
        value: None,
        label: number.is_none().then(|| value.clone()),
        comment: comment.clone(),
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    };
    let store = open::store(cli)?;
    take(cli, &store, &[RunChange::Score(Box::new(given))])
}

#[derive(Debug, clap::Args)]
pub(super) struct Tag {
    /// The run
    id: RunId,
    /// Tags that it is given
    #[arg(required = true)]
    tags: Vec<String>,
}

pub(super) fn tag(cli: &mut Cli, arguments: &Tag) -> Result<(), Failure> {
    let Tag { id, tags } = arguments;
    let store = open::store(cli)?;
    let row = store.row(*id)?.ok_or_else(|| format!("there is no run {id}"))?;
    let mut all = row.tags;
    all.extend(tags.iter().filter(|tag| !all.contains(tag)).cloned().collect::<Vec<_>>());
    let patch = Run { id: *id, trace_id: row.trace_id, tags: all, ..Run::default() };
    take(cli, &store, &[RunChange::Patch(Box::new(patch))])
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// JSON Lines in LangSmith's shape, as `export` writes them, or traces that LangSmith's SDKs could not send
    /// (LANGSMITH_FAILED_TRACES_DIR). `-` reads standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn import(cli: &mut Cli, arguments: &Import) -> Result<(), Failure> {
    let store = open::store(cli)?;
    for file in &arguments.files {
        let reader: Box<dyn BufRead> = if file.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(file).map_err(|error| format!("{}: {error}", file.display()))?))
        };
        let (mut changes, mut taken) = (Vec::new(), 0);
        for (number, line) in reader.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let read = changes_of(&line).map_err(|why| format!("{}, line {}: {why}", file.display(), number + 1))?;
            changes.extend(read);
            if changes.len() >= AT_ONCE {
                take(cli, &store, &changes)?;
                taken += std::mem::take(&mut changes).len();
            }
        }
        take(cli, &store, &changes)?;
        taken += changes.len();
        cli.line(format_args!("{}: {}", file.display(), counted(taken as u64, "record")))?;
    }
    Ok(())
}

/// The changes that a line says.
fn changes_of(line: &str) -> Result<Vec<RunChange>, String> {
    /// What LangSmith's SDKs leave behind when they could not send.
    #[derive(Deserialize)]
    struct Unsent {
        endpoint: String,
        #[serde(default)]
        headers: std::collections::BTreeMap<String, String>,
        body_base64: String,
    }
    let Ok(Unsent { endpoint, headers, body_base64 }) = serde_json::from_str::<Unsent>(line) else {
        return decode_post(line.as_bytes()).map(|change| vec![change]).map_err(|problem| problem.to_string());
    };
    let header =
        |name: &str| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let body = STANDARD.decode(body_base64).map_err(|error| error.to_string())?;
    let encoding = Encoding::from_name(header("content-encoding").map_or("", String::as_str));
    let body = encoding.ok_or("unknown encoding")?.decompress(&body, MAX_BODY).map_err(|error| error.to_string())?;
    let decoded = match header("content-type").and_then(|kind| boundary_of(kind)) {
        Some(boundary) => decode_multipart(&body, boundary),
        None if endpoint.ends_with("batch") => decode_batch(&body),
        None => return Err(format!("nothing is known of {endpoint}")),
    };
    match decoded.errors.first() {
        Some(error) if decoded.changes.is_empty() => Err(error.to_string()),
        _ => Ok(decoded.changes),
    }
}

/// Writes changes, here or by the server that holds the store.
fn take(cli: &Cli, store: &Store, changes: &[RunChange]) -> Result<(), Failure> {
    match store.ingest(changes) {
        Err(Error::Locked { .. }) => server(cli)?.post(api::CHANGES, &serde_json::to_vec(changes)?).map(drop),
        done => Ok(done.map(drop)?),
    }
}

fn server(cli: &Cli) -> Result<Remote, Failure> {
    Remote::of(&cli.home).ok_or_else(|| Failure("another command holds the store; try again".into()))
}
