//! A server as a child process, and a client of few words.
#![allow(missing_docs, dead_code, unreachable_pub, clippy::unwrap_used, clippy::format_push_string)]

pub mod seed;

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
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let mut answer = Answer { status, head, body: Vec::new() };
    // What goes on for ever is for `Events`.
    if answer.header("content-type") != Some("text/event-stream") {
        let _ = stream.read_to_end(&mut answer.body);
    }
    Ok(answer)
}

/// What a server tells as it happens.
pub struct Events(BufReader<TcpStream>);

impl Events {
    pub fn of(server: &Server, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let headers = headers.concat();
        let host = server.address;
        write!(stream, "GET /api/traceable/v1/events{query} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n").unwrap();
        let mut events = Self(BufReader::new(stream));
        let head = events.line().unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        while !events.line().unwrap().is_empty() {}
        events
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    }

    /// The name, the number and the data of the next event; `None` when the server has ended the stream.
    pub fn next(&mut self) -> Option<(String, String, Value)> {
        let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("event", text)) => text.clone_into(&mut name),
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("data", text)) => data = serde_json::from_str(text).unwrap(),
                _ if line.is_empty() && !name.is_empty() => return Some((name, id, data)),
                // Lengths of chunks, and comments.
                _ => {}
            }
        }
    }
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
