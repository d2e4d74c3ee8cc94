//! Sends what LangSmith's own SDKs could not: they keep a failed request as a file, and never look at it again.

use std::{fs, io, path::Path, time::Instant};

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use serde::Deserialize;
use traceable_core::{delivery::Replayed, model::Bytes};

use super::{LangSmith, Session};
use crate::http::{self, Request};

/// Bytes of one file. The SDKs keep a request in each, of 20 MiB before compression.
const MAX_FILE: u64 = 64 << 20;

/// What of a kept request's headers is sent: what says how its body is to be read. Keys are our own.
const HEADERS: [&str; 2] = ["content-type", "content-encoding"];

/// A file as LangSmith's SDKs for Python and JavaScript write it.
#[derive(Deserialize)]
struct Envelope {
    version: u32,
    endpoint: String,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    body_base64: Bytes,
}

impl LangSmith {
    /// Sends the requests that LangSmith's SDKs left in `LANGSMITH_FAILED_TRACES_DIR`, and removes those that are taken.
    ///
    /// They go to this exporter's server with its key, whatever the files say; one that is for another server stays. It
    /// stops at the first that shows that the server takes nothing now, and at the deadline where there is one. Blocks; not
    /// for asynchronous code.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or the thread that sends cannot be started.
    pub fn replay_folder(&self, folder: impl AsRef<Path>, deadline: Option<Instant>) -> io::Result<Replayed> {
        let mut files: Vec<_> = fs::read_dir(folder)?
            .filter_map(Result::ok)
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let session = Session::new(&self.settings)?;
        http::run(async move {
            let mut replayed = Replayed::default();
            for path in files {
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    replayed.left.push((path.display().to_string(), "there was no more time".to_owned()));
                    continue;
                }
                match session.replay(&path).await {
                    Ok(()) => replayed.sent += 1,
                    Err(Left { why, is_last }) => {
                        replayed.left.push((path.display().to_string(), why));
                        if is_last {
                            break;
                        }
                    }
                }
            }
            replayed
        })
    }
}

/// Why a file stays.
struct Left {
    why: String,
    /// Whether the next one would fare no better.
    is_last: bool,
}

impl From<String> for Left {
    fn from(why: String) -> Self {
        Self { why, is_last: false }
    }
}

impl Session {
    async fn replay(&self, path: &Path) -> Result<(), Left> {
        let error = |error: io::Error| Left::from(error.to_string());
        let file = fs::metadata(path).map_err(error)?;
        if !file.is_file() || file.len() > MAX_FILE {
            return Err(Left::from(format!("not a file of at most {MAX_FILE} bytes")));
        }
        let text = fs::read(path).map_err(error)?;
        let envelope: Envelope =
            serde_json::from_slice(&text).map_err(|error| format!("not an envelope of LangSmith's SDKs: {error}"))?;
        if envelope.version != 1 {
            return Err(Left::from(format!("version {} is not known", envelope.version)));
        }
        let url = self.address(&envelope.endpoint)?;
        let mut request = Request::post(url, envelope.body_base64.0.to_vec());
        for (name, value) in &envelope.headers {
            let name = name.to_ascii_lowercase();
            if let (true, Some(value)) = (HEADERS.contains(&&*name), value.as_str())
                && let (Ok(name), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::from_str(value))
            {
                request.headers.insert(name, value);
            }
        }
        let answered =
            self.client.ask(request).await.map_err(|error| Left { why: error.to_string(), is_last: true })?;
        self.client
            .judge(&answered)
            .map_err(|error| Left { why: error.to_string(), is_last: !matches!(answered.status, 400 | 413 | 422) })?;
        fs::remove_file(path).map_err(error)
    }

    /// Where a kept request goes: a path of this server, which may be written with the server before it.
    fn address(&self, endpoint: &str) -> Result<Url, Left> {
        let path = match Url::parse(endpoint) {
            Ok(url) if self.endpoint.is_same_server(&url) => url.path().to_owned(),
            Ok(_) => return Err(Left::from("it is for another server".to_owned())),
            Err(_) => endpoint.to_owned(),
        };
        let known = ["runs/multipart", "runs/batch"].into_iter().find(|known| path.trim_matches('/').ends_with(known));
        let known = known.ok_or_else(|| Left::from(format!("{path:?} takes no runs")))?;
        Ok(self.endpoint.at(&format!("/{known}")))
    }
}
