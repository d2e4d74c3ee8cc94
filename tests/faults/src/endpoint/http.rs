//! As much of HTTP/1.1 as a backend needs that means to break it: the socket stays at hand.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Bytes of a request's head, and of a line between chunks.
const MAX_HEAD: u64 = 64 << 10;

/// Bytes of a body as it comes.
const MAX_BODY: u64 = 256 << 20;

/// The head of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    /// Names are in lower case.
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    fn read(bytes: &[u8]) -> io::Result<Self> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(bytes).map_err(invalid)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            method: request.method.unwrap_or_default().to_owned(),
            path: request.path.unwrap_or_default().to_owned(),
            headers: request.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect(),
        })
    }

    /// The value of a header; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn length(&self) -> io::Result<u64> {
        match self.header("content-length") {
            "" => Ok(0),
            length => length.parse().map_err(invalid),
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// A client's connection.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        // An answer is one write, and nobody waits for it to grow.
        let _ = stream.set_nodelay(true);
        Self { stream: BufReader::with_capacity(64 << 10, stream) }
    }

    /// The next request; `None` when the client has no more.
    pub(super) fn head(&mut self) -> io::Result<Option<Head>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if self.line(&mut bytes)? == 0 {
                return if bytes.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
        Head::read(&bytes).map(Some)
    }

    /// Adds a line to what was read.
    fn line(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let left = MAX_HEAD.saturating_sub(bytes.len() as u64);
        (&mut self.stream).take(left).read_until(b'\n', bytes)
    }

    /// The body of a request.
    pub(super) fn body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if !head.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            self.bytes(head.length()?, &mut body)?;
            return Ok(body);
        }
        loop {
            let mut line = Vec::new();
            self.line(&mut line)?;
            let size = httparse::parse_chunk_size(&line).map_err(|_| invalid("a chunk without a size"))?;
            let httparse::Status::Complete((_, size)) = size else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            self.bytes(size, &mut body)?;
            // The end of the chunk's line, or of the body; trailers are not known here.
            self.line(&mut Vec::new())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn bytes(&mut self, count: u64, body: &mut Vec<u8>) -> io::Result<()> {
        if count.saturating_add(body.len() as u64) > MAX_BODY {
            return Err(invalid("a body that is too long"));
        }
        if (&mut self.stream).take(count).read_to_end(body)? as u64 == count {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Takes a half of the body, and resets the connection.
    pub(super) fn reset(mut self, head: &Head) -> io::Result<()> {
        let half = head.length()? / 2;
        io::copy(&mut (&mut self.stream).take(half), &mut io::sink())?;
        // Closed at once, without waiting for what is on its way: the client sees a reset.
        socket2::SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO))
    }

    /// Takes whatever comes, and says nothing, until the client gives up.
    pub(super) fn ignore(mut self) -> io::Result<()> {
        io::copy(&mut self.stream, &mut io::sink()).map(drop)
    }

    /// Answers with a code, headers that each end a line, and a body.
    pub(super) fn answer(&mut self, code: u16, headers: &str, body: &[u8]) -> io::Result<()> {
        let mut answer = head(code, &format!("Content-Length: {}\r\n{headers}", body.len()));
        answer.extend_from_slice(body);
        self.raw(&answer)
    }

    /// Sends bytes that need not be HTTP.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }
}

/// The head of an answer, with headers that each end a line.
pub(super) fn head(code: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} Bench\r\n{headers}\r\n").into_bytes()
}
