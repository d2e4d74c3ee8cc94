//! OpenTelemetry's variables.

use std::time::Duration;

use reqwest::header::HeaderMap;
use traceable_core::delivery::Identity;
use traceable_wire::{
    encoding::Encoding,
    otlp::{Convention, Conventions},
};

use super::{super::COLLECTOR, Otlp, Settings, from};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

fn settings(variables: &[(&str, &str)]) -> Settings {
    from(variables).unwrap().unwrap()
}

/// Where traces go, and where logs.
fn places(variables: &[(&str, &str)]) -> (String, Option<String>) {
    let settings = settings(variables);
    (settings.traces.url.to_string(), settings.logs.map(|place| place.url.to_string()))
}

fn both(traces: &str, logs: &str) -> (String, Option<String>) {
    (traces.to_owned(), (!logs.is_empty()).then(|| logs.to_owned()))
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn an_endpoint_of_all_signals_has_their_paths_behind_it_and_one_of_its_own_is_as_it_is() {
    assert_eq!(places(&[]), both("http://localhost:4318/v1/traces", "http://localhost:4318/v1/logs"));
    assert_eq!(places(&[(ENDPOINT, " ")]).0, format!("{COLLECTOR}/v1/traces"));
    for base in ["https://h.example/otel", "https://h.example/otel/", "https://h.example/otel/v1/traces"] {
        let expected = both("https://h.example/otel/v1/traces", "https://h.example/otel/v1/logs");
        assert_eq!(places(&[(ENDPOINT, base)]), expected, "{base}");
    }
    assert_eq!(places(&[(TRACES, "https://h.example/in/?a=b")]), both("https://h.example/in/?a=b", ""));
    let beside = both("https://h.example/v1/traces", "https://h.example/v1/logs");
    assert_eq!(places(&[(TRACES, "https://h.example/v1/traces")]), beside);
    let all = [(TRACES, "https://t.example/x"), (LOGS, "https://l.example/y"), (ENDPOINT, "https://h.example")];
    assert_eq!(places(&all), both("https://t.example/x", "https://l.example/y"));
    assert_eq!(places(&all[..1]), both("https://t.example/x", ""));
}

#[test]
fn what_is_said_of_one_signal_wins_over_what_is_said_of_all() {
    let settings = settings(&[
        (ENDPOINT, "https://h.example"),
        (LOGS, "https://l.example/logs"),
        (HEADERS, " authorization=Bearer%20abc%3D , x-team = search ,, tail=a=b"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-other=o"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "GZIP"),
    ]);
    let (traces, logs) = (settings.traces, settings.logs.unwrap());
    assert_eq!(value(&traces.headers, "authorization"), Some("Bearer abc="));
    assert_eq!((value(&traces.headers, "x-team"), value(&traces.headers, "tail")), (Some("search"), Some("a=b")));
    assert_eq!((logs.headers.len(), value(&logs.headers, "x-other")), (1, Some("o")));
    assert_eq!((traces.timeout, logs.timeout), (Duration::from_millis(2_500), Duration::from_millis(2_500)));
    assert_eq!((traces.encoding, logs.encoding), (Encoding::Gzip, Encoding::Identity));
}

#[test]
fn the_service_and_the_conventions_are_said() {
    let settings = settings(&[
        (ENDPOINT, "https://h.example/"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=search%20it"),
        ("TRACEABLE_OTEL_CONVENTIONS", "openlit"),
    ]);
    assert_eq!(settings.resource.get("team"), Some("search it"));
    assert_eq!(settings.conventions, Conventions::of(&[Convention::OpenLit]));
    assert_eq!(settings.identity(), Identity::new("otlp", "https://h.example", "shop"));
    let wrong = super::from(&[("OTEL_RESOURCE_ATTRIBUTES", "team"), ("OTEL_SERVICE_NAME", "shop")]).unwrap().unwrap();
    assert_eq!((wrong.resource.get("team"), wrong.resource.get("service.name")), (None, Some("shop")));
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    for (name, value, parts) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            &["\"grpc\"", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf", "4318"][..],
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", &["\"http/json\""]),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "br", &["gzip", "none"]),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", &["milliseconds"]),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", &["milliseconds"]),
        ("TRACEABLE_OTEL_CONVENTIONS", "genai,lit", &["`lit`", "openinference"]),
        (TRACES, "collector:4318", &["http://"]),
        (ENDPOINT, "https://u:hunter2@h.example", &["password"]),
        (HEADERS, "Bearer hunter2", &["name=value"]),
        (HEADERS, "authorization=hunter2%0A", &["authorization"]),
        (HEADERS, "x y=hunter2", &["x y"]),
    ] {
        let error = from(&[(name, value)]).unwrap_err();
        for part in parts.iter().chain([&name]) {
            assert!(error.contains(part), "{name}: {error}");
        }
        assert!(!error.contains("hunter2"), "{error}");
    }
    let own = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")];
    assert!(from(&own).is_ok());
}

#[test]
fn opentelemetrys_switch_is_heard() {
    assert!(from(&[("OTEL_SDK_DISABLED", "True"), (ENDPOINT, "no address")]).unwrap().is_none());
    assert!(from(&[("OTEL_SDK_DISABLED", "false")]).unwrap().is_some());
}

#[test]
fn no_header_is_shown() {
    let builder = Otlp::builder().endpoint("https://h.example").header("authorization", "Bearer hunter2-token");
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
    let otlp = builder.build().unwrap();
    assert!(!format!("{otlp:?}").contains("hunter2"), "{otlp:?}");
    let settings = settings(&[(HEADERS, "x-key=hunter2-token"), (TRACES, "https://h.example/?key=hunter2")]);
    assert!(!format!("{settings:?} {:?}", settings.identity()).contains("hunter2"), "{settings:?}");
    let session = super::Session::new(&otlp.settings).unwrap();
    assert!(!format!("{session:?}").contains("hunter2"), "{session:?}");
}
