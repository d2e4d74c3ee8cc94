//! Manual tracing in Literal AI's words: runs and steps, the threads that they belong to, and scores of them.
//!
//! It is a view of the runs that all of this crate makes. A step is a run, [`Client::step`] answers the builder that
//! [`run`](crate::run()) answers, and [`Step`] adds Literal AI's words to every handle. So traced functions that are called
//! inside are steps too, and all forms are there: [`call`](RunBuilder::call), [`enter`](RunBuilder::enter),
//! [`start`](RunBuilder::start) and [`future`](RunBuilder::future).
//!
//! ```
//! use serde_json::json;
//! use traceable::{literal::{Client, Generation, ScoreType, Step as _, StepType}, traceable};
//!
//! #[traceable(run_type = "retriever")]
//! fn search(question: &str) -> Vec<&'static str> {
//!     vec!["Paris is the capital of France."]
//! }
//!
//! let client = Client::new().environment("prod").release("1.2.3");
//! client.thread("conversation-7").participant_id("ada@example.com").name("Geography").scope(|| {
//!     client.run("My Agent").input("question", "What is the capital of France?").call(|agent| {
//!         let pages = search("What is the capital of France?");
//!         agent.step("answer", StepType::Llm).call(|step| {
//!             let prompt = json!([{ "role": "user", "content": pages }]);
//!             let generation = Generation::chat(&prompt, &json!({ "role": "assistant", "content": "Paris" }));
//!             step.set_generation(&generation.provider("openai").model("gpt-4o").token_counts(10, 3));
//!         });
//!         agent.set_output("Paris");
//!         agent.score("user-feedback", ScoreType::Human, 1).comment("right").send();
//!     });
//! });
//! ```

mod generation;
mod message;
mod step;
mod thread;

pub use self::{
    generation::Generation,
    message::Message,
    step::{Step, StepType},
    thread::Thread,
};
/// Who gave a score: HUMAN, CODE or AI.
pub use crate::ScoreSource as ScoreType;
use crate::{Feedback, RunBuilder, Target, UserRecord, run};

/// Where runs, threads, messages, users and scores come from. They go to the destinations that this process has.
#[derive(Debug, Clone, Default)]
pub struct Client {
    environment: Option<String>,
    release: Option<String>,
}

impl Client {
    /// A client. Needs no runtime and no key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the environment, such as `dev`, `staging`, `prod` or `experiment`.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Names the version of the deployed code, such as `1.2.3` or a commit. It is found in the metadata, too.
    #[must_use]
    pub fn release(mut self, version: impl Into<String>) -> Self {
        self.release = Some(version.into());
        self
    }

    /// An agent's or chain's run, to be begun. Inside of another run it is a part of that one.
    #[track_caller]
    pub fn run(&self, name: impl AsRef<str>) -> RunBuilder {
        self.step(name, StepType::Run)
    }

    /// A step, to be begun. Inside of another run it is a part of that one.
    #[track_caller]
    pub fn step(&self, name: impl AsRef<str>, step_type: StepType) -> RunBuilder {
        let mut step = step_type.tell(run(name));
        if let Some(environment) = &self.environment {
            step = step.environment(environment);
        }
        if let Some(release) = &self.release {
            step = step.release(release).metadata("release", release);
        }
        step
    }

    /// A message of a conversation, the assistant's unless said otherwise. [`Message::send`] sends it.
    #[track_caller]
    pub fn message(&self, content: impl Into<String>) -> Message {
        Message::new(self.step("message", StepType::Undefined), content.into())
    }

    /// A conversation, by the id that the application gave it: what runs in it belongs to it.
    pub fn thread(&self, id: impl AsRef<str>) -> Thread {
        Thread::new(self, id.as_ref())
    }

    /// Begins to name a user, by what tells the user from all others, such as an e-mail address. The user need not be
    /// known.
    pub fn create_user(&self, identifier: &str) -> UserRecord {
        crate::user(identifier)
    }

    /// Begins to say more of a user. Metadata is merged key by key.
    pub fn update_user(&self, identifier: &str) -> UserRecord {
        crate::user(identifier)
    }

    /// Begins a score of a run, by handle or id, or of a thread, by [`ScoreTarget::Thread`](crate::ScoreTarget::Thread).
    /// [`Feedback::send`] sends it.
    pub fn create_score(
        &self,
        target: impl Into<Target>,
        name: &str,
        score_type: ScoreType,
        value: impl Into<f64>,
    ) -> Feedback {
        crate::feedback(target, name).source(score_type).score(value)
    }
}
