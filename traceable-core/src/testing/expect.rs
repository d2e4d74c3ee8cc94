//! What a test expects of one run, and what it says where that is not so.

use std::{fmt::Write as _, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    diff,
    matcher::{partial, resolve, to_value},
    tree,
};
use crate::model::{Json, Run, RunType, Status};

/// A run of a recording, and what is expected of it; made by [`Recorder::expect`](super::Recorder::expect).
///
/// Each method checks one thing and answers the same run, so that expectations can be put in a row. One that is not met
/// panics: the message names the run, shows what was expected and what is actual as a difference, and where in its tree
/// the run stands. Expected values are anything that serializes; placeholders such as [`any`](super::any) may stand in them.
///
/// Other questions can be asked of the [`run`](Self::run) itself.
#[derive(Debug, Clone)]
pub struct ExpectedRun {
    /// The recording, in the order of starts.
    runs: Arc<[Run]>,
    /// The run's place in it.
    at: usize,
}

/// The recording below a message.
pub(super) fn recorded(runs: &[Run], marked: Option<&Run>) -> String {
    if runs.is_empty() {
        return "nothing was recorded: are the traced functions called in the scope, and their futures awaited there?"
            .to_owned();
    }
    let mut text = String::from("recorded:\n");
    for line in tree::text(runs, marked.map(|run| run.id)).lines() {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n    {line}");
    }
    text
}

/// The runs of this name.
pub(super) fn named(runs: &Arc<[Run]>, name: &str) -> Vec<ExpectedRun> {
    let places = (0..runs.len()).filter(|&at| runs[at].name == name);
    places.map(|at| ExpectedRun { runs: Arc::clone(runs), at }).collect()
}

/// The only run of this name, below `parent` if there is one.
#[track_caller]
pub(super) fn only(runs: &Arc<[Run]>, name: &str, parent: Option<&Run>) -> ExpectedRun {
    let below = |run: &Run| parent.is_none_or(|parent| run.parent_id == Some(parent.id));
    let mut found = named(runs, name);
    found.retain(|run| below(run.run()));
    match (found.pop(), found.len()) {
        (Some(run), 0) => run,
        (last, before) => {
            let place = parent.map_or_else(String::new, |parent| format!(" below `{}`", parent.name));
            let why = if last.is_some() {
                format!("{} runs `{name}`{place}: `expect_count` takes them all", before + 1)
            } else {
                let known: Vec<&str> = runs.iter().filter(|run| below(run)).map(|run| &*run.name).collect();
                let near = similar::get_close_matches(name, &known, 1, 0.6);
                let hint = near.first().map_or_else(String::new, |near| format!(": is it `{near}`?"));
                format!("no run `{name}`{place}{hint}")
            };
            panic!("{why}\n\n{}", recorded(runs, parent))
        }
    }
}

