//! Who is told of a trace, and who is not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::Request, response::Redirect, routing::get};
use http::HeaderMap;
use reqwest_middleware::ClientWithMiddleware;
use tower::{Layer as _, ServiceExt as _};
use tower_http::follow_redirect::FollowRedirectLayer;
use traceable::{
    integrations::{reqwest_middleware::client, tower::AllowedHosts},
    run, scope,
    testing::Recorder,
};

use crate::support::{Http, serve};

type Heard = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that keeps the headers of what it is asked, and sends callers on from `/moved`.
async fn listening(moved_to: Option<SocketAddr>) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let keep = Arc::clone(&heard);
    let app = Router::new()
        .route("/", get(|| async {}))
        .route("/moved", get(move || async move { Redirect::temporary(&format!("http://{}/", moved_to.unwrap())) }))
        .layer(axum::middleware::map_request(move |request: Request| {
            keep.lock().unwrap().push(request.headers().clone());
            async { request }
        }));
    (serve(app, &Recorder::new()).await, heard)
}

fn is_told(headers: &HeaderMap) -> bool {
    ["langsmith-trace", "traceparent", "baggage"].iter().any(|name| headers.contains_key(*name))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_who_was_not_named() {
    let recorder = Recorder::new();
    let (address, heard) = listening(None).await;
    let named = format!("127.0.0.1:{}", address.port());
    let other = format!("127.0.0.1:{}", address.port().wrapping_add(1).max(1));
    let work = async {
        for hosts in ["", "example.com", &other, &named] {
            Http::new(hosts).get(address, "/").await;
        }
    };
    recorder.scope_future(scope().user("ada").future(async { run("call").future(work).await })).await;
    // Where there is no run there is nothing to tell.
    Http::new(&named).get(address, "/").await;
    let told: Vec<bool> = heard.lock().unwrap().iter().map(is_told).collect();
    assert_eq!(told, [false, false, false, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_a_stranger_tells_nothing() {
    let recorder = Recorder::new();
    let (stranger, strange) = listening(None).await;
    let (friend, told) = listening(Some(stranger)).await;
    let http = FollowRedirectLayer::new().layer(Http::new(&format!("127.0.0.1:{}", friend.port())));
    let request = Request::get(format!("http://{friend}/moved")).body(Body::empty()).unwrap();
    let work = async { run("call").future(http.oneshot(request)).await };
    let answer = recorder.scope_future(work).await.unwrap();
    assert!(answer.status().is_success());
    assert!(told.lock().unwrap().iter().all(is_told));
    let strange = strange.lock().unwrap();
    assert_eq!((strange.len(), is_told(&strange[0])), (1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_does_not_carry_on_to_a_stranger() {
    // Where the examples are built along, reqwest has TLS and asks for a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let recorder = Recorder::new();
    let (stranger, strange) = listening(None).await;
    let (friend, told) = listening(Some(stranger)).await;
    let (also, also_told) = listening(Some(friend)).await;
    let named = |addresses: &[SocketAddr]| {
        let hosts = AllowedHosts::new(addresses.iter().map(ToString::to_string)).unwrap();
        client(reqwest::Client::builder().no_proxy(), hosts).unwrap()
    };
    let ask = async |client: ClientWithMiddleware, address: SocketAddr| {
        let work = async { run("call").future(client.get(format!("http://{address}/moved")).send()).await };
        recorder.scope_future(work).await.unwrap().status().as_u16()
    };
    // From one that may be told to one that may not: no further.
    assert_eq!(ask(named(&[friend]), friend).await, 307);
    assert_eq!(strange.lock().unwrap().len(), 0);
    // To one that may be told, too; and from one that is told nothing.
    assert_eq!(ask(named(&[friend, also]), also).await, 200);
    assert_eq!(ask(named(&[stranger]), friend).await, 200);
    assert_eq!(told.lock().unwrap().iter().map(is_told).collect::<Vec<_>>(), [true, true, false]);
    assert!(also_told.lock().unwrap().iter().all(is_told));
    assert_eq!(strange.lock().unwrap().iter().map(is_told).collect::<Vec<_>>(), [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_request_stays_there() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let recorder = Recorder::new();
    let (address, heard) = listening(None).await;
    let request = Request::get(format!("http://{address}/"))
        .header("traceparent", PARENT)
        .header("tracestate", "vendor=1")
        .header("baggage", "tenant=7,langsmith-project=stolen")
        .header("baggage", "region=eu")
        .header("langsmith-trace", "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a")
        .body(Body::empty())
        .unwrap();
    let work = async { run("call").future(async { Http::new("localhost").send(request).await }).await };
    recorder.scope_future(scope().user("ada").future(work)).await;
    let heard = heard.lock().unwrap();
    let values = |name: &str| heard[0].get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((values("traceparent"), values("tracestate")), (vec![PARENT], vec!["vendor=1"]));
    assert_eq!(values("langsmith-trace"), [recorder.run("call").dotted_order.as_str()]);
    assert_eq!(values("baggage"), ["langsmith-metadata=%7B%22user_id%22%3A%22ada%22%7D,tenant=7,region=eu"]);
}
