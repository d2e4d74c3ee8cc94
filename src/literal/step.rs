//! Steps: what the handles of runs are told in Literal AI's words.

use super::{Generation, ScoreType};
use crate::{ActiveRun, Current, Feedback, Record, RunBuilder};

/// What kind of work a step is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum StepType {
    /// An agent or chain with its steps: a run of the type `agent`.
    Run,
    /// A call of a model: `llm`.
    Llm,
    /// A tool: `tool`.
    Tool,
    /// A call of an embedding model: `embedding`.
    Embedding,
    /// A search: `retriever`.
    Retrieval,
    /// A second ordering of what was found: `reranker`.
    Rerank,
    /// Any function: `chain`.
    #[default]
    Undefined,
    /// What a user said: `message`, with the metadata `literal_step_type`.
    UserMessage,
    /// What the assistant said: `message`.
    AssistantMessage,
    /// What the system said: `message`.
    SystemMessage,
    /// A kind of your own.
    Other(String),
}

impl StepType {
    /// Who speaks, in a message; otherwise nobody.
    pub(super) fn role(&self) -> Option<&'static str> {
        match self {
            Self::UserMessage => Some("user"),
            Self::AssistantMessage => Some("assistant"),
            Self::SystemMessage => Some("system"),
            _ => None,
        }
    }

    pub(super) fn tell(self, run: RunBuilder) -> RunBuilder {
        let run_type = match self {
            Self::Run => "agent",
            Self::Llm => "llm",
            Self::Tool => "tool",
            Self::Embedding => "embedding",
            Self::Retrieval => "retriever",
            Self::Rerank => "reranker",
            Self::Undefined => "chain",
            Self::UserMessage => return message(run, "user_message"),
            Self::AssistantMessage => return message(run, "assistant_message"),
            Self::SystemMessage => return message(run, "system_message"),
            Self::Other(name) => return run.run_type(name),
        };
        run.run_type(run_type)
    }
}

/// Who spoke is kept beside the type.
fn message(run: RunBuilder, kind: &str) -> RunBuilder {
    run.run_type("message").metadata("literal_step_type", kind)
}

/// Literal AI's words for what is said of a run, by any handle to it.
pub trait Step {
    /// The handle with all other words.
    fn handle(&self) -> Current;

    /// A step below this one, to be begun.
    #[track_caller]
    fn step(&self, name: impl AsRef<str>, step_type: StepType) -> RunBuilder;

    /// Sets what went in, as one object; a value that is none stands under `input`.
    fn set_input<T: Record + ?Sized>(&self, input: &T) {
        self.handle().set_inputs(input);
    }

    /// Sets what came out, as one object; a value that is none stands under `output`.
    fn set_output<T: Record + ?Sized>(&self, output: &T) {
        self.handle().set_outputs(output);
    }

    /// Makes the step a call of a model, and says which.
    fn set_generation(&self, generation: &Generation) {
        generation.tell(self.handle());
    }

    /// Begins a score of this step. [`Feedback::send`] sends it.
    fn score(&self, name: &str, score_type: ScoreType, value: impl Into<f64>) -> Feedback {
        crate::feedback(self.handle(), name).source(score_type).score(value)
    }
}

impl Step for Current {
    fn handle(&self) -> Current {
        *self
    }

    #[track_caller]
    fn step(&self, name: impl AsRef<str>, step_type: StepType) -> RunBuilder {
        step_type.tell(self.child(name))
    }
}

impl Step for ActiveRun {
    fn handle(&self) -> Current {
        **self
    }

    #[track_caller]
    fn step(&self, name: impl AsRef<str>, step_type: StepType) -> RunBuilder {
        step_type.tell(self.child(name))
    }
}
