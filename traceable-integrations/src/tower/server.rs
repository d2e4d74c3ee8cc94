//! Going on with the trace of the caller, and a run for each request.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
};

use http::{HeaderMap, Method, Request, Response, StatusCode, header::CONTENT_LENGTH, request::Parts};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;
use traceable_core::{ActiveRun, Context, model::Status, run, runtime};

use super::{AtEnd, BodyEnd, Tail, tail::Unwinding};

/// Finds the route of a request.
type RouteOf = fn(&Parts) -> Option<&str>;

/// Makes what begins in a handler, and in the body that it answers with, a part of the trace that the request's headers
/// name. On request, each request is a run of its own.
///
/// What is read from the headers are ids, whether the trace is sampled, and a few metadata values and tags; see
/// [`propagation`](traceable_core::propagation). While tracing is off, which it is until `init`, nothing is read.
///
/// ```
/// use traceable_integrations::tower::ContinueTraceLayer;
///
/// // For axum, a run named `GET /users/{id}`:
/// // .route(|request| request.extensions.get::<axum::extract::MatchedPath>().map(|path| path.as_str()))
/// // For tonic, whose paths are the names of methods:
/// let layer = ContinueTraceLayer::new().with_run().route(|request| Some(request.uri.path()));
/// # let _: ContinueTraceLayer = layer;
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ContinueTraceLayer {
    ignores_callers: bool,
    has_run: bool,
    route_of: Option<RouteOf>,
}

impl ContinueTraceLayer {
    /// Goes on with the caller's trace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does not look at the headers, for servers that strangers call: every request is a trace of its own.
    #[must_use]
    pub fn ignore_callers(mut self) -> Self {
        self.ignores_callers = true;
        self
    }

    /// Makes every request a run. It ends with the body of the answer, so that a stream of events is a part of it; it has
    /// failed when the answer says that the server has (500 and above, and the like in gRPC) or when the body does, and is
    /// cancelled when the caller goes away.
    #[must_use]
    pub fn with_run(mut self) -> Self {
        self.has_run = true;
        self
    }

    /// Says how to find the route of a request, such as `/users/{id}`: with the method before it, the name of the run.
    /// Without a route that is the method alone, for a path may have anything in it.
    #[must_use]
    pub fn route(mut self, route_of: fn(&Parts) -> Option<&str>) -> Self {
        self.route_of = Some(route_of);
        self
    }

    /// What is kept of a request until it has been answered.
    fn serve(&self, request: &Parts) -> Served {
        let caller = if self.ignores_callers {
            Context::current()
        } else {
            Context::from_headers(request.headers.iter().map(|(name, value)| (name.as_str(), value)))
        };
        let wants_body = request.method != Method::HEAD;
        if !self.has_run {
            return Served { context: Box::new(caller), run: RequestRun::new(None), wants_body };
        }
        let _in_caller = caller.attach();
        let method = method(&request.method);
        let route = self.route_of.and_then(|route_of| route_of(request));
        let mut builder = run(route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")))
            .metadata("http.request.method", method);
        if let Some(route) = route {
            builder = builder.metadata("http.route", route);
        }
        let run = Box::new(builder.start());
        let context = Box::new(run.scope(Context::current));
        Served { context, run: RequestRun::new(Some(run)), wants_body }
    }
}

/// The method, as long as it is one that everybody knows: a name that strangers choose is none.
fn method(method: &Method) -> &str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::PATCH,
        Method::TRACE,
    ];
    if KNOWN.contains(method) { method.as_str() } else { "HTTP" }
}

impl<S> Layer<S> for ContinueTraceLayer {
    type Service = ContinueTrace<S>;

    fn layer(&self, inner: S) -> ContinueTrace<S> {
        ContinueTrace { inner, layer: *self }
    }
}

/// The service of [`ContinueTraceLayer`].
#[derive(Debug, Clone)]
pub struct ContinueTrace<S> {
    inner: S,
    layer: ContinueTraceLayer,
}

impl<S, B, R> Service<Request<B>> for ContinueTrace<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
    R::Error: fmt::Display,
{
    type Response = Response<ServedBody<R>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Answer<S::Future> {
        if !runtime::may_record() {
            return Answer { inner: self.inner.call(request), served: None };
        }
        let (parts, body) = request.into_parts();
        let served = self.layer.serve(&parts);
        let request = Request::from_parts(parts, body);
        Answer { inner: served.context.scope(|| self.inner.call(request)), served: Some(served) }
    }
}

