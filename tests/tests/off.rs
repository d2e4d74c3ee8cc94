//! What integrations cost where nothing is recorded: nothing is allocated.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{convert::Infallible, future::ready, hint::black_box};

use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use tower::{Layer as _, Service};
use traceable::integrations::tower::{ContinueTraceLayer, PassTraceLayer};

type Body = Empty<&'static [u8]>;

/// Answers one request.
fn answer<S: Service<Request<()>, Response = Response<B>>, B: http_body::Body>(service: &mut S) {
    let request = black_box(Request::new(()));
    let response = service.call(request).now_or_never().unwrap().ok().unwrap();
    let mut body = std::pin::pin!(response.into_body());
    assert!(body.frame().now_or_never().unwrap().is_none());
}

#[test]
fn a_layer_that_records_nothing_allocates_nothing() {
    let bare = || tower::service_fn(|_: Request<()>| ready(Ok::<_, Infallible>(Response::new(Body::new()))));
    let layer = ContinueTraceLayer::new().with_run().route(|request| Some(request.uri.path()));
    let mut service = PassTraceLayer::new("localhost".parse().unwrap()).layer(layer.layer(bare()));
    let allocated = allocation_counter::measure(|| answer(&mut service));
    assert_eq!(allocated.count_total, 0);
}
