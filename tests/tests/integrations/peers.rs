//! Traces that go through other people's SDKs and back. Run by `scripts/check-peers`, which installs them.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::RawQuery,
    routing::{get, post},
};
use opentelemetry::SpanId;
use serde_json::{Value, json};
use traceable::{
    DottedOrder, Run, RunChange, RunId, Status, Usage, integrations::tower::ContinueTraceLayer, scope,
    testing::Recorder, traceable,
};
use traceable_wire::otlp::{Conventions, Encoder, MAX_BYTES, Resource, decode_traces};

use crate::{
    otel::place_of,
    support::{Http, serve},
};

/// A Python program of `tests/peers`.
fn python(program: &str, endpoint: &str) -> Command {
    let python = std::env::var("TRACEABLE_TEST_PYTHON").unwrap_or_else(|_| panic!("run scripts/check-peers"));
    let mut command = Command::new(python);
    command.arg(format!("{}/peers/{program}", env!("CARGO_MANIFEST_DIR")));
    command.env("LANGSMITH_TRACING", "true").env("LANGSMITH_API_KEY", "none").env("LANGSMITH_ENDPOINT", endpoint);
    command
}

/// A service of another process, which ends when this is dropped: then its standard input is closed.
struct Service {
    process: Child,
    port: u16,
}

