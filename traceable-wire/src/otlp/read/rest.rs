//! What stands under `traceable.rest`: it wins over all that other names say.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use traceable_core::model::{Json, Run};

use super::Attributes;
use crate::otlp::names::ours;

/// Fields by their names.
pub(super) struct Rest(BTreeMap<String, Json>);

impl Rest {
    pub(super) fn take(attributes: &mut Attributes) -> Self {
        let text = attributes.exact_text(ours::REST);
        Self(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Names of attributes that are metadata, whatever else they may mean.
    pub(super) fn passed(&mut self) -> Vec<String> {
        self.field("passed").unwrap_or_default()
    }

    /// A field that is here; a default where it is said to be none.
    fn field<T: DeserializeOwned + Default>(&mut self, name: &str) -> Option<T> {
        let json = self.0.remove(name)?;
        if json.as_str() == "null" {
            return Some(T::default());
        }
        serde_json::from_str(json.as_str()).ok()
    }

    fn set<T: DeserializeOwned + Default>(&mut self, name: &str, slot: &mut T) {
        if let Some(value) = self.field(name) {
            *slot = value;
        }
    }

    /// A body, of which `null` is a value as well.
    fn body(&mut self, name: &str, slot: &mut Option<Json>) {
        if let Some(json) = self.0.remove(name) {
            *slot = Some(json);
        }
    }

    pub(super) fn apply(mut self, run: &mut Run) {
        self.set("trace_id", &mut run.trace_id);
        self.set("dotted_order", &mut run.dotted_order);
        self.set("name", &mut run.name);
        self.set("status", &mut run.status);
        self.body("inputs", &mut run.inputs);
        self.body("outputs", &mut run.outputs);
        self.body("expected", &mut run.expected);
        self.set("stream", &mut run.stream);
        self.set("tags", &mut run.tags);
        self.set("metadata", &mut run.metadata);
        self.set("provider", &mut run.provider);
        self.set("model", &mut run.model);
        self.set("params", &mut run.params);
        self.set("usage", &mut run.usage);
        self.set("thread_id", &mut run.thread_id);
        self.set("session_id", &mut run.session_id);
        self.set("user", &mut run.user);
        self.set("attachments", &mut run.attachments);
        self.set("variables", &mut run.variables);
        self.set("prompt_ref", &mut run.prompt_ref);
        self.set("deployment_ref", &mut run.deployment_ref);
        self.set("otel", &mut run.otel);
        self.set("source", &mut run.source);
    }
}
