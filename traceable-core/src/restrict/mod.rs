//! What one destination is given less than others: without some runs, and with more replaced by marks.

mod filters;
mod rules;

use std::{fmt, sync::Arc};

#[cfg(feature = "spool")]
pub(crate) use self::rules::Target;
pub(crate) use self::{
    filters::{Filters, LeftOut, MAX_FILTERED, exporter_bit},
    rules::Rules,
};

#[cfg(feature = "spool")]
use crate::delivery::{Delivery, Identity, Limits, Remote, Replayed, Wants};
#[cfg(feature = "redaction")]
use crate::redact::Redaction;
use crate::{
    export::{Ack, Batch, BoxFuture, ExportError, Exporter},
    model::Run,
};

type Filter = Arc<dyn Fn(&Run) -> bool + Send + Sync>;

/// What a destination is given less than others. Made by `filter` and `redact` of [`Exporter`] and `Remote`.
#[derive(Clone, Default)]
pub struct Restrictions {
    filters: Vec<Filter>,
    #[cfg(feature = "redaction")]
    redactions: Vec<Redaction>,
}

impl fmt::Debug for Restrictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Restrictions");
        #[cfg(feature = "redaction")]
        f.field("redactions", &self.redactions);
        f.field("filters", &self.filters.len()).finish()
    }
}

impl Restrictions {
    pub(crate) fn filter(mut self, keep: impl Fn(&Run) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Arc::new(keep));
        self
    }

    #[cfg(feature = "redaction")]
    pub(crate) fn redact(mut self, rules: Redaction) -> Self {
        self.redactions.push(rules);
        self
    }

    /// These and more.
    pub(crate) fn with(mut self, more: &Self) -> Self {
        self.filters.extend(more.filters.iter().cloned());
        #[cfg(feature = "redaction")]
        self.redactions.extend(more.redactions.iter().cloned());
        self
    }
}

/// A destination that is given less than others.
#[derive(Debug)]
pub struct Restricted<D> {
    inner: D,
    restrictions: Restrictions,
}

impl<D> Restricted<D> {
    pub(crate) fn new(inner: D, restrictions: Restrictions) -> Self {
        Self { inner, restrictions }
    }
}

impl<E: Exporter> Exporter for Restricted<E> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        self.inner.export(batch)
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<(), ExportError>> {
        self.inner.flush()
    }

    fn restrictions(&self) -> Restrictions {
        self.restrictions.clone()
    }
}

#[cfg(feature = "spool")]
impl<R: Remote> Remote for Restricted<Arc<R>> {
    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn wants(&self) -> Wants {
        self.inner.wants()
    }

    fn restrictions(&self) -> Restrictions {
        self.restrictions.clone()
    }

    fn replay(&self, deadline: std::time::Instant) -> std::io::Result<Replayed> {
        self.inner.replay(deadline)
    }

    fn drive(self: Arc<Self>, delivery: Delivery) -> std::io::Result<()> {
        Arc::clone(&self.inner).drive(delivery)
    }
}
