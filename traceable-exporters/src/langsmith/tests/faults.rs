//! What a server may do to us, and what it cannot.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;
use traceable_core::model::{Json, Run, RunChange, RunId};

use super::{Memory, Received, Reply, Server, deliver_all, run, runs, settings};

/// The ids of all runs that a server took, each once.
fn ids(requests: &[Received]) -> BTreeSet<RunId> {
    requests.iter().flat_map(Received::changes).filter_map(|change| change.run().map(|run| run.id)).collect()
}

fn is_info(request: &Received) -> bool {
    request.line == "GET /info"
}

/// A server that gives this answer to its first requests with runs, and is well then.
async fn server(times: usize, reply: Reply) -> Server {
    Server::start(move |request, before| match () {
        () if is_info(request) => Reply::json("{}"),
        () if before < times => reply.clone(),
        () => Reply::status(202),
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed_and_no_key_goes_elsewhere() {
    let other = Server::start(|_, _| Reply::status(202)).await;
    let to = format!("location: {}/runs/multipart\r\n", other.url);
    let server = server(1, Reply::Say(307, to, Vec::new())).await;
    let memory = runs(3);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(other.received().len(), 0);
    assert_eq!(server.at("/runs/multipart").len(), 2);
    assert!(
        memory.answers().iter().any(|answer| answer.contains("points to http://127.0.0.1")),
        "{:?}",
        memory.answers()
    );
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_an_answer_is_not_drunk() {
    for status in [202, 500] {
        let server = server(1, Reply::Flood(status)).await;
        let memory = runs(3);
        deliver_all(&settings(&server.url), &memory).await;
        assert!(*server.answered.lock().unwrap() < 32 << 20, "{}", server.answered.lock().unwrap());
        assert!(memory.answers().iter().all(|answer| answer.len() < 300));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bomb_is_not_unpacked() {
    use traceable_wire::encoding::Encoding;

    let bomb = Encoding::Gzip.compress(vec![b'A'; 64 << 20]).unwrap();
    let server = server(1, Reply::Say(503, "content-encoding: gzip\r\n".into(), bomb)).await;
    let memory = runs(3);
    deliver_all(&settings(&server.url), &memory).await;
    assert!(
        memory.answers()[0].starts_with("503: ") && !memory.answers()[0].contains("AAAA"),
        "{:?}",
        memory.answers()
    );
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_given_up_after_ten_seconds_and_asked_again() {
    let server = server(2, Reply::Never).await;
    let memory = runs(3);
    let begun = Instant::now();
    deliver_all(&settings(&server.url), &memory).await;
    assert!(
        begun.elapsed() >= Duration::from_secs(20) && begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    assert!(memory.answers()[0].starts_with("no answer within 10 s"), "{:?}", memory.answers());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_off_is_made_again() {
    let server = server(3, Reply::Cut).await;
    let memory = runs(250);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(ids(&server.at("/runs/multipart")).len(), 250);
    assert_eq!(memory.buried(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_info_holds_nothing_up_and_is_asked_for_again() {
    for wrong in ["", "<html>no", r#"{"batch_ingest_config":{"size_limit":-1,"size_limit_bytes":"x"}}"#] {
        let server = Server::start(move |request, before| match () {
            () if is_info(request) => Reply::json(wrong),
            () if before == 0 => Reply::status(401),
            () => Reply::status(202),
        })
        .await;
        let memory = runs(3);
        deliver_all(&settings(&server.url), &memory).await;
        assert_eq!(ids(&server.at("/runs/multipart")).len(), 3, "{wrong}");
        let asked = if wrong.starts_with('{') { 1 } else { 2 };
        assert_eq!(server.at("/info").len(), asked, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_little_at_once_gets_it_in_pieces() {
    let server = Server::start(|request, _| match () {
        () if is_info(request) => Reply::json("{}"),
        () if request.body.len() > 20_000 => Reply::status(413),
        () => Reply::status(202),
    })
    .await;
    let text = Json::from_value(&serde_json::json!({ "text": "x".repeat(1_000) }));
    let big = Json::from_value(&serde_json::json!({ "text": "x".repeat(100_000) }));
    let run = |n| Run { inputs: Some(if n == 17 { big.clone() } else { text.clone() }), ..run(n) };
    let memory = Memory::of((1..=40).map(|n| RunChange::End(Box::new(run(n)))));
    deliver_all(&settings(&server.url), &memory).await;
    let taken: Vec<_> =
        server.at("/runs/multipart").into_iter().filter(|request| request.body.len() <= 20_000).collect();
    assert_eq!(ids(&taken).len(), 40);
    let cut = taken.iter().flat_map(Received::changes).find(|change| change.run().unwrap().name == "run 17").unwrap();
    assert!(cut.run().unwrap().metadata["traceable.truncated"].as_u64().unwrap() > 100_000);
    assert_eq!(memory.buried(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn the_one_that_is_wrong_spoils_no_other() {
    let server = Server::start(|request, _| match () {
        () if is_info(request) => Reply::json("{}"),
        () if request.changes().iter().any(|change| change.run().unwrap().name == "run 7") => Reply::status(422),
        () => Reply::status(202),
    })
    .await;
    let memory = runs(60);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(memory.buried(), [7]);
    assert_eq!(ids(&server.at("/runs/multipart")).len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_keeps_everything_until_it_is_right_and_is_not_repeated() {
    let reply = Reply::Say(401, String::new(), b"the key lsv2_pt_secret is not known".to_vec());
    let server = server(3, reply).await;
    let memory = runs(30);
    let begun = Instant::now();
    deliver_all(&settings(&server.url), &memory).await;
    assert!(begun.elapsed() >= Duration::from_secs(180), "{:?}", begun.elapsed());
    assert_eq!(server.at("/runs/multipart").len(), 4, "once a minute");
    assert_eq!(memory.answers()[0], "401: the key [key] is not known");
}

#[tokio::test(start_paused = true)]
async fn a_server_is_left_alone_as_long_as_it_asks() {
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let seen = Arc::clone(&times);
    let server = Server::start(move |request, before| {
        if is_info(request) {
            return Reply::json("{}");
        }
        seen.lock().unwrap().push(Instant::now());
        if before < 3 { Reply::Say(429, "retry-after: 7\r\n".into(), Vec::new()) } else { Reply::status(202) }
    })
    .await;
    let memory = runs(300);
    deliver_all(&settings(&server.url), &memory).await;
    let times = times.lock().unwrap();
    for pair in times.windows(2).take(3) {
        let waited = pair[1] - pair[0];
        assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8), "{waited:?}");
    }
    assert_eq!(ids(&server.at("/runs/multipart")).len(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_multipart_gets_batches() {
    let server = Server::start(|request, _| match &*request.line {
        "POST /runs/batch" => Reply::status(202),
        _ => Reply::status(404),
    })
    .await;
    let memory = runs(250);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(server.at("/runs/multipart").len(), 1);
    let batches = server.at("/runs/batch");
    let decoded = batches.iter().map(|request| traceable_wire::langsmith::decode_batch(&request.plain()).changes.len());
    assert_eq!(decoded.sum::<usize>(), 250);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_address_keeps_everything() {
    let server = Server::start(|_, before| if before < 2 { Reply::status(404) } else { Reply::status(202) }).await;
    let memory = runs(3);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(memory.buried(), [0; 0]);
    assert!(memory.answers().iter().any(|answer| answer.starts_with("404: ")));
}
