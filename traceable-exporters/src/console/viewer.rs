//! The server of this machine, if one runs: below each trace stands the link that shows it there.

use std::{
    fs::File,
    io::Read as _,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long an answer is believed.
const FRESH: Duration = Duration::from_secs(2);

/// A server on this machine answers at once or not at all.
const PATIENCE: Duration = Duration::from_millis(50);

/// Bytes of the file that are read.
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

    /// The file of a server that was killed is still there, so its word is not enough.
    fn look(&self) -> Option<SocketAddr> {
        let mut text = Vec::new();
        File::open(&self.file).ok()?.take(MAX_READ).read_to_end(&mut text).ok()?;
        let said: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let addresses = said.get("addresses")?.as_array()?.iter().filter_map(|address| address.as_str()?.parse().ok());
        let mut ours = addresses.filter(|address: &SocketAddr| address.ip().is_loopback());
        ours.find(|address| TcpStream::connect_timeout(address, PATIENCE).is_ok())
    }
}
