//! Records that are no runs, in the making: a row of fields on a tape, handed over like everything else.

use serde::Serialize;

use crate::{
    attachments,
    frame::{Frame, TENTATIVE},
    local,
    record::{Key, SaidKind},
    tape,
};

/// A record in the making. Where nobody listens, nothing is captured and nothing kept.
#[derive(Debug)]
pub(crate) struct Said {
    client: Option<u16>,
    /// The root of the trace that this is held back with, or 0.
    root: Key,
    /// An open map of fields.
    fields: Vec<u8>,
    tags: Vec<u8>,
    metadata: Vec<u8>,
}

impl Said {
    /// A record of this run, or of none in particular.
    pub(crate) fn new(run: Option<&Frame>) -> Self {
        let root = run.filter(|frame| frame.is(TENTATIVE)).map_or(0, |frame| frame.root_key);
        let client = local::listening_client(run);
        Self { client, root, fields: Vec::new(), tags: Vec::new(), metadata: Vec::new() }
    }

    /// A record that is not sent.
    pub(crate) const fn off() -> Self {
        Self { client: None, root: 0, fields: Vec::new(), tags: Vec::new(), metadata: Vec::new() }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.client.is_none()
    }

    /// Sets a field; the last value counts.
    pub(crate) fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if !self.is_off() {
            tape::write_str(&mut self.fields, name);
            tape::write_serialize(&mut self.fields, value);
        }
    }

    /// Adds a tag.
    pub(crate) fn tag(&mut self, tag: &str) {
        if !self.is_off() {
            tape::write_serialize(&mut self.tags, tag);
        }
    }

    /// Adds a metadata value; the last one of a name counts.
    pub(crate) fn metadata<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if !self.is_off() {
            tape::write_str(&mut self.metadata, name);
            tape::write_serialize(&mut self.metadata, value);
        }
    }

    /// Hands the record over. Answers whether there was room.
    pub(crate) fn send(mut self, kind: SaidKind) -> bool {
        let Some(client) = self.client else { return false };
        let mut body = Vec::with_capacity(self.fields.len() + self.tags.len() + self.metadata.len() + 32);
        body.push(tape::MAP);
        body.extend_from_slice(&self.fields);
        for (name, open, content) in [("tags", tape::SEQ, &self.tags), ("metadata", tape::MAP, &self.metadata)] {
            if !content.is_empty() {
                tape::write_str(&mut body, name);
                body.push(open);
                body.extend_from_slice(content);
                body.push(tape::END);
            }
        }
        body.push(tape::END);
        // The files in it are the log's now.
        self.client = None;
        local::write_said(kind, client, self.root, &body)
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        if !self.is_off() {
            [&self.fields, &self.tags, &self.metadata].into_iter().for_each(|tape| attachments::forget(tape));
        }
    }
}
