//! A run as lists show it.

use serde::Serialize;
use serde_json::Value;
use traceable_core::{
    messages,
    model::{Json, Run, RunId, RunType, Status},
};

/// Characters of a preview.
const PREVIEW: usize = 200;

/// Bytes of an error in a row. The run has all of it.
const ERROR: usize = 4_096;

/// Bytes of a name in a row, as for an error.
const NAME: usize = 1_024;

/// The project of runs that name none.
pub const DEFAULT_PROJECT: &str = "default";

/// What lists, queries and statistics know of a run. The rest is its body: see [`Store::run`](crate::Store::run).
///
/// Times are nanoseconds since the epoch, durations nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The run's id.
    pub id: RunId,
    /// The trace.
    pub trace_id: RunId,
    /// The run that it is a part of.
    pub parent_id: Option<RunId>,
    /// The project; [`DEFAULT_PROJECT`] where the run names none.
    pub project: String,
    /// The name, cut after 1 KiB.
    pub name: String,
    /// The kind of work.
    pub run_type: RunType,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub start_time: i64,
    /// When it ended.
    pub end_time: Option<i64>,
    /// How long it took.
    pub latency: Option<i64>,
    /// From its start to the first chunk of the answer.
    pub first_token: Option<i64>,
    /// What went wrong, cut after 4 KiB; empty where the run failed without a word.
    pub error: Option<String>,
    /// Who serves the model.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The conversation.
    pub thread_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// Such as `production`.
    pub environment: Option<String>,
    /// The version of the deployed code.
    pub release: Option<String>,
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// Both together.
    pub total_tokens: Option<u64>,
    /// US dollars, to a billionth.
    pub cost: Option<f64>,
    /// Labels.
    pub tags: Vec<String>,
    /// How many files it has.
    pub attachments: u64,
    /// One line of what was asked: the user's last message, else what the inputs say first.
    pub input_preview: Option<String>,
    /// One line of the answer.
    pub output_preview: Option<String>,
}

impl Row {
    /// The row of a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let inputs = run.inputs.as_ref().map(Json::to_value);
        let outputs = run.outputs.as_ref().map(Json::to_value);
        let usage = run.usage.clone().or_else(|| {
            let is_model = run.run_type == RunType::Llm;
            let found = || messages::usage(outputs.as_ref()?).or_else(|| messages::usage_in_metadata(&run.metadata));
            is_model.then(found).flatten()
        });
        let usage = usage.unwrap_or_default();
        let total = || match (usage.input_tokens, usage.output_tokens) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        };
        let cost = || match (usage.input_cost, usage.output_cost) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
        };
        let is_error = run.status == Status::Error;
        Self {
            id: run.id,
            trace_id: run.trace_id,
            parent_id: run.parent_id,
            project: run.project.as_deref().unwrap_or(DEFAULT_PROJECT).to_owned(),
            name: cut(&run.name, NAME),
            run_type: run.run_type.clone(),
            status: run.status,
            start_time: run.start_time,
            end_time: run.end_time,
            latency: run.duration(),
            first_token: run.time_to_first_chunk(),
            error: run.error.as_deref().map(|error| cut(error, ERROR)).or(is_error.then(String::new)),
            provider: run.provider.clone(),
            model: run.model.clone(),
            thread_id: run.thread_id.clone(),
            session_id: run.session_id.clone(),
            user: run.user.clone(),
            environment: run.environment.clone(),
            release: run.release.clone(),
            input_tokens: usage.input_tokens.map(countable),
            output_tokens: usage.output_tokens.map(countable),
            total_tokens: usage.total_tokens.or_else(total).map(countable),
            cost: usage.total_cost.or_else(cost).map(|dollars| to_dollars(to_nanos(dollars))),
            tags: run.tags.clone(),
            attachments: run.attachments.len() as u64,
            input_preview: inputs.as_ref().and_then(preview_input),
            output_preview: outputs.as_ref().and_then(preview_output),
        }
    }

    /// Whether its tokens and cost are those of a model's call, and not those of calls below it told again.
    pub(crate) fn is_model_call(&self) -> bool {
        matches!(self.run_type, RunType::Llm | RunType::Embedding | RunType::Reranker)
    }
}

/// No database has more than 63 bits, and a sum of a billion of these must fit as well.
fn countable(tokens: u64) -> u64 {
    tokens.min(1 << 33)
}

/// Billionths of a dollar; a million dollars at most, so that sums stay in range.
pub(crate) fn to_nanos(dollars: f64) -> i64 {
    (dollars.clamp(-1e6, 1e6) * 1e9).round() as i64
}

pub(crate) fn to_dollars(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

/// The text up to so many bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}

fn preview_input(inputs: &Value) -> Option<String> {
    messages::preview_input(&messages::input_messages(inputs), PREVIEW).or_else(|| plain(inputs))
}

fn preview_output(outputs: &Value) -> Option<String> {
    messages::preview_output(&messages::output_messages(outputs), PREVIEW).or_else(|| plain(outputs))
}

/// One line of what is no conversation: a single text, that of several which is for people, or the JSON.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Object(members) if members.is_empty() => return None,
        Value::Object(members) if members.len() == 1 => return members.values().next().and_then(plain),
        Value::Object(members) => messages::told(members).map_or_else(|| value.to_string(), str::to_owned),
        other => other.to_string(),
    };
    messages::Message::with_text(messages::Role::User, cut(&text, 8 * PREVIEW)).preview(PREVIEW)
}
