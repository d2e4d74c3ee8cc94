//! Requests in JSON, as exporters for browsers and JavaScript write them.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    trace::v1::{Span, Status},
};
use prost::Message as _;
use serde_json::{Value, json};
use traceable_core::model::RunChange;
use traceable_wire::otlp::{Decoded, Format, Problem, decode_logs_as, decode_traces, decode_traces_as};

use crate::support::{body_of, event, foreign_span};

fn traces(body: &Value) -> Decoded {
    decode_traces_as(Format::Json, body.to_string().as_bytes())
}

/// A request of one span in the shape that OpenTelemetry's exporter for JavaScript gives it.
fn request(span: &Value) -> Value {
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "scope": { "name": "peer" }, "spans": [span] }] }] })
}

fn span() -> Value {
    json!({
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "parentSpanId": "EEE19B7EC3C1B173",
        "name": "chat gpt-4o", "kind": 3, "startTimeUnixNano": "1717171717000000000", "endTimeUnixNano": 1_717_171_718_000_000_000_u64,
        "attributes": [
            { "key": "gen_ai.request.model", "value": { "stringValue": "gpt-4o" } },
            { "key": "gen_ai.usage.input_tokens", "value": { "intValue": "27" } },
            { "key": "gen_ai.usage.output_tokens", "value": { "intValue": 13 } },
            // A whole number is an integer in JavaScript.
            { "key": "gen_ai.request.temperature", "value": { "intValue": 1 } },
            { "key": "gen_ai.usage.cost", "value": { "doubleValue": 0.5 } },
            { "key": "array_value", "value": { "arrayValue": { "values": [{ "boolValue": true }, {}] } } },
        ],
        "status": { "code": 1 }, "flags": 257, "aFieldOfTomorrow": { "deep": [1, 2] },
    })
}

#[test]
fn what_javascript_writes_is_read() {
    let decoded = traces(&request(&span()));
    assert_eq!(decoded.problems, []);
    let run = decoded.changes[0].run().unwrap();
    assert_eq!(
        (&*run.name, run.project.as_deref(), run.model.as_deref()),
        ("chat gpt-4o", Some("shop"), Some("gpt-4o"))
    );
    assert_eq!(run.trace_id.to_string(), "5b8efff7-9803-8103-d269-b633813fc60c");
    assert_eq!(run.parent_id.unwrap().span_id(), 0xeee1_9b7e_c3c1_b173);
    assert_eq!((run.start_time, run.end_time), (1_717_171_717_000_000_000, Some(1_717_171_718_000_000_000)));
    let usage = run.usage.as_ref().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_cost), (Some(27), Some(13), Some(0.5)));
    assert_eq!((&run.params["temperature"], &run.metadata["array_value"]), (&json!(1), &json!([true, null])));
}

#[test]
fn json_says_what_protobuf_says() {
    let foreign = foreign_span(&json!({ "gen_ai.prompt": "Hi", "n": 3, "share": 0.25, "tags": ["a"], "none": true }));
    let failed = Status { code: 2, message: "no".into() };
    let whole = Span { events: vec![event("retry", &json!({ "attempt": 2 }))], status: Some(failed), ..foreign };
    let body = body_of(vec![whole], &json!({ "service.name": "shop", "deployment.environment.name": "test" }));
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    let json = traces(&serde_json::to_value(&request).unwrap());
    assert_eq!((json.problems, json.changes), (vec![], decode_traces(&body).changes));
}

#[test]
fn scores_come_as_log_records() {
    let record = json!({
        "timeUnixNano": "7", "eventName": "gen_ai.evaluation.result", "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174", "attributes": [
            { "key": "gen_ai.evaluation.name", "value": { "stringValue": "tone" } },
            { "key": "gen_ai.evaluation.score.value", "value": { "doubleValue": 0.5 } },
        ],
    });
    let request = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [record, { "body": { "stringValue": "log" } }] }] }] });
    let decoded = decode_logs_as(Format::Json, request.to_string().as_bytes());
    let [RunChange::Score(score)] = &*decoded.changes else { panic!("{decoded:?}") };
    assert_eq!((&*score.key, score.score), ("tone", Some(0.5)));
    let empty = ExportLogsServiceRequest::default();
    assert_eq!(decode_logs_as(Format::Json, &serde_json::to_vec(&empty).unwrap()).problems, []);
}

#[test]
fn what_would_be_passed_over_is_refused() {
    let snake = |name: &str| vec![Problem::SnakeCase(name.to_owned())];
    assert_eq!(traces(&json!({ "resource_spans": [] })).problems, snake("resource_spans"));
    assert_eq!(traces(&json!({ "resourceSpans": [{ "scope_spans": [] }] })).problems, snake("scope_spans"));
    let mut inside = span();
    inside["attributes"][0]["value"] = json!({ "string_value": "gpt-4o" });
    assert_eq!(traces(&request(&inside)).problems, snake("string_value"));
    let said = Problem::SnakeCase("trace_id".into()).to_string();
    assert_eq!(said, "`trace_id`: the names of OTLP's JSON are in camelCase");

    assert_eq!(traces(&json!({ "spans": [{}] })).problems, [Problem::NotARequest]);
    assert_eq!(traces(&json!([])).problems, [Problem::NotARequest]);
    assert_eq!((traces(&json!({})).problems, traces(&json!({ "resourceSpans": [] })).problems), (vec![], vec![]));
    let mut named = span();
    named["kind"] = json!("SPAN_KIND_CLIENT");
    let problems = traces(&request(&named)).problems;
    assert!(matches!(&*problems, [Problem::Json(what)] if what.contains("SPAN_KIND_CLIENT")), "{problems:?}");
    let problems = decode_traces_as(Format::Json, b"{\"resourceSpans\": [").problems;
    assert!(matches!(&*problems, [Problem::Json(what)] if what.contains("line 1")), "{problems:?}");
    let mut short = span();
    short["spanId"] = json!("ee");
    assert_eq!(traces(&request(&short)).problems, [Problem::NoId { span: 0 }]);
}

#[test]
fn what_would_become_too_much_is_refused_before_it_is_made() {
    let spans = format!("[{}{{}}]", "{},".repeat(100_000));
    let body = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":{spans}}}]}}]}}");
    assert_eq!(decode_traces_as(Format::Json, body.as_bytes()).problems, [Problem::TooMany]);
    let mut value = json!({});
    for _ in 0..38 {
        value = json!({ "arrayValue": { "values": [value] } });
    }
    let mut deep = span();
    deep["attributes"][0]["value"] = value;
    assert_eq!(traces(&request(&deep)).problems, [Problem::TooDeep]);
}
