//! The run of a request: when it ends, and how.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::{Response, Sse, sse::Event},
    routing::get,
};
use futures::{Stream, StreamExt as _, stream};
use http::StatusCode;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::Notify;
use tower::{Layer as _, ServiceExt as _};
use traceable::{
    Run, RunId, Status,
    integrations::tower::{ContinueTraceLayer, PassTraceLayer},
    run,
    testing::Recorder,
    traceable,
};

use crate::support::{Http, serve};

#[traceable]
fn token(n: u32) -> u32 {
    n
}

/// Waits until what a server does on another task has been recorded.
async fn ended(recorder: &Recorder, name: &str) -> Run {
    loop {
        if let Some(run) = recorder.runs().into_iter().find(|run| run.name == name) {
            return run;
        }
        tokio::task::yield_now().await;
    }
}

fn request(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Sends events, each when it is allowed to.
fn events(go_on: Arc<Notify>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::iter(0..3).then(move |n| {
        let go_on = Arc::clone(&go_on);
        async move {
            go_on.notified().await;
            Ok(Event::default().data(token(n).to_string()))
        }
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_is_a_part_of_its_request() {
    let recorder = Recorder::new();
    let go_on = Arc::new(Notify::new());
    let handler = {
        let go_on = Arc::clone(&go_on);
        || async { events(go_on) }
    };
    let app = Router::new().route("/events", get(handler)).layer(ContinueTraceLayer::new().with_run());
    let address = serve(app, &recorder).await;
    let answer = Http::new("").send(request(&format!("http://{address}/events"))).await;
    let mut body = answer.into_body();
    for _ in 0..3 {
        assert!(recorder.runs().iter().all(|run| run.name != "GET"), "it ended before its stream");
        go_on.notify_one();
        body.frame().await.unwrap().unwrap();
    }
    assert!(body.frame().await.is_none());
    assert_eq!(ended(&recorder, "GET").await.status, Status::Ok);
    assert_eq!(recorder.tree(), "GET\n  token\n  token\n  token\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_cancels() {
    let recorder = Recorder::new();
    let go_on = Arc::new(Notify::new());
    let handler = {
        let go_on = Arc::clone(&go_on);
        || async { events(go_on) }
    };
    let begun = Arc::new(Notify::new());
    let waits = {
        let begun = Arc::clone(&begun);
        || async move {
            begun.notify_one();
            run("waits").future(std::future::pending::<()>()).await;
        }
    };
    let app = Router::new()
        .route("/events", get(handler))
        .route("/waits", get(waits))
        .layer(ContinueTraceLayer::new().with_run().route(|request| Some(request.uri.path())));
    let address = serve(app, &recorder).await;
    // While the answer comes,
    let mut answer = Http::new("").send(request(&format!("http://{address}/events"))).await;
    go_on.notify_one();
    answer.frame().await.unwrap().unwrap();
    drop(answer);
    assert_eq!(ended(&recorder, "GET /events").await.status, Status::Cancelled);
    // and before it.
    let http = Http::new("");
    let call = tokio::spawn(async move { http.send(request(&format!("http://{address}/waits"))).await });
    begun.notified().await;
    call.abort();
    assert_eq!(ended(&recorder, "GET /waits").await.status, Status::Cancelled);
    assert!(recorder.tree().contains("  waits cancelled\n"), "{}", recorder.tree());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_read_as_far_as_it_goes_is_whole() {
    let recorder = Recorder::new();
    // The length is known to the server, and not to the body.
    let promised = || async {
        let frames = stream::iter(["ab", "c"].map(|text| Ok::<_, Infallible>(Frame::data(Bytes::from(text)))));
        Response::builder().header("content-length", 3).body(Body::new(StreamBody::new(frames))).unwrap()
    };
    let app = Router::new()
        .route("/promised", get(promised))
        .route("/text", get(|| async { "text" }))
        .route("/nothing", get(|| async { StatusCode::NO_CONTENT }))
        .layer(ContinueTraceLayer::new().with_run().route(|request| Some(request.uri.path())));
    let address = serve(app, &recorder).await;
    let http = Http::new("");
    for path in ["/promised", "/text", "/nothing"] {
        let answer = http.get(address, path).await;
        assert_eq!(
            answer.len(),
            match path {
                "/promised" => 3,
                "/text" => 4,
                _ => 0,
            }
        );
        assert_eq!(ended(&recorder, &format!("GET {path}")).await.status, Status::Ok, "{path}");
        let head = Request::head(format!("http://{address}{path}")).body(Body::empty()).unwrap();
        http.send(head).await.into_body().collect().await.unwrap();
        assert_eq!(ended(&recorder, &format!("HEAD {path}")).await.status, Status::Ok, "HEAD {path}");
    }
}

/// What one request that is answered so comes to.
async fn recorded(answer: impl AsyncFn() -> Result<Response, &'static str>) -> Run {
    let recorder = Recorder::new();
    let service = ContinueTraceLayer::new().with_run().layer(tower::service_fn(async |_: Request| answer().await));
    let work = async {
        if let Ok(answer) = service.oneshot(request("/")).await {
            let _ = answer.into_body().collect().await;
        }
    };
    recorder.scope_future(work).await;
    recorder.run("GET")
}

#[tokio::test]
async fn failures() {
    let failed = |run: Run| {
        assert_eq!(run.status, Status::Error);
        run.error.unwrap()
    };
    let status = |status: StatusCode| Response::builder().status(status).body(Body::from("x")).unwrap();
    let run = recorded(async || Ok(status(StatusCode::SERVICE_UNAVAILABLE))).await;
    assert_eq!(run.metadata["http.response.status_code"], 503);
    assert_eq!(failed(run), "503 Service Unavailable");
    // The caller's mistake is not the server's.
    assert_eq!(recorded(async || Ok(status(StatusCode::NOT_FOUND))).await.status, Status::Ok);
    assert_eq!(failed(recorded(async || Err("out of order")).await), "out of order");
    let run = recorded(async || {
        let frames = stream::iter([Ok(Bytes::from("a")), Err("the model hung up")]);
        Ok(Response::new(Body::from_stream(frames)))
    });
    assert_eq!(failed(run.await), "the model hung up");
    let run = recorded(async || {
        let trailers = [("grpc-status", "13")].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let frames = [Frame::data(Bytes::from("a")), Frame::trailers(trailers.into_iter().collect())];
        Ok(Response::new(Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>))))))
    });
    assert_eq!(failed(run.await), "gRPC status INTERNAL");
    let run = recorded(async || Ok(Response::builder().header("grpc-status", 14).body(Body::empty()).unwrap()));
    assert_eq!(failed(run.await), "gRPC status UNAVAILABLE");
}

#[tokio::test]
async fn a_panic_is_the_requests() {
    let recorder = Recorder::new();
    let service = ContinueTraceLayer::new()
        .with_run()
        .layer(tower::service_fn(async |_: Request| -> Result<Response, Infallible> { panic!("on purpose") }));
    let work =
        async { futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(service.oneshot(request("/")))).await };
    assert!(recorder.scope_future(work).await.is_err());
    let run = recorder.run("GET");
    assert_eq!(run.status, Status::Error);
    assert!(run.error.unwrap().contains("on purpose"));
}

#[tokio::test]
async fn a_server_may_ignore_its_callers() {
    let caller = "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a";
    let parent_of = async |layer: ContinueTraceLayer| {
        let recorder = Recorder::new();
        let service = layer.layer(tower::service_fn(async |_: Request| {
            token(1);
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }));
        let request = Request::get("/").header("langsmith-trace", caller).body(Body::empty()).unwrap();
        let _ = recorder.scope_future(service.oneshot(request)).await;
        recorder.runs()[0].parent_id
    };
    let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse().unwrap();
    assert_eq!(parent_of(ContinueTraceLayer::new()).await, Some(id));
    assert_eq!(parent_of(ContinueTraceLayer::new().with_run()).await, Some(id));
    assert_eq!(parent_of(ContinueTraceLayer::new().ignore_callers()).await, None);
    assert_eq!(parent_of(ContinueTraceLayer::new().ignore_callers().with_run()).await, None);
}

#[tokio::test]
async fn a_name_that_a_stranger_chose_is_no_name() {
    let recorder = Recorder::new();
    let service = ContinueTraceLayer::new()
        .with_run()
        .layer(tower::service_fn(async |_: Request| Ok::<_, Infallible>(Response::new(Body::empty()))));
    let request = Request::builder().method("SESAME").uri("/secret?key=1").body(Body::empty()).unwrap();
    let _ = recorder.scope_future(service.oneshot(request)).await;
    let run = recorder.run("HTTP");
    assert!(!format!("{run:?}").contains("secret"));
}

#[tokio::test]
async fn a_channel_names_its_host_once() {
    let told = async |layer: PassTraceLayer| {
        let service = layer.layer(tower::service_fn(async |request: Request| {
            Ok::<_, Infallible>(request.headers().contains_key("langsmith-trace"))
        }));
        let recorder = Recorder::new();
        recorder
            .scope_future(async { run("call").future(service.oneshot(request("/search.Search/Find"))).await })
            .await
            .unwrap()
    };
    let layer = PassTraceLayer::new("search.internal".parse().unwrap());
    assert!(!told(layer.clone()).await);
    assert!(told(layer.clone().origin("http://search.internal:50051".parse().unwrap())).await);
    assert!(!told(layer.origin("http://api.openai.com".parse().unwrap())).await);
}
