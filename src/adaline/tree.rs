//! The spans of a trace: whoever ends one ends those below it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::ActiveRun;

/// A trace or a span, with those of its spans that may be open.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) run: ActiveRun,
    spans: Mutex<Vec<Weak<Node>>>,
}

impl Node {
    pub(super) fn new(run: ActiveRun) -> Arc<Self> {
        Arc::new(Self { run, spans: Mutex::default() })
    }

    /// Adds a span below this one.
    pub(super) fn add(&self, run: ActiveRun) -> Arc<Self> {
        let node = Self::new(run);
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        if spans.len() == spans.capacity() {
            // Spans that were dropped have ended. So the list is no longer than twice the spans that are alive.
            spans.retain(|span| span.strong_count() > 0);
        }
        spans.push(Arc::downgrade(&node));
        node
    }

    /// Ends the run, and before it all that are below.
    pub(super) fn end(&self) {
        let mut below = self.take_spans();
        let mut at = 0;
        // Level by level: a deep tree must not end the stack.
        while let Some(node) = below.get(at) {
            let spans = node.take_spans();
            below.extend(spans);
            at += 1;
        }
        for node in below.iter().rev() {
            node.run.end();
        }
        self.run.end();
    }

    fn take_spans(&self) -> Vec<Arc<Self>> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.drain(..).filter_map(|span| span.upgrade()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn spans_that_are_gone_take_no_room() {
        let root = Node::new(run("trace").start());
        let kept = [root.add(run("kept").start()), root.add(run("kept").start())];
        for _ in 0..10_000 {
            root.add(run("short").start());
        }
        assert!(root.spans.lock().is_ok_and(|spans| spans.capacity() <= 8));
        root.end();
        assert!(kept.iter().all(|span| span.run.is_ended()));
    }
}
