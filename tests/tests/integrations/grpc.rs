//! The same layers around tonic's servers and channels.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::body::Bytes;
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use hyper::body::Buf as _;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{NamedService, UnaryService},
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tower::{Layer as _, Service, ServiceExt as _, layer::layer_fn, service_fn};
use traceable::{
    RunId,
    integrations::tower::{ContinueTrace, ContinueTraceLayer, PassTraceLayer},
    run, scope,
    testing::Recorder,
    traceable,
};

/// Messages that are plain text.
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes: Bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

#[traceable]
async fn search(word: String) -> Result<String, Status> {
    tokio::task::yield_now().await;
    if word == "missing" { Err(Status::internal("no index")) } else { Ok(format!("found {word}")) }
}

#[derive(Clone)]
struct Search;

impl NamedService for Search {
    const NAME: &'static str = "search.Search";
}

impl UnaryService<String> for Search {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async { search(request.into_inner()).await.map(Response::new) })
    }
}

impl Service<http::Request<Body>> for Search {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(tonic::server::Grpc::new(Text).unary(Self, request).await) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_tells_and_a_server_goes_on() {
    let (here, there) = (Recorder::new(), Recorder::new());
    let client = there.client();
    let in_memory = layer_fn(move |inner| {
        service_fn(move |request: http::Request<Body>| {
            let inner: ContinueTrace<_> = Clone::clone(&inner);
            scope().client(client).future(async move { inner.oneshot(request).await })
        })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin: http::Uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = Server::builder()
        .layer(in_memory)
        .layer(ContinueTraceLayer::new().with_run().route(|request| Some(request.uri.path())))
        .add_service(Search);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel: Channel = Endpoint::from(origin.clone()).connect().await.unwrap();
    let layer = PassTraceLayer::new("localhost".parse().unwrap()).origin(origin);
    let mut grpc = tonic::client::Grpc::new(layer.layer(channel));
    let path = PathAndQuery::from_static("/search.Search/Find");
    let mut ask = async |word: &str| {
        grpc.ready().await.unwrap();
        let request = Request::new(word.to_owned());
        let call = async { run("call").future(grpc.unary(request, path.clone(), Text)).await };
        here.scope_future(call).await.map(Response::into_inner)
    };
    assert_eq!(ask("word").await.unwrap(), "found word");
    assert_eq!(ask("missing").await.unwrap_err().code(), Code::Internal);
    assert_eq!(there.tree(), "POST /search.Search/Find\n  search\nPOST /search.Search/Find error\n  search error\n");
    let calls: Vec<RunId> = here.runs().iter().map(|run| run.id).collect();
    let parents: Vec<RunId> =
        there.runs().iter().filter(|run| run.name != "search").map(|run| run.parent_id.unwrap()).collect();
    assert_eq!(calls, parents);
    assert_eq!(there.runs()[2].error.as_deref(), Some("gRPC status INTERNAL"));
}
