//! The endpoint does what it is told to, and counts what it is sent: by a client that knows nothing of tracing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use traceable_core::model::{Json, Run, RunChange, RunId};
use traceable_faults::{
    endpoint::{Endpoint, POISON},
    fault::Fault,
    text::text,
};
use traceable_wire::{encoding::Encoding, langsmith::Encoder};

const BOUNDARY: &str = "0b6f9c2e41d84c4f";

/// Enough of an answer to tell one from another.
struct Answer {
    code: u16,
    head: String,
    body: BufReader<TcpStream>,
}

fn ended(n: u64, text: &str, mark: &str) -> RunChange {
    let id = RunId::from_u128(u128::from(n) + 1);
    let inputs = serde_json::json!({ "seed": 7, "n": n, "mark": mark, "text": text });
    let outputs = serde_json::json!({ "output": id });
    RunChange::End(Box::new(Run {
        id,
        trace_id: id,
        name: "call".into(),
        end_time: Some(1_000),
        inputs: Some(Json::from_value(&inputs)),
        outputs: Some(Json::from_value(&outputs)),
        ..Run::default()
    }))
}

fn body_of(runs: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let changes: Vec<RunChange> = runs.into_iter().map(|n| ended(n, &text(7, n), "")).collect();
    Encoder::default().multipart(&changes, BOUNDARY, usize::MAX).body
}

fn send(to: SocketAddr, path: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(to)?;
    let content = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n");
    let head = format!("POST {path} HTTP/1.1\r\n{content}x-api-key: key\r\n{headers}\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    answer(stream)
}

fn answer(stream: TcpStream) -> io::Result<Answer> {
    let mut body = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if body.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let code = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok());
    Ok(Answer { code: code.ok_or(io::ErrorKind::InvalidData)?, head, body })
}

fn post(endpoint: &Endpoint, body: &[u8]) -> io::Result<Answer> {
    send(endpoint.address(), "/runs/multipart", &format!("Content-Length: {}\r\n", body.len()), body)
}

fn code(endpoint: &Endpoint, body: &[u8]) -> u16 {
    post(endpoint, body).unwrap().code
}

#[test]
fn bodies_are_read_in_every_encoding_and_runs_counted_once() {
    let endpoint = Endpoint::start(0).unwrap();
    for (n, encoding) in (0..).zip([Encoding::Identity, Encoding::Gzip, Encoding::Zstd]) {
        let body = encoding.compress(body_of([n, 10 + n])).unwrap();
        let headers = format!("Content-Encoding: {}\r\nContent-Length: {}\r\n", encoding.name(), body.len());
        assert_eq!(send(endpoint.address(), "/api/v1/runs/multipart", &headers, &body).unwrap().code, 202);
    }
    // In chunks, and all of it for the second time.
    let body = body_of([0, 1, 2]);
    let chunks: Vec<u8> = body
        .chunks(1_000)
        .chain([&[][..]])
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    let answer = send(endpoint.address(), "/runs/multipart", "Transfer-Encoding: chunked\r\n", &chunks);
    assert_eq!(answer.unwrap().code, 202);

    let report = endpoint.report();
    assert_eq!((report.requests, report.acknowledged, report.taken, report.repeats), (4, 6, 6, 3));
    assert_eq!((report.spoiled, report.unreadable), (0, 0), "{}", report.spoiled_first);
    assert_eq!(report.encodings, [("gzip", 1), ("identity", 2), ("zstd", 1)].map(|(k, n)| (k.to_owned(), n)).into());
    let mut ids = endpoint.acknowledged();
    ids.sort();
    assert_eq!(ids[0], (RunId::from_u128(1).to_string(), vec!["key".to_owned()]));
}

#[test]
fn what_came_otherwise_than_recorded_is_counted() {
    let endpoint = Endpoint::start(0).unwrap();
    let mut cut = text(7, 1);
    cut.truncate(100);
    let changes = [ended(0, &text(7, 0), ""), ended(1, &cut, ""), ended(2, &text(7, 3), "")];
    assert_eq!(code(&endpoint, &Encoder::default().multipart(&changes, BOUNDARY, usize::MAX).body), 202);
    assert_eq!((endpoint.report().acknowledged, endpoint.report().spoiled), (3, 2));
    // A body that stops within a part.
    assert_eq!(code(&endpoint, &body_of([4])[..200]), 202);
    assert_eq!((endpoint.report().acknowledged, endpoint.report().unreadable), (3, 1));
}

#[test]
fn what_is_refused_is_not_acknowledged_until_it_comes_again() {
    let mut endpoint = Endpoint::start(0).unwrap();
    let body = body_of([0]);
    let refusals = [500, 503, 401, 403, 404].map(|code| (Fault::Status(code), code));
    let others = [(Fault::Busy(7), 429), (Fault::Limit(body.len() - 1), 413), (Fault::Redirect, 307)];
    for (fault, expected) in refusals.into_iter().chain(others) {
        assert_eq!(fault.to_string().parse(), Ok(fault));
        endpoint.set(fault).unwrap();
        let answer = post(&endpoint, &body).unwrap();
        assert_eq!(answer.code, expected);
        assert_eq!(answer.head.contains("Retry-After: 7\r\n"), fault == Fault::Busy(7));
        assert_eq!(answer.head.contains("Location: http://127.0.0.1:"), fault == Fault::Redirect);
        assert_eq!((endpoint.report().taken, endpoint.report().under[&fault.to_string()]), (0, 1));
    }
    endpoint.set(Fault::Limit(body.len())).unwrap();
    assert_eq!(code(&endpoint, &body), 202);
    assert_eq!((endpoint.report().acknowledged, endpoint.report().repeats), (1, 0));
}

