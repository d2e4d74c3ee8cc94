//! What is found in an environment.

use super::*;

fn of(set: &[(&str, &str)]) -> Configured {
    Configured::of(&set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn it_says_where_runs_would_go() {
    let to = |set: &[(&str, &str)]| of(set).destinations.join("; ");
    assert!(to(&[]).contains("this machine"));
    assert_eq!(to(&[("TRACEABLE_EXPORT", "local, otlp"), ("TRACEABLE_ENDPOINT", "http://a")]), "local; otlp");
    assert_eq!(to(&[("TRACEABLE_ENDPOINT", "http://a")]), "traceable at http://a");
    let langsmith = [("LANGSMITH_TRACING", "true"), ("LANGSMITH_ENDPOINT", "http://127.0.0.1:4318")];
    assert_eq!(to(&langsmith), "LangSmith at http://127.0.0.1:4318");
    assert_eq!(to(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:pw@a")]), "OpenTelemetry at (set)");
    assert!(to(&[langsmith[0], langsmith[1], ("TRACEABLE", "off")]).contains("nowhere"));
    assert!(to(&[("LANGSMITH_TRACING", "false")]).contains("nowhere"));
}

#[test]
fn it_doubts_what_cannot_be_meant_and_shows_no_secret() {
    let doubts = |set: &[(&str, &str)]| of(set).doubts.join("; ");
    assert_eq!(doubts(&[]), "");
    assert!(doubts(&[("LANGSMITH_TRACING", "true")]).contains("LANGSMITH_API_KEY"));
    assert!(doubts(&[("LANGCHAIN_API_KEY", "k")]).contains("LANGSMITH_TRACING=true"));
    assert!(doubts(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317/")]).contains("gRPC"));
    let set = of(&[("LANGSMITH_API_KEY", "k"), ("LANGSMITH_PROJECT", "p")]).environment;
    assert_eq!((set["LANGSMITH_API_KEY"].as_str(), set["LANGSMITH_PROJECT"].as_str()), ("(set)", "p"));
}
