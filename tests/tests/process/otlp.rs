//! From a traced program to a backend of OpenTelemetry's, by nothing more than the environment.

use std::{
    path::PathBuf,
    process::Output,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use traceable::{Run, RunType, Status, model::RunChange};
use traceable_wire::{encoding::Encoding, otlp::decode_traces};

use crate::ends::program;

type Requests = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A backend that takes all spans. Answers where it is.
async fn backend(requests: &Requests) -> String {
    let taken = Arc::clone(requests);
    let take = move |headers: HeaderMap, body: Bytes| async move { taken.lock().unwrap().push((headers, body)) };
    let app = Router::new().route("/v1/traces", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// The program in which nobody calls `init`, with a home of its own.
async fn traced(name: &str, variables: &[(&str, String)]) -> Output {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("otlp-{name}-{}", std::process::id()));
    let mut all = vec![("TRACEABLE".to_owned(), "on".to_owned())];
    all.push(("TRACEABLE_HOME".to_owned(), home.display().to_string()));
    all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let running = tokio::task::spawn_blocking(move || {
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let output = program("secrets", &home, &[], &all);
        let _ = std::fs::remove_dir_all(&home);
        output
    });
    let output = running.await.unwrap();
    assert!(output.status.success());
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn runs(requests: &Requests) -> Vec<Run> {
    let mut runs = Vec::new();
    for (headers, body) in requests.lock().unwrap().iter() {
        assert_eq!(headers["content-encoding"], "gzip");
        let decoded = decode_traces(&Encoding::Gzip.decompress(body, 1 << 20).unwrap());
        assert_eq!(decoded.problems, []);
        runs.extend(decoded.changes.iter().filter_map(RunChange::run).cloned());
    }
    runs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_sends_its_runs_where_the_environment_says() {
    for (name, key, path) in
        [("named", "OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("implied", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")]
    {
        let requests = Requests::default();
        let url = format!("{}{path}", backend(&requests).await);
        let mut variables = vec![
            (key, url),
            ("OTEL_SERVICE_NAME", "shop".to_owned()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-k=a%20b".into()),
        ];
        if name == "named" {
            variables.push(("TRACEABLE_EXPORT", "otlp".to_owned()));
        }
        let output = traced(name, &variables).await;
        assert_eq!(stderr(&output), "", "{name}");
        let runs = runs(&requests);
        let named = |name: &str| runs.iter().find(|run| run.name == name).unwrap();
        let (answers, fails) = (named("answers"), named("fails"));
        assert_eq!((runs.len(), &answers.run_type, fails.parent_id), (2, &RunType::Llm, Some(answers.id)));
        assert_eq!((answers.status, fails.status), (Status::Ok, Status::Error));
        assert_eq!(answers.usage.as_ref().unwrap().total_tokens, Some(7));
        assert_eq!(answers.model.as_deref(), Some("gpt-4o-mini"));
        assert_eq!(fails.error.as_deref(), Some("no answer to 46 letters, password=[redacted]"));
        let requests = requests.lock().unwrap();
        assert_eq!(requests[0].0["x-k"], "a b");
        let body = Encoding::Gzip.decompress(&requests[0].1, 1 << 20).unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("service.name") && body.contains("shop") && !body.contains("hunter2"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said_and_what_is_switched_off_is_off() {
    let requests = Requests::default();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", backend(&requests).await);
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned());
    // It may be meant for another library in the program: runs go where they go by default.
    let output = traced("grpc", &[endpoint.clone(), grpc.clone()]).await;
    let said = stderr(&output);
    assert!(said.contains("OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"") && said.contains("answers"), "{said}");
    let named = ("TRACEABLE_EXPORT", "otlp".to_owned());
    let output = traced("grpc-named", &[endpoint.clone(), grpc, named.clone()]).await;
    let said = stderr(&output);
    assert!(said.contains("tracing stays off") && said.contains("OTEL_EXPORTER_OTLP_PROTOCOL"), "{said}");
    for (name, value) in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let output = traced("off", &[endpoint.clone(), (name, value.to_owned())]).await;
        assert!(stderr(&output).contains("answers"), "{name}");
    }
    let output = traced("off-named", &[endpoint, named, ("OTEL_SDK_DISABLED", "true".to_owned())]).await;
    assert_eq!(stderr(&output), "");
    assert_eq!(requests.lock().unwrap().len(), 0);
}
