//! How a browser shows the token: once in an address, and from then on in a cookie that no page's script can read.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{Query, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::{
    App, Refusal,
    guard::{COOKIE, is_equal, is_guess, shows},
};

/// Where the token is shown.
pub(super) const PATH: &str = "/login";

/// How long a browser is known: 90 days, in seconds.
const AGE: u32 = 90 * 24 * 3600;

/// The machine that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Default for Peer {
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    token: Option<String>,
}

/// Takes the token, and leads to the first page.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Query(shown): Query<Shown>,
    peer: axum::Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let home = [(LOCATION, HeaderValue::from_static("/")), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let Some(token) = &app.guard.token else { return (StatusCode::SEE_OTHER, home).into_response() };
    let is_known = shown.token.as_ref().is_some_and(|shown| is_equal(shown, token)) || shows(&headers, token);
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age={AGE}; HttpOnly; SameSite=Strict");
    let is_guess = shown.token.is_some() || is_guess(&headers);
    match HeaderValue::from_str(&cookie) {
        Ok(mut cookie) if is_known => {
            cookie.set_sensitive(true);
            (StatusCode::SEE_OTHER, home, [(SET_COOKIE, cookie)]).into_response()
        }
        _ => stranger(&app, *peer, &Method::GET, &headers, is_guess),
    }
}

/// What is answered to a request without the token, or with a wrong one: a page to a browser, and JSON to others.
pub(super) fn stranger(app: &App, Peer(peer): Peer, method: &Method, headers: &HeaderMap, is_guess: bool) -> Response {
    if is_guess && let Err(wait) = app.rates.wrong(peer, Instant::now()) {
        return Refusal::TooOften(wait).into_response();
    }
    let accepts = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    if *method != Method::GET || !accepts.contains("text/html") {
        return Refusal::Unknown.into_response();
    }
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (StatusCode::UNAUTHORIZED, kind, PAGE).into_response()
}

/// Without a style, for that would have to be served to strangers as well.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>traceable</title>
<h1>traceable</h1>
<p>This server asks for a token: the one that it was started with, as <code>TRACEABLE_TOKEN</code>.
<form action="/login" method="get">
<p><label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<button>Show me the traces</button>
</form>
<p>Programs show it as <code>x-api-key</code> or <code>Authorization: Bearer</code>.
</html>
"#;
