//! What a span did, in Adaline's eight kinds, and what a run is told of it.

use std::collections::BTreeMap;

use super::{
    json::ContentJson,
    limits::{self, Checked},
};
use crate::{Current, Record};

/// What a span did. A `match` over all kinds needs no other arm.
///
/// ```
/// use traceable::adaline::{Content, ContentJson, ModelContent};
///
/// fn line(content: &Content) -> String {
///     match content {
///         Content::Model(call) => format!("LLM: {}/{}, Cost: ${}", call.provider, call.model, call.cost.unwrap_or(0.0)),
///         Content::ModelStream(call) => format!("Streaming: {}", call.provider),
///         Content::Embeddings(_) => "Embedding generation".to_owned(),
///         Content::Tool(_) => "Tool execution".to_owned(),
///         Content::Retrieval(_) => "Vector search".to_owned(),
///         Content::Function(_) => "Custom function".to_owned(),
///         Content::Guardrail(_) => "Safety check".to_owned(),
///         Content::Other(_) => "Other operation".to_owned(),
///     }
/// }
///
/// let (input, output) = (ContentJson::of("Hello"), ContentJson::of("Hi!"));
/// let call = ModelContent::new("openai", "gpt-4o", input, output).cost(0.002);
/// assert_eq!(line(&call.into()), "LLM: openai/gpt-4o, Cost: $0.002");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A call of a model: a run of the type `llm`.
    Model(ModelContent),
    /// A call of a model whose answer came as a stream: a run of the type `llm`.
    ModelStream(ModelStreamContent),
    /// A call of an embedding model: `embedding`.
    Embeddings(IoContent),
    /// A function of the application: `chain`.
    Function(IoContent),
    /// A tool: `tool`.
    Tool(IoContent),
    /// A check of safety or of rules: `guardrail`.
    Guardrail(IoContent),
    /// A search: `retriever`.
    Retrieval(IoContent),
    /// Anything else: a run of the type `other`.
    Other(IoContent),
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelContent {
    /// Who serves the model, such as `openai`: 1 to 512 characters.
    pub provider: String,
    /// The model, such as `gpt-4o`: 1 to 512 characters.
    pub model: String,
    /// What the prompt's placeholders were filled with, by their names of 1 to 200 characters.
    pub variables: BTreeMap<String, ContentJson>,
    /// What the call cost in US dollars, in place of what its tokens would cost.
    pub cost: Option<f64>,
    /// The request, best as it was sent to the provider.
    pub input: ContentJson,
    /// The response, best as it came from the provider: then its token usage is found in it.
    pub output: ContentJson,
    /// The answer that was wanted.
    pub expected: Option<ContentJson>,
}

/// A call of a model whose answer came as a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelStreamContent {
    /// Who serves the model, such as `anthropic`: 1 to 512 characters.
    pub provider: String,
    /// The model, such as `claude-3-opus`: 1 to 512 characters.
    pub model: String,
    /// What the prompt's placeholders were filled with, by their names of 1 to 200 characters.
    pub variables: BTreeMap<String, ContentJson>,
    /// What the call cost in US dollars, in place of what its tokens would cost.
    pub cost: Option<f64>,
    /// The request, best as it was sent to the provider.
    pub input: ContentJson,
    /// The chunks as they came, joined.
    pub output: String,
    /// The answer that the chunks make.
    pub aggregate_output: ContentJson,
    /// The answer that was wanted.
    pub expected: Option<ContentJson>,
}

/// What went in and what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoContent {
    /// What went in.
    pub input: ContentJson,
    /// What came out.
    pub output: ContentJson,
    /// What was wanted.
    pub expected: Option<ContentJson>,
}

/// Setters that both kinds of model calls have.
macro_rules! model_setters {
    () => {
        /// Says what a placeholder of the prompt was filled with.
        #[must_use]
        pub fn variable<T: Record + ?Sized>(mut self, name: impl Into<String>, value: &T) -> Self {
            self.variables.insert(name.into(), ContentJson::of(value));
            self
        }

        /// Sets what the call cost, in US dollars.
        #[must_use]
        pub fn cost(mut self, dollars: f64) -> Self {
            self.cost = Some(dollars);
            self
        }

        /// Sets the answer that was wanted.
        #[must_use]
        pub fn expected(mut self, expected: ContentJson) -> Self {
            self.expected = Some(expected);
            self
        }
    };
}

impl ModelContent {
    /// A call of a model.
    pub fn new(provider: impl Into<String>, model: impl Into<String>, input: ContentJson, output: ContentJson) -> Self {
        let (provider, model) = (provider.into(), model.into());
        Self { provider, model, variables: BTreeMap::new(), cost: None, input, output, expected: None }
    }

