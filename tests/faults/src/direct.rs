//! A pipeline that keeps nothing on disk, for the bench's own test: a bench that finds no loss here finds none anywhere.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
};

use traceable::export::{Ack, Batch, BoxFuture, ExportError, Exporter};
use traceable_wire::langsmith::Encoder;

const BOUNDARY: &str = "5a1f64d0b7c94a6e8e0f0c35a7d1e2b9";

/// Sends each batch at once, as one plain request on a connection of its own.
#[derive(Debug)]
pub struct Direct {
    endpoint: String,
    key: String,
    encoder: Encoder,
}

impl Direct {
    /// To `LANGSMITH_ENDPOINT`, with `LANGSMITH_API_KEY`.
    pub fn from_env() -> Self {
        let endpoint = std::env::var("LANGSMITH_ENDPOINT").unwrap();
        let endpoint = endpoint.trim_start_matches("http://").to_owned();
        Self { endpoint, key: std::env::var("LANGSMITH_API_KEY").unwrap(), encoder: Encoder::default() }
    }

    /// The code that a body is answered with.
    fn post(&self, body: &[u8]) -> io::Result<u16> {
        let mut stream = TcpStream::connect(&self.endpoint)?;
        let head = format!(
            "POST /runs/multipart HTTP/1.1\r\nHost: {}\r\nx-api-key: {}\r\nContent-Type: multipart/form-data; \
             boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
            self.endpoint,
            self.key,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData.into())
    }
}

impl Exporter for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn export<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Ack, ExportError>> {
        let encoded = self.encoder.multipart(&batch.changes, BOUNDARY, usize::MAX);
        let answer = if encoded.body.is_empty() { Ok(202) } else { self.post(&encoded.body) };
        Box::pin(std::future::ready(match answer {
            Ok(200..300) => Ok(Ack::default()),
            Ok(code) => Err(ExportError::retry(format!("the answer was {code}"))),
            Err(error) => Err(ExportError::retry("no answer").with_source(error)),
        }))
    }
}
