//! One connection's life: asks what the server is, and sends it parcels in as many requests as it wants.

use std::{borrow::Cow, io, time::Duration};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use traceable_core::{
    delivery::Entry,
    export::{Ack, ExportError},
    model::{Attachment, AttachmentData, RunChange, Score, ScoreTarget},
};
use traceable_wire::{
    encoding::Encoding,
    langsmith::{Encoder, Feedback, replica},
};

use super::{Filing, Settings, files, info::Info};
use crate::http::{Backend, Client, Endpoint, Request};

/// How long a server whose `/info` was no good is not asked again; twice as long each time, up to the second.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));

/// Waits for a run that feedback came before: LangSmith files runs some time after it took them.
const RUN_COMES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Bytes of changes in one request, before files are read.
const SLICE: usize = 4 << 20;

/// What is known of the server.
#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Info(Info),
    /// It did not say; when to ask again, and how long to wait after that.
    Unsaid(Instant, Duration),
}

/// See the module.
pub(crate) struct Session {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
    project: String,
    compresses: bool,
    is_ours: bool,
    filing: Filing,
    known: Mutex<Known>,
}

impl Session {
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        Ok(Self {
            client: Client::new(&settings.endpoint, settings.headers.clone())?,
            endpoint: settings.endpoint.clone(),
            project: settings.project.clone(),
            compresses: settings.compresses,
            is_ours: settings.is_ours,
            filing: settings.filing,
            known: Mutex::default(),
        })
    }

    /// What the server is.
    ///
    /// # Errors
    ///
    /// When it cannot be reached: then there is no use in sending it anything.
    async fn info(&self) -> Result<Info, ExportError> {
        let mut known = self.known.lock().await;
        let wait = match &*known {
            Known::Info(info) => return Ok(*info),
            Known::Unsaid(until, _) if *until > Instant::now() => return Ok(Info::default()),
            Known::Unsaid(_, wait) => (*wait * 2).min(ASK_AGAIN.1),
            Known::Nothing => ASK_AGAIN.0,
        };
        let answered = self.client.ask(Request::get(self.endpoint.at("/info"))).await?;
        let said = self.client.judge(&answered).ok().and_then(|_| Info::parse(&answered.body));
        *known = said.map_or_else(|| Known::Unsaid(Instant::now() + wait, wait), Known::Info);
        Ok(said.unwrap_or_default())
    }

    /// Sends everything in the way that `info` says. `None` when the server knows no multipart.
    async fn send_as(&self, entries: &[Entry], info: Info) -> Result<Option<Ack>, ExportError> {
        let (direct, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| self.is_direct(&entry.change, info));
        let mut encoder = Encoder::default().project(&*self.project);
        if self.is_ours {
            encoder = encoder.lossless();
        }
        for entry in &rest {
            if let RunChange::End(run) = &entry.change
                && entry.announced
            {
                encoder.announced(run.id);
            }
        }
        let mut rest = &*rest;
        let mut ack = Ack::default();
        while !rest.is_empty() {
            let slice = self.slice(rest, info).await;
            let (taken, left_out, request) = self.encode(&mut encoder, &slice, info)?;
            ack.refused += left_out;
            if let Some(request) = request {
                let answered = self.client.ask(request).await?;
                if answered.status == 404 && info.is_multipart && !self.is_ours {
                    return Ok(None);
                }
                self.client.judge(&answered)?;
            }
            rest = &rest[taken..];
        }
        for entry in direct {
            if let RunChange::Score(score) = &entry.change {
                self.feedback(score).await?;
            }
        }
        Ok(Some(ack))
    }

    /// Whether a change is sent by itself: feedback that does not name its trace, or that the server takes no other way.
    fn is_direct(&self, change: &RunChange, info: Info) -> bool {
        let RunChange::Score(score) = change else { return false };
        match score.target {
            _ if self.is_ours => false,
            ScoreTarget::Trace(_) => !(info.takes_feedback && info.is_multipart),
            ScoreTarget::Run(_) => true,
            _ => false,
        }
    }

    /// What goes into the next request, with its files.
    async fn slice<'a>(&self, entries: &[&'a Entry], info: Info) -> Vec<Cow<'a, RunChange>> {
        let (mut slice, mut bytes) = (Vec::new(), 0);
        for entry in entries.iter().take(info.max_changes) {
            let change = if info.is_multipart {
                files::load(&entry.change, info.max_bytes / 2).await
            } else {
                Cow::Borrowed(&entry.change)
            };
            // What was read just now is no part of what the entry weighs.
            bytes += entry.bytes + if matches!(change, Cow::Owned(_)) { file_bytes(&change) } else { 0 };
            slice.push(change);
            if bytes >= SLICE {
                break;
            }
        }
        slice
    }

    /// The next request, how many of the changes are done with when it is taken, and how many of these have no place in it.
    fn encode(
        &self,
        encoder: &mut Encoder,
        slice: &[Cow<'_, RunChange>],
        info: Info,
    ) -> Result<(usize, u64, Option<Request>), ExportError> {
        let changes = slice.iter().map(|change| &**change);
        let boundary = boundary();
        let (written, path, content_type) = if info.is_multipart {
            let written = encoder.multipart(changes, &boundary, info.max_bytes);
            (written, "/runs/multipart", format!("multipart/form-data; boundary={boundary}"))
        } else {
            (encoder.batch(changes, info.max_bytes), "/runs/batch", "application/json".to_owned())
        };
        if written.refused > 0 {
            return Err(ExportError::too_large(format!(
                "larger than the {} bytes that it takes at once",
                info.max_bytes
            )));
        }
        if written.body.is_empty() {
            return Ok((written.taken, written.left_out, None));
        }
        let encoding = if self.compresses { info.encoding } else { Encoding::Identity };
        let body =
            encoding.compress(written.body).map_err(|error| ExportError::retry("compression").with_source(error))?;
        let content_type = HeaderValue::try_from(content_type).map_err(|_| ExportError::retry("content type"))?;
        let mut request = Request::post(self.endpoint.at(path), body).header(CONTENT_TYPE.as_str(), content_type);
        if encoding != Encoding::Identity {
            request = request.header(CONTENT_ENCODING.as_str(), HeaderValue::from_static(encoding.name()));
        }
        Ok((written.taken, written.left_out, Some(request)))
    }

    /// Sends feedback by itself, and waits a little for its run to come.
    async fn feedback(&self, score: &Score) -> Result<(), ExportError> {
        let body = serde_json::to_vec(&Feedback::new(score))
            .map_err(|error| ExportError::invalid("it is no JSON").with_source(error))?;
        let mut waits = RUN_COMES.iter();
        loop {
            let json = HeaderValue::from_static("application/json");
            let request =
                Request::post(self.endpoint.at("/feedback"), body.clone()).header(CONTENT_TYPE.as_str(), json);
            let answered = self.client.ask(request).await?;
            if answered.status != 404 {
                return self.client.judge(&answered).map(drop);
            }
            match waits.next() {
                Some(wait) => sleep(*wait).await,
                // Of one run: no reason to keep everything back.
                None => return Err(ExportError::invalid("404: there is no run that this feedback is for")),
            }
        }
    }
}

