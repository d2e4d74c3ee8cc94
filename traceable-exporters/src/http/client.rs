//! The client: one request, one answer of at most 64 KiB, and what it means.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{
    Method, Response, Url,
    header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect, retry,
};
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use rustls_platform_verifier::BuilderVerifierExt as _;
use traceable_core::export::{Ack, ExportError, judge};

use super::{Endpoint, Key};

/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 10;
/// A shorter text would be found everywhere.
const LEAST_SECRET: usize = 4;
const CONNECT: Duration = Duration::from_secs(3);
pub(crate) const REQUEST: Duration = Duration::from_secs(10);
/// A body up to this size is on its way in no time; a larger one has a second more for each part.
const QUICK_BODY: usize = 1 << 20;
const SLOW_PART: usize = 128 << 10;

const USER_AGENT: &str = concat!("traceable-rs/", env!("CARGO_PKG_VERSION"));

/// A request that is to be sent.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    pub(crate) fn post(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::POST, url, headers: HeaderMap::new(), body }
    }

    pub(crate) fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// What came back.
pub(crate) struct Answered {
    pub(crate) status: u16,
    retry_after: Option<Duration>,
    location: Option<String>,
    /// The beginning of the answer.
    pub(crate) body: Vec<u8>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    inner: reqwest::Client,
    timeout: Duration,
    /// What stands in headers that are shown nowhere.
    secrets: Vec<Key>,
}

impl Client {
    /// A client that sends these headers with each request. It masks the sensitive ones in what a backend says.
    ///
    /// # Errors
    ///
    /// When the system's certificates cannot be read.
    pub(crate) fn new(endpoint: &Endpoint, headers: HeaderMap) -> io::Result<Self> {
        let secrets = secrets(&headers);
        if !secrets.is_empty() && !endpoint.is_encrypted() && !endpoint.is_local() {
            traceable_core::runtime::say(format_args!(
                "the key for {endpoint} goes over the network unencrypted: use https://"
            ));
        }
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(endpoint.is_encrypted())?)
            .default_headers(headers)
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            // Whatever features of reqwest the application switches on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { inner, timeout: REQUEST, secrets })
    }

    /// How long a request may take, with a second more for each 128 KiB above 1 MiB.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A text of somebody else's, without our keys in it.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[key]"))
    }

    /// What an answer means.
    pub(crate) fn judge(&self, answered: &Answered) -> Result<Ack, ExportError> {
        let location = answered.location.as_deref().map(|location| self.mask(location));
        let said = self.mask(&String::from_utf8_lossy(&answered.body));
        judge(answered.status, answered.retry_after, &said, location.as_deref())
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// When no answer came.
    pub(crate) async fn ask(&self, request: Request) -> Result<Answered, ExportError> {
        let Request { method, url, headers, body } = request;
        let more = body.len().saturating_sub(QUICK_BODY).div_ceil(SLOW_PART);
        let timeout = self.timeout + Duration::from_secs(more as u64);
        let request = self.inner.request(method, url).headers(headers).timeout(timeout).body(body);
        let response = request.send().await.map_err(|error| unanswered(error, timeout))?;
        let status = response.status().as_u16();
        let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let retry_after = text(RETRY_AFTER).and_then(|text| wait_of(text, SystemTime::now()));
        let location = text(LOCATION).map(without_user);
        Ok(Answered { status, retry_after, location, body: beginning(response).await })
    }
}

/// The values of sensitive headers, and of those that name a scheme first (`Bearer …`) what stands behind it. Longer ones
/// come first: one may be a part of another.
fn secrets(headers: &HeaderMap) -> Vec<Key> {
    let values = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
    let mut all: Vec<Key> = values
        .flat_map(|value| [Some(value), value.rsplit_once(' ').map(|(_, behind)| behind)])
        .flatten()
        .map(Key::new)
        .filter(|secret| secret.as_str().len() >= LEAST_SECRET)
        .collect();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.as_str().len()));
    all.dedup();
    all
}

/// The beginning of an answer. One that breaks off says what it said until then: its status counts.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
    }
    body
}

/// How long from now a `Retry-After` asks to wait: seconds, or a date.
fn wait_of(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()),
    }
}

fn without_user(location: &str) -> String {
    let Ok(mut url) = Url::parse(location) else { return location.to_owned() };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn unanswered(error: reqwest::Error, timeout: Duration) -> ExportError {
    let error = error.without_url();
    let message = match () {
        () if error.is_connect() && error.is_timeout() => "no connection within 3 s".to_owned(),
        () if error.is_connect() => "no connection".to_owned(),
        () if error.is_timeout() => format!("no answer within {} s", timeout.as_secs()),
        () => "no answer".to_owned(),
    };
    ExportError::retry(message).with_source(error)
}

fn tls(is_encrypted: bool) -> io::Result<ClientConfig> {
    let provider =
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    // Without encryption nothing is asked of the system, which may have no certificates at all.
    let builder = if is_encrypted {
        builder.with_platform_verifier().map_err(io::Error::other)?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(wait_of(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        for wrong in ["", "-1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(wait_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_is_named_without_a_password() {
        // In two parts, for the whole is what a redactor looks for, in this file too.
        let named = ["https://u:p", "@h.example/x?token=t"].concat();
        assert_eq!(without_user(&named), "https://h.example/x");
        assert_eq!(without_user("/login"), "/login");
    }
}
