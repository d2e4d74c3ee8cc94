//! The server of this machine, if one runs: below each trace stands the link that shows it there.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long an answer is believed.
const FRESH: Duration = Duration::from_secs(2);

/// A server on this machine answers at once or not at all.
const PATIENCE: Duration = Duration::from_millis(200);

/// Bytes that are read of the file, and of what a server says of itself.
const MAX_READ: u64 = 4_096;

/// Finds the server of a folder.
pub(super) struct Viewer {
    file: PathBuf,
    found: Option<SocketAddr>,
    until: Option<Instant>,
}

impl Viewer {
    pub(super) fn of(home: &Path) -> Self {
        Self { file: home.join("server.json"), found: None, until: None }
    }

    /// Where it listens now.
    pub(super) fn address(&mut self) -> Option<SocketAddr> {
        let now = Instant::now();
        if self.until.is_none_or(|until| now >= until) {
            self.found = self.look();
            self.until = Some(now + FRESH);
        }
        self.found
    }

    /// The file of a server that was killed is still there, and its port may be another's. So a server is asked who it is.
    fn look(&self) -> Option<SocketAddr> {
        let mut text = Vec::new();
        File::open(&self.file).ok()?.take(MAX_READ).read_to_end(&mut text).ok()?;
        let said: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let instance = said.get("instance")?.as_str().filter(|instance| !instance.is_empty())?;
        let addresses = said.get("addresses")?.as_array()?.iter().filter_map(|address| address.as_str()?.parse().ok());
        let mut ours = addresses.filter(|address: &SocketAddr| address.ip().is_loopback());
        ours.find(|address| says(*address, instance).unwrap_or(false))
    }
}

/// Whether who listens there says this word, which nobody tells it.
fn says(address: SocketAddr, word: &str) -> io::Result<bool> {
    let until = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let port = address.port();
    write!(stream, "GET /health HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n")?;
    let (mut answer, mut piece) = (Vec::new(), [0; 1_024]);
    while Instant::now() < until && answer.len() < MAX_READ as usize {
        let read = stream.read(&mut piece)?;
        answer.extend_from_slice(piece.get(..read).unwrap_or_default());
        if answer.windows(word.len()).any(|bytes| bytes == word.as_bytes()) {
            return Ok(true);
        }
        if read == 0 {
            break;
        }
    }
    Ok(false)
}
