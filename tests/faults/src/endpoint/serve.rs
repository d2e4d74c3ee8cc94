//! What becomes of a request, whatever is wrong.

use std::{
    io,
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use traceable_core::model::RunChange;
use traceable_wire::{
    encoding::Encoding,
    langsmith::{Decoded, boundary_of, decode_batch, decode_multipart},
};

use super::{
    http::{Connection, Head},
    large,
    ledger::{Ledger, is_poison},
};
use crate::{fault::Fault, text::mix};

/// Bytes of a body, decoded.
const MAX_DECODED: usize = 256 << 20;

/// What `/info` says: LangSmith's own limits, and both encodings.
const INFO: &[u8] = br#"{"version":"0.18.0","license_expiration_time":null,"instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true},"batch_ingest_config":{"use_multipart_endpoint":true,"size_limit":100,"size_limit_bytes":20971520,"scale_up_qsize_trigger":1000,"scale_up_nthreads_limit":16,"scale_down_nempty_trigger":4}}"#;

/// What the connections of an endpoint have in common.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) fault: Mutex<Fault>,
    pub(super) ledger: Mutex<Ledger>,
    /// Where a redirect points to.
    pub(super) elsewhere: Mutex<String>,
    /// Requests that might have failed by chance.
    chances: AtomicU64,
}

impl Shared {
    /// What is wrong with this request, which is counted.
    fn fault(&self) -> Fault {
        let fault = *self.fault.lock().unwrap();
        let busy = if let Fault::Busy(seconds) = fault { Some(Duration::from_secs(seconds)) } else { None };
        self.ledger.lock().unwrap().request(fault.to_string(), busy);
        let Fault::Random(percent) = fault else { return fault };
        let chance = mix(self.chances.fetch_add(1, Ordering::Relaxed));
        match (chance % 100 < percent, (chance >> 32) % 3) {
            (false, _) => Fault::Well,
            (true, 0) => Fault::Status(500),
            (true, 1) => Fault::Status(503),
            (true, _) => Fault::Reset,
        }
    }

    /// Serves a connection until one side ends it.
    pub(super) fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut connection = Connection::new(stream);
        while let Some(head) = connection.head()? {
            let fault = self.fault();
            match fault {
                Fault::Hang => return connection.ignore(),
                Fault::Reset => return connection.reset(&head),
                _ => {}
            }
            let body = connection.body(&head)?;
            match fault {
                Fault::Down => return Ok(()),
                Fault::Garbage => return connection.raw(b"\x16\x03\x01\x02\x00 what is this?\r\n\r\n"),
                Fault::Status(code) => connection.answer(code, "", b"{\"detail\":\"on purpose\"}")?,
                Fault::Busy(seconds) => connection.answer(429, &format!("Retry-After: {seconds}\r\n"), b"")?,
                Fault::Redirect => {
                    let to = format!("Location: http://{}{}\r\n", self.elsewhere.lock().unwrap(), head.path);
                    connection.answer(307, &to, b"")?;
                }
                fault => {
                    if let Fault::Slow(by) = fault {
                        std::thread::sleep(by);
                    }
                    if !self.answer(&mut connection, fault, &head, &body)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what a request says. Answers whether the connection goes on.
    fn answer(&self, connection: &mut Connection, fault: Fault, head: &Head, body: &[u8]) -> io::Result<bool> {
        let path = head.path.split('?').next().unwrap_or_default();
        let ended = match (&*head.method, path.rsplit("/runs/").next()) {
            ("GET", _) if path.ends_with("/info") => Vec::new(),
            ("POST", Some("multipart" | "batch")) => match self.read(fault, head, body) {
                Ok(changes) => self.ledger.lock().unwrap().take(&changes, head.header("x-api-key")),
                Err((code, why)) => {
                    connection.answer(code, "", why.as_bytes())?;
                    return Ok(true);
                }
            },
            _ => {
                connection.answer(404, "", b"")?;
                return Ok(true);
            }
        };
        match fault {
            Fault::Lost => return Ok(false),
            Fault::Huge | Fault::Bomb | Fault::Trickle => {
                // The code says enough, also to who does not read to the end.
                self.ledger.lock().unwrap().acknowledge(&ended);
                match fault {
                    Fault::Huge => large::huge(connection)?,
                    Fault::Bomb => large::bomb(connection)?,
                    _ => large::trickle(connection)?,
                }
            }
            _ if ended.is_empty() && head.method == "GET" => {
                connection.answer(200, "Content-Type: application/json\r\n", INFO)?;
            }
            _ => {
                // Who has the answer and asks then finds it in the books.
                let mut ledger = self.ledger.lock().unwrap();
                connection.answer(202, "Content-Type: application/json\r\n", b"{}")?;
                ledger.acknowledge(&ended);
            }
        }
        Ok(true)
    }

    /// The changes of a body, or the code that refuses it.
    fn read(&self, fault: Fault, head: &Head, body: &[u8]) -> Result<Vec<RunChange>, (u16, String)> {
        let encoding = head.header("content-encoding");
        let unreadable = |code: u16, why: String| {
            self.ledger.lock().unwrap().unreadable(&why);
            (code, why)
        };
        let known = Encoding::from_name(encoding);
        let known = known.ok_or_else(|| unreadable(415, format!("the encoding {encoding:?} is not known")))?;
        let body = known.decompress(body, MAX_DECODED).map_err(|error| unreadable(400, error.to_string()))?;
        self.ledger.lock().unwrap().body(known.name(), body.len());
        if let Fault::Limit(bytes) = fault
            && body.len() > bytes
        {
            return Err((413, format!("longer than {bytes} bytes")));
        }
        let Decoded { changes, errors, .. } = match boundary_of(head.header("content-type")) {
            Some(boundary) => decode_multipart(&body, boundary),
            None => decode_batch(&body),
        };
        for error in errors {
            self.ledger.lock().unwrap().unreadable(&error.to_string());
        }
        if fault == Fault::Poison && changes.iter().filter_map(RunChange::run).any(is_poison) {
            return Err((400, "a run in it is poison".into()));
        }
        Ok(changes)
    }
}
