//! A port that can be closed and opened again, and is nobody else's in between.

use std::{
    collections::HashMap,
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use socket2::{Domain, Socket, Type};

type Handler = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// A port of this process.
pub(super) struct Port {
    address: SocketAddr,
    /// Bound and not listening: connections are refused, and no other process gets the port, nor does a client as its own.
    _kept: Socket,
    handler: Handler,
    open: Option<Open>,
}

struct Open {
    closing: Arc<AtomicBool>,
    connections: Arc<Mutex<HashMap<u64, TcpStream>>>,
    thread: JoinHandle<()>,
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

impl Port {
    /// Opens a port of loopback, a free one for 0. `handler` serves each connection on a thread of its own.
    pub(super) fn open(port: u16, handler: Handler) -> io::Result<Self> {
        let kept = bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
        let address = kept.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut port = Self { address, _kept: kept, handler, open: None };
        port.reopen()?;
        Ok(port)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes connections again.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let socket = bind(self.address)?;
        socket.listen(1_024)?;
        let listener = TcpListener::from(socket);
        let (closing, connections) = (Arc::<AtomicBool>::default(), Arc::<Mutex<HashMap<_, _>>>::default());
        let accept = {
            let (closing, connections) = (Arc::clone(&closing), Arc::clone(&connections));
            let handler = Arc::clone(&self.handler);
            move || accept(&listener, &closing, &connections, &handler)
        };
        let thread = std::thread::Builder::new().name("accept".into()).spawn(accept)?;
        self.open = Some(Open { closing, connections, thread });
        Ok(())
    }

    /// Refuses connections, and cuts those that there are.
    pub(super) fn close(&mut self) {
        let Some(Open { closing, connections, thread }) = self.open.take() else { return };
        closing.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
        let _ = thread.join();
        for stream in connections.lock().unwrap().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.close();
    }
}

fn accept(
    listener: &TcpListener,
    closing: &AtomicBool,
    connections: &Arc<Mutex<HashMap<u64, TcpStream>>>,
    handler: &Handler,
) {
    for (number, stream) in (0_u64..).zip(listener.incoming()) {
        if closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(copy) = stream.try_clone() else { continue };
        connections.lock().unwrap().insert(number, copy);
        let (handler, connections) = (Arc::clone(handler), Arc::clone(connections));
        std::thread::spawn(move || {
            handler(stream);
            connections.lock().unwrap().remove(&number);
        });
    }
}
