//! A server as a child process, and a client of few words.
#![allow(missing_docs, dead_code, unreachable_pub, clippy::unwrap_used, clippy::format_push_string)]

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_traceable");

/// A server of another process, which ends when this is dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(home: &Path) -> Self {
        Self::told(home, "127.0.0.1:0".parse().unwrap(), &[], &[])
    }

    pub fn with(home: &Path, listen: SocketAddr, env: &[(&str, &str)]) -> Self {
        Self::told(home, listen, env, &[])
    }

    pub fn told(home: &Path, listen: SocketAddr, env: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("--home").arg(home).args(["--json", "serve", "--listen", &listen.to_string()]).args(arguments);
        command.envs(env.iter().copied()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let url = said["urls"][0].as_str().unwrap();
        Self { process, address: url.strip_prefix("http://").unwrap().parse().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap()
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = send(self.address, "GET", path, &[], b"").unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let headers = [("content-type", "application/json")];
        let answer = send(self.address, "POST", path, &headers, body.to_string().as_bytes()).unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Sends one request on a connection of its own. A `host` among the headers takes the place of the right one.
pub fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {to}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    // A server that refuses need not read all of it.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Answer { status, head, body: answer[end + 4..].to_vec() })
}

/// What a command prints.
pub fn command(home: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("--home").arg(home).args(arguments).output().unwrap()
}

/// What a command prints that must succeed.
pub fn printed(home: &Path, arguments: &[&str]) -> String {
    let output = command(home, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Looks again and again until something is there.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            return found;
        }
        std::thread::yield_now();
    }
}
