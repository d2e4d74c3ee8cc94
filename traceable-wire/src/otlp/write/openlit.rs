//! OpenLIT: the attributes that its documentation names, and those that openlit 1.45.0 has beside OpenTelemetry's.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value;
use traceable_core::{
    messages::{Message, Part},
    model::{Run, RunType},
};

use super::{Attributes, Field, Said, genai::plain, genai::said_in};
use crate::otlp::{
    names::openlit::{self as names, Kind, Row},
    span::Ended,
    view::{View, int, text},
};

pub(super) fn write(ended: &Ended<'_>, out: &mut Attributes, said: &mut Said) {
    let view = &ended.view;
    let run = view.run;
    out.text(names::SDK_NAME, names::SDK);
    out.text(names::APPLICATION, ended.service.or(run.project.as_deref()));
    out.text(names::ENVIRONMENT, run.environment.as_deref());
    out.text(names::OPERATION, &*operation(view));
    out.text(names::SYSTEM, run.provider.as_deref());
    said.text(Field::Provider, run.provider.as_deref(), run.provider.as_deref());
    out.text(names::REQUEST_MODEL, run.model.as_deref());
    said.text(Field::Model, run.model.as_deref(), run.model.as_deref());
    out.text(names::USER, run.user.as_deref());
    said.text(Field::User, run.user.as_deref(), run.user.as_deref());
    // LangSmith's hub and others name a prompt `owner/repo`.
    if let Some((owner, repo)) = run.prompt_ref.as_deref().and_then(|prompt| prompt.split_once('/')) {
        out.text(names::HUB_OWNER, owner);
        out.text(names::HUB_REPO, repo);
    }
    rows(&names::GENERAL, view, out);
    if matches!(run.run_type, RunType::Llm | RunType::Embedding | RunType::Custom(_)) {
        rows(&names::REQUEST, view, out);
        for (name, kind, keys) in names::RESPONSE {
            let first = || view.answer(&["data"]).and_then(|data| keys.iter().find_map(|key| data.get(0)?.get(key)));
            let found = view
                .said(name)
                .or_else(first)
                .or_else(|| view.answer(keys).filter(|_| name != "gen_ai.response.image"));
            found.into_iter().for_each(|value| put(name, kind, value, out));
        }
    }
    if run.run_type == RunType::Llm {
        out.bool(names::IS_STREAM, view.is_stream());
        let reasons = view.finish_reasons();
        out.text(names::FINISH_REASONS, (!reasons.is_empty()).then(|| reasons.join(",")).as_deref());
    }
    usage(run, out, said);
    content(view, out, said);
    if is_database(view) {
        out.text(names::DB_SYSTEM, view.database().as_deref());
        out.text(names::DB_OPERATION, view.database_operation().as_deref());
        rows(&names::DATABASE, view, out);
        rows(&names::DATABASE_NOW, view, out);
    }
}

/// The operation in the words of the documentation.
fn operation<'v>(view: &'v View<'_>) -> Cow<'v, str> {
    match &view.run.run_type {
        RunType::Llm => "chat".into(),
        RunType::Embedding => "embedding".into(),
        // A kind of the caller's own, such as `image`, `audio` or `fine_tuning`.
        RunType::Custom(kind) => kind.as_ref().into(),
        _ if is_database(view) => "vectordb".into(),
        _ => "framework".into(),
    }
}

fn is_database(view: &View<'_>) -> bool {
    view.database().is_some() || view.run.run_type.as_str() == "vectordb"
}

fn rows(rows: &[Row], view: &View<'_>, out: &mut Attributes) {
    for (name, kind, keys) in rows {
        let is_update = || view.database_operation().is_some_and(|what| what.eq_ignore_ascii_case("update"));
        let own = || keys.iter().find_map(|key| view.said(key).filter(|_| key.contains('.')));
        let asked = || view.asked_for(keys).filter(|_| *name != "db.update.id" || is_update());
        if let Some(value) = view.said(name).or_else(own).or_else(asked) {
            put(name, *kind, value, out);
        }
    }
}

/// Writes a value as the documentation has it, or, where it is of another kind, as text.
fn put(name: &str, kind: Kind, value: &Value, out: &mut Attributes) {
    match (kind, value) {
        // A count may have been counted already.
        (Kind::Int | Kind::Count, value) if int(value).is_some() => out.int(name, int(value)),
        (Kind::Double, Value::Number(number)) => out.double(name, number.as_f64()),
        (Kind::Bool, Value::Bool(yes)) => out.bool(name, *yes),
        (Kind::Count, Value::Array(list)) => out.int(name, list.len() as i64),
        // One is no list.
        (Kind::Count, _) => out.int(name, 1),
        (_, value) => out.text(name, &*text(value)),
    }
}

fn usage(run: &Run, out: &mut Attributes, said: &mut Said) {
    let Some(usage) = &run.usage else { return };
    for (name, tokens) in [
        (names::PROMPT_TOKENS, usage.input_tokens),
        (names::COMPLETION_TOKENS, usage.output_tokens),
        (names::TOTAL_TOKENS, usage.total_tokens),
        (names::TOKENS, usage.total_tokens),
        (names::CACHED_TOKENS, usage.input_token_details.get("cache_read").copied()),
        (names::REASONING_TOKENS, usage.output_token_details.get("reasoning").copied()),
    ] {
        out.int(name, tokens.and_then(|tokens| i64::try_from(tokens).ok()));
    }
    out.double(names::COST, usage.total_cost);
    said.otherwise(Field::Usage);
}

/// Prompt and answer as text: of a conversation `role: text` lines, of any other run what went in and came out.
fn content(view: &View<'_>, out: &mut Attributes, said: &mut Said) {
    let run = view.run;
    if let Some(inputs) = &run.inputs {
        let lines = lines(&view.asked);
        out.text(names::PROMPT, &*if lines.is_empty() { plain(inputs) } else { lines.into() });
        said.otherwise(Field::Inputs);
    }
    if let Some(outputs) = &run.outputs {
        let texts: Vec<_> = view.answered.iter().map(words).filter(|text| !text.is_empty()).collect();
        out.text(names::COMPLETION, &*if texts.is_empty() { plain(outputs) } else { texts.join("\n").into() });
        said.otherwise(Field::Outputs);
    }
    let thoughts = view.answered.iter().flat_map(|message| &message.parts).find_map(|part| match part {
        Part::Reasoning { content } => Some(content.as_str()),
        _ => None,
    });
    out.text(names::REASONING, thoughts);
    out.double(names::TIME_TO_FIRST_TOKEN, run.time_to_first_chunk().map(|nanos| nanos as f64 / 1e9));
}

fn lines(messages: &[Message]) -> String {
    messages.iter().fold(String::new(), |mut all, message| {
        let line_break = if all.is_empty() { "" } else { "\n" };
        // A text takes whatever is written to it.
        let _ = write!(all, "{line_break}{}: {}", message.role, words(message));
        all
    })
}

fn words(message: &Message) -> String {
    message.parts.iter().filter_map(said_in).collect::<Vec<_>>().join("\n")
}
