//! A server that takes everything, and remembers the bodies of runs.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::HeaderMap,
    routing::{get, post},
};
use traceable_wire::{encoding::Encoding, langsmith::boundary_of};

use crate::recorded::{Part, alone, split};

/// See the file.
pub(crate) struct Server {
    pub(crate) url: String,
    bodies: Arc<Mutex<Vec<Vec<Part>>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let bodies: Arc<Mutex<Vec<Vec<Part>>>> = Arc::default();
        let into = Arc::clone(&bodies);
        let take = async move |headers: HeaderMap, body: Bytes| {
            let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let body = Encoding::from_name(header("content-encoding")).unwrap().decompress(&body, 1 << 24).unwrap();
            into.lock().unwrap().push(split(&body, boundary_of(header("content-type")).unwrap()));
        };
        let into = Arc::clone(&bodies);
        let feedback = async move |body: Bytes| {
            into.lock().unwrap().push(vec![alone(&serde_json::from_slice(&body).unwrap())]);
        };
        let known = r#"{"version":"0.18.0","instance_flags":{"gzip_body_enabled":true}}"#;
        let router = Router::new()
            .route("/info", get(async move || ([("content-type", "application/json")], known)))
            .route("/runs/multipart", post(take))
            .route("/feedback", post(feedback));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, bodies }
    }

    /// What has come since the last time.
    pub(crate) fn take(&self) -> Vec<Vec<Part>> {
        std::mem::take(&mut *self.bodies.lock().unwrap())
    }
}
