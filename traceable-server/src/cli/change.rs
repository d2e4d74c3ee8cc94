//! Commands that change what is kept: `rm`, `score`, `tag`. A server that holds the store does it for them.

use traceable_core::model::{RunChange, RunId, Score, ScoreSource, ScoreTarget};
use traceable_store::{Error, Of, Removed, Store};

use super::{Cli, Failure, open, remote::Remote};
use crate::{
    api,
    print::{counted, new_id, now},
};

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
            let wanted = api::Delete { query: arguments.query.join(" "), runs: arguments.runs, dry: false };
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
        id: new_id(time),
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
    /// Take them away
    #[arg(long)]
    remove: bool,
}

pub(super) fn tag(cli: &mut Cli, arguments: &Tag) -> Result<(), Failure> {
    let Tag { id, tags, remove } = arguments;
    let store = open::store(cli)?;
    let row = store.row(*id)?.ok_or_else(|| format!("there is no run {id}"))?;
    let mut all = row.tags.clone();
    if *remove {
        all.retain(|tag| !tags.contains(tag));
    } else {
        all.extend(tags.iter().filter(|tag| !row.tags.contains(tag)).cloned());
    }
    take(cli, &store, &[api::tag(&row, &all)])
}

/// Writes changes, here or by the server that holds the store.
pub(super) fn take(cli: &Cli, store: &Store, changes: &[RunChange]) -> Result<(), Failure> {
    match store.ingest(changes) {
        Err(Error::Locked { .. }) => server(cli)?.post(api::CHANGES, &serde_json::to_vec(changes)?).map(drop),
        done => Ok(done.map(drop)?),
    }
}

fn server(cli: &Cli) -> Result<Remote, Failure> {
    Remote::of(&cli.home).ok_or_else(|| Failure("another command holds the store; try again".into()))
}
