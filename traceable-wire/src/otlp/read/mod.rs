//! In: a span of any convention as a run. What a name of more than one convention says is read in this order: ours,
//! LangSmith, OpenInference, GenAI in its names of today and before, OpenLIT, Traceloop, Langfuse.

mod attributes;
mod bodies;
mod kind;
mod messages;
mod model;
mod rest;
mod span;

pub(super) use attributes::Attributes;
pub(super) use span::{Ids, derived_id, place, run, whole_id};
