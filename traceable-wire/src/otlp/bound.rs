//! How much a request would become when it is decoded, before anything is made of it.
//!
//! A span of no fields is two bytes in a request and hundreds in memory, and so are attributes and the items of lists.
//! So the messages inside are counted first, at any depth.

use super::proto::{Fields, NoMessage, Wire};

/// Spans or log records of one request.
pub(super) const MAX_RECORDS: usize = 100_000;

/// Messages of any kind inside of one request: attributes, values, items of lists, events.
pub(super) const MAX_MESSAGES: usize = 2_000_000;

/// How deep values may be nested. The decoder stops at 100.
const MAX_DEPTH: usize = 64;

/// A kind of message, of those that have others inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    /// `ResourceSpans`, `ResourceLogs`.
    OfResource,
    Resource,
    /// `ScopeSpans`, `ScopeLogs`.
    OfScope,
    Scope,
    /// `Span`, `LogRecord`.
    Record,
    Event,
    Link,
    Pair,
    Any,
    List,
    Pairs,
    /// Anything without attributes.
    Leaf,
}

impl Kind {
    /// What a field of this kind holds; `None` for texts, bytes and numbers.
    fn inside(self, field: u64, is_logs: bool) -> Option<Self> {
        Some(match (self, field) {
            (Self::Request, 1) => Self::OfResource,
            (Self::OfResource, 1) => Self::Resource,
            (Self::OfResource, 2) => Self::OfScope,
            (Self::OfScope, 1) => Self::Scope,
            (Self::OfScope, 2) => Self::Record,
            (Self::Record, 5) if is_logs => Self::Any,
            (Self::Record, 6) if is_logs => Self::Pair,
            (Self::Record, 9) if !is_logs => Self::Pair,
            (Self::Record, 11) if !is_logs => Self::Event,
            (Self::Record, 13) if !is_logs => Self::Link,
            (Self::Record, 15) if !is_logs => Self::Leaf,
            (Self::Resource | Self::Pairs, 1) | (Self::Scope | Self::Event, 3) | (Self::Link, 4) => Self::Pair,
            (Self::Resource, 3) => Self::Leaf,
            (Self::Pair, 2) | (Self::List, 1) => Self::Any,
            (Self::Any, 5) => Self::List,
            (Self::Any, 6) => Self::Pairs,
            _ => return None,
        })
    }
}

/// What keeps a request from being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Broken,
    TooMany,
    TooDeep,
}

impl From<NoMessage> for Refusal {
    fn from(NoMessage: NoMessage) -> Self {
        Self::Broken
    }
}

/// Counts what is inside of a request.
pub(super) fn check(request: &[u8], is_logs: bool) -> Result<(), Refusal> {
    let mut count = Count { is_logs, records: 0, messages: 0 };
    count.message(Kind::Request, request, 0)
}

struct Count {
    is_logs: bool,
    records: usize,
    messages: usize,
}

impl Count {
    fn message(&mut self, kind: Kind, message: &[u8], depth: usize) -> Result<(), Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
        for field in Fields::of(message) {
            let (number, value) = field?;
            if let (Some(inside), Wire::Bytes(bytes)) = (kind.inside(number, self.is_logs), value) {
                self.messages += 1;
                self.records += usize::from(inside == Kind::Record);
                if self.messages > MAX_MESSAGES || self.records > MAX_RECORDS {
                    return Err(Refusal::TooMany);
                }
                self.message(inside, bytes, depth + 1)?;
            }
        }
        Ok(())
    }
}
