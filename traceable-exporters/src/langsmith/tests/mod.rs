//! LangSmith's exporter against a server of every temper, in time that is made up where it matters.
#![allow(clippy::unwrap_used)]

mod faults;
mod golden;
mod requests;

use traceable_core::delivery::Limits;

use super::{LangSmith, Session, Settings};
use crate::tests::{Memory, Received, Reply, Server, deliver, run, runs};

pub(crate) fn settings(endpoint: &str) -> Settings {
    LangSmith::builder().endpoint(endpoint).api_key("lsv2_pt_secret").project("film-club").build().unwrap().settings
}

/// Delivers everything, on this runtime.
async fn deliver_all(settings: &Settings, memory: &Memory) {
    deliver(Session::new(settings).unwrap(), settings.identity(), Limits::default(), memory).await;
}
