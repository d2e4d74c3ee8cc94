//! The table of all routes.

use std::{
    any::Any,
    sync::{Arc, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use serde_json::{Value, json};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use super::{App, Refusal, guard::guard, login};
use crate::{api, langsmith, otlp, viewer};

/// How many different routes are counted that are not served.
const MAX_NOT_SERVED: usize = 64;

/// Routes: a method, a path, and what answers.
#[derive(Default)]
pub(crate) struct Table(Vec<(Method, String, MethodRouter<Arc<App>>)>);

impl Table {
    /// Adds a route.
    pub(crate) fn add<H, T>(&mut self, method: &Method, path: &str, handler: H)
    where
        H: axum::handler::Handler<T, Arc<App>>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        self.0.push((method.clone(), path.to_owned(), on(filter, handler)));
    }

    /// Adds a route below each of these.
    pub(crate) fn add_below<H, T>(&mut self, prefixes: &[&str], method: &Method, path: &str, handler: &H)
    where
        H: axum::handler::Handler<T, Arc<App>>,
        T: 'static,
    {
        for prefix in prefixes {
            self.add(method, &format!("{prefix}{path}"), handler.clone());
        }
    }
}

fn table() -> Table {
    let mut table = Table::default();
    table.add(&Method::GET, "/health", health);
    table.add(&Method::GET, login::PATH, login::login);
    langsmith::routes(&mut table);
    otlp::routes(&mut table);
    api::routes(&mut table);
    viewer::routes(&mut table);
    table
}

/// All routes, by method and path, for tests.
#[doc(hidden)]
pub fn routes() -> Vec<(String, String)> {
    table().0.into_iter().map(|(method, path, _)| (method.to_string(), path)).collect()
}

/// All that is served.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = table().0.into_iter().fold(Router::new(), |router, (_, path, method)| router.route(&path, method));
    routes
        .fallback(not_served)
        .method_not_allowed_fallback(not_served)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Says that this is `traceable`, and what it could not do for somebody.
async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let not_served = app.not_served.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let not_kept = app.not_kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(json!({
        "service": "traceable",
        "instance": app.instance,
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "home": app.home,
        "not_served": not_served,
        "not_kept": not_kept,
    }))
}

/// A fault of ours costs one answer, and not the connection with all that still goes on there.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Refusal::Broken("this is a fault in traceable; its standard error says where".into()).into_response()
}

/// A protocol of a backend has more than is served here; whoever asks for it is told so by name.
async fn not_served(State(app): State<Arc<App>>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(128).collect();
    let route = format!("{} {path}", request.method());
    let mut counts = app.not_served.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.len() < MAX_NOT_SERVED || counts.contains_key(&route) {
        *counts.entry(route.clone()).or_default() += 1;
    }
    let detail = format!("traceable does not serve {route}");
    (StatusCode::NOT_IMPLEMENTED, Json(json!({ "detail": detail }))).into_response()
}
