//! OTLP over HTTP, as OpenTelemetry's exporters speak it: bodies in protobuf or JSON, whole or in part taken. What is
//! answered is in the words that were asked in.

use std::sync::{Arc, PoisonError};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use traceable_wire::otlp::{Decoded, Format, Problem, decode_logs_as, decode_traces_as};

use crate::http::{App, Refusal, Table};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

pub(crate) fn routes(table: &mut Table) {
    let post = Method::POST;
    table.add(&post, "/v1/traces", traces);
    table.add(&post, "/v1/logs", logs);
    table.add(&post, "/v1/metrics", metrics);
    // LangSmith's own door for OpenTelemetry.
    table.add_below(&["", "/api/v1", "/api"], &post, "/otel/v1/traces", &traces);
}

async fn traces(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    take(&app, &headers, body, decode_traces_as, "rejectedSpans").await
}

async fn logs(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    take(&app, &headers, body, decode_logs_as, "rejectedLogRecords").await
}

/// Nothing is made of metrics. They are not refused either: an exporter of all three signals would complain for ever.
async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let Ok(format) = format(&headers) else { return unknown() };
    if let Err(refusal) = app.bodies.read(&headers, body).await {
        return refuse(format, refusal);
    }
    *app.not_kept.lock().unwrap_or_else(PoisonError::into_inner).entry("requests with metrics").or_default() += 1;
    answer(format, "", 0, "")
}

/// The format that a request says it is in.
fn format(headers: &HeaderMap) -> Result<Format, ()> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match () {
        () if kind.eq_ignore_ascii_case(PROTOBUF) => Ok(Format::Protobuf),
        () if kind.eq_ignore_ascii_case(JSON) => Ok(Format::Json),
        () => Err(()),
    }
}

fn unknown() -> Response {
    Refusal::Unsupported(format!("expected {PROTOBUF} or {JSON}: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"))
        .into_response()
}

async fn take(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: fn(Format, &[u8]) -> Decoded,
    rejected: &str,
) -> Response {
    let Ok(format) = format(headers) else { return unknown() };
    match keep(app, headers, body, move |bytes| decode(format, bytes)).await {
        Ok(problems) => {
            let said = problems.first().map(ToString::to_string).unwrap_or_default();
            answer(format, rejected, problems.len(), &said)
        }
        Err(refusal) => refuse(format, refusal),
    }
}

/// Writes what is in a request; answers what could not be read of it.
async fn keep(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(&[u8]) -> Decoded + Send + 'static,
) -> Result<Vec<Problem>, Refusal> {
    let taken = app.bodies.read(headers, body).await?;
    let room = taken.room;
    let decoded = tokio::task::spawn_blocking(move || decode(&taken.bytes)).await.map_err(|_| Refusal::Stopped)?;
    let is_whole = |problem: &&Problem| !matches!(problem, Problem::NoId { .. });
    if let Some(problem) = decoded.problems.iter().find(is_whole) {
        return Err(Refusal::Wrong(problem.to_string()));
    }
    app.ingest.take(decoded.changes, room).await?;
    Ok(decoded.problems)
}

/// `ExportTraceServiceResponse` and its likes: nothing, or how much was not taken and why.
fn answer(format: Format, name: &str, rejected: usize, why: &str) -> Response {
    if format == Format::Json {
        let partial = || json!({ name: rejected.to_string(), "errorMessage": why });
        let body = if rejected > 0 { json!({ "partialSuccess": partial() }) } else { json!({}) };
        return written(JSON, body.to_string().into_bytes());
    }
    let mut partial = Vec::new();
    if rejected > 0 {
        let inside = [number(0x08, rejected), text(0x12, why.as_bytes())].concat();
        partial = text(0x0a, &inside);
    }
    written(PROTOBUF, partial)
}

/// `google.rpc.Status`: what OTLP answers to what it does not take.
fn refuse(format: Format, refusal: Refusal) -> Response {
    let detail = refusal.clone().detail();
    let mut response = refusal.into_response();
    let said = match format {
        Format::Json => (JSON, json!({ "message": detail }).to_string().into_bytes()),
        _ => (PROTOBUF, text(0x12, detail.as_bytes())),
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(said.0));
    *response.body_mut() = Body::from(said.1);
    response
}

fn written(kind: &'static str, body: Vec<u8>) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, kind)], body).into_response()
}

/// A field of protobuf that is a number.
fn number(tag: u8, mut number: usize) -> Vec<u8> {
    let mut field = vec![tag];
    while number > 0x7f {
        field.push(number as u8 | 0x80);
        number >>= 7;
    }
    field.push(number as u8);
    field
}

/// A field that is a text or a message.
fn text(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = number(tag, bytes.len());
    field.extend_from_slice(bytes);
    field
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use traceable_wire::otlp::decode_answer;

    use super::*;

    async fn body(response: Response) -> Vec<u8> {
        response.into_body().collect().await.expect("a body").to_bytes().to_vec()
    }

    #[tokio::test]
    async fn what_was_not_taken_is_said() {
        for rejected in [0, 1, 300] {
            let why = "span 1 has no id ".repeat(20);
            let said = body(answer(Format::Protobuf, "rejectedSpans", rejected, &why)).await;
            let read = decode_answer(&said);
            assert_eq!(read.rejected, rejected as u64);
            assert_eq!(read.message, if rejected > 0 { &*why } else { "" });
        }
        let said = body(answer(Format::Json, "rejectedSpans", 2, "no id")).await;
        let said: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
        assert_eq!(said, json!({ "partialSuccess": { "rejectedSpans": "2", "errorMessage": "no id" } }));
    }

    #[tokio::test]
    async fn refusals_are_in_the_words_that_were_asked_in() {
        let refused = refuse(Format::Protobuf, Refusal::Busy);
        assert_eq!(
            (refused.status(), refused.headers()[CONTENT_TYPE].as_bytes()),
            (StatusCode::TOO_MANY_REQUESTS, PROTOBUF.as_bytes())
        );
        assert!(refused.headers().contains_key("retry-after"));
        let said = body(refused).await;
        assert_eq!((said[0], said[1] as usize), (0x12, said.len() - 2));
    }
}
