//! Listens, and answers until it is told to stop.

use std::{
    fmt, fs,
    hash::{BuildHasher as _, RandomState},
    io::{self, ErrorKind, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use traceable_core::spool::{Disk as _, StdDisk};
use traceable_store::{Limits, Removed, Store};

use crate::{
    home::Home,
    http::{App, Bodies, Guard, Peer, Rates, router},
    ingest::Ingest,
    live::Live,
    print::{bytes, counted, now},
    spools,
};

/// The port that every OpenTelemetry SDK sends to where nothing else is set.
const PORT: u16 = 4318;

/// Connections at once. Beyond, they wait to be accepted; most systems allow 1 024 files.
const CONNECTIONS: usize = 768;

/// How long a connection may take for the head of a request, and how long it may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of the head of a request.
const HEAD_BYTES: usize = 64 << 10;

/// How often it is looked for what need not be kept.
const SWEEP: Duration = Duration::from_secs(600);

/// How long requests may go on when the server has been told to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a server is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies.
    pub home: Home,
    /// Where to listen; nowhere said, on this machine's own addresses and port 4318.
    pub listen: Vec<SocketAddr>,
    /// Names of this server beside `localhost`.
    pub names: Vec<String>,
    /// What requests must show.
    pub token: Option<String>,
    /// Whether other machines may ask without a token.
    pub is_open: bool,
    /// What is kept.
    pub limits: Limits,
}

impl Config {
    /// On this machine alone.
    pub fn new(home: Home) -> Self {
        Self { home, listen: Vec::new(), names: Vec::new(), token: None, is_open: false, limits: Limits::default() }
    }
}

/// Why a server does not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// Somebody else listens there.
    Taken(SocketAddr),
    /// Other machines could read everything.
    NoToken(SocketAddr),
    /// The store cannot be opened.
    Store(traceable_store::Error),
    /// The token cannot be shown.
    Token,
    /// The system says no.
    Io(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(address) => {
                write!(f, "another program listens on {address}; choose a port with --listen 127.0.0.1:4319")
            }
            Self::NoToken(address) => write!(
                f,
                "on {address} other machines could read all prompts and answers: set TRACEABLE_TOKEN to a secret of your \
                 choice, or say --insecure-no-auth"
            ),
            Self::Store(error @ traceable_store::Error::Locked { .. }) => {
                write!(f, "{error}; give this one a folder of its own with --home")
            }
            Self::Store(error) => error.fmt(f),
            Self::Token => f.write_str(
                "TRACEABLE_TOKEN cannot be sent as it is: of letters, digits and signs, take any but spaces, quotes, \
                 backslashes, `,` and `;`",
            ),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<io::Error> for ServeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<traceable_store::Error> for ServeError {
    fn from(error: traceable_store::Error) -> Self {
        Self::Store(error)
    }
}

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    router: Router,
    store: Arc<Store>,
    live: Arc<Live>,
    ingest: Ingest,
    home: Home,
    limits: Limits,
}

impl Server {
    /// Opens the store and the ports.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        let Config { home, listen, names, token, is_open, limits } = config;
        let public = listen.iter().find(|address| !address.ip().is_loopback());
        if let Some(address) = public.filter(|_| token.is_none() && !is_open) {
            return Err(ServeError::NoToken(*address));
        }
        // It is shown in headers and in a cookie.
        let is_sent = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        if token.as_ref().is_some_and(|token| !token.bytes().all(is_sent)) {
            return Err(ServeError::Token);
        }
        home.make()?;
        let mut listeners = Vec::new();
        let local =
            [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(|ip: IpAddr| SocketAddr::new(ip, PORT));
        let wanted = if listen.is_empty() { &local[..] } else { &listen };
        for address in wanted {
            match TcpListener::bind(address).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(ServeError::Taken(*address)),
                // Not every machine has both.
                Err(_) if listen.is_empty() && address.is_ipv6() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let addresses: Vec<_> = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
        let store = Arc::new(Store::open(home.store())?);
        // For `doctor`, the console, `show --web` and the quickstart. What a server has left that was killed is put right by
        // the next one; until then its port may be another's, so the file holds a word that `/health` says as well.
        let instance = format!("{:016x}", RandomState::new().hash_one(now()));
        let said = json!({ "addresses": addresses, "instance": instance });
        StdDisk.replace(&home.server(), &serde_json::to_vec(&said).unwrap_or_default())?;
        let live = Arc::new(Live::default());
        let ingest = Ingest::start(Arc::clone(&store), Arc::clone(&live))?;
        let app = App {
            ingest: ingest.clone(),
            live: Arc::clone(&live),
            store: Arc::clone(&store),
            bodies: Bodies::default(),
            guard: Guard { names, is_public: public.is_some(), token },
            rates: Rates::default(),
            instance,
            home: public.is_none().then(|| home.path().display().to_string()),
            not_served: Mutex::default(),
            not_kept: Mutex::default(),
        };
        Ok(Self { listeners, addresses, router: router(Arc::new(app)), store, live, ingest, home, limits })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers until `stop` is done, and then what has been asked so far.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { listeners, router, store, live, ingest, home, limits, .. } = self;
        let file = home.server();
        let is_over = Arc::new(AtomicBool::new(false));
        let reads = Arc::clone(&is_over);
        let kept = tokio::spawn(keep(Arc::clone(&store), Arc::clone(&live), limits));
        let told = Arc::clone(&live);
        let reader = thread::Builder::new().name("traceable-spools".into()).spawn(move || {
            spools::follow(&store, &home, &told, &ingest, &reads);
        })?;
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let graceful = Arc::new(GracefulShutdown::new());
        let mut accepting = JoinSet::new();
        for listener in listeners {
            accepting.spawn(accept(listener, router.clone(), Arc::clone(&places), Arc::clone(&graceful)));
        }
        stop.await;
        accepting.shutdown().await;
        kept.abort();
        live.end();
        if let Some(graceful) = Arc::into_inner(graceful) {
            // Who does not come to an end by then sends again what was not answered.
            let _ = timeout(FAREWELL, graceful.shutdown()).await;
        }
        is_over.store(true, Ordering::Relaxed);
        reader.thread().unpark();
        let _ = tokio::task::spawn_blocking(move || reader.join()).await;
        let _ = fs::remove_file(file);
        Ok(())
    }
}

/// Removes what is too old or too much.
async fn keep(store: Arc<Store>, live: Arc<Live>, limits: Limits) {
    while limits != Limits::default() {
        let store = Arc::clone(&store);
        let removed = tokio::task::spawn_blocking(move || store.keep_within(&limits, now())).await;
        // What cannot be removed now is removed later.
        if let Ok(Ok(removed)) = removed
            && removed.runs > 0
        {
            live.tell_all();
            let Removed { runs, traces, bytes: freed, .. } = removed;
            let (runs, traces) = (counted(runs, "run"), counted(traces, "trace"));
            let freed = bytes(freed);
            let _ = writeln!(
                io::stderr(),
                "traceable: removed the oldest {traces} ({runs}, {freed}): see --keep and --max-size"
            );
        }
        sleep(SWEEP).await;
    }
}

async fn accept(listener: TcpListener, router: Router, places: Arc<Semaphore>, graceful: Arc<GracefulShutdown>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                let (router, peer) = (TowerToHyperService::new(router.clone()), Peer(peer.ip()));
                let service = service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(peer);
                    router.call(request)
                });
                let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
                tokio::spawn(async move {
                    // Whoever breaks off knows it.
                    let _ = connection.await;
                    drop(place);
                });
            }
            // No file is left for it; some will be when others have closed.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
