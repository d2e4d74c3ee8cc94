//! What a server may do to us, beside what it may do to all exporters (`langsmith::tests::faults`).

use std::time::Duration;

use tokio::time::Instant;
use traceable_core::model::{Json, Run, RunChange};

use super::{Memory, Otlp, Reply, Server, deliver_all, names, plain, run, runs, spans};

/// `ExportTraceServiceResponse` with a partial success.
fn partial(rejected: u8, message: &str) -> Reply {
    let inner = [&[8, rejected, 18, message.len() as u8][..], message.as_bytes()].concat();
    Reply::Say(200, String::new(), [&[10, inner.len() as u8][..], &inner].concat())
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_of_a_request_is_counted_and_not_sent_again() {
    let server = Server::start(|_, _| partial(2, "too large, x-api-key hunter2")).await;
    let memory = runs(10);
    deliver_all(&plain(&server.url), &memory).await;
    assert_eq!((server.received().len(), memory.refused(), memory.buried()), (1, 2, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_little_at_once_gets_it_in_pieces() {
    let server = Server::start(|request, _| Reply::status(if request.body.len() > 20_000 { 413 } else { 200 })).await;
    let text = |bytes: usize| Some(Json::from_value(&serde_json::json!({ "text": "x".repeat(bytes) })));
    let run = |n| Run { inputs: text(if n == 17 { 100_000 } else { 1_000 }), ..run(n) };
    let memory = Memory::of((1..=40).map(|n| RunChange::End(Box::new(run(n)))));
    deliver_all(&plain(&server.url), &memory).await;
    let mut taken = server.at("/v1/traces");
    taken.retain(|request| request.body.len() <= 20_000);
    assert_eq!(names(&taken).len(), 40, "each once");
    let cut = taken.iter().flat_map(spans).find(|change| change.run().unwrap().name == "run 17").unwrap();
    assert!(cut.run().unwrap().metadata["traceable.truncated"].as_u64().unwrap() > 100_000);
    assert_eq!(memory.buried(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_server_is_left_alone_as_long_as_it_asks_and_gets_the_same_again() {
    let server = Server::start(|_, before| match before {
        0 => Reply::Say(503, "retry-after: 7\r\n".into(), Vec::new()),
        _ => Reply::status(200),
    })
    .await;
    let memory = runs(300);
    let begun = Instant::now();
    deliver_all(&plain(&server.url), &memory).await;
    assert!(begun.elapsed() >= Duration::from_secs(7), "{:?}", begun.elapsed());
    let requests = server.at("/v1/traces");
    assert_eq!((requests.len(), requests[0].body == requests[1].body), (2, true));
    assert_eq!(names(&requests[1..]).len(), 300);
}

#[tokio::test(start_paused = true)]
async fn the_one_that_is_wrong_spoils_no_other() {
    let server = Server::start(|request, _| {
        let is_wrong = names([request]).iter().any(|name| &**name == "run 7");
        Reply::status(if is_wrong { 400 } else { 200 })
    })
    .await;
    let memory = runs(60);
    deliver_all(&plain(&server.url), &memory).await;
    assert_eq!(memory.buried(), [7]);
    let mut taken = server.at("/v1/traces");
    taken.retain(|request| !names([request]).iter().any(|name| &**name == "run 7"));
    assert_eq!(names(&taken).len(), 59);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_keeps_everything_and_is_not_repeated() {
    let said = b"Bearer hunter2-token: hunter2-token is not known, nor is s3cret".to_vec();
    let server = Server::start(move |_, before| match before {
        0 => Reply::Say(401, String::new(), said.clone()),
        _ => Reply::status(200),
    })
    .await;
    let memory = runs(3);
    let otlp = Otlp::builder().endpoint(&server.url).header("authorization", "Bearer hunter2-token");
    deliver_all(&otlp.header("x-key", "s3cret").build().unwrap(), &memory).await;
    assert_eq!(memory.answers()[0], "401: [key]: [key] is not known, nor is [key]");
    assert_eq!(memory.buried(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_as_was_said() {
    let server = Server::start(|_, before| if before == 0 { Reply::Never } else { Reply::status(200) }).await;
    let memory = runs(3);
    let otlp = Otlp::builder().endpoint(&server.url).timeout(Duration::from_secs(3)).build().unwrap();
    deliver_all(&otlp, &memory).await;
    assert!(memory.answers()[0].starts_with("no answer within 3 s"), "{:?}", memory.answers());
}
