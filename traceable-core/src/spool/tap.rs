//! What one backend is sent.

use std::{io, sync::Arc};

use super::shared::Shared;
use crate::delivery::{Entry, Mark, Source, Standing, Wants};

/// See the module.
pub(super) struct Tap {
    shared: Arc<Shared>,
    at: usize,
    wants: Wants,
}

impl Tap {
    pub(super) fn new(shared: Arc<Shared>, at: usize, wants: Wants) -> Self {
        Self { shared, at, wants }
    }
}

impl Source for Tap {
    fn next(&mut self, _max_changes: usize, _max_bytes: usize) -> io::Result<Vec<Entry>> {
        let _ = (&self.shared, self.at, self.wants);
        Ok(Vec::new())
    }

    fn passed(&self) -> u64 {
        0
    }

    fn done(&mut self, _mark: Mark) -> io::Result<()> {
        Ok(())
    }

    fn bury(&mut self, _entries: &[Entry], _answer: &str) -> io::Result<()> {
        Ok(())
    }

    fn note(&mut self, _standing: &Standing) -> io::Result<()> {
        Ok(())
    }
}
