//! What a destination replaces by marks beside what is replaced for all: on its way out, so that others and what is kept on
//! this machine are as they are.

use super::Restrictions;
#[cfg(all(feature = "spool", feature = "redaction"))]
use crate::redact::Redaction;
#[cfg(feature = "spool")]
use crate::{
    delivery::{Entry, Mark, Remote, Source, Standing},
    redact::Written,
};
use crate::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    model::{Attachment, AttachmentData, RunChange},
    redact::{Content, Privacy},
};

/// What a destination replaces by marks beside what is replaced for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    redactors: Vec<Privacy>,
    #[cfg(feature = "spool")]
    written: Vec<Written>,
}

impl Rules {
    #[cfg(feature = "redaction")]
    pub(crate) fn new(restrictions: &Restrictions) -> Result<Self, crate::redact::PatternError> {
        let redactors = restrictions.redactions.iter().map(|rules| {
            let redactor = crate::sync::Arc::new(rules.build()?);
            Ok(Privacy { redactor, ..Privacy::default() })
        });
        Ok(Self {
            redactors: redactors.collect::<Result<_, _>>()?,
            #[cfg(feature = "spool")]
            written: restrictions.redactions.iter().map(|rules| rules.written().clone()).collect(),
        })
    }

    #[cfg(not(feature = "redaction"))]
    #[allow(clippy::unnecessary_wraps, reason = "patterns may be wrong")]
    pub(crate) fn new(_: &Restrictions) -> Result<Self, std::convert::Infallible> {
        Ok(Self::default())
    }

    /// As text, for whoever sends after this process.
    #[cfg(feature = "spool")]
    pub(crate) fn written(&self) -> Vec<Written> {
        self.written.clone()
    }

    /// What another process wrote down. `None` where this one cannot do what it says: code is known to its program alone.
    #[cfg(feature = "spool")]
    pub(crate) fn read(written: &[Written], is_own_program: bool) -> Option<Self> {
        if !is_own_program && written.iter().any(|rules| rules.has_callback) {
            return None;
        }
        #[cfg(feature = "redaction")]
        {
            let redactions = written.iter().cloned().map(Redaction::from_written).collect();
            Self::new(&Restrictions { filters: Vec::new(), redactions }).ok()
        }
        #[cfg(not(feature = "redaction"))]
        written.is_empty().then(Self::default)
    }

    /// Replaces; answers whether anything is left.
    pub(crate) fn apply(&self, change: &mut RunChange) -> bool {
        if self.redactors.is_empty() {
            return true;
        }
        let files = match change {
            RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => &mut run.attachments[..],
            RunChange::Attachment(of) => std::slice::from_mut(&mut of.attachment),
            _ => &mut [],
        };
        files.iter_mut().filter(|file| may_hold_text(file)).for_each(|file| {
            file.metadata
                .insert(UNREAD.to_owned(), "this destination's redaction is for attached bytes, not for paths".into());
        });
        self.redactors.iter().all(|privacy| privacy.apply(Content::Full, change))
    }

    pub(crate) fn exporter(self, exporter: Box<dyn Exporter>) -> Box<dyn Exporter> {
        if self.redactors.is_empty() { exporter } else { Box::new(Scrubbing { inner: exporter, rules: self }) }
    }

    #[cfg(feature = "spool")]
    pub(crate) fn source(&self, source: Box<dyn Source>) -> Box<dyn Source> {
        if self.redactors.is_empty() { source } else { Box::new(Scrubbing { inner: source, rules: self.clone() }) }
    }
}

/// A backend, with what it replaces.
#[cfg(feature = "spool")]
pub(crate) type Target = (std::sync::Arc<dyn Remote>, Rules);

/// Says in a file's metadata why it was not read when it was sent.
pub(crate) const UNREAD: &str = "traceable.unread";

/// Whether this is a file that is read only when it is sent, and may have something in it that is to be replaced.
fn may_hold_text(file: &Attachment) -> bool {
    let is_media = ["image/", "audio/", "video/"].iter().any(|kind| file.mime.starts_with(kind));
    matches!(file.data, AttachmentData::Path(_)) && (!is_media || file.mime.contains("xml"))
}

/// Applies the rules of one destination.
struct Scrubbing<I: ?Sized> {
    rules: Rules,
    inner: Box<I>,
}

impl Exporter for Scrubbing<dyn Exporter> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        let mut changes = batch.changes.clone();
        changes.retain_mut(|change| self.rules.apply(change));
        if changes.is_empty() {
            return Box::pin(std::future::ready(Ok(Ack::default())));
        }
        let batch = Batch::new(changes);
        Box::pin(async move { self.inner.export(&batch).await })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        self.inner.flush()
    }
}

#[cfg(feature = "spool")]
impl Source for Scrubbing<dyn Source> {
    fn next(&mut self, max_changes: usize, max_bytes: usize) -> std::io::Result<Vec<Entry>> {
        let mut entries = self.inner.next(max_changes, max_bytes)?;
        for entry in &mut entries {
            // What nothing is left of has marks in place of its texts.
            self.rules.apply(&mut entry.change);
        }
        Ok(entries)
    }

    fn passed(&self) -> u64 {
        self.inner.passed()
    }

    fn done(&mut self, mark: Mark) -> std::io::Result<()> {
        self.inner.done(mark)
    }

    fn bury(&mut self, entries: &[Entry], answer: &str) -> std::io::Result<()> {
        self.inner.bury(entries, answer)
    }

    fn note(&mut self, standing: &Standing) -> std::io::Result<()> {
        self.inner.note(standing)
    }
}
