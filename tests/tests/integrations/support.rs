//! Servers on ports of this machine, each with a memory of its own, and clients that may tell them.

use std::{
    net::SocketAddr,
    task::{Context, Poll},
};

use axum::{Router, body::Body, extract::Request, middleware::Next, response::Response};
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer as _, Service, ServiceExt as _};
use traceable::{
    integrations::tower::{AllowedHosts, PassTrace, PassTraceLayer},
    scope,
    testing::Recorder,
};

/// Serves at a free port. What the server records goes to the recorder's memory.
pub(crate) async fn serve(router: Router, recorder: &Recorder) -> SocketAddr {
    let client = recorder.client();
    let router = router.layer(axum::middleware::from_fn(move |request: Request, next: Next| {
        scope().client(client).future(next.run(request))
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A client that tells the hosts which are named here.
#[derive(Clone)]
pub(crate) struct Http(PassTrace<Client<HttpConnector, Body>>);

impl Http {
    pub(crate) fn new(hosts: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self(PassTraceLayer::new(hosts.parse::<AllowedHosts>().unwrap()).layer(client))
    }

    pub(crate) async fn send(&self, request: http::Request<Body>) -> http::Response<hyper::body::Incoming> {
        self.0.clone().ready().await.unwrap().call(request).await.unwrap()
    }

    /// The text of what is there.
    pub(crate) async fn get(&self, address: SocketAddr, path: &str) -> String {
        let request = Request::get(format!("http://{address}{path}")).body(Body::empty()).unwrap();
        let bytes = self.send(request).await.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

/// For what follows redirects around the client.
impl Service<http::Request<Body>> for Http {
    type Response = Response;
    type Error = hyper_util::client::legacy::Error;
    type Future = futures::future::BoxFuture<'static, Result<Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let response = self.0.call(request);
        Box::pin(async move { Ok(response.await?.map(Body::new)) })
    }
}
