//! What arrives at a server, read by the decoder of `traceable-wire`, which is made of OpenTelemetry's own messages.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use traceable_core::{
    delivery::{Delivery, Link, Remote as _},
    model::{Json, Run, RunChange, RunId, RunType, ScoreTarget, Status, Usage},
};
use traceable_wire::otlp::{Convention, Conventions, decode_logs};

use super::{Memory, Otlp, Reply, Server, deliver_all, end, plain, run, runs, score, spans};

async fn well() -> Server {
    Server::start(|_, _| Reply::status(200)).await
}

/// A question that is answered by a model, with a tool that fails.
fn trace() -> [Run; 3] {
    let root = Run { run_type: RunType::Chain, status: Status::Ok, ..run(1) };
    let below = |n: u128, run_type: RunType| Run { run_type, trace_id: root.id, parent_id: Some(root.id), ..run(n) };
    let model = Run {
        model: Some("gpt-4o".into()),
        provider: Some("openai".into()),
        usage: Some(Usage::new(27, 13)),
        status: Status::Ok,
        inputs: Json::parse(r#"{"messages":[{"role":"user","content":"Weather in Paris?"}]}"#).ok(),
        outputs: Json::parse(r#"{"choices":[{"message":{"role":"assistant","content":"Sunny."}}]}"#).ok(),
        ..below(2, RunType::Llm)
    };
    let tool = Run {
        status: Status::Error,
        error: Some("TimeoutError: no answer within 3 s".to_owned()),
        ..below(3, RunType::Tool)
    };
    [root, model, tool]
}

#[tokio::test]
async fn a_trace_arrives_with_its_call_its_error_and_its_score() {
    let server = well().await;
    let sent = trace();
    let changes = sent.iter().map(|run| RunChange::End(Box::new(run.clone())));
    let memory = Memory::of(changes.chain([score(9, ScoreTarget::Run(sent[1].id))]));
    let otlp = Otlp::builder().endpoint(&server.url).service_name("shop").build().unwrap();
    deliver_all(&otlp, &memory).await;
    assert_eq!(server.at("/v1/logs").len(), 0, "the score is an event of its span");
    let request = &server.at("/v1/traces")[0];
    assert_eq!(request.line, "POST /v1/traces");
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert!(request.header("user-agent").unwrap().starts_with("traceable-rs/"));
    let changes = spans(request);
    let runs: Vec<&Run> = changes.iter().filter_map(RunChange::run).collect();
    for (came, sent) in runs.iter().zip(&sent) {
        assert_eq!((came.id, came.parent_id, came.trace_id), (sent.id, sent.parent_id, sent.trace_id));
        assert_eq!((&*came.name, &came.run_type, came.status), (&*sent.name, &sent.run_type, sent.status));
        assert_eq!((&came.inputs, &came.outputs, &came.error), (&sent.inputs, &sent.outputs, &sent.error));
        assert_eq!((&came.model, came.usage.is_some()), (&sent.model, sent.usage.is_some()));
    }
    assert_eq!(changes.iter().filter(|change| matches!(change, RunChange::Score(_))).count(), 1);
}

#[tokio::test]
async fn headers_conventions_and_plain_bodies_are_as_was_said() {
    let server = well().await;
    let otlp = Otlp::builder()
        .endpoint(format!("{}/otel/", server.url))
        .header("x-api-key", "hunter2")
        .conventions(Conventions::of(&[Convention::OpenInference]))
        .compression(false)
        .build()
        .unwrap();
    deliver_all(&otlp, &Memory::of(trace().map(|run| RunChange::End(Box::new(run))))).await;
    let request = &server.received()[0];
    assert_eq!(request.line, "POST /otel/v1/traces");
    assert_eq!((request.header("x-api-key"), request.header("content-encoding")), (Some("hunter2"), None));
    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert!(body.contains("llm.model_name") && !body.contains("gen_ai.request.model"), "{body}");
}

#[tokio::test]
async fn a_score_that_comes_alone_is_a_log_record() {
    let server = well().await;
    let said = score(9, ScoreTarget::Trace(RunId::from_u128(1)));
    deliver_all(&plain(&server.url), &Memory::of([said.clone()])).await;
    assert_eq!(server.at("/v1/traces").len(), 0);
    let decoded = decode_logs(&server.at("/v1/logs")[0].plain());
    assert_eq!((decoded.problems, decoded.changes), (vec![], vec![said]));
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_place_for_logs_scores_hold_nothing_up() {
    let server = Server::start(|request, _| match &*request.line {
        "POST /v1/traces" => Reply::status(200),
        _ => Reply::status(404),
    })
    .await;
    let alone = |n| score(n, ScoreTarget::Trace(RunId::from_u128(9_999)));
    let memory = Memory::of((20..23).map(alone).chain((1..=2_000).map(end)).chain([alone(23)]));
    deliver_all(&plain(&server.url), &memory).await;
    assert_eq!(memory.refused(), 4);
    assert_eq!(memory.buried(), [0; 0]);
    assert!(memory.answers().iter().all(|answer| answer == "taken"), "{:?}", memory.answers());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_address_keeps_scores_too() {
    let server = Server::start(|_, before| if before < 2 { Reply::status(404) } else { Reply::status(200) }).await;
    let memory = Memory::of([score(9, ScoreTarget::Trace(RunId::from_u128(1)))]);
    deliver_all(&plain(&server.url), &memory).await;
    assert_eq!((memory.refused(), memory.answers().first().map(String::as_str)), (0, Some("404: said so")));
}

#[tokio::test]
async fn what_is_added_beside_the_end_goes_along_and_what_has_no_place_is_counted() {
    let server = well().await;
    let patch = |n| {
        let metadata = json!({ "stars": 5 }).as_object().unwrap().clone();
        RunChange::Patch(Box::new(Run { id: RunId::from_u128(n), metadata, ..Run::default() }))
    };
    let memory = Memory::of([end(1), patch(1), patch(7), RunChange::Thread(Box::default())]);
    deliver_all(&plain(&server.url), &memory).await;
    assert_eq!(memory.refused(), 2);
    let changes = spans(&server.at("/v1/traces")[0]);
    assert_eq!(changes[0].run().unwrap().metadata["stars"], 5);
}

/// As an application without a runtime does it: on the process's own thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_thread_that_delivers_needs_no_runtime_of_the_application() {
    let server = well().await;
    let (otlp, memory) = (plain(&server.url), runs(1_000));
    let application = std::thread::spawn({
        let memory = memory.clone();
        move || {
            let link = Arc::new(Link::default());
            link.appended(1_000);
            let delivery = Delivery::new(otlp.identity(), otlp.limits(), Box::new(memory), Arc::clone(&link));
            Arc::new(otlp).drive(delivery).unwrap();
            assert!(link.wait_until_done(Instant::now() + Duration::from_secs(60)));
            link.close();
        }
    });
    application.join().unwrap();
    assert_eq!(super::names(&server.at("/v1/traces")).len(), 1_000);
}
