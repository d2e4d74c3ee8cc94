//! `traceable show`.

use serde_json::{Value, json};
use traceable_core::{
    messages::{Message, Part, input_messages, output_messages},
    model::{Json, RunId, RunType, ScoreTarget},
};
use traceable_store::{FilePlace, Row, Store, StoredRun, Trace};
use traceable_wire::{langsmith::Record, names};

use super::{Cli, Failure, ls::moment, open, remote::Remote};
use crate::print::{BOLD, DIM, RED, bytes, counted, dollars, duration, line, lines, tokens, tree};

/// Lines of one text; the rest is in `--json`.
const MAX_LINES: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The id of a trace or a run, or the beginning of one, or `last`
    id: String,
    /// Only the tree
    #[arg(long)]
    tree: bool,
    /// Only where a browser finds it
    #[arg(long)]
    web: bool,
}

pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let store = open::store(cli)?;
    let id = open::run_id(&store, &arguments.id)?;
    // The id of a trace is that of its root; where that is missing, the trace is there all the same.
    let trace_id = store.row(id)?.map_or(id, |row| row.trace_id);
    let trace = store.trace(trace_id)?.ok_or_else(|| format!("there is no run {id}"))?;
    let chosen = trace.runs.iter().find(|row| row.id == id).map_or(trace.head, |row| row.id);
    if arguments.web {
        return link(cli, trace_id, chosen);
    }
    if cli.is_json {
        return as_json(cli, &store, &trace, chosen);
    }
    for text in tree(&trace.runs, cli.look) {
        cli.line(text)?;
    }
    summary(cli, &trace)?;
    if arguments.tree {
        return Ok(());
    }
    let spoken = if chosen == trace.head { speaker(&trace) } else { chosen };
    let Some(run) = store.run(spoken)? else { return Ok(()) };
    transcript(cli, &run)?;
    scores(cli, &store, chosen)
}

/// The page of a trace, of the server that runs.
fn link(cli: &mut Cli, trace: RunId, run: RunId) -> Result<(), Failure> {
    let server = Remote::of(&cli.home).ok_or("no server runs here: start one with `traceable serve`, and ask again")?;
    let url = format!("{}/t/{trace}?run={run}", server.url());
    if cli.is_json { cli.json(&json!({ "url": url })) } else { cli.line(url) }
}

fn as_json(cli: &mut Cli, store: &Store, trace: &Trace, chosen: RunId) -> Result<(), Failure> {
    let run = store.whole_run(chosen)?.ok_or("the run went in the meantime")?;
    let scores = store.scores(&ScoreTarget::Run(chosen))?;
    cli.json(&json!({ "run": Record::line(&run), "scores": scores, "trace": trace }))
}

/// The run whose conversation says most about a trace: its head if that is one, else its last call of a model.
fn speaker(trace: &Trace) -> RunId {
    let is_llm = |row: &&Row| row.run_type == RunType::Llm;
    let head = trace.runs.iter().find(|row| row.id == trace.head);
    match head.filter(is_llm).or_else(|| trace.runs.iter().rfind(is_llm)) {
        Some(row) => row.id,
        None => trace.head,
    }
}

fn summary(cli: &mut Cli, trace: &Trace) -> Result<(), Failure> {
    let totals = &trace.totals;
    let mut facts = vec![counted(totals.runs, "run")];
    facts.extend(totals.end_time.map(|end| duration(end.saturating_sub(totals.start_time))));
    if totals.total_tokens > 0 {
        facts.push(format!("{} tok", tokens(totals.total_tokens)));
    }
    if totals.cost > 0.0 {
        facts.push(dollars(totals.cost));
    }
    if totals.open > 0 {
        facts.push(format!("{} open", totals.open));
    }
    if totals.errors > 0 {
        facts.push(counted(totals.errors, "error"));
    }
    facts.push(moment(totals.start_time));
    let head = trace.runs.iter().find(|row| row.id == trace.head);
    for (name, value) in head.into_iter().flat_map(|row| {
        [("project", Some(&row.project)), ("thread", row.thread_id.as_ref()), ("user", row.user.as_ref())]
    }) {
        facts.extend(value.map(|value| format!("{name} {}", line(value))));
    }
    facts.extend(head.map(|row| row.trace_id.to_string()));
    let text = cli.look.paint(DIM, &format!("   {}", facts.join(" · ")));
    cli.line(text)
}

