//! What is said of a backend that takes OpenTelemetry's protocol.

use std::time::Duration;

use traceable_core::delivery::Identity;
use traceable_wire::{encoding::Encoding, otlp::Signal};

use super::{
    COLLECTOR, Otlp,
    place::Place,
    {Conventions, Resource},
};
use crate::http::{ConfigError, Secret, add_header};

/// OpenTelemetry's name for what a service is called.
pub(super) const SERVICE_NAME: &str = "service.name";

/// A backend that takes OpenTelemetry's protocol.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) traces: Place,
    /// Where scores go that belong to no span on its way.
    pub(super) logs: Option<Place>,
    pub(super) conventions: Conventions,
    pub(super) resource: Resource,
}

impl Settings {
    /// Two services with keys of their own may be one program at one address: what is left of one is not for the other.
    pub(super) fn identity(&self) -> Identity {
        let service = self.resource.get(SERVICE_NAME).unwrap_or_default();
        Identity::new("otlp", self.traces.endpoint.to_string(), service)
    }
}

/// Where to send to. Made by [`Otlp::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `build`"]
pub struct OtlpBuilder {
    endpoint: Option<String>,
    headers: Vec<(String, Secret)>,
    conventions: Conventions,
    resource: Resource,
    is_plain: bool,
    timeout: Option<Duration>,
}

impl OtlpBuilder {
    /// The address that `/v1/traces` and `/v1/logs` are put behind. A collector on this machine when nobody says otherwise.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// A header that each request has, such as a key. Its value is shown nowhere.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret(value.into())));
        self
    }

    /// In which words spans say what is known of a run. OpenTelemetry's GenAI and OpenInference when nobody says otherwise.
    ///
    /// ```
    /// use traceable_exporters::Otlp;
    ///
    /// let langsmith = Otlp::builder()
    ///     .endpoint("https://api.smith.langchain.com/otel")
    ///     .header("x-api-key", "lsv2_pt_0123456789")
    ///     .conventions("genai,langsmith".parse()?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn conventions(mut self, conventions: Conventions) -> Self {
        self.conventions = conventions;
        self
    }

    /// What made the spans. Replaces what was said of it before.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resource = resource;
        self
    }

    /// What the service is called. A run's project when nobody says otherwise.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.resource = self.resource.with(SERVICE_NAME, name);
        self
    }

    /// Whether bodies are compressed by gzip. They are unless this says `false`.
    pub fn compression(mut self, compress: bool) -> Self {
        self.is_plain = !compress;
        self
    }

    /// How long one request may take, with a second more for each 128 KiB above 1 MiB. 10 s when nobody says otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The exporter.
    ///
    /// # Errors
    ///
    /// When the endpoint is no address, or a header cannot be one.
    pub fn build(self) -> Result<Otlp, ConfigError> {
        let endpoint = self.endpoint.as_deref().unwrap_or(COLLECTOR);
        let mut traces = Place::behind(endpoint, Signal::Traces, "the endpoint of OpenTelemetry")?;
        for (name, Secret(value)) in &self.headers {
            add_header(&mut traces.headers, name, value)?;
        }
        if self.is_plain {
            traces.encoding = Encoding::Identity;
        }
        if let Some(timeout) = self.timeout {
            traces.timeout = timeout;
        }
        let logs = traces.beside();
        Ok(Otlp { settings: Settings { traces, logs, conventions: self.conventions, resource: self.resource } })
    }
}
