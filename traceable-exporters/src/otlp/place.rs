//! Where requests of one kind go, and how.

use std::{fmt, time::Duration};

use reqwest::{
    Url,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use traceable_core::export::ExportError;
use traceable_wire::{encoding::Encoding, otlp::Signal};

use crate::http::{Answered, Client, ConfigError, Endpoint, REQUEST, Request};

/// See the file.
#[derive(Clone)]
pub(super) struct Place {
    /// The address to the letter.
    pub(super) url: Url,
    /// The same without a query, to be shown.
    pub(super) endpoint: Endpoint,
    pub(super) headers: HeaderMap,
    pub(super) encoding: Encoding,
    pub(super) timeout: Duration,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers)
            .field("encoding", &self.encoding)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// The place of a signal behind an endpoint that is for all signals. `name` says in the error whose it is.
    pub(super) fn behind(text: &str, signal: Signal, name: &str) -> Result<Self, ConfigError> {
        // Who names a signal's own path here means the endpoint before it.
        let text = text.trim().trim_end_matches('/');
        let text = text.strip_suffix(Signal::Traces.path()).unwrap_or(text);
        let endpoint = Endpoint::parse(text, name)?;
        let url = endpoint.at(signal.path());
        Ok(Self::at(url, endpoint))
    }

    /// The place of this address, as it is.
    pub(super) fn exact(text: &str, name: &str) -> Result<Self, ConfigError> {
        let (endpoint, url) = Endpoint::exact(text, name)?;
        Ok(Self::at(url, endpoint))
    }

    fn at(url: Url, endpoint: Endpoint) -> Self {
        Self { url, endpoint, headers: HeaderMap::new(), encoding: Encoding::Gzip, timeout: REQUEST }
    }

    /// The place of logs beside this one of traces, where that is called as it should be.
    pub(super) fn beside(&self) -> Option<Self> {
        let base = self.url.path().strip_suffix(Signal::Traces.path())?;
        let mut url = self.url.clone();
        url.set_path(&format!("{base}{}", Signal::Logs.path()));
        Some(Self { url, ..self.clone() })
    }
}

/// A place that is open.
#[derive(Debug)]
pub(super) struct Channel {
    client: Client,
    url: Url,
    encoding: Encoding,
}

impl Channel {
    pub(super) fn open(place: &Place) -> std::io::Result<Self> {
        let client = Client::new(&place.endpoint, place.headers.clone())?.timeout(place.timeout);
        Ok(Self { client, url: place.url.clone(), encoding: place.encoding })
    }

    /// Sends a message.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<Answered, ExportError> {
        let body =
            self.encoding.compress(body).map_err(|error| ExportError::retry("compression").with_source(error))?;
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        let mut request = Request::post(self.url.clone(), body).header(CONTENT_TYPE.as_str(), protobuf);
        if self.encoding != Encoding::Identity {
            request = request.header(CONTENT_ENCODING.as_str(), HeaderValue::from_static(self.encoding.name()));
        }
        self.client.ask(request).await
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}
