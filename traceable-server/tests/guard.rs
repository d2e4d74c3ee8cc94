//! No route answers whoever may not ask. The routes are those of the router, so that none can be left out.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use support::{Server, command, send};

const ID: &str = "0190163d-8694-7000-8000-00000000002a";

/// All routes, and one that is not there.
fn routes() -> Vec<(String, String)> {
    let real = traceable_server::routes().into_iter();
    let real = real.map(|(method, path)| (method, path.replace("{id}", ID).replace("{hash}", &"0".repeat(64))));
    real.chain([("GET".into(), "/no/such/route".into())]).collect()
}

#[test]
fn every_route_refuses_strangers() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let own = server.address.to_string();
    let strangers: [&[(&str, &str)]; 8] = [
        &[("host", "evil.example")],
        &[("host", "evil.example:4318")],
        &[("host", "10.0.0.1")],
        &[("host", &own), ("origin", "https://evil.example")],
        &[("host", &own), ("origin", "null")],
        &[("host", &own), ("origin", "http://localhost:3000")],
        &[("host", &own), ("sec-fetch-site", "cross-site")],
        &[("host", &own), ("sec-fetch-site", "same-site")],
    ];
    assert!(routes().len() > 40);
    for (method, path) in routes() {
        for headers in strangers {
            let answer = send(server.address, &method, &path, headers, b"").unwrap();
            assert_eq!(answer.status, 403, "{method} {path} {headers:?}");
            assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        }
        let answer = send(server.address, &method, &path, &[], b"").unwrap();
        assert!(![401, 403].contains(&answer.status), "{method} {path} is {}", answer.status);
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn with_a_token_every_route_asks_for_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(home.path(), "127.0.0.1:0".parse().unwrap(), &[("TRACEABLE_TOKEN", "s3cret")]);
    for (method, path) in routes() {
        let is_open = path == "/health" || path.contains("/blobs/");
        for headers in [&[][..], &[("x-api-key", "wrong")], &[("authorization", "Bearer s3cre")]] {
            let answer = send(server.address, &method, &path, headers, b"").unwrap();
            assert_eq!(answer.status == 401, !is_open, "{method} {path} {headers:?}");
        }
        let answer = send(server.address, &method, &path, &[("x-api-key", "s3cret")], b"").unwrap();
        assert_ne!(answer.status, 401, "{method} {path}");
    }
}

/// The value of the cookie that an answer sets.
fn cookie(answer: &support::Answer) -> Option<String> {
    Some(answer.header("set-cookie")?.split(';').next()?.to_owned())
}

#[test]
fn a_browser_shows_the_token_once() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::with(home.path(), "127.0.0.1:0".parse().unwrap(), &[("TRACEABLE_TOKEN", "s3cret")]);
    let get = |path: &str, headers: &[(&str, &str)]| send(server.address, "GET", path, headers, b"").unwrap();
    let browser = ("accept", "text/html,application/xhtml+xml");

    let page = get("/settings", &[browser]);
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert_eq!((page.status, page.header("content-type")), (401, Some("text/html; charset=utf-8")));
    assert!(text.contains("TRACEABLE_TOKEN") && text.contains("action=\"/login\""), "{text}");
    assert!(get("/settings", &[]).body.starts_with(b"{"), "programs are answered in JSON");

    for wrong in ["/login", "/login?token=", "/login?token=s3cre", "/login?token=S3CRET"] {
        let refused = get(wrong, &[browser]);
        assert_eq!((refused.status, cookie(&refused)), (401, None), "{wrong}");
    }
    let known = get("/login?token=s3cret", &[browser]);
    assert_eq!((known.status, known.header("location")), (303, Some("/")));
    assert_eq!(
        (known.header("cache-control"), known.header("referrer-policy")),
        (Some("no-store"), Some("no-referrer"))
    );
    let set = known.header("set-cookie").unwrap();
    assert!(["; HttpOnly", "; SameSite=Strict", "; Path=/"].iter().all(|part| set.contains(part)), "{set}");
    let cookie = cookie(&known).unwrap();
    assert_eq!(get("/settings", &[browser, ("cookie", &cookie)]).status, 200);
    assert_eq!(get("/settings", &[browser, ("cookie", &format!("{cookie}x"))]).status, 401);
}

#[test]
fn a_token_that_cannot_be_shown_is_refused_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(support::PROGRAM);
    command.arg("--home").arg(home.path()).args(["serve", "--listen", "127.0.0.1:0"]).env("TRACEABLE_TOKEN", "a; b");
    let refused = command.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("TRACEABLE_TOKEN") && !said.contains("a; b"), "{said}");
}

#[test]
fn other_machines_are_not_let_in_by_mistake() {
    let home = tempfile::tempdir().unwrap();
    let refused = command(home.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("TRACEABLE_TOKEN"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let other = tempfile::tempdir().unwrap();
    let refused = command(other.path(), &["serve", "--listen", &server.address.to_string()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&server.address.to_string()) && said.contains("--listen"), "{said}");
    let holder = format!("another `traceable` (home {})", home.path().display());
    assert!(said.contains(&holder), "{said}");
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = stranger.local_addr().unwrap();
    let closes = std::thread::spawn(move || drop(stranger.accept()));
    let refused = command(other.path(), &["serve", "--listen", &address.to_string()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&format!("another program listens on {address}")), "{said}");
    closes.join().unwrap();
    let refused = command(home.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("another process") && said.contains("--home"), "{said}");
}
