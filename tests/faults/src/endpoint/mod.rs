//! A LangSmith that breaks on command, and counts what it acknowledged.

mod http;
mod large;
mod ledger;
mod listening;
mod serve;

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

pub use ledger::{Elsewhere, POISON, Report};
use listening::Port;
use serve::Shared;

use crate::fault::Fault;

/// A backend on a port of loopback.
pub struct Endpoint {
    shared: Arc<Shared>,
    port: Port,
    /// Where its redirects point to.
    _elsewhere: Port,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Starts an endpoint on this port, or on a free one for 0. It is well.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub fn start(port: u16) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (serving, counting) = (Arc::clone(&shared), Arc::clone(&shared));
        let elsewhere = Port::open(0, Arc::new(move |stream| count(&counting, stream)))?;
        *shared.elsewhere.lock().unwrap() = elsewhere.address().to_string();
        // How a connection ends is for its client to see.
        let port = Port::open(port, Arc::new(move |stream| drop(serving.serve(stream))))?;
        Ok(Self { shared, port, _elsewhere: elsewhere })
    }

    /// Where it listens, also while it is down.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Breaks or mends it, for requests that come from now on.
    ///
    /// # Errors
    ///
    /// When it cannot listen again.
    pub fn set(&mut self, fault: Fault) -> io::Result<()> {
        *self.shared.fault.lock().unwrap() = fault;
        if fault == Fault::Down {
            self.port.close();
            Ok(())
        } else {
            self.port.reopen()
        }
    }

    /// What it has counted.
    pub fn report(&self) -> Report {
        self.shared.ledger.lock().unwrap().report()
    }

    /// The ids of the ended runs that it acknowledged, each with the keys that it came under.
    pub fn acknowledged(&self) -> Vec<(String, Vec<String>)> {
        let ledger = self.shared.ledger.lock().unwrap();
        ledger.acknowledged().map(|(id, keys)| (id.to_string(), keys.iter().cloned().collect())).collect()
    }
}

/// Somebody has followed a redirect.
fn count(shared: &Shared, stream: TcpStream) {
    shared.ledger.lock().unwrap().elsewhere(|elsewhere| elsewhere.connections += 1);
    let mut connection = http::Connection::new(stream);
    while let Ok(Some(head)) = connection.head() {
        shared.ledger.lock().unwrap().elsewhere(|elsewhere| {
            elsewhere.requests += 1;
            elsewhere.headers.extend(head.headers.iter().map(|(name, _)| name.clone()));
        });
        if connection.body(&head).and_then(|_| connection.answer(202, "", b"{}")).is_err() {
            return;
        }
    }
}