    model_setters!();
}

impl ModelStreamContent {
    /// A call of a model whose answer came as a stream: `output` is what came, `aggregate_output` the answer that it
    /// makes.
    pub fn new(
        provider: impl Into<String>,
        model: impl Into<String>,
        input: ContentJson,
        output: impl Into<String>,
        aggregate_output: ContentJson,
    ) -> Self {
        let (provider, model, output) = (provider.into(), model.into(), output.into());
        let variables = BTreeMap::new();
        Self { provider, model, variables, cost: None, input, output, aggregate_output, expected: None }
    }

    model_setters!();
}

impl From<ModelContent> for Content {
    fn from(content: ModelContent) -> Self {
        Self::Model(content)
    }
}

impl From<ModelStreamContent> for Content {
    fn from(content: ModelStreamContent) -> Self {
        Self::ModelStream(content)
    }
}

/// Constructors of the kinds that have an input and an output.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $kind:ident)*) => {
        $(
            $(#[$doc])*
            pub fn $name(input: ContentJson, output: ContentJson) -> Self {
                Self::$kind(IoContent { input, output, expected: None })
            }
        )*
    };
}

impl Content {
    constructors! {
        /// A call of an embedding model.
        embeddings Embeddings
        /// A function of the application.
        function Function
        /// A tool.
        tool Tool
        /// A check of safety or of rules.
        guardrail Guardrail
        /// A search.
        retrieval Retrieval
        /// Anything else.
        other Other
    }

    /// Sets what was wanted.
    #[must_use]
    pub fn expected(mut self, expected: ContentJson) -> Self {
        let slot = match &mut self {
            Self::Model(call) => &mut call.expected,
            Self::ModelStream(call) => &mut call.expected,
            Self::Embeddings(io)
            | Self::Function(io)
            | Self::Tool(io)
            | Self::Guardrail(io)
            | Self::Retrieval(io)
            | Self::Other(io) => &mut io.expected,
        };
        *slot = Some(expected);
        self
    }

    pub(super) fn check(&self) -> Checked {
        let (provider, model, variables, cost) = match self {
            Self::Model(call) => (&call.provider, &call.model, &call.variables, call.cost),
            Self::ModelStream(call) => (&call.provider, &call.model, &call.variables, call.cost),
            _ => return Ok(()),
        };
        limits::text("provider", provider, 512)?;
        limits::text("model", model, 512)?;
        variables.keys().try_for_each(|name| limits::text("variables", name, 200))?;
        cost.map_or(Ok(()), |cost| limits::dollars("cost", cost))
    }

    /// Tells a run what it did.
    pub(super) fn tell(&self, run: Current) {
        let (run_type, io) = match self {
            Self::Model(call) => {
                tell_model(run, &call.provider, &call.model, &call.variables, call.cost);
                tell_request(run, &call.input);
                return tell_answer(run, &call.output, call.expected.as_ref());
            }
            Self::ModelStream(call) => {
                tell_model(run, &call.provider, &call.model, &call.variables, call.cost);
                tell_request(run, &call.input);
                run.set_raw_stream(&call.output);
                return tell_answer(run, &call.aggregate_output, call.expected.as_ref());
            }
            Self::Embeddings(io) => ("embedding", io),
            Self::Function(io) => ("chain", io),
            Self::Tool(io) => ("tool", io),
            Self::Guardrail(io) => ("guardrail", io),
            Self::Retrieval(io) => ("retriever", io),
            Self::Other(io) => ("other", io),
        };
        run.set_run_type(run_type);
        run.set_inputs(&io.input.0);
        tell_answer(run, &io.output, io.expected.as_ref());
    }
}

fn tell_model(run: Current, provider: &str, model: &str, variables: &BTreeMap<String, ContentJson>, cost: Option<f64>) {
    run.set_run_type("llm");
    run.set_model(provider, model);
    for (name, value) in variables {
        run.add_variable(name, &value.0);
    }
    if let Some(cost) = cost {
        run.set_cost(cost);
    }
}

/// A bare list is one of messages, as all model calls have it.
fn tell_request(run: Current, input: &ContentJson) {
    if input.as_str().trim_ascii_start().starts_with('[') {
        run.set_inputs(&BTreeMap::from([("messages", &input.0)]));
    } else {
        run.set_inputs(&input.0);
    }
}

fn tell_answer(run: Current, output: &ContentJson, expected: Option<&ContentJson>) {
    run.set_outputs(&output.0);
    if let Some(expected) = expected {
        run.set_expected(&expected.0);
    }
}
