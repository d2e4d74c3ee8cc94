//! Markdown: the tree of a trace, and what was said in it, to paste into a chat or an issue.
//!
//! What was traced stands in fences that nothing in it can close, so it is read as it was, and as nothing else.

use std::io::Write as _;

use serde_json::Value;
use traceable_core::{
    messages::{Message, Part, input_messages, output_messages},
    model::{Json, RunId, ScoreTarget, format_time},
};
use traceable_store::{FilePlace, Result, Store, StoredRun, Trace};

use crate::print::{Look, bytes, counted, dollars, duration, line, mark, tokens, tree};

/// Levels of headings.
const LEVELS: usize = 4;

/// Runs whose line stands in the tree; all of them stand below it.
const TREE: usize = 1_000;

/// The heading of a trace, or of the part of it below a run, and its tree.
pub(super) fn head(trace: &Trace, below: Option<RunId>, out: &mut Vec<u8>) -> Result<()> {
    let top = below.unwrap_or(trace.head);
    let name = trace.runs.iter().find(|row| row.id == top).map_or("?", |row| row.name.as_str());
    let totals = &trace.totals;
    let mut facts = vec![counted(trace.runs.len() as u64, "run")];
    facts
        .extend(totals.end_time.map(|end| duration(end.saturating_sub(totals.start_time))).filter(|_| below.is_none()));
    if totals.total_tokens > 0 && below.is_none() {
        facts.push(format!("{} tokens", tokens(totals.total_tokens)));
        facts.extend(Some(totals.cost).filter(|cost| *cost > 0.0).map(dollars));
    }
    facts.push(format_time(totals.start_time));
    writeln!(out, "# {}\n\n{}\n", code(name), facts.join(" · "))?;
    if trace.runs.len() > 1 {
        let rows = &trace.runs[..trace.runs.len().min(TREE)];
        let drawn = tree(rows, Look { is_colored: false, width: 100 });
        let more = trace.runs.len() - rows.len();
        let more = if more > 0 { format!("\n… {more} more") } else { String::new() };
        fenced("text", &(drawn.join("\n") + &more), out)?;
    }
    Ok(())
}

/// A run: what it was given, what it answered, what is known of it.
pub(super) fn write(store: &Store, stored: &StoredRun, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let StoredRun { run, files, progress, .. } = stored;
    let (sign, _) = mark(run.status);
    let mut facts = vec![line(run.run_type.as_str())];
    facts.extend(run.model.as_deref().map(code));
    facts.push(run.duration().map_or_else(|| "open".into(), duration));
    if let Some(usage) = &run.usage {
        let of = |tokens: Option<u64>| tokens.map_or_else(|| "?".into(), |tokens| tokens.to_string());
        facts.push(format!("{} → {} tokens", of(usage.input_tokens), of(usage.output_tokens)));
    }
    let marks = "#".repeat(2 + depth.min(LEVELS));
    writeln!(out, "{marks} {sign} {}\n\n{}\n", code(&run.name), facts.join(" · "))?;
    let outputs = run.outputs.as_ref().or_else(|| progress.as_ref().and_then(|progress| progress.outputs.as_ref()));
    side("Input", run.inputs.as_ref(), input_messages, out)?;
    side("Output", outputs, output_messages, out)?;
    if let Some(error) = &run.error {
        heading("Error", out)?;
        fenced("text", error, out)?;
    }
    for file in files {
        let size = match &file.place {
            FilePlace::Blob { size, .. } => bytes(*size),
            _ => "elsewhere".into(),
        };
        writeln!(out, "- File {} ({}, {size})", code(&file.name), code(&file.mime))?;
    }
    for score in store.scores(&ScoreTarget::Run(run.id))? {
        let value = score.score.map(|number| number.to_string()).or(score.label);
        let value = value.or_else(|| score.value.as_ref().map(plain)).unwrap_or_default();
        let comment = score.comment.map(|comment| format!(": {}", code(&comment))).unwrap_or_default();
        writeln!(out, "- Score {} = {}{comment}", code(&score.key), code(&value))?;
    }
    if out.last() == Some(&b'\n') && !out.ends_with(b"\n\n") {
        out.push(b'\n');
    }
    Ok(())
}

/// The inputs or the outputs: as a conversation where they are one.
fn side(name: &str, body: Option<&Json>, messages: fn(&Value) -> Vec<Message>, out: &mut Vec<u8>) -> Result<()> {
    let Some(body) = body else { return Ok(()) };
    let value = body.to_value();
    let said = messages(&value);
    if said.is_empty() {
        heading(name, out)?;
        return match &value {
            Value::String(text) => fenced("text", text, out),
            other => fenced("json", &serde_json::to_string_pretty(other)?, out),
        };
    }
    for message in said {
        heading(&line(message.role.as_str()), out)?;
        for part in &message.parts {
            self::part(part, out)?;
        }
    }
    Ok(())
}

fn part(part: &Part, out: &mut Vec<u8>) -> Result<()> {
    match part {
        Part::Text { content } | Part::Refusal { content } => fenced("text", content, out),
        Part::Reasoning { content } => {
            writeln!(out, "Thinks:\n")?;
            fenced("text", content, out)
        }
        Part::ToolCall { name, arguments, .. } => {
            writeln!(out, "Calls {}:\n", code(name))?;
            fenced("json", &serde_json::to_string_pretty(arguments)?, out)
        }
        Part::ToolResult { response: Value::String(text), .. } => fenced("text", text, out),
        Part::ToolResult { response, .. } => fenced("json", &serde_json::to_string_pretty(response)?, out),
        Part::Blob { modality, mime_type, .. } => {
            Ok(writeln!(out, "({} {})\n", code(modality), code(mime_type.as_deref().unwrap_or_default()))?)
        }
        Part::Uri { modality, uri: at, .. } | Part::File { modality, file_id: at, .. } => {
            Ok(writeln!(out, "({} at {})\n", code(modality), code(at))?)
        }
        other => fenced("json", &serde_json::to_string_pretty(other)?, out),
    }
}

fn heading(name: &str, out: &mut Vec<u8>) -> Result<()> {
    Ok(writeln!(out, "**{}**\n", escaped(name))?)
}

/// A text that is read as it is. The fence is longer than any in the text.
fn fenced(language: &str, text: &str, out: &mut Vec<u8>) -> Result<()> {
    let fence = "`".repeat(longest_ticks(text).max(2) + 1);
    let text = text.trim_end_matches('\n');
    Ok(writeln!(out, "{fence}{language}\n{text}\n{fence}\n")?)
}

/// A word that is read as it is, on one line.
fn code(text: &str) -> String {
    let text = line(text);
    let ticks = "`".repeat(longest_ticks(&text) + 1);
    let is_open = text.is_empty() || text.starts_with('`') || text.ends_with('`');
    let gap = if is_open { " " } else { "" };
    format!("{ticks}{gap}{text}{gap}{ticks}")
}

/// A word of which no sign means anything.
fn escaped(text: &str) -> String {
    let signs = |c: char| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c]);
    line(text).chars().flat_map(signs).collect()
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