/// A request that is being answered.
#[derive(Debug)]
struct Served {
    /// Boxed, as the run is: answers are moved around, also where nothing is recorded.
    context: Box<Context>,
    run: RequestRun,
    /// Whether the answer's body is sent.
    wants_body: bool,
}

impl Served {
    fn answer<B>(self, response: Response<B>) -> Response<ServedBody<B>>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        let Self { context, mut run, wants_body } = self;
        let (head, body) = response.into_parts();
        run.answered(head.status, &head.headers);
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let has_body = wants_body && !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let tail = match if has_body { length } else { Some(0) } {
            Some(length) => Tail::with_length(body, length, run),
            None => Tail::new(body, run),
        };
        Response::from_parts(head, ServedBody { tail, context: Some(context) })
    }
}

/// The run of a request, if it has one. Dropped before its end, it is cancelled: the caller has gone.
#[derive(Debug)]
struct RequestRun {
    run: Option<Box<ActiveRun>>,
    /// What has failed has failed, whoever goes away then.
    has_failed: bool,
}

impl RequestRun {
    fn new(run: Option<Box<ActiveRun>>) -> Self {
        Self { run, has_failed: false }
    }

    /// The head of the answer is there.
    fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        let Some(run) = &self.run else { return };
        run.add_metadata("http.response.status_code", &status.as_u16());
        let failure = status.is_server_error().then(|| status.to_string()).or_else(|| grpc_failure(headers));
        if let Some(failure) = failure {
            run.set_error(failure);
            self.has_failed = true;
        }
    }

    fn fail(&mut self, error: impl fmt::Display) {
        if let Some(run) = self.run.take() {
            run.fail(error);
        }
    }
}

impl<E: fmt::Display> AtEnd<E> for RequestRun {
    fn at_end(mut self, end: BodyEnd<'_, E>) {
        match end {
            BodyEnd::Complete(trailers) => match trailers.and_then(grpc_failure) {
                Some(failure) => self.fail(failure),
                None => self.run = None,
            },
            BodyEnd::Failed(error) => self.fail(error),
            BodyEnd::Dropped => {}
        }
    }
}

impl Drop for RequestRun {
    fn drop(&mut self) {
        if let Some(run) = &self.run
            && !self.has_failed
            && !std::thread::panicking()
        {
            run.set_status(Status::Cancelled);
        }
    }
}

/// The gRPC statuses that are the server's fault.
const GRPC_FAILURES: [(&str, &str); 6] = [
    ("2", "UNKNOWN"),
    ("4", "DEADLINE_EXCEEDED"),
    ("12", "UNIMPLEMENTED"),
    ("13", "INTERNAL"),
    ("14", "UNAVAILABLE"),
    ("15", "DATA_LOSS"),
];

/// What a gRPC answer says in its trailers, or in its headers where it has nothing else to say.
fn grpc_failure(headers: &HeaderMap) -> Option<String> {
    let status = headers.get("grpc-status")?;
    let (_, name) = GRPC_FAILURES.into_iter().find(|(code, _)| status == code)?;
    Some(format!("gRPC status {name}"))
}

pin_project! {
    /// The answer of [`ContinueTrace`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Answer<F> {
        #[pin]
        inner: F,
        // `None` where nothing is recorded.
        served: Option<Served>,
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Display,
    B: Body,
    B::Error: fmt::Display,
{
    type Output = Result<Response<ServedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let unwinding = Unwinding(this.served);
        let polled = match &*unwinding.0 {
            Some(served) => served.context.scope(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        };
        drop(unwinding);
        let answered = ready!(polled);
        Poll::Ready(match (answered, this.served.take()) {
            (Ok(response), Some(served)) => Ok(served.answer(response)),
            (Ok(response), None) => {
                Ok(response.map(|body| ServedBody { tail: Tail::new(body, RequestRun::new(None)), context: None }))
            }
            (Err(error), served) => {
                if let Some(mut served) = served {
                    served.run.fail(&error);
                }
                Err(error)
            }
        })
    }
}

pin_project! {
    /// The body of an answer. What it does when it is asked for more is a part of the trace.
    #[derive(Debug)]
    pub struct ServedBody<B>
    where
        B: Body,
        B::Error: fmt::Display,
    {
        #[pin]
        tail: Tail<B, RequestRun>,
        // `None` where nothing is recorded.
        context: Option<Box<Context>>,
    }
}

impl<B> Body for ServedBody<B>
where
    B: Body,
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        match this.context {
            Some(context) => context.scope(|| this.tail.poll_frame(cx)),
            None => this.tail.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tail.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.tail.size_hint()
    }
}
