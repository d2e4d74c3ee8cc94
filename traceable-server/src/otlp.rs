//! OTLP over HTTP, as OpenTelemetry's exporters speak it: bodies in protobuf, whole or in part taken.

use std::sync::{Arc, PoisonError};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use traceable_wire::otlp::{Decoded, Problem, decode_logs, decode_traces};

use crate::http::{App, Refusal, Table};

const PROTOBUF: &str = "application/x-protobuf";

pub(crate) fn routes(table: &mut Table) {
    let post = Method::POST;
    table.add(&post, "/v1/traces", traces);
    table.add(&post, "/v1/logs", logs);
    table.add(&post, "/v1/metrics", metrics);
    // LangSmith's own door for OpenTelemetry.
    table.add_below(&["", "/api/v1", "/api"], &post, "/otel/v1/traces", &traces);
}

async fn traces(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    take(&app, &headers, body, decode_traces).await
}

async fn logs(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    take(&app, &headers, body, decode_logs).await
}

/// Nothing is made of metrics. They are not refused either: an exporter of all three signals would complain for ever.
async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    app.bodies.read(&headers, body).await?;
    *app.not_kept.lock().unwrap_or_else(PoisonError::into_inner).entry("requests with metrics").or_default() += 1;
    Ok(answer(0, ""))
}

async fn take(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(&[u8]) -> Decoded + Send + 'static,
) -> Result<Response, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case(PROTOBUF)) {
        let wanted = "expected application/x-protobuf: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf";
        return Err(Refusal::Unsupported(wanted.into()));
    }
    let taken = app.bodies.read(headers, body).await?;
    let room = taken.room;
    let decoded = tokio::task::spawn_blocking(move || decode(&taken.bytes)).await.map_err(|_| Refusal::Stopped)?;
    let is_whole = |problem: &&Problem| !matches!(problem, Problem::NoId { .. });
    if let Some(problem) = decoded.problems.iter().find(is_whole) {
        return Err(Refusal::Wrong(problem.to_string()));
    }
    app.ingest.take(decoded.changes, room).await?;
    let said = decoded.problems.first().map(ToString::to_string).unwrap_or_default();
    Ok(answer(decoded.problems.len(), &said))
}

/// `ExportTraceServiceResponse` and its likes: nothing, or how much was not taken and why.
fn answer(rejected: usize, why: &str) -> Response {
    let mut partial = Vec::new();
    if rejected > 0 {
        let why = &why.as_bytes()[..why.len().min(96)];
        let mut inside = vec![0x08];
        let mut number = rejected;
        while number > 0x7f {
            inside.push(number as u8 | 0x80);
            number >>= 7;
        }
        inside.extend([number as u8, 0x12, why.len() as u8]);
        inside.extend_from_slice(why);
        partial.extend([0x0a, inside.len() as u8]);
        partial.extend(inside);
    }
    ([(CONTENT_TYPE, PROTOBUF)], partial).into_response()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use traceable_wire::otlp::decode_answer;

    use super::*;

    #[tokio::test]
    async fn what_was_not_taken_is_said() {
        for rejected in [0, 1, 300] {
            let body = answer(rejected, "span 1 has no id").into_body().collect().await.expect("a body").to_bytes();
            let read = decode_answer(&body);
            assert_eq!(read.rejected, rejected as u64);
            assert_eq!(read.message.is_empty(), rejected == 0);
        }
    }
}
