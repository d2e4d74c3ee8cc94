//! A server in a few lines, which answers as it is told and remembers what it was sent.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use traceable_core::model::RunChange;
use traceable_wire::{
    encoding::Encoding,
    langsmith::{boundary_of, decode_multipart},
};

/// A request that came whole.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Such as `POST /runs/multipart`.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as it was before it was compressed.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let encoding = Encoding::from_name(self.header("content-encoding").unwrap_or_default()).unwrap();
        encoding.decompress(&self.body, 64 << 20).unwrap()
    }

    pub(crate) fn changes(&self) -> Vec<RunChange> {
        let boundary = boundary_of(self.header("content-type").unwrap()).unwrap().to_owned();
        let decoded = decode_multipart(&self.plain(), &boundary);
        assert_eq!(decoded.errors, []);
        decoded.changes
    }
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status, headers, and a body.
    Say(u16, String, Vec<u8>),
    /// A status, and 512 MiB.
    Flood(u16),
    /// Nothing, for ever.
    Never,
    /// The connection is cut off.
    Cut,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Say(status, String::new(), b"said so".to_vec())
    }

    pub(crate) fn json(text: &str) -> Self {
        Self::Say(200, String::new(), text.as_bytes().to_vec())
    }
}

/// See the file. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    /// Bytes of answers that found their way out.
    pub(crate) answered: Arc<Mutex<usize>>,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    /// A server that answers `/info` and everything else by this rule, which is also told how many requests came before
    /// to the same place.
    pub(crate) async fn start(rule: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answered: Arc<Mutex<usize>> = Arc::default();
        let (rule, all, bytes) = (Arc::new(rule), Arc::clone(&received), Arc::clone(&answered));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rule, all, bytes) = (Arc::clone(&rule), Arc::clone(&all), Arc::clone(&bytes));
                tokio::spawn(async move { serve(stream, &*rule, &all, &bytes).await });
            }
        });
        Self { url, received, answered, accepting }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The requests to a place.
    pub(crate) fn at(&self, path: &str) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.line.ends_with(path)).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    rule: &(impl Fn(&Received, usize) -> Reply + Send + Sync),
    all: &Mutex<Vec<Received>>,
    answered: &Mutex<usize>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let request = read(&mut stream, &mut buffer).await?;
        let before = {
            let mut all = all.lock().unwrap();
            let before = all.iter().filter(|known| known.line == request.line).count();
            all.push(request.clone());
            before
        };
        let (head, body, repeats) = match rule(&request, before) {
            Reply::Say(status, headers, body) => {
                // In one piece: made-up time passes while the other side waits.
                let head = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n", body.len());
                ([head.into_bytes(), body].concat(), Vec::new(), 0)
            }
            Reply::Flood(status) => {
                let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", 512 << 20);
                (head.into_bytes(), vec![b'x'; 64 << 10], 8 << 10)
            }
            Reply::Never => std::future::pending().await,
            Reply::Cut => return None,
        };
        stream.write_all(&head).await.ok()?;
        for _ in 0..repeats {
            stream.write_all(&body).await.ok()?;
            *answered.lock().unwrap() += body.len();
        }
    }
}

/// The next request on a connection.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        match buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) => break end,
            None if stream.read_buf(buffer).await.ok()? == 0 => return None,
            None => {}
        }
    };
    let head = String::from_utf8(buffer.drain(..end + 4).take(end).collect()).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { line, headers, body: buffer.drain(..length).collect() })
}
