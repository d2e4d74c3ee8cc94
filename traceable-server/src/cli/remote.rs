//! The server that holds the store, asked by a command. In as few words as HTTP allows.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Failure, backlog::bounded};
use crate::{home::Home, print::line};

/// Bytes of an answer that are read.
const MAX_READ: u64 = 1 << 20;

const CONNECT: Duration = Duration::from_secs(2);

/// How long a server may take to say who it is, which it does at once.
const WORD: Duration = Duration::from_secs(5);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answered without a token.
const HEALTH: &str = "/health";

/// Who listens on a port that we cannot have.
pub(super) fn holder(address: SocketAddr) -> String {
    let said = ask(address, "GET", HEALTH, b"", WORD).map(|(_, said)| said).unwrap_or_default();
    match (said["service"].as_str(), said["home"].as_str()) {
        (Some("traceable"), Some(home)) => format!("another `traceable` (home {})", line(home)),
        (Some("traceable"), None) => "another `traceable`".to_owned(),
        _ => "another program".to_owned(),
    }
}

/// A server of this home.
pub(super) struct Remote {
    address: SocketAddr,
    /// What it says of itself.
    pub(super) health: Value,
}

impl Remote {
    /// The server of this home, if one runs.
    pub(super) fn of(home: &Home) -> Option<Self> {
        let said: Value = serde_json::from_slice(&bounded(&home.server()).ok()?).ok()?;
        let mut addresses = said["addresses"].as_array()?.iter().filter_map(|address| address.as_str()?.parse().ok());
        addresses.find_map(|address: SocketAddr| {
            let (_, mut health) = ask(address, "GET", HEALTH, b"", WORD).ok()?;
            health["url"] = json!(format!("http://{address}"));
            // The file of a server that was killed is still there, and its port may be another's.
            (health["instance"] == said["instance"] && said["instance"].is_string()).then_some(Self { address, health })
        })
    }

    /// Where a browser of this machine finds it.
    pub(super) fn url(&self) -> String {
        // One that listens everywhere has no address of its own.
        if self.address.ip().is_unspecified() {
            format!("http://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// Sends JSON, and answers what came back.
    pub(super) fn post(&self, path: &str, body: &[u8]) -> Result<Value, Failure> {
        let (status, said) = ask(self.address, "POST", path, body, PATIENCE)?;
        if (200..300).contains(&status) {
            return Ok(said);
        }
        let why = said["detail"].as_str().unwrap_or("no reason given");
        Err(Failure(format!("the server says {status}: {why}")))
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8], patience: Duration) -> io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(patience))?;
    // Whoever is asked how it does may be a stranger.
    let token = if path == HEALTH { String::new() } else { std::env::var("TRACEABLE_TOKEN").unwrap_or_default() };
    let key = if token.is_empty() { String::new() } else { format!("x-api-key: {token}\r\n") };
    // One that listens everywhere is asked by a name that it always has.
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\n{key}content-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        address.port(),
        body.len(),
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.take(MAX_READ).read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).and_then(|status| status.parse().ok());
    let said = serde_json::from_slice(&answer[end + 4..]).unwrap_or_default();
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, said))
}