#[test]
fn a_batch_with_a_marked_run_is_refused() {
    let mut endpoint = Endpoint::start(0).unwrap();
    endpoint.set(Fault::Poison).unwrap();
    let changes = [ended(0, &text(7, 0), ""), ended(1, &text(7, 1), POISON)];
    let body = |changes: &[RunChange]| Encoder::default().multipart(changes, BOUNDARY, usize::MAX).body;
    assert_eq!(code(&endpoint, &body(&changes)), 400);
    assert_eq!((code(&endpoint, &body(&changes[..1])), code(&endpoint, &body(&changes[1..]))), (202, 400));
    assert_eq!(endpoint.report().acknowledged, 1);
}

#[test]
fn connections_break_as_told() {
    let mut endpoint = Endpoint::start(0).unwrap();
    let body = body_of([0]);
    let mut fails = |fault| {
        endpoint.set(fault).unwrap();
        post(&endpoint, &body).err().map(|error| error.kind())
    };
    assert_eq!(fails(Fault::Down), Some(io::ErrorKind::ConnectionRefused));
    // While the rest of the body is written, or while the answer is awaited.
    assert!(matches!(fails(Fault::Reset), Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)));
    assert_eq!(fails(Fault::Lost), Some(io::ErrorKind::UnexpectedEof));
    assert_eq!(fails(Fault::Garbage), Some(io::ErrorKind::InvalidData));
    assert_eq!((endpoint.report().taken, endpoint.report().acknowledged), (1, 0));

    endpoint.set(Fault::Well).unwrap();
    assert_eq!(code(&endpoint, &body), 202);
    assert_eq!((endpoint.report().acknowledged, endpoint.report().repeats), (1, 1));
}

#[test]
fn a_connection_that_was_open_is_cut_when_the_endpoint_goes_down() {
    let mut endpoint = Endpoint::start(0).unwrap();
    endpoint.set(Fault::Hang).unwrap();
    let mut stream = TcpStream::connect(endpoint.address()).unwrap();
    stream.write_all(b"GET /info HTTP/1.1\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock, "no answer");
    stream.set_read_timeout(None).unwrap();
    endpoint.set(Fault::Down).unwrap();
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    endpoint.set(Fault::Well).unwrap();
    let mut stream = TcpStream::connect(endpoint.address()).unwrap();
    stream.write_all(b"GET /info HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(answer(stream).unwrap().code, 200);
}

#[test]
fn large_answers_are_acknowledgements() {
    let mut endpoint = Endpoint::start(0).unwrap();
    for (n, (fault, bytes)) in (0..).zip([(Fault::Huge, 2 << 20), (Fault::Bomb, 1 << 20), (Fault::Trickle, 2)]) {
        endpoint.set(fault).unwrap();
        let mut answer = post(&endpoint, &body_of([n])).unwrap();
        assert_eq!(answer.code, 200);
        answer.body.read_exact(&mut vec![0; bytes]).unwrap();
        assert_eq!(endpoint.report().acknowledged, n + 1);
    }
}

#[test]
fn so_many_of_a_hundred_requests_fail() {
    let mut endpoint = Endpoint::start(0).unwrap();
    endpoint.set(Fault::Random(30)).unwrap();
    let body = body_of([0]);
    let failed = (0..300).filter(|_| !post(&endpoint, &body).is_ok_and(|answer| answer.code == 202)).count();
    // The same ones each time.
    assert!((60..120).contains(&failed), "{failed}");
}

#[test]
fn who_does_not_wait_and_who_follows_a_redirect_is_noticed() {
    let mut endpoint = Endpoint::start(0).unwrap();
    endpoint.set(Fault::Busy(600)).unwrap();
    for early in [0, 1, 2] {
        assert_eq!(code(&endpoint, &body_of([0])), 429);
        assert_eq!(endpoint.report().early, early);
    }
    endpoint.set(Fault::Redirect).unwrap();
    let answer = post(&endpoint, &body_of([0])).unwrap();
    let (_, to) = answer.head.split_once("Location: http://").unwrap();
    let (host, path) = to.split_once("\r\n").unwrap().0.split_once('/').unwrap();
    assert_eq!(endpoint.report().elsewhere.connections, 0);
    assert_eq!(send(host.parse().unwrap(), &format!("/{path}"), "", b"").unwrap().code, 202);
    let elsewhere = endpoint.report().elsewhere;
    assert_eq!((elsewhere.connections, elsewhere.requests), (1, 1));
    assert!(elsewhere.headers.contains("x-api-key"));
}