impl Service {
    fn start(mut command: Command) -> Self {
        let mut process = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// Asks the service at the port that the query names.
#[traceable]
async fn rust_ask(port: String) -> String {
    Http::new("localhost").get(format!("127.0.0.1:{port}").parse().unwrap(), "/").await
}

/// A service in Rust that asks another one. Answers where it is.
async fn rust_service(recorder: &Recorder) -> String {
    let ask = |RawQuery(port): RawQuery| scope().metadata("region", "eu").future(rust_ask(port.unwrap()));
    let app = Router::new().route("/ask", get(ask)).layer(ContinueTraceLayer::new().with_run());
    format!("http://{}/ask", serve(app, recorder).await)
}

async fn output(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.stderr(Stdio::inherit()).output().unwrap()).await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// What LangSmith's SDKs have sent: the runs by their names.
type Sent = Arc<Mutex<HashMap<String, Value>>>;

/// A LangSmith of few words, which knows only the endpoint that takes plain JSON.
async fn langsmith(sent: Sent) -> String {
    let take = move |Json(batch): Json<Value>| {
        for run in batch["post"].as_array().unwrap() {
            sent.lock().unwrap().insert(run["name"].as_str().unwrap().to_owned(), run.clone());
        }
        async { Json(json!({})) }
    };
    let limits = json!({
        "use_multipart_endpoint": false,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
    });
    let info = Json(json!({ "version": "0.13.0", "batch_ingest_config": limits }));
    let app = Router::new().route("/info", get(|| async { info })).route("/runs/batch", post(take));
    format!("http://{}", serve(app, &Recorder::new()).await)
}

/// What says where a run stands in its trace.
type Place = (RunId, Option<RunId>, RunId, DottedOrder);

fn place(run: &Run) -> Place {
    (run.id, run.parent_id, run.trace_id, run.dotted_order.clone())
}

fn place_sent(run: &Value) -> Place {
    let id = |name: &str| run[name].as_str().map(|id| id.parse().unwrap());
    let order = run["dotted_order"].as_str().unwrap().parse().unwrap();
    (id("id").unwrap(), id("parent_run_id"), id("trace_id").unwrap(), order)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs LangSmith's SDK: run by scripts/check-peers"]
async fn langsmiths_sdk_calls_and_is_called() {
    let (recorder, sent) = (Recorder::new(), Sent::default());
    let endpoint = langsmith(Arc::clone(&sent)).await;
    let rust = rust_service(&recorder).await;
    let service = Service::start(python("langsmith_peer.py", &endpoint));
    let mut call = python("langsmith_peer.py", &endpoint);
    call.arg("call").arg(format!("{rust}?{}", service.port));
    assert_eq!(output(call).await.trim(), "ANSWER");
    let sent = sent.lock().unwrap();
    let (root, answer) = (&sent["python_root"], &sent["python_answer"]);
    let (request, ask) = (recorder.run("GET"), recorder.run("rust_ask"));
    let chain = [place_sent(root), place(&request), place(&ask), place_sent(answer)];
    for pair in chain.windows(2) {
        let ((parent, _, trace, above), (id, up, same_trace, order)) = (&pair[0], &pair[1]);
        assert_eq!((up, same_trace), (&Some(*parent), trace));
        assert_eq!(*order, above.child(order.start_time().unwrap(), *id));
    }
    assert_eq!((chain[0].1, chain[0].0), (None, chain[0].2));
    // What Python says of its root holds here, and what is said here holds there.
    assert_eq!((request.user.as_deref(), request.metadata["user_id"].as_str()), (Some("ada"), Some("ada")));
    assert_eq!(answer["extra"]["metadata"]["region"], "eu");
    assert_eq!(answer["extra"]["metadata"]["user_id"], "ada");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenTelemetry for Python: run by scripts/check-peers"]
async fn opentelemetry_calls_and_is_called() {
    let recorder = Recorder::new();
    let rust = rust_service(&recorder).await;
    let service = Service::start(python("opentelemetry_peer.py", ""));
    let mut call = python("opentelemetry_peer.py", "");
    call.arg("call").arg(format!("{rust}?{}", service.port));
    let printed = output(call).await;
    let [answer, root]: [Value; 2] =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>().try_into().unwrap();
    let (request, ask) = (recorder.run("GET"), recorder.run("rust_ask"));
    let (trace_id, parent) = place_of(&request);
    assert_eq!((root["trace_id"].as_str().unwrap(), root["parent"].as_str()), (&*trace_id.to_string(), None));
    assert_eq!(parent.unwrap().to_string(), root["span_id"].as_str().unwrap());
    assert_eq!((ask.parent_id, place_of(&ask)), (Some(request.id), (trace_id, None)));
    assert_eq!(answer["trace_id"], root["trace_id"]);
    assert_eq!(answer["parent"], SpanId::from(ask.id.span_id()).to_string());
}

/// A failed call of a model, and the request that says it.
fn failed_call() -> (Run, Vec<u8>) {
    let id = RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_002a);
    let run = Run {
        id,
        trace_id: id,
        dotted_order: DottedOrder::root(1_717_171_717_000_000_001, id),
        name: "größte Frage".into(),
        run_type: "llm".into(),
        start_time: 1_717_171_717_000_000_001,
        end_time: Some(1_717_171_718_000_000_002),
        status: Status::Error,
        error: Some("TimeoutError: too late".into()),
        inputs: Some(traceable::model::Json::of(
            &json!({ "messages": [{ "role": "user", "content": "Hi" }], "top_p": 0.5 }),
        )),
        usage: Some(Usage::new(3, 5)),
        tags: vec!["eu".into(), "beta".into()],
        project: Some("shop".into()),
        ..Run::default()
    };
    let encoded = Encoder::new(Conventions::default(), Resource::default())
        .encode(&[RunChange::End(Box::new(run.clone()))], MAX_BYTES);
    (run, encoded.requests[0].body.clone())
}

#[test]
#[ignore = "needs OpenTelemetry for Python: run by scripts/check-peers"]
fn opentelemetrys_protobuf_reads_what_is_sent() {
    let (run, body) = failed_call();
    let mut command = python("otlp_check.py", "");
    let mut process = command.arg("read").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(&body).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let span: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&span["name"], &span["kind"], &span["scope"]), (&json!(run.name), &json!(3), &json!("traceable")));
    assert_eq!(span["trace_id"], format!("{:032x}", run.id.as_u128()));
    assert_eq!(span["span_id"], "800000000000002a");
    assert_eq!((&span["start"], &span["end"]), (&json!(run.start_time), &json!(run.end_time)));
    assert_eq!(span["status"], json!([2, "TimeoutError: too late"]));
    assert_eq!(span["resource"]["openinference.project.name"], "shop");
    assert_eq!(
        span["events"],
        json!([["exception", { "exception.type": "TimeoutError", "exception.message": "TimeoutError: too late" }]])
    );
    let said = &span["attributes"];
    assert_eq!((&said["gen_ai.request.top_p"], &said["gen_ai.usage.input_tokens"]), (&json!(0.5), &json!(3)));
    assert_eq!((&said["tag.tags"], &said["error.type"]), (&json!(["eu", "beta"]), &json!("TimeoutError")));
    assert_eq!(said["llm.input_messages.0.message.content"], "Hi");
}

#[test]
#[ignore = "needs OpenTelemetry for Python: run by scripts/check-peers"]
fn what_opentelemetrys_sdk_sends_is_read() {
    let output = python("otlp_check.py", "").arg("write").stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    let digits = String::from_utf8(output.stdout).unwrap();
    let bytes =
        digits.trim().as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
    let decoded = decode_traces(&bytes.collect::<Vec<_>>());
    assert_eq!(decoded.problems, []);
    let runs: Vec<_> = decoded.changes.iter().filter_map(RunChange::run).collect();
    let [call, root] = &*runs else { panic!("{runs:?}") };
    assert_eq!(
        (&*root.name, &*call.name, root.parent_id, call.parent_id),
        ("root", "chat gpt-4o", None, Some(root.id))
    );
    assert_eq!((call.run_type.as_str(), call.model.as_deref(), call.trace_id), ("llm", Some("gpt-4o"), root.trace_id));
    assert_eq!(call.inputs.as_ref().unwrap().to_value()["messages"][0]["role"], "user");
    assert!(call.error.as_ref().unwrap().starts_with("too warm\n\nTraceback"));
}
