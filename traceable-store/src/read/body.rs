//! Bodies that are too long to be shown at once: a part of one, and where a text stands in it.

use traceable_core::model::{Json, RunId};

use crate::{Result, Store};

/// Which body of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// What went in.
    Inputs,
    /// What came out.
    Outputs,
    /// What should have come out.
    Expected,
}

/// A part of a body's JSON text. Places are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slice {
    /// The text.
    pub text: String,
    /// Where it begins.
    pub from: usize,
    /// How long the whole body is.
    pub total: usize,
}

impl Store {
    /// Some bytes of a body's JSON text, in which long base64 is replaced as in [`StoredRun::run`](crate::StoredRun::run). Both
    /// ends are moved forward to the end of the character that they stand in. `None` when there is no such run, or it has no
    /// such body.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn body_slice(&self, id: RunId, body: Body, from: usize, bytes: usize) -> Result<Option<Slice>> {
        let Some(json) = self.body(id, body)? else { return Ok(None) };
        let text = json.as_str();
        let whole = |at: usize| (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let from = whole(from);
        let to = whole(from.saturating_add(bytes));
        Ok(Some(Slice { text: text.get(from..to).unwrap_or_default().to_owned(), from, total: text.len() }))
    }

    /// Where a text stands in a body's JSON text, as bytes from its begin: the first `limit` places. Upper and lower case are
    /// the same, as far as letters are ASCII. What JSON writes with a backslash must be asked for like that.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn search_body(&self, id: RunId, body: Body, text: &str, limit: usize) -> Result<Option<Vec<usize>>> {
        let Some(json) = self.body(id, body)? else { return Ok(None) };
        let (json, text) = (json.as_str().as_bytes(), text.as_bytes());
        let Some(first) = text.first() else { return Ok(Some(Vec::new())) };
        let is_here = |at: &usize| {
            json[*at].eq_ignore_ascii_case(first)
                && json.get(*at..*at + text.len()).is_some_and(|here| here.eq_ignore_ascii_case(text))
        };
        Ok(Some((0..json.len()).filter(is_here).take(limit).collect()))
    }

    fn body(&self, id: RunId, body: Body) -> Result<Option<Json>> {
        let found = self.run(id)?.map(|stored| stored.run);
        Ok(found.and_then(|run| match body {
            Body::Inputs => run.inputs,
            Body::Outputs => run.outputs,
            Body::Expected => run.expected,
        }))
    }
}
