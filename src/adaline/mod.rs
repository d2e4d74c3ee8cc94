//! Manual tracing in Adaline's words: a monitor logs traces, traces log spans, and a span says what it did in one of
//! eight kinds of [`Content`].
//!
//! It is a view of the runs that all of this crate makes: a trace is a run of its project, a span is a run below, and
//! [`Trace`] and [`Span`] are [`ActiveRun`]s with more words. Traced functions that are called inside of
//! [`scope`](ActiveRun::scope) or [`future`](ActiveRun::future) are spans too.
//!
//! ```
//! use serde_json::json;
//! use traceable::adaline::{Adaline, ContentJson, LogSpan, LogTrace, ModelContent, Status, Update};
//!
//! # fn complete(_: &str) -> Result<&'static str, &'static str> { Ok(r#"{"role":"assistant","content":"Hi!"}"#) }
//! let adaline = Adaline::new();
//! let monitor = adaline.init_monitor("my-project")?;
//!
//! let trace = monitor.log_trace(LogTrace::new("Chat Request").tags(["chat", "production"]))?;
//! let span = trace.log_span(LogSpan::new("LLM Call").prompt_id("chat-prompt").tags(["llm", "openai"]))?;
//! match complete("Hello") {
//!     Ok(answer) => {
//!         let input = ContentJson::of(&json!([{ "role": "user", "content": "Hello" }]));
//!         let content = ModelContent::new("openai", "gpt-4o", input, ContentJson::try_from(answer)?);
//!         span.update(Update::new().status(Status::Success).content(content))?;
//!         trace.update(Status::Success)?;
//!     }
//!     Err(_) => {
//!         span.update(Status::Failure)?;
//!         trace.update(Status::Failure)?;
//!     }
//! }
//! // Dropped, both would end, too.
//! span.end();
//! trace.end();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What Adaline would refuse is refused here, at once: a [`LimitError`] names the field, and nothing of that call is
//! recorded. It is checked in the same way where tracing is off.

mod content;
mod json;
mod limits;
mod said;
mod tree;

use std::{ops::Deref, sync::Arc};

use self::tree::Node;
pub use self::{
    content::{Content, IoContent, ModelContent, ModelStreamContent},
    json::{ContentJson, NotJson},
    limits::LimitError,
    said::{AttributeValue, LogSpan, LogTrace, SpanUpdate, Status, Update},
};
use crate::{ActiveRun, run};

/// Where monitors come from. Runs go to the destinations that this process has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Adaline(());

impl Adaline {
    /// A client. Needs no runtime and no key.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }

    /// A monitor of a project, which is any text but none. It may be made before tracing is switched on, also in a
    /// `static`.
    ///
    /// # Errors
    ///
    /// When the text is empty.
    pub fn init_monitor(&self, project_id: impl Into<String>) -> Result<Monitor, LimitError> {
        let project = project_id.into();
        limits::some_text("project_id", &project)?;
        Ok(Monitor { project })
    }
}

/// Logs the traces of a project.
#[derive(Debug, Clone)]
pub struct Monitor {
    project: String,
}

impl Monitor {
    /// Begins a trace: a name, or a [`LogTrace`] that says more. Inside of another run it is a part of that one.
    ///
    /// # Errors
    ///
    /// When something is longer than Adaline takes, or empty.
    #[track_caller]
    pub fn log_trace(&self, trace: impl Into<LogTrace>) -> Result<Trace, LimitError> {
        let trace = trace.into();
        trace.check()?;
        Ok(Trace { node: Node::new(trace.begin(run(trace.name()).project(&self.project))) })
    }
}

/// A trace. Dropped, it ends; spans of it that are still held go on.
#[derive(Debug)]
pub struct Trace {
    node: Arc<Node>,
}

/// A part of a trace. Dropped, it ends; spans below it that are still held go on.
#[derive(Debug)]
pub struct Span {
    node: Arc<Node>,
}

impl Trace {
    /// Says more. The parts may come in any order; the last word counts.
    ///
    /// # Errors
    ///
    /// When something is longer than Adaline takes, or empty; then nothing of this update is said.
    pub fn update(&self, update: impl Into<Update>) -> Result<(), LimitError> {
        update.into().checked()?.tell(*self.node.run);
        Ok(())
    }
}

impl Span {
    /// Says more, and what the span did. The parts may come in any order; the last word counts.
    ///
    /// # Errors
    ///
    /// When something is longer than Adaline takes, or empty, or when a cost is no amount; then nothing of this update
    /// is said.
    pub fn update(&self, update: impl Into<SpanUpdate>) -> Result<(), LimitError> {
        update.into().checked()?.tell(*self.node.run);
        Ok(())
    }
}

/// What traces and spans have in common.
macro_rules! levels {
    ($($level:ident)*) => {
        $(
            impl $level {
                /// Begins a span below: a name, or a [`LogSpan`] that says more.
                ///
                /// # Errors
                ///
                /// When something is longer than Adaline takes, or empty.
                #[track_caller]
                pub fn log_span(&self, span: impl Into<LogSpan>) -> Result<Span, LimitError> {
                    let span = span.into();
                    span.check()?;
                    Ok(Span { node: self.node.add(span.begin(self.node.run.child(span.name()))) })
                }

                /// Ends it, and before it the spans below that are open. Only the first end counts.
                pub fn end(&self) {
                    self.node.end();
                }
            }

            impl Deref for $level {
                type Target = ActiveRun;

                fn deref(&self) -> &ActiveRun {
                    &self.node.run
                }
            }
        )*
    };
}

levels! { Trace Span }
