//! Requests of strangers: they may name a place in a trace, and change nothing else.

use axum::{Router, body::Body, extract::Request, routing::get};
use http::HeaderValue;
use traceable::{Run, RunId, Status, integrations::tower::ContinueTraceLayer, testing::Recorder, traceable};

use crate::support::{Http, serve};

const CALLER: &str = "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a";

#[traceable]
async fn answer() -> &'static str {
    "answer"
}

/// What a request with these headers is recorded as.
async fn recorded(headers: &[(&'static str, &[u8])]) -> Run {
    let recorder = Recorder::new();
    let app = Router::new().route("/", get(answer)).layer(ContinueTraceLayer::new());
    let address = serve(app, &recorder).await;
    let mut request = Request::get(format!("http://{address}/")).body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    assert!(Http::new("").send(request).await.status().is_success());
    recorder.run("answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_headers_is_as_if_it_were_not_there() {
    let long = "x".repeat(9000);
    let lines: Vec<(&'static str, &[u8])> = vec![("langsmith-trace", CALLER.as_bytes()); 64];
    let deep = format!("langsmith-metadata={}", "%5B".repeat(2000));
    let cases: Vec<Vec<(&'static str, &[u8])>> = vec![
        vec![("langsmith-trace", long.as_bytes())],
        vec![("langsmith-trace", b"\xff\xfe\x80")],
        vec![("langsmith-trace", b"not an order"), ("traceparent", b"00-0-0-01"), ("tracestate", b"=,=,")],
        vec![("traceparent", long.as_bytes()), ("baggage", long.as_bytes())],
        vec![("baggage", b"langsmith-metadata=%7B%22user_id%22%3A%22eve%22%7D")],
        vec![("baggage", deep.as_bytes())],
        lines,
    ];
    for headers in cases {
        let run = recorded(&headers).await;
        assert_eq!((run.parent_id, run.trace_id, &run.otel), (None, run.id, &None), "{headers:?}");
        assert_eq!((run.status, &run.user, run.metadata.len()), (Status::Ok, &None, 0), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_does_not_say_where_runs_go() {
    let replicas = "langsmith-replicas=%5B%5B%22evil%22%2C%7B%22project_name%22%3A%22evil%22%7D%5D%5D";
    let baggage = format!(
        "langsmith-project=evil,langsmith-address=https%3A%2F%2Fevil.example,langsmith-api-key=evil,{replicas},other=1"
    );
    let run = recorded(&[
        ("langsmith-trace", CALLER.as_bytes()),
        ("baggage", baggage.as_bytes()),
        ("x-api-key", b"evil"),
        ("langsmith-project", b"evil"),
    ])
    .await;
    let caller: RunId = "0190163d-8694-7000-8000-00000000002a".parse().unwrap();
    assert_eq!((run.parent_id, run.trace_id), (Some(caller), caller));
    assert!(!format!("{run:?}").contains("evil"), "{run:?}");
}
