//! Without the feature `spool`: nothing is kept.

use std::{convert::Infallible, time::Instant};

use crate::{delivery::Link, model::RunChange};

/// There is none.
pub(crate) struct Spooled(Infallible);

impl Spooled {
    pub(crate) fn links(&self) -> &[std::sync::Arc<Link>] {
        match self.0 {}
    }

    pub(crate) fn waiting(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn append(&self, _changes: &[RunChange], _left_out: &[u64]) {
        match self.0 {}
    }

    pub(crate) fn tend(&self) -> Option<Instant> {
        match self.0 {}
    }

    pub(crate) fn losses(&self) -> std::iter::Empty<(&'static str, u64)> {
        match self.0 {}
    }

    pub(crate) fn close(&self) {
        match self.0 {}
    }

    pub(crate) fn after_fork(&self) -> Option<Self> {
        match self.0 {}
    }
}
