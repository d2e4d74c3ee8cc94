//! OpenTelemetry's environment variables, as its specification of OTLP exporters has them.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use traceable_core::runtime::say;
use traceable_wire::{
    encoding::Encoding,
    otlp::{Resource, Signal},
};

use super::{
    COLLECTOR,
    builder::{SERVICE_NAME, Settings},
    place::Place,
};
use crate::http::{ConfigError, add_header};

/// Looks a variable up by its name.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

const CONVENTIONS: &str = "TRACEABLE_OTEL_CONVENTIONS";
const PROTOCOL: &str = "http/protobuf";
/// A request that takes longer is one that hangs.
const LONGEST: u64 = 600_000;

/// A variable that says something, and what.
struct Said(String, String);

fn said(variable: Lookup<'_>, name: String) -> Option<Said> {
    let value = variable(&name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| Said(name, value.to_owned()))
}

/// What the environment says; `None` where it says that there is to be nothing.
pub(super) fn settings(variable: Lookup<'_>) -> Result<Option<Settings>, ConfigError> {
    let plain = |name: &str| said(variable, name.to_owned()).map(|Said(_, value)| value);
    if plain("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let traces = traces(variable)?;
    let logs = logs(variable, &traces)?;
    let conventions = plain(CONVENTIONS).unwrap_or_default().parse();
    let conventions = conventions.map_err(|error| ConfigError::new(format!("{CONVENTIONS}: {error}")))?;
    let mut resource = resource(&plain("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
    if let Some(name) = plain("OTEL_SERVICE_NAME") {
        resource = resource.with(SERVICE_NAME, name);
    }
    Ok(Some(Settings { traces, logs, conventions, resource }))
}

/// The variables of one signal: its own, else that of all signals.
struct Of<'a>(&'static str, Lookup<'a>);

impl Of<'_> {
    fn own(&self, name: &str) -> Option<Said> {
        said(self.1, format!("OTEL_EXPORTER_OTLP_{}_{name}", self.0))
    }

    fn shared(&self, name: &str) -> Option<Said> {
        said(self.1, format!("OTEL_EXPORTER_OTLP_{name}"))
    }

    fn any(&self, name: &str) -> Option<Said> {
        self.own(name).or_else(|| self.shared(name))
    }

    /// The endpoint that is named for this signal, or for all.
    fn place(&self, signal: Signal) -> Result<Option<Place>, ConfigError> {
        let place = match (self.own("ENDPOINT"), self.shared("ENDPOINT")) {
            (Some(Said(name, url)), _) => Place::exact(&url, &name)?,
            (None, Some(Said(name, url))) => Place::behind(&url, signal, &name)?,
            (None, None) => return Ok(None),
        };
        self.with_details(place).map(Some)
    }

    /// Adds what is said beside the endpoint.
    fn with_details(&self, mut place: Place) -> Result<Place, ConfigError> {
        if let Some(Said(name, list)) = self.any("HEADERS") {
            for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
                // The text may hold keys.
                let wrong = || ConfigError::new(format!("{name} must be `name=value` pairs between commas"));
                let (header, value) = pair.split_once('=').ok_or_else(wrong)?;
                let text = |part: &str| percent_decode_str(part.trim()).decode_utf8().map(String::from);
                let (header, value) = (text(header).map_err(|_| wrong())?, text(value).map_err(|_| wrong())?);
                add_header(&mut place.headers, &header, &value)
                    .map_err(|error| ConfigError::new(format!("{name}: {error}")))?;
            }
        }
        if let Some(Said(name, value)) = self.any("TIMEOUT") {
            let milliseconds = value.parse().ok().filter(|milliseconds: &u64| *milliseconds > 0).ok_or_else(|| {
                ConfigError::new(format!("{name} must be a number of milliseconds above 0, and is {value:?}"))
            })?;
            place.timeout = Duration::from_millis(milliseconds.min(LONGEST));
        }
        if let Some(Said(name, value)) = self.any("COMPRESSION") {
            place.encoding = match value.to_ascii_lowercase().as_str() {
                "gzip" => Encoding::Gzip,
                "none" => Encoding::Identity,
                _ => return Err(ConfigError::new(format!("{name} must be `gzip` or `none`, and is {value:?}"))),
            };
        }
        Ok(place)
    }
}

fn traces(variable: Lookup<'_>) -> Result<Place, ConfigError> {
    let of = Of("TRACES", variable);
    if let Some(Said(name, value)) = of.any("PROTOCOL").filter(|Said(_, value)| value != PROTOCOL) {
        return Err(ConfigError::new(format!(
            "{name} is {value:?}, and runs go by {PROTOCOL} alone: set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL={PROTOCOL}, and an \
             OTEL_EXPORTER_OTLP_TRACES_ENDPOINT that takes it, such as http://localhost:4318/v1/traces of a collector"
        )));
    }
    match of.place(Signal::Traces)? {
        Some(place) => Ok(place),
        None => of.with_details(Place::behind(COLLECTOR, Signal::Traces, "")?),
    }
}

/// Where logs go: as for traces, but beside them where only traces have an endpoint. Logs that go another way are not sent.
fn logs(variable: Lookup<'_>, traces: &Place) -> Result<Option<Place>, ConfigError> {
    let of = Of("LOGS", variable);
    if of.own("PROTOCOL").is_some_and(|Said(_, value)| value != PROTOCOL) {
        return Ok(None);
    }
    Ok(of.place(Signal::Logs)?.or_else(|| traces.beside()))
}

fn resource(text: &str) -> Resource {
    Resource::parse(text).unwrap_or_else(|error| {
        // OpenTelemetry has it that tracing goes on, without any of it.
        say(format_args!("OTEL_RESOURCE_ATTRIBUTES is left out: {error}"));
        Resource::default()
    })
}
