//! What the environment asks of programs that are started here.

use std::collections::BTreeMap;

use serde::Serialize;

/// Variables that say where traces go.
const PREFIXES: [&str; 4] = ["TRACEABLE", "LANGSMITH_", "LANGCHAIN_", "OTEL_"];

/// Variables whose value is nobody's business.
const SECRETS: [&str; 6] = ["KEY", "TOKEN", "HEADERS", "SECRET", "PASSWORD", "RUNS_ENDPOINTS"];

const TRACING: [&str; 4] = ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING"];

/// What the environment asks for.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Configured {
    /// The variables, without secrets.
    pub(super) environment: BTreeMap<String, String>,
    /// Where a program would send what it records, as `traceable::init()` reads it.
    pub(super) destinations: Vec<String>,
    /// What is probably not meant.
    pub(super) doubts: Vec<String>,
}

impl Configured {
    /// As this process sees it.
    pub(super) fn here() -> Self {
        let set =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let is_ours = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        Self::of(&set.filter(|(name, value)| !value.trim().is_empty() && is_ours(name)).collect())
    }

    fn of(set: &BTreeMap<String, String>) -> Self {
        let says = |name: &str| set.get(name).map(|value| value.trim());
        let either = |name: &str| says(&format!("LANGSMITH_{name}")).or_else(|| says(&format!("LANGCHAIN_{name}")));
        let is = |name: &str, wanted: &str| says(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        let traces = TRACING.iter().any(|name| is(name, "true"));
        let endpoint = either("ENDPOINT");
        let langsmith = endpoint.unwrap_or("https://api.smith.langchain.com");
        let otlp = says("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| says("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let mut found = Self { environment: set.iter().map(shown).collect(), ..Self::default() };
        if traces && either("API_KEY").is_none() && endpoint.is_none() && either("RUNS_ENDPOINTS").is_none() {
            found.doubt("LANGSMITH_TRACING is on, but there is no LANGSMITH_API_KEY: nothing goes to LangSmith");
        }
        if !traces && (endpoint.is_some() || either("API_KEY").is_some()) {
            found.doubt("LangSmith's SDKs trace nothing without LANGSMITH_TRACING=true");
        }
        let protocol = says("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| says("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol == Some("grpc") || otlp.is_some_and(|at| at.trim_end_matches('/').ends_with(":4317")) {
            found.doubt("gRPC is not spoken here: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and a port for HTTP");
        }
        if is("OTEL_SDK_DISABLED", "true") && otlp.is_some() {
            found.doubt("OTEL_SDK_DISABLED=true: OpenTelemetry's SDKs send nothing");
        }
        // The first of them that says one or the other, as the library reads them.
        let switch = |name: &str| match says(name).unwrap_or_default().to_ascii_lowercase().as_str() {
            "on" | "true" | "1" | "yes" => Some(true),
            "off" | "false" | "0" | "no" => Some(false),
            _ => None,
        };
        let names = [&["TRACEABLE"][..], &TRACING].concat();
        if let Some(name) = names.iter().find(|name| switch(name).is_some()).filter(|name| switch(name) == Some(false))
        {
            found.destinations.push(format!("nowhere: {name} switches it off"));
            return found;
        }
        if let Some(named) = says("TRACEABLE_EXPORT") {
            found.destinations.extend(named.split(',').map(|name| name.trim().to_owned()));
        } else if let Some(at) = says("TRACEABLE_ENDPOINT") {
            found.destinations.push(format!("traceable at {}", harmless(at)));
        } else if traces && (either("API_KEY").is_some() || endpoint.is_some()) {
            found.destinations.push(format!("LangSmith at {}", harmless(langsmith)));
        } else if let Some(at) = otlp.filter(|_| !is("OTEL_SDK_DISABLED", "true")) {
            found.destinations.push(format!("OpenTelemetry at {}", harmless(at)));
        } else {
            found.destinations.push("this machine and the terminal, once a program calls `traceable::init()`".into());
        }
        found
    }

    fn doubt(&mut self, what: &str) {
        self.doubts.push(what.to_owned());
    }
}

fn shown((name, value): (&String, &String)) -> (String, String) {
    let is_secret = SECRETS.iter().any(|part| name.contains(part)) || harmless(value) != *value;
    (name.clone(), if is_secret { "(set)".to_owned() } else { value.clone() })
}

/// An address may hold a password before an `@`.
fn harmless(value: &str) -> &str {
    if value.contains('@') { "(set)" } else { value }
}

#[cfg(test)]
mod tests;