fn transcript(cli: &mut Cli, stored: &StoredRun) -> Result<(), Failure> {
    let StoredRun { run, files, progress, .. } = stored;
    let look = cli.look;
    let model = run.model.as_deref().map(|model| format!(" {}", line(model))).unwrap_or_default();
    cli.line(format_args!("\n{}{}", look.paint(BOLD, &line(&run.name)), look.paint(DIM, &model)))?;
    let outputs = run.outputs.as_ref().or_else(|| progress.as_ref().and_then(|progress| progress.outputs.as_ref()));
    side(cli, "input", run.inputs.as_ref(), input_messages)?;
    side(cli, "output", outputs, output_messages)?;
    if let Some(error) = &run.error {
        block(cli, &look.paint(RED, "error"), error)?;
    }
    for file in files {
        let size = match &file.place {
            FilePlace::Blob { size, .. } => bytes(*size),
            _ => "elsewhere".into(),
        };
        cli.line(format_args!("{} {} ({}, {size})", look.paint(DIM, "file"), line(&file.name), line(&file.mime)))?;
    }
    if !run.tags.is_empty() {
        cli.line(format_args!("{} {}", look.paint(DIM, "tags"), line(&run.tags.join(", "))))?;
    }
    // LangSmith's SDK for Python sends its own variables along; what begins with our name is the decoder's.
    let is_noise = |name: &str| [names::PREFIX, "LANGSMITH_", "LANGCHAIN_"].iter().any(|noise| name.starts_with(noise));
    for (name, value) in run.metadata.iter().filter(|(name, _)| !is_noise(name)) {
        cli.line(format_args!("{} {}", look.paint(DIM, &line(name)), line(&plain(value))))?;
    }
    Ok(())
}

/// The inputs or the outputs: as a conversation where they are one.
fn side(cli: &mut Cli, name: &str, body: Option<&Json>, messages: fn(&Value) -> Vec<Message>) -> Result<(), Failure> {
    let Some(body) = body else { return Ok(()) };
    let value = body.to_value();
    let said = messages(&value);
    if said.is_empty() {
        let heading = cli.look.paint(DIM, name);
        return block(cli, &heading, &pretty(&value));
    }
    for message in said {
        let heading = cli.look.paint(DIM, &line(message.role.as_str()));
        let text: Vec<String> = message.parts.iter().map(part).collect();
        block(cli, &heading, &text.join("\n"))?;
    }
    Ok(())
}

fn part(part: &Part) -> String {
    match part {
        Part::Text { content } => content.clone(),
        Part::Reasoning { content } => format!("(thinks) {content}"),
        Part::Refusal { content } => format!("(refuses) {content}"),
        Part::ToolCall { name, arguments, .. } => format!("→ {name}({})", plain(arguments)),
        Part::ToolResult { response, .. } => plain(response),
        Part::Blob { modality, mime_type, .. } => {
            format!("[{modality} {}]", mime_type.as_deref().unwrap_or_default())
        }
        Part::Uri { modality, uri, .. } => format!("[{modality} {uri}]"),
        Part::File { modality, file_id, .. } => format!("[{modality} {file_id}]"),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// JSON as people read it; an object of one value is that value.
fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) if members.len() == 1 => members.values().next().map(pretty).unwrap_or_default(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// A text below its heading.
fn block(cli: &mut Cli, heading: &str, text: &str) -> Result<(), Failure> {
    cli.line(heading)?;
    let mut all = lines(text);
    for line in all.by_ref().take(MAX_LINES) {
        cli.line(format_args!("  {line}"))?;
    }
    let rest = all.count();
    if rest > 0 {
        let more = cli.look.paint(DIM, &format!("  … {} more", counted(rest as u64, "line")));
        cli.line(more)?;
    }
    Ok(())
}

fn scores(cli: &mut Cli, store: &Store, run: RunId) -> Result<(), Failure> {
    for score in store.scores(&ScoreTarget::Run(run))? {
        let value = score.score.map(|number| number.to_string()).or(score.label);
        let value = value.or_else(|| score.value.as_ref().map(plain)).unwrap_or_default();
        let comment = score.comment.map(|comment| format!(" ({})", line(&comment))).unwrap_or_default();
        let heading = cli.look.paint(DIM, "score");
        cli.line(format_args!("{heading} {} = {}{comment}", line(&score.key), line(&value)))?;
    }
    Ok(())
}
