//! Telling the services that are called of the run that calls them.

use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use tower_layer::Layer;
use tower_service::Service;
use traceable_core::{current, runtime};

use super::AllowedHosts;

/// Adds the headers of the current run to requests, where they go to a host that may be told.
///
/// It judges one request at a time, so what follows redirects belongs around it, not under it. What another tracer or the
/// application has put into a request stays: a `traceparent`, and the entries of others in `baggage`.
///
/// ```
/// use traceable_integrations::tower::{AllowedHosts, PassTraceLayer};
///
/// let layer = PassTraceLayer::new("localhost, *.internal.example.com".parse::<AllowedHosts>()?);
/// # let _: PassTraceLayer = layer;
/// # Ok::<(), traceable_integrations::tower::ParseHostError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PassTraceLayer {
    hosts: AllowedHosts,
    origin: Option<Uri>,
}

impl PassTraceLayer {
    /// Tells these hosts.
    #[must_use]
    pub fn new(hosts: AllowedHosts) -> Self {
        Self { hosts, origin: None }
    }

    /// Names the address that the client is connected to, for clients whose requests name only a path: tonic's channels.
    #[must_use]
    pub fn origin(mut self, origin: Uri) -> Self {
        self.origin = Some(origin);
        self
    }

    fn allows<B>(&self, request: &Request<B>) -> bool {
        match &self.origin {
            Some(origin) if request.uri().host().is_none() => self.hosts.allows(origin),
            _ => self.hosts.allows_request(request),
        }
    }
}

impl<S> Layer<S> for PassTraceLayer {
    type Service = PassTrace<S>;

    fn layer(&self, inner: S) -> PassTrace<S> {
        PassTrace { inner, layer: self.clone() }
    }
}

/// The service of [`PassTraceLayer`].
#[derive(Debug, Clone)]
pub struct PassTrace<S> {
    inner: S,
    layer: PassTraceLayer,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for PassTrace<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if runtime::may_record() && self.layer.allows(&request) {
            tell(request.headers_mut());
        }
        self.inner.call(request)
    }
}

/// Adds the headers of the current run.
pub(crate) fn tell(headers: &mut HeaderMap) {
    let Some(outgoing) = current().outgoing() else { return };
    // One parent and its state belong together, and this one may be a span between the run and the request.
    let has_parent = headers.contains_key("traceparent");
    for (name, value) in outgoing.headers_beside(headers.get_all("baggage")) {
        if let Ok(value) = HeaderValue::try_from(value)
            && !(has_parent && matches!(name, "traceparent" | "tracestate"))
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
