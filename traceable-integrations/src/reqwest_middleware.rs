//! Clients of reqwest that tell the services that they call of the run that calls them.

use http::Extensions;
use reqwest::{ClientBuilder, Request, Response, redirect::Policy};
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next, Result};
use traceable_core::runtime;

use crate::tower::{AllowedHosts, tell};

/// A client that adds the headers of the current run to requests, where they go to a host that may be told. It keeps what
/// is in a request already, as [`PassTraceLayer`](crate::tower::PassTraceLayer) does.
///
/// reqwest follows redirects by itself and takes the headers along. So this sets the client's redirect policy: reqwest's
/// own, but from a host that may be told to one that may not it does not go, and the redirect is the answer.
///
/// ```no_run
/// use traceable_integrations::{reqwest_middleware::client, tower::AllowedHosts};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hosts: AllowedHosts = "localhost, *.internal.example.com".parse()?;
/// let client = client(reqwest::Client::builder(), hosts)?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When reqwest cannot build the client.
pub fn client(builder: ClientBuilder, hosts: AllowedHosts) -> reqwest::Result<ClientWithMiddleware> {
    let may_go = hosts.clone();
    let policy = Policy::custom(move |attempt| {
        let was_told = attempt.previous().first().is_some_and(|first| may_go.allows_url(first));
        if was_told && !may_go.allows_url(attempt.url()) {
            return attempt.stop();
        }
        Policy::default().redirect(attempt)
    });
    let client = builder.redirect(policy).build()?;
    Ok(reqwest_middleware::ClientBuilder::new(client).with(PassTrace(hosts)).build())
}

struct PassTrace(AllowedHosts);

#[async_trait::async_trait]
impl Middleware for PassTrace {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        if runtime::may_record() && self.0.allows_url(request.url()) {
            tell(request.headers_mut());
        }
        next.run(request, extensions).await
    }
}
