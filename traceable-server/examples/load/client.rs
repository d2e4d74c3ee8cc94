//! A client of few words that keeps its connection.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends a body, and answers whether it was taken. What may be sent again is not an error; all else is.
    pub(crate) fn post(&mut self, path: &str, kind: &str, body: &[u8]) -> bool {
        match self.exchange(path, kind, body) {
            Ok(200 | 202) => true,
            Ok(429 | 503) => false,
            Ok(status) => panic!("{path} was answered with {status}"),
            Err(_) => {
                self.connection = None;
                false
            }
        }
    }

    fn exchange(&mut self, path: &str, kind: &str, body: &[u8]) -> io::Result<u16> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            self.connection = Some(BufReader::new(stream));
        }
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        connection.get_mut().write_all(head.as_bytes())?;
        connection.get_mut().write_all(body)?;
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            match (status, line.strip_prefix("content-length: ")) {
                (None, _) => status = line.split(' ').nth(1).and_then(|status| status.parse().ok()),
                (_, Some(bytes)) => length = bytes.parse().map_err(|_| io::ErrorKind::InvalidData)?,
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        connection.read_exact(&mut vec![0; length])?;
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}