impl ExpectedRun {
    /// The run, for what there is no method for.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.runs[self.at]
    }

    /// It is of this kind, such as `llm`.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn run_type(&self, run_type: impl Into<RunType>) -> &Self {
        self.check("run_type", &to_value(run_type.into()), Some(&to_value(&self.run().run_type)))
    }

    /// It has this argument with this value, beside others.
    ///
    /// # Panics
    ///
    /// When it has not.
    #[track_caller]
    pub fn input(&self, name: &str, value: impl Serialize) -> &Self {
        self.inputs(partial(one(name, value)))
    }

    /// Its arguments are these and no others.
    ///
    /// # Panics
    ///
    /// When they are not.
    #[track_caller]
    pub fn inputs(&self, inputs: impl Serialize) -> &Self {
        self.check("inputs", &to_value(inputs), self.run().inputs.as_ref().map(Json::to_value).as_ref())
    }

    /// It answered this: the function's value, or the outputs as the object that is recorded.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn output(&self, output: impl Serialize) -> &Self {
        let expected = to_value(output);
        let mut outputs = self.run().outputs.as_ref().map(Json::to_value);
        if let Some(Value::Object(whole)) = &outputs
            && whole.len() == 1
            && let Some(value) = whole.get("output")
            && resolve(&expected, outputs.as_ref()) != Value::Object(whole.clone())
        {
            outputs = Some(value.clone());
        }
        self.check("output", &expected, outputs.as_ref())
    }

    /// It used this many tokens; details and cost are not looked at.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn usage(&self, input_tokens: u64, output_tokens: u64) -> &Self {
        let expected = serde_json::json!({ "input_tokens": input_tokens, "output_tokens": output_tokens });
        self.check("usage", &to_value(partial(expected)), self.run().usage.as_ref().map(to_value).as_ref())
    }

    /// It has this label, beside others.
    ///
    /// # Panics
    ///
    /// When it has not.
    #[track_caller]
    pub fn tag(&self, tag: &str) -> &Self {
        let tags = &self.run().tags;
        let missing = (!tags.iter().any(|known| known == tag)).then_some(tag);
        let expected: Value = missing.into_iter().chain(tags.iter().map(String::as_str)).collect();
        self.check("tags", &expected, Some(&to_value(tags)))
    }

    /// It has this named value, beside others.
    ///
    /// # Panics
    ///
    /// When it has not.
    #[track_caller]
    pub fn metadata(&self, key: &str, value: impl Serialize) -> &Self {
        self.check("metadata", &to_value(partial(one(key, value))), Some(&Value::Object(self.run().metadata.clone())))
    }

    /// It has a file of this name and media type, beside others.
    ///
    /// # Panics
    ///
    /// When it has not.
    #[track_caller]
    pub fn attachment(&self, name: &str, mime: &str) -> &Self {
        let files = self.run().attachments.iter().map(|file| (file.name.clone(), Value::from(&*file.mime)));
        self.check("attachments", &to_value(partial(one(name, mime))), Some(&Value::Object(files.collect())))
    }

    /// Another field of [`Run`] has this value, by its name: `model`, `provider`, `thread_id`, `user`, `events`, …
    ///
    /// A field that is not set is `null`.
    ///
    /// # Panics
    ///
    /// When it has not.
    #[track_caller]
    pub fn field(&self, name: &str, value: impl Serialize) -> &Self {
        let fields = to_value(self.run());
        self.check(name, &to_value(value), Some(fields.get(name).unwrap_or(&Value::Null)))
    }

    /// It ended well.
    ///
    /// # Panics
    ///
    /// When it did not, or has not ended.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        self.check("status", &Value::from("ok"), Some(&self.outcome()))
    }

    /// It ended with an error, or a panic, that has this text in it.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    pub fn failed_with(&self, text: &str) -> &Self {
        let run = self.run();
        let failed = run.status == Status::Error && run.error.as_deref().unwrap_or_default().contains(text);
        let expected = if failed { self.outcome() } else { format!("error: …{text}…").into() };
        self.check("status", &expected, Some(&self.outcome()))
    }

    /// Its future or stream was dropped before its end.
    ///
    /// # Panics
    ///
    /// When it was not.
    #[track_caller]
    pub fn cancelled(&self) -> &Self {
        self.check("status", &Value::from("cancelled"), Some(&self.outcome()))
    }

    /// Its answer came in this many chunks.
    ///
    /// # Panics
    ///
    /// When it did not, or was no stream.
    #[track_caller]
    pub fn streamed(&self, chunks: u64) -> &Self {
        let actual = self.run().stream.as_ref().map(|stream| Value::from(stream.chunks));
        self.check("number of chunks", &Value::from(chunks), actual.as_ref())
    }

    /// Its one child of this name.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one.
    #[allow(clippy::return_self_not_must_use, reason = "that there is one is an expectation too")]
    #[track_caller]
    pub fn child(&self, name: &str) -> Self {
        only(&self.runs, name, Some(self.run()))
    }

    /// How the run ended, in a word or with its error.
    fn outcome(&self) -> Value {
        let run = self.run();
        match &run.error {
            Some(error) => format!("{}: {error}", run.status).into(),
            None => run.status.as_str().into(),
        }
    }

    #[track_caller]
    fn check(&self, what: &str, expected: &Value, actual: Option<&Value>) -> &Self {
        let expected = resolve(expected, actual);
        if actual != Some(&expected) {
            let run = self.run();
            // Most often, what is missing is missing because the run failed.
            let error = run.error.as_ref().filter(|_| what != "status");
            let error = error.map_or_else(String::new, |error| format!("\n\nit failed: {error}"));
            let difference = diff::values(&expected, actual);
            let place = recorded(&self.runs, Some(run));
            panic!("run `{}`: unexpected {what}{error}\n\n{difference}\n{place}", run.name);
        }
        self
    }
}

/// An object with one key.
fn one(key: &str, value: impl Serialize) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), to_value(value))])
}
