//! Who may ask. One layer around all routes, also around those that do not exist, so that no route can be left out.
//!
//! A web page that the user visits can send requests to this machine, and by a name that it resolves to 127.0.0.1 also
//! read the answers. So a request must be addressed to a name of this server, and a browser's request must come from a
//! page of it.

use std::{net::IpAddr, sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    App, Refusal,
    login::{self, Peer, stranger},
};

/// The cookie by which a browser shows the token.
pub(super) const COOKIE: &str = "traceable_token";

/// Forms and plain text are what a foreign page can send without asking; none of the SDKs does.
const SIMPLE: [&str; 2] = ["application/x-www-form-urlencoded", "text/plain"];

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob: data:; \
             media-src 'self' blob:; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    /// Names of this server beside those of the machine itself.
    pub(crate) names: Vec<String>,
    /// Whether it listens for other machines too. Then an address may be any: a name could be a stranger's, an address
    /// cannot.
    pub(crate) is_public: bool,
    /// What a request must show.
    pub(crate) token: Option<String>,
}

impl Guard {
    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(header::HOST).unwrap_or_default();
        if headers.get_all(header::HOST).iter().count() != 1 || !self.is_ours(host) {
            return Err(Refusal::Forbidden("this server does not go by that name; `--allow-host` gives it one more"));
        }
        if let Some(origin) = text(header::ORIGIN) {
            let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if headers.get_all(header::ORIGIN).iter().count() != 1 || of != Some(host) {
                return Err(Refusal::Forbidden("requests of other web pages are not served"));
            }
        }
        if let Some(site) = text(HeaderName::from_static("sec-fetch-site"))
            && !matches!(site, "same-origin" | "none")
        {
            return Err(Refusal::Forbidden("requests of other web pages are not served"));
        }
        if *method != Method::GET
            && let Some(kind) = text(header::CONTENT_TYPE)
            && SIMPLE
                .iter()
                .any(|simple| kind.get(..simple.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(simple)))
        {
            return Err(Refusal::Unsupported("neither forms nor plain text are taken".into()));
        }
        match &self.token {
            // Who knows the hash of a file has seen the file; LangSmith's SDKs fetch files without their key.
            Some(token) if !is_open(path) && !shows(headers, token) => Err(Refusal::Unknown),
            _ => Ok(()),
        }
    }

    /// Whether a `Host` names this server.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        match address.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || self.is_public,
            Err(_) => {
                name.eq_ignore_ascii_case("localhost") || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
            }
        }
    }
}

fn is_open(path: &str) -> bool {
    matches!(path, "/health" | login::PATH)
        || path.split_once("/blobs/").is_some_and(|(before, _)| matches!(before, "" | "/api" | "/api/v1"))
}

/// Whether a request shows the token in any of the ways that SDKs and browsers have.
pub(super) fn shows(headers: &HeaderMap, token: &str) -> bool {
    let bearer = |value: &HeaderValue| value.to_str().ok()?.strip_prefix("Bearer ").map(|shown| is_equal(shown, token));
    let cookie = |value: &HeaderValue| {
        let mut pairs = value.to_str().ok()?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == COOKIE).map(|(_, shown)| is_equal(shown, token))
    };
    headers.get(header::AUTHORIZATION).and_then(bearer).unwrap_or(false)
        || headers.get("x-api-key").is_some_and(|shown| shown.to_str().is_ok_and(|shown| is_equal(shown, token)))
        || headers.get(header::COOKIE).and_then(cookie).unwrap_or(false)
}

/// Whether a request shows anything in place of the token.
pub(super) fn is_guess(headers: &HeaderMap) -> bool {
    let cookies = headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key") || cookies.contains(COOKIE)
}

/// Compares in a time that does not say where the two differ.
pub(super) fn is_equal(shown: &str, token: &str) -> bool {
    let (shown, token) = (shown.as_bytes(), token.as_bytes());
    let differ = token.iter().enumerate().fold(0, |differ, (at, byte)| differ | (shown.get(at).unwrap_or(&0) ^ byte));
    shown.len() == token.len() && differ == 0
}

/// The layer.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let headers = request.headers();
    let key = headers.get("x-api-key").or_else(|| headers.get(header::AUTHORIZATION)).map(HeaderValue::as_bytes);
    let taken = app.rates.take(peer.0, key, Instant::now()).map_err(Refusal::TooOften);
    let checked = taken.and_then(|()| app.guard.check(request.method(), request.uri().path(), headers));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(Refusal::Unknown) => stranger(&app, peer, request.method(), headers, is_guess(headers)),
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(guard: &Guard, headers: &[(&'static str, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        guard.check(&Method::POST, "/runs", &headers.collect()).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        let guard = Guard::default();
        for host in ["localhost:4318", "LOCALHOST", "127.0.0.1:4318", "127.0.0.1:80", "[::1]:4318", "[::1]"] {
            assert!(is_let_in(&guard, &[("host", host)]), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "127.0.0.1.nip.io:4318", "10.0.0.1", "127.0.0.1:x", "[::2]"]
        {
            assert!(!is_let_in(&guard, &[("host", host)]), "{host}");
        }
        assert!(!is_let_in(&guard, &[]));
        assert!(!is_let_in(&guard, &[("host", "localhost"), ("host", "example.com")]));
        let public = Guard { names: vec!["traces.example.com".into()], is_public: true, token: None };
        assert!(is_let_in(&public, &[("host", "10.0.0.1:4318")]));
        assert!(is_let_in(&public, &[("host", "Traces.example.com")]));
        assert!(!is_let_in(&public, &[("host", "example.com")]));
    }

    #[test]
    fn only_pages_of_this_server_are_answered() {
        let guard = Guard::default();
        let from =
            |name: &'static str, value: &'static str| is_let_in(&guard, &[("host", "localhost:4318"), (name, value)]);
        assert!(from("origin", "http://localhost:4318"));
        for origin in ["null", "http://localhost:3000", "http://localhost", "http://example.com", "file://", ""] {
            assert!(!from("origin", origin), "{origin}");
        }
        assert!(from("sec-fetch-site", "same-origin") && from("sec-fetch-site", "none"));
        assert!(!from("sec-fetch-site", "cross-site") && !from("sec-fetch-site", "same-site"));
        assert!(from("content-type", "application/json"));
        assert!(!from("content-type", "text/plain;charset=UTF-8") && !from("content-type", "Text/Plain"));
    }

    #[test]
    fn a_token_is_taken_in_every_way_that_clients_have() {
        let guard = Guard { token: Some("s3cret".into()), ..Guard::default() };
        let with = |name: &'static str, value: &'static str| is_let_in(&guard, &[("host", "localhost"), (name, value)]);
        assert!(with("x-api-key", "s3cret") && with("authorization", "Bearer s3cret"));
        assert!(with("cookie", "a=b; traceable_token=s3cret"));
        assert!(!with("x-api-key", "s3cre") && !with("x-api-key", "s3crets") && !with("authorization", "s3cret"));
        assert!(!with("cookie", "traceable_token=") && !is_let_in(&guard, &[("host", "localhost")]));
    }
}
