//! OpenTelemetry's protocol: runs as spans, scores as log records, in protobuf over HTTP.
//!
//! A parcel is encoded whenever it is sent, by an encoder of its own: the spool gives out ended runs alone, each whole, so
//! nothing needs to be remembered from one parcel to the next, and pieces of a parcel are parcels.

mod builder;
mod env;
mod place;
mod session;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc};

use traceable_core::{
    delivery::{Delivery, Identity, Limits, Remote, Wants},
    runtime::say,
};
use traceable_wire::otlp::Conventions;
pub use traceable_wire::otlp::{Resource, ResourceError};

pub use self::builder::OtlpBuilder;
use self::{builder::Settings, session::Session};
use crate::http::{self, ConfigError};

/// Where a collector is when nobody says otherwise.
const COLLECTOR: &str = "http://localhost:4318";

/// Where gRPC is spoken as a rule, which is not spoken here.
const GRPC_PORT: u16 = 4317;

/// Sends runs to a backend that takes OpenTelemetry's protocol over HTTP: a collector, Phoenix, Langfuse, MLflow and others.
///
/// Ended runs become spans, in the words of the conventions that were chosen. A score goes along with its run, or becomes a
/// log record where the run was sent before. What a backend has no place for (files, threads, users, and scores where it
/// takes no logs) is counted as refused.
///
/// A request that may not have arrived is sent again, so a span may come twice, with the same ids.
///
/// ```
/// use traceable_exporters::Otlp;
///
/// let collector = Otlp::builder().endpoint("http://localhost:4318").service_name("film-club").build()?;
/// # Ok::<(), traceable_exporters::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Otlp {
    settings: Settings,
}

impl Otlp {
    /// Says step by step where to send to.
    pub fn builder() -> OtlpBuilder {
        OtlpBuilder::default()
    }

    /// As the environment says, in OpenTelemetry's own variables; `None` where `OTEL_SDK_DISABLED` is `true`.
    ///
    /// - `OTEL_EXPORTER_OTLP_ENDPOINT`: <http://localhost:4318> unless it says another; `/v1/traces` and `/v1/logs` are put
    ///   behind it. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` and `…_LOGS_ENDPOINT` are taken as they are.
    /// - `…_HEADERS`: `name=value` between commas, percent-encoded
    /// - `…_TIMEOUT`: milliseconds for one request; 10 s unless it says otherwise
    /// - `…_COMPRESSION`: `gzip`, which is the default, or `none`
    /// - `…_PROTOCOL`: `http/protobuf` and no other
    /// - `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`: what made the spans
    /// - `TRACEABLE_OTEL_CONVENTIONS`: as [`Conventions`] reads it
    ///
    /// Each `…` is `OTEL_EXPORTER_OTLP_TRACES` or `OTEL_EXPORTER_OTLP_LOGS`, else `OTEL_EXPORTER_OTLP`.
    ///
    /// # Errors
    ///
    /// When a variable's value is not of its form; the error names it.
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        let settings = env::settings(&|name| std::env::var(name).ok())?;
        Ok(settings.map(|settings| Self { settings }))
    }
}

impl Remote for Otlp {
    fn identity(&self) -> Identity {
        self.settings.identity()
    }

    /// About as much as one request takes: what is taken of a parcel is sent again when the rest of it is not.
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        (limits.changes, limits.bytes) = (512, 512 << 10);
        limits
    }

    fn wants(&self) -> Wants {
        Wants::Whole
    }

    fn drive(self: Arc<Self>, delivery: Delivery) -> io::Result<()> {
        let traces = &self.settings.traces;
        if traces.url.port() == Some(GRPC_PORT) {
            say(format_args!(
                "{} is where gRPC is spoken as a rule, and runs go by HTTP: a collector takes that at port 4318",
                traces.endpoint
            ));
        }
        http::drive(Session::new(&self.settings)?, delivery)
    }
}
