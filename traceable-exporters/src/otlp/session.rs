//! Sends parcels: spans first, then the log records of what goes with no span.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use traceable_core::{
    delivery::Entry,
    export::{Ack, ExportError, Remedy},
    runtime::say,
};
use traceable_wire::otlp::{Conventions, Encoder, MAX_BYTES, Request, Resource, Signal, decode_answer};

use super::{
    Settings,
    place::{Channel, Place},
};
use crate::http::{Answered, Backend};

/// See the file.
#[derive(Debug)]
pub(super) struct Session {
    traces: Channel,
    logs: Option<Channel>,
    /// The server is there, but has no place for logs.
    has_no_logs: AtomicBool,
    endpoint: String,
    conventions: Conventions,
    resource: Resource,
}

impl Session {
    pub(super) fn new(settings: &Settings) -> io::Result<Self> {
        let Settings { traces, logs, conventions, resource } = settings;
        Ok(Self {
            traces: Channel::open(traces)?,
            logs: logs.as_ref().map(|place: &Place| Channel::open(place)).transpose()?,
            has_no_logs: AtomicBool::new(false),
            endpoint: traces.endpoint.to_string(),
            conventions: *conventions,
            resource: resource.clone(),
        })
    }

    /// Sends log records. Answers how many were refused.
    async fn log(&self, request: Request) -> Result<u64, ExportError> {
        let items = request.items as u64;
        let Some(logs) = self.logs.as_ref().filter(|_| !self.has_no_logs.load(Relaxed)) else { return Ok(items) };
        let answered = logs.post(request.body).await?;
        if !matches!(answered.status, 404 | 405 | 501) {
            return self.taken(logs, &answered);
        }
        // Is the address wrong, or does the server take spans alone? To take none of them is easy for one that takes spans.
        let known = self.traces.post(Vec::new()).await?;
        match self.traces.client().judge(&known) {
            Err(error) if error.remedy() != Remedy::Invalid => Err(error),
            _ => {
                if !self.has_no_logs.swap(true, Relaxed) {
                    say(format_args!(
                        "{} takes no logs ({}), so scores that come after their runs are not kept there",
                        self.endpoint, answered.status
                    ));
                }
                Ok(items)
            }
        }
    }

    /// What an answer means: how many were refused of what was taken.
    fn taken(&self, channel: &Channel, answered: &Answered) -> Result<u64, ExportError> {
        channel.client().judge(answered)?;
        let answer = decode_answer(&answered.body);
        if answer.rejected > 0 {
            let why: String = channel.client().mask(&answer.message).chars().take(200).collect();
            say(format_args!("{} refused {} of what it took: {why:?}", self.endpoint, answer.rejected));
        }
        Ok(answer.rejected)
    }
}

impl Backend for Session {
    async fn send(&self, entries: &[Entry]) -> Result<Ack, ExportError> {
        let mut encoder = Encoder::new(self.conventions, self.resource.clone());
        let made = encoder.encode(entries.iter().map(|entry| &entry.change), MAX_BYTES);
        if made.refused > 0 {
            return Err(ExportError::too_large(format!(
                "larger than the {MAX_BYTES} bytes of a request, even when cut"
            )));
        }
        let mut ack = Ack::default();
        (ack.refused, ack.truncated) = (made.left_out, made.cut);
        for request in made.requests {
            ack.refused += match request.signal {
                Signal::Logs => self.log(request).await?,
                _ => self.taken(&self.traces, &self.traces.post(request.body).await?)?,
            };
        }
        Ok(ack)
    }
}
