//! The seam to every backend: an exporter takes batches of run changes and says what became of them.

mod answer;

use std::{fmt, future::Future, pin::Pin, time::Duration};

pub use self::answer::judge;
use crate::model::RunChange;
pub use crate::restrict::{Restricted, Restrictions};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Run changes that travel together, in the order in which they happened.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// The changes.
    pub changes: Vec<RunChange>,
    /// About how much memory they hold, in bytes.
    pub bytes: usize,
}

impl Batch {
    /// A batch of these changes.
    #[must_use]
    pub fn new(changes: Vec<RunChange>) -> Self {
        let bytes = changes.iter().map(weight).sum();
        Self { changes, bytes }
    }
}

/// About how much memory a change holds, in bytes.
pub(crate) fn weight(change: &RunChange) -> usize {
    let body = match change {
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => {
            let json = |json: &Option<crate::model::Json>| json.as_ref().map_or(0, |json| json.as_str().len());
            size_of::<crate::model::Run>()
                + json(&run.inputs)
                + json(&run.outputs)
                + run.error.as_ref().map_or(0, String::len)
                + run.dotted_order.as_str().len()
                + 64 * (run.metadata.len() + run.tags.len() + run.events.len())
                + run.attachments.iter().map(attachment_weight).sum::<usize>()
                + run.stream.as_ref().map_or(0, |s| s.raw.iter().map(|(_, c)| c.as_str().len() + 32).sum())
        }
        RunChange::Progress(progress) => progress.outputs.as_ref().map_or(0, |json| json.as_str().len()),
        RunChange::Attachment(of) => attachment_weight(&of.attachment),
        RunChange::Score(_) | RunChange::Thread(_) | RunChange::User(_) => 512,
        RunChange::Report(_) => 0,
    };
    body + size_of::<RunChange>()
}

fn attachment_weight(attachment: &crate::model::Attachment) -> usize {
    let bytes = match &attachment.data {
        crate::model::AttachmentData::Bytes(bytes) => bytes.0.len(),
        _ => 0,
    };
    size_of::<crate::model::Attachment>() + bytes
}

/// What an exporter says of a batch that it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ack {
    /// Changes that the backend took the batch without, because it refused them for good.
    pub refused: u64,
    /// Changes of which only a part was sent, because the whole was too large for any request.
    pub truncated: u64,
}

/// A backend.
///
/// An exporter is owned by one thread of this library and is never called on a thread of the application.
/// Batches come one at a time, in order; the next one comes when the future of the one before is done.
///
/// ```
/// use traceable_core::export::{Ack, Batch, BoxFuture, ExportError, Exporter};
///
/// struct Count(usize);
///
/// impl Exporter for Count {
///     fn name(&self) -> &str {
///         "count"
///     }
///
///     fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
///         self.0 += batch.changes.len();
///         Box::pin(std::future::ready(Ok(Ack::default())))
///     }
/// }
/// ```
pub trait Exporter: Send {
    /// A short name for messages, such as `console`.
    fn name(&self) -> &str;

    /// Delivers a batch.
    ///
    /// # Errors
    ///
    /// The error says whether the batch is to be tried again, given up, or kept until somebody acts.
    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>>;

    /// Writes out what the exporter holds back, such as an unfinished tree. Called by `flush` and at the end of the process.
    ///
    /// # Errors
    ///
    /// As [`Exporter::export`].
    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Gives this destination only the runs for which `keep` says so. A run that is left out takes all below it along, so no
    /// tree is without its root.
    ///
    /// `keep` is asked once for each run, when it begins, and sees what is known then: name, kind, inputs, tags, metadata,
    /// project, before anything is redacted. It runs on the writer's thread; should it panic, the run is left out. What is
    /// kept on this machine has all runs, and so has every other destination. `stats().filtered` counts them.
    ///
    /// ```
    /// use traceable_core::export::Exporter;
    /// # fn with(console: impl Exporter + 'static) {
    ///
    /// let builder = traceable_core::runtime::Builder::new().exporter(console.filter(|run| run.name != "health check"));
    /// # }
    /// ```
    fn filter(self, keep: impl Fn(&crate::model::Run) -> bool + Send + Sync + 'static) -> Restricted<Self>
    where
        Self: Sized,
    {
        let restrictions = self.restrictions();
        Restricted::new(self, restrictions.filter(keep))
    }

    /// Replaces more by marks for this destination, beside what is replaced for all. See
    /// [`Builder::redaction_for`](crate::runtime::Builder::redaction_for).
    #[cfg(feature = "redaction")]
    fn redact(self, rules: crate::redact::Redaction) -> Restricted<Self>
    where
        Self: Sized,
    {
        let restrictions = self.restrictions();
        Restricted::new(self, restrictions.redact(rules))
    }

    /// What it is given less than others.
    #[doc(hidden)]
    fn restrictions(&self) -> Restrictions {
        Restrictions::default()
    }
}

/// What is to be done with a batch that was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// Try again, not before this long from now when it is given.
    Retry(Option<Duration>),
    /// The batch will never be taken: count it and go on.
    Refuse,
    /// Nothing will be taken until somebody acts, such as on a wrong key: keep everything and ask again from time to time.
    Pause,
    /// The batch is larger than the backend takes at once: send less.
    TooLarge,
    /// One of the changes is wrong, and the backend does not say which: find it, so that the others go on.
    Invalid,
}

/// Why a batch was not delivered, and what to do about it.
#[derive(Debug)]
pub struct ExportError {
    remedy: Remedy,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ExportError {
    fn new(remedy: Remedy, message: impl Into<String>) -> Self {
        Self { remedy, message: message.into(), source: None }
    }

    /// The batch is to be tried again.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::new(Remedy::Retry(None), message)
    }

    /// The batch is to be tried again, after the time that the backend asked for.
    pub fn retry_after(message: impl Into<String>, after: Duration) -> Self {
        Self::new(Remedy::Retry(Some(after)), message)
    }

    /// The batch will never be taken.
    pub fn refuse(message: impl Into<String>) -> Self {
        Self::new(Remedy::Refuse, message)
    }

    /// Nothing will be taken until somebody acts.
    pub fn pause(message: impl Into<String>) -> Self {
        Self::new(Remedy::Pause, message)
    }

    /// The batch is larger than the backend takes at once.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(Remedy::TooLarge, message)
    }

    /// One of the changes is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Remedy::Invalid, message)
    }

    /// Adds the error below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to do with the batch.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| &**e as _)
    }
}
