//! Generations: what a step is told that was a call of a model.

use std::{collections::BTreeMap, time::Duration};

use crate::{Current, Json, Record, Usage};

/// A call of a model: prompt and completion, settings, token counts and latency.
///
/// ```
/// use std::time::Duration;
///
/// use serde_json::json;
/// use traceable::literal::{Client, Generation, Step as _, StepType};
///
/// Client::new().step("gpt-4o", StepType::Llm).call(|step| {
///     let messages = json!([{ "role": "user", "content": "Hi" }]);
///     let generation = Generation::chat(&messages, &json!({ "role": "assistant", "content": "Hello" }))
///         .provider("openai")
///         .model("gpt-4o")
///         .settings(&json!({ "temperature": 0.2 }))
///         .token_counts(10, 3)
///         .tt_first_token(Duration::from_millis(120));
///     step.set_generation(&generation);
/// });
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is said before `set_generation`"]
pub struct Generation {
    /// What goes in, by name.
    input: BTreeMap<&'static str, Json>,
    output: Option<Json>,
    provider: Option<String>,
    model: Option<String>,
    settings: Option<Json>,
    variables: Vec<(String, Json)>,
    prompt_id: Option<String>,
    token_counts: Option<(u64, u64)>,
    tt_first_token: Option<Duration>,
    error: Option<String>,
}

impl Generation {
    /// A call with a list of messages, which a message answered.
    pub fn chat<M: Record + ?Sized, C: Record + ?Sized>(messages: &M, message_completion: &C) -> Self {
        Self {
            input: BTreeMap::from([("messages", Json::of(messages))]),
            output: Some(Json::of(message_completion)),
            ..Self::default()
        }
    }

    /// A call with a text, which a text answered.
    pub fn completion(prompt: &str, completion: &str) -> Self {
        Self {
            input: BTreeMap::from([("prompt", Json::of(prompt))]),
            output: Some(Json::of(completion)),
            ..Self::default()
        }
    }

    /// Names who serves the model, such as `openai`.
    pub fn provider(mut self, name: impl Into<String>) -> Self {
        self.provider = Some(name.into());
        self
    }

    /// Names the model, such as `gpt-4o`.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Sets the parameters of the call as one object, such as `temperature`.
    pub fn settings<T: Record + ?Sized>(mut self, settings: &T) -> Self {
        self.settings = Some(Json::of(settings));
        self
    }

    /// Sets the tools that the model was offered.
    pub fn tools<T: Record + ?Sized>(mut self, tools: &T) -> Self {
        self.input.insert("tools", Json::of(tools));
        self
    }

    /// Says what a placeholder of the prompt was filled with.
    pub fn variable<T: Record + ?Sized>(mut self, name: impl Into<String>, value: &T) -> Self {
        self.variables.push((name.into(), Json::of(value)));
        self
    }

    /// Names the prompt that was used.
    pub fn prompt_id(mut self, id: impl Into<String>) -> Self {
        self.prompt_id = Some(id.into());
        self
    }

    /// Sets the tokens of the prompt and of the completion. Without this they are looked for in the completion.
    pub fn token_counts(mut self, input: u64, output: u64) -> Self {
        self.token_counts = Some((input, output));
        self
    }

    /// Says when the first token came, counted from the start of the step.
    pub fn tt_first_token(mut self, latency: Duration) -> Self {
        self.tt_first_token = Some(latency);
        self
    }

    /// Says what went wrong: the step has failed.
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    pub(super) fn tell(&self, run: Current) {
        run.set_run_type("llm");
        if !self.input.is_empty() {
            run.set_inputs(&self.input);
        }
        if let Some(output) = &self.output {
            run.set_outputs(output);
        }
        if let Some(provider) = &self.provider {
            run.add_metadata("ls_provider", provider);
        }
        if let Some(model) = &self.model {
            run.add_metadata("ls_model_name", model);
        }
        if let Some(settings) = &self.settings {
            run.add_metadata("ls_invocation_params", settings);
        }
        for (name, value) in &self.variables {
            run.add_variable(name, value);
        }
        if let Some(prompt) = &self.prompt_id {
            run.set_prompt(Some(prompt), None);
        }
        if let Some((input, output)) = self.token_counts {
            run.set_usage(&Usage::new(input, output));
        }
        if let Some(latency) = self.tt_first_token {
            run.set_time_to_first_token(latency);
        }
        if let Some(error) = &self.error {
            run.set_error(error);
        }
    }
}