impl Backend for Session {
    async fn send(&self, entries: &[Entry]) -> Result<Ack, ExportError> {
        let info = self.info().await?;
        let copies: Vec<Entry>;
        let entries = match self.filing {
            Filing::AsNamed => entries,
            Filing::Together { own_ids } => {
                let copy =
                    |entry: &Entry| Entry { change: replica(&entry.change, &self.project, own_ids), ..entry.clone() };
                copies = entries.iter().map(copy).collect();
                &copies
            }
        };
        if let Some(ack) = self.send_as(entries, info).await? {
            return Ok(ack);
        }
        let batches = Info { is_multipart: false, ..info };
        let ack = self.send_as(entries, batches).await?;
        // It was there, so it is multipart that was not.
        *self.known.lock().await = Known::Info(batches);
        Ok(ack.unwrap_or_default())
    }
}

/// Bytes of the files that a change holds.
fn file_bytes(change: &RunChange) -> usize {
    let bytes = |file: &Attachment| match &file.data {
        AttachmentData::Bytes(bytes) => bytes.0.len(),
        _ => 0,
    };
    match change {
        RunChange::Attachment(of) => bytes(&of.attachment),
        change => change.run().map_or(0, |run| run.attachments.iter().map(bytes).sum()),
    }
}

/// 32 hexadecimal digits that stand in no change.
fn boundary() -> String {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        random = now.as_nanos().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes();
    }
    format!("{:032x}", u128::from_le_bytes(random))
}
