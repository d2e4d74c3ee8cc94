//! What tracing costs where nothing is recorded: nothing is allocated.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{convert::Infallible, future::ready, hint::black_box};

use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use tower::{Layer as _, Service};
use traceable::{
    Context, current, feedback,
    integrations::tower::{ContinueTraceLayer, PassTraceLayer},
    run, scope, start_trace, thread, traceable, wrap,
};

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

#[test]
fn what_is_said_by_hand_allocates_nothing() {
    #[traceable]
    fn work(n: u64) -> u64 {
        n + 1
    }
    let headers = [("langsmith-trace", "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a")];
    let say = || {
        let context = Context::from_headers(black_box(headers));
        let scope =
            scope().parent(&context).thread("t-1").user("ada").tag("beta").metadata("region", "eu").run_name("n");
        scope.call(|| {
            let trace = start_trace("trace");
            trace.set_result("The Godfather");
            let child = trace.child("child").run_type("tool").input("n", &1).metadata("k", "v").start();
            child.scope(|| black_box(work(1)));
            assert_eq!((child.headers(), current().headers(), Context::current().headers()), (vec![], vec![], vec![]));
            child.end_with(&2);
            run("call").call(|run| run.add_tag("beta"));
            run("future").future(ready(())).now_or_never().unwrap();
            wrap(|| ())();
            drop(black_box(current().context().clone()));
            feedback(current(), "stars").score(1).comment("good").send();
            thread("t-1").name("first").send();
        });
    };
    // The first call asks the environment.
    say();
    assert_eq!(allocation_counter::measure(say).count_total, 0);
}
