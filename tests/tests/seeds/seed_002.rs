//! Adaline: traces and spans by hand, and what a span did in one of eight kinds of content.
//!
//! | rows | test |
//! |---|---|
//! | A1, A2 | `two_levels_with_typed_content` |
//! | A3, A4 | `a_switch_over_all_kinds` |
//! | A5–A8, A29, A34, A35 | `limits` |
//! | A5–A10, A13 | `a_model_span` |
//! | A14–A18 | `a_stream` |
//! | A19–A24 | `embeddings`, `a_function`, `a_tool`, `a_guardrail`, `a_retrieval`, `anything_else` |
//! | A10, A17 | `what_was_wanted_on_every_kind` |
//! | A11, A25, A26 | `content_is_json_or_an_error`, `content_is_what_a_parser_takes` |
//! | A12, A31 | `usage_of_raw_payloads` |
//! | A27, A28 | `attributes` |
//! | A29, A30 | `tags` |
//! | A32 | `a_monitor_at_module_level`, `project_ids_of_any_length` |
//! | A33–A37, A39 | `the_complete_example` |
//! | A38, A39 | `the_complete_example_fails` |
//! | A40, A41 | `the_complete_example_in_python` |
//! | A37 | `six_statuses` |
//! | A39 | `only_the_first_end_counts`, `an_end_ends_what_is_below`, `what_is_dropped_ends`, `many_spans` |
//! | A28, A30, A37 | `updates_in_parts_and_in_any_order`, `a_refused_update_says_nothing`, `what_is_said_after_the_end` |
//! | A34, A35 | `sessions_and_references`, `traced_functions_are_spans_too` |

use std::{error::Error, sync::LazyLock};

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use traceable::{
    Run, Usage,
    adaline::{
        Adaline, Content, ContentJson, LimitError, LogSpan, LogTrace, ModelContent, ModelStreamContent, Monitor,
        SpanUpdate, Status, Trace, Update,
    },
    model::{Event, Json, StreamInfo},
    testing::Recorder,
    traceable,
};

use crate::support::{json, ok, runs, tree};

fn monitor() -> Monitor {
    Adaline::new().init_monitor("my-project").unwrap()
}

/// A run of the project of the examples.
fn logged(name: &'static str, run_type: &'static str) -> Run {
    Run { project: Some("my-project".into()), ..ok(name, run_type) }
}

/// Metadata of a value.
fn metadata(value: Value) -> serde_json::Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// The run of a span that is told `update`, in a trace that is told nothing.
fn span_of(update: impl Into<SpanUpdate>) -> Run {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        let span = trace.log_span("span").unwrap();
        span.update(update).unwrap();
        span.end();
        trace.end();
    });
    let mut tree = tree(&recorder);
    let span = tree.pop().unwrap();
    assert_eq!(tree, [(None, logged("trace", "chain"))]);
    assert_eq!(span.0, Some(0));
    span.1
}

/// A1, A2: traces hold spans, and a span says in one of eight kinds what it did.
#[test]
fn two_levels_with_typed_content() {
    let recorder = Recorder::new();
    let of = |text: &str| ContentJson::of(text);
    let contents = [
        ModelContent::new("openai", "gpt-4o", of("a"), of("b")).into(),
        ModelStreamContent::new("openai", "gpt-4o", of("a"), "chunks", of("b")).into(),
        Content::embeddings(of("a"), of("b")),
        Content::function(of("a"), of("b")),
        Content::tool(of("a"), of("b")),
        Content::guardrail(of("a"), of("b")),
        Content::retrieval(of("a"), of("b")),
        Content::other(of("a"), of("b")),
    ];
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        for content in contents {
            trace.log_span(LogSpan::new("span").content(content)).unwrap().end();
        }
        trace.end();
    });
    let tree = tree(&recorder);
    assert_eq!(tree[0], (None, logged("trace", "chain")));
    let kinds: Vec<_> = tree[1..].iter().map(|(parent, run)| (*parent, run.run_type.as_str())).collect();
    let expected = ["llm", "llm", "embedding", "chain", "tool", "guardrail", "retriever", "other"];
    assert_eq!(kinds, expected.map(|kind| (Some(0), kind)));
    for (_, run) in &tree[1..] {
        assert_eq!((&run.inputs, &run.outputs), (&json(json!({ "input": "a" })), &json(json!({ "output": "b" }))));
    }
}

/// A3, A4: the kind is told by a switch that the compiler knows to be complete; a model's line names provider, model and
/// cost, that of a stream the provider.
#[test]
fn a_switch_over_all_kinds() {
    fn handle_span_content(content: &Content) -> String {
        match content {
            Content::Model(content) => {
                format!("LLM: {}/{}, Cost: ${}", content.provider, content.model, content.cost.unwrap_or_default())
            }
            Content::ModelStream(content) => format!("Streaming: {}", content.provider),
            Content::Embeddings(_) => "Embedding generation".to_owned(),
            Content::Tool(_) => "Tool execution".to_owned(),
            Content::Retrieval(_) => "Vector search".to_owned(),
            Content::Function(_) => "Custom function".to_owned(),
            Content::Guardrail(_) => "Safety check".to_owned(),
            Content::Other(_) => "Other operation".to_owned(),
        }
    }
    let of = |text: &str| ContentJson::of(text);
    let said = [
        (
            ModelContent::new("openai", "gpt-4o", of("a"), of("b")).cost(0.002).into(),
            "LLM: openai/gpt-4o, Cost: $0.002",
        ),
        (ModelStreamContent::new("anthropic", "claude-3-opus", of("a"), "", of("b")).into(), "Streaming: anthropic"),
        (Content::embeddings(of("a"), of("b")), "Embedding generation"),
        (Content::tool(of("a"), of("b")), "Tool execution"),
        (Content::retrieval(of("a"), of("b")), "Vector search"),
        (Content::function(of("a"), of("b")), "Custom function"),
        (Content::guardrail(of("a"), of("b")), "Safety check"),
        (Content::other(of("a"), of("b")), "Other operation"),
    ];
    for (content, line) in said {
        assert_eq!(handle_span_content(&content), line);
    }
}

/// A5–A8, A29, A34, A35: provider and model have 1 to 512 characters, names of variables 1 to 200, costs are not below 0,
/// tags and names have 1 to 256, ids of sessions and references 1 to 128. The error names the field, the limit and what was
/// given.
#[test]
fn limits() {
    type Given = fn(&Trace, &str) -> Result<(), LimitError>;
    fn model(trace: &Trace, change: impl FnOnce(&mut ModelContent)) -> Result<(), LimitError> {
        let mut content = ModelContent::new("openai", "gpt-4o", ContentJson::of("a"), ContentJson::of("b"));
        change(&mut content);
        trace.log_span("span")?.update(Content::from(content))
    }
    fn stream(trace: &Trace, change: impl FnOnce(&mut ModelStreamContent)) -> Result<(), LimitError> {
        let (input, answer) = (ContentJson::of("a"), ContentJson::of("b"));
        let mut content = ModelStreamContent::new("openai", "gpt-4o", input, "", answer);
        change(&mut content);
        trace.log_span("span")?.update(Content::from(content))
    }
    let texts: [(&str, usize, Given); 16] = [
        ("provider", 512, |trace, text| model(trace, |content| content.provider = text.to_owned())),
        ("provider", 512, |trace, text| stream(trace, |content| content.provider = text.to_owned())),
        ("model", 512, |trace, text| model(trace, |content| content.model = text.to_owned())),
        ("model", 512, |trace, text| stream(trace, |content| content.model = text.to_owned())),
        ("variables", 200, |trace, text| model(trace, |content| *content = content.clone().variable(text, &1))),
        ("name", 256, |_, text| monitor().log_trace(text).map(drop)),
        ("name", 256, |trace, text| trace.log_span(text).map(drop)),
        ("name", 256, |trace, text| trace.update(Update::new().name(text))),
        ("tags", 256, |_, text| monitor().log_trace(LogTrace::new("t").tags(["a", text])).map(drop)),
        ("tags", 256, |trace, text| trace.log_span(LogSpan::new("s").tags([text])).map(drop)),
        ("tags", 256, |trace, text| trace.update(Update::new().tags([text]))),
        ("session_id", 128, |_, text| monitor().log_trace(LogTrace::new("t").session_id(text)).map(drop)),
        ("session_id", 128, |trace, text| trace.log_span(LogSpan::new("s").session_id(text)).map(drop)),
        ("reference_id", 128, |_, text| monitor().log_trace(LogTrace::new("t").reference_id(text)).map(drop)),
        ("prompt_id", 80, |trace, text| trace.log_span(LogSpan::new("s").prompt_id(text)).map(drop)),
        ("deployment_id", 80, |trace, text| trace.log_span(LogSpan::new("s").deployment_id(text)).map(drop)),
    ];
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        for (field, max, give) in texts {
            // Characters, not bytes.
            assert_eq!(give(&trace, "ü"), Ok(()), "{field}");
            assert_eq!(give(&trace, &"ü".repeat(max)), Ok(()), "{field}");
            for length in [0, max + 1] {
                let error = give(&trace, &"ü".repeat(length)).unwrap_err();
                let (limit, given) = (format!("1 to {max} characters"), length.to_string());
                assert_eq!((error.field(), error.limit(), error.given()), (field, &*limit, &*given));
                assert_eq!(error.to_string(), format!("`{field}` takes {limit}, and was given {given}"));
            }
        }
        for cost in [0.0, 0.002, 1e6] {
            assert_eq!(model(&trace, |content| content.cost = Some(cost)), Ok(()));
        }
        for (cost, given) in [(-0.01, "-0.01"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let error = model(&trace, |content| content.cost = Some(cost)).unwrap_err();
            assert_eq!(error.to_string(), format!("`cost` takes a finite amount from 0 up, and was given {given}"));
            assert_eq!(stream(&trace, |content| content.cost = Some(cost)), Err(error));
            let error = trace.update(Update::new().attribute("latency", cost)).err();
            assert_eq!(error.map(|error| error.field()), (!cost.is_finite()).then_some("attributes"));
        }
    });
}

/// A5–A10, A13: a model span says provider, model, variables by name, cost in dollars, input, output, and the answer that
/// was wanted.
#[test]
fn a_model_span() {
    let span = span_of(
        Update::new().content(
            ModelContent::new(
                "openai",
                "gpt-4o",
                ContentJson::of(&json!([{ "role": "user", "content": "Hello" }])),
                ContentJson::of(&json!({ "role": "assistant", "content": "Hi!" })),
            )
            .variable("userName", "John")
            .cost(0.002)
            .expected(ContentJson::of(&json!({ "role": "assistant", "content": "Hello!" }))),
        ),
    );
    let expected = Run {
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        metadata: metadata(json!({ "ls_provider": "openai", "ls_model_name": "gpt-4o" })),
        variables: metadata(json!({ "userName": "John" })),
        usage: Some(Usage::default().with_total_cost(0.002)),
        // A bare list goes to every backend as one of messages.
        inputs: json(json!({ "messages": [{ "role": "user", "content": "Hello" }] })),
        outputs: json(json!({ "role": "assistant", "content": "Hi!" })),
        expected: json(json!({ "role": "assistant", "content": "Hello!" })),
        ..logged("span", "llm")
    };
    assert_eq!(span, expected);
}

/// A14–A18: a stream's chunks are kept as they came, joined, and beside them the answer that they make.
#[test]
fn a_stream() {
    let messages = json!([{ "role": "user", "content": "Hello" }]);
    let stream = ["data: {\"text\":\"Hi\"}\n\n", "data: {\"text\":\" there!\"}\n\n", "data: [DONE]\n\n"];
    let full_response = "Hi there!";

    let mut chunks = String::new();
    for chunk in stream {
        chunks += chunk;
    }
    let span = span_of(
        Update::new().content(
            ModelStreamContent::new(
                "anthropic",
                "claude-3-opus",
                ContentJson::of(&messages),
                &chunks,
                ContentJson::of(&json!({ "role": "assistant", "content": full_response })),
            )
            .cost(0.005)
            .variable("lang", &json!({ "code": "en" }))
            .expected(ContentJson::of("Hi!")),
        ),
    );
    let raw = span.stream.clone().unwrap().raw;
    let expected = Run {
        provider: Some("anthropic".to_owned()),
        model: Some("claude-3-opus".to_owned()),
        metadata: metadata(json!({ "ls_provider": "anthropic", "ls_model_name": "claude-3-opus" })),
        variables: metadata(json!({ "lang": { "code": "en" } })),
        usage: Some(Usage::default().with_total_cost(0.005)),
        inputs: json(json!({ "messages": messages })),
        outputs: json(json!({ "role": "assistant", "content": "Hi there!" })),
        expected: json(json!("Hi!")),
        stream: Some(StreamInfo {
            chunks: 1,
            raw: vec![(raw[0].0, Json::from_value(&json!(chunks)))],
            ..StreamInfo::default()
        }),
        events: vec![Event { name: "new_token".into(), time: 0, data: None }],
        ..logged("span", "llm")
    };
    assert_eq!(span, expected);
}

/// A19: an embeddings span says texts and model, and the vectors.
#[test]
fn embeddings() {
    let span = span_of(Content::embeddings(
        ContentJson::of(&json!({ "texts": ["query"], "model": "text-embedding-3-large" })),
        ContentJson::of(&json!({ "embeddings": [[0.1, 0.2]], "dimensions": 3072 })),
    ));
    let expected = Run {
        inputs: json(json!({ "texts": ["query"], "model": "text-embedding-3-large" })),
        outputs: json(json!({ "embeddings": [[0.1, 0.2]], "dimensions": 3072 })),
        ..logged("span", "embedding")
    };
    assert_eq!(span, expected);
}

/// A20: a function span says what it was called with and what it made.
#[test]
fn a_function() {
    let span = span_of(Content::function(
        ContentJson::of(&json!({ "operation": "process", "id": 123 })),
        ContentJson::of(&json!({ "result": "success", "items": 42 })),
    ));
    let expected = Run {
        inputs: json(json!({ "operation": "process", "id": 123 })),
        outputs: json(json!({ "result": "success", "items": 42 })),
        ..logged("span", "chain")
    };
    assert_eq!(span, expected);
}

/// A21: a tool span says what the tool was asked, and its answer.
#[test]
fn a_tool() {
    let span = span_of(Content::tool(
        ContentJson::of(&json!({ "function": "get_weather", "city": "Paris" })),
        ContentJson::of(&json!({ "temp": 24, "conditions": "sunny" })),
    ));
    let expected = Run {
        inputs: json(json!({ "function": "get_weather", "city": "Paris" })),
        outputs: json(json!({ "temp": 24, "conditions": "sunny" })),
        ..logged("span", "tool")
    };
    assert_eq!(span, expected);
}

/// A22: a guardrail span says the text and its checks, the verdict and the scores.
#[test]
fn a_guardrail() {
    let span = span_of(Content::guardrail(
        ContentJson::of(&json!({ "text": "User input", "checks": ["toxicity", "pii"] })),
        ContentJson::of(&json!({ "safe": true, "scores": { "toxicity": 0.05 } })),
    ));
    let expected = Run {
        inputs: json(json!({ "text": "User input", "checks": ["toxicity", "pii"] })),
        outputs: json(json!({ "safe": true, "scores": { "toxicity": 0.05 } })),
        ..logged("span", "guardrail")
    };
    assert_eq!(span, expected);
}

/// A23: a retrieval span says the query, and the documents with their scores.
#[test]
fn a_retrieval() {
    let span = span_of(Content::retrieval(
        ContentJson::of(&json!({ "query": "What is AI?", "topK": 5 })),
        ContentJson::of(&json!({ "documents": [{ "id": "doc1", "score": 0.95 }] })),
    ));
    let expected = Run {
        inputs: json(json!({ "query": "What is AI?", "topK": 5 })),
        outputs: json(json!({ "documents": [{ "id": "doc1", "score": 0.95 }] })),
        ..logged("span", "retriever")
    };
    assert_eq!(span, expected);
}

/// A24: a span may do anything else.
#[test]
fn anything_else() {
    let span = span_of(Content::other(
        ContentJson::of(&json!({ "custom": "data" })),
        ContentJson::of(&json!({ "result": "output" })),
    ));
    let expected = Run {
        inputs: json(json!({ "custom": "data" })),
        outputs: json(json!({ "result": "output" })),
        ..logged("span", "other")
    };
    assert_eq!(span, expected);
}

/// A10, A17, A19–A24: every kind may say what was wanted.
#[test]
fn what_was_wanted_on_every_kind() {
    let of = |text: &str| ContentJson::of(text);
    let contents = [
        ModelContent::new("openai", "gpt-4o", of("a"), of("b")).into(),
        ModelStreamContent::new("openai", "gpt-4o", of("a"), "", of("b")).into(),
        Content::embeddings(of("a"), of("b")),
        Content::function(of("a"), of("b")),
        Content::tool(of("a"), of("b")),
        Content::guardrail(of("a"), of("b")),
        Content::retrieval(of("a"), of("b")),
        Content::other(of("a"), of("b")),
    ];
    for content in contents {
        assert_eq!(span_of(content.expected(of("c"))).expected, json(json!("c")));
    }
}

/// A11, A25, A26: contents are JSON texts; one that is not is an error, which says where and what.
#[test]
fn content_is_json_or_an_error() -> Result<(), Box<dyn Error>> {
    assert_eq!(ContentJson::of(&json!({ "query": "test" })).as_str(), r#"{"query":"test"}"#);
    assert_eq!(ContentJson::of("test").as_str(), r#""test""#);
    // What was dumped elsewhere stays as it is, to the letter.
    let dumped = ContentJson::try_from(String::from("{ \"b\": 1.0,\n \"a\": [] }"))?;
    assert_eq!(dumped.to_string(), "{ \"b\": 1.0,\n \"a\": [] }");
    let span = span_of(Content::tool(dumped, ContentJson::try_from("  {\"done\": true}")?));
    assert_eq!((span.inputs, span.outputs), (json(json!({ "b": 1.0, "a": [] })), json(json!({ "done": true }))));

    let said = |text: &str| ContentJson::try_from(text).unwrap_err().to_string();
    assert_eq!(said("Hello"), r#"not JSON: expected value at line 1 column 1 in "Hello""#);
    assert_eq!(said(""), r#"not JSON: EOF while parsing a value at line 1 column 0 in """#);
    assert_eq!(said("{} {}"), r#"not JSON: trailing characters at line 1 column 4 in "{} {}""#);
    assert_eq!(said("{'a': 1}"), r#"not JSON: key must be a string at line 1 column 2 in "{'a': 1}""#);
    let long = said(&"ü".repeat(100));
    assert!(long.ends_with(&format!("in \"{}\"…", "ü".repeat(40))), "{long}");
    Ok(())
}

proptest! {
    /// A11, A26: whatever a JSON parser takes is content, to the letter; nothing else is.
    #[test]
    fn content_is_what_a_parser_takes(text in r#"[ \t]{0,2}([\[{]?("a"|-?[0-9.e]{1,4}|null|tru[ei]|,|: ?|é){0,4}[\]}]?)[ \n]{0,2}"#) {
        let parsed = serde_json::from_str::<IgnoredAny>(&text);
        match ContentJson::try_from(&*text) {
            Ok(content) => prop_assert!(parsed.is_ok() && content.as_str() == text, "{text:?}"),
            Err(error) => prop_assert!(parsed.is_err(), "{error}"),
        }
    }
}

/// A12, A31: of the provider's own request and response, tokens and messages are known.
#[test]
fn usage_of_raw_payloads() {
    let request = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": "Hello" }] });
    let response = json!({
        "id": "chatcmpl-1",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi!" }, "finish_reason": "stop" }],
        "usage": {
            "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
            "prompt_tokens_details": { "cached_tokens": 64 },
        },
    });
    let content =
        ModelContent::new("openai", "gpt-4o", ContentJson::of(&request), ContentJson::of(&response)).cost(0.002);
    let span = span_of(Content::from(content));
    let expected = Run {
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        metadata: metadata(json!({ "ls_provider": "openai", "ls_model_name": "gpt-4o" })),
        inputs: json(request),
        outputs: json(response),
        usage: Some(Usage::new(100, 50).with_input_detail("cache_read", 64).with_total_cost(0.002)),
        ..logged("span", "llm")
    };
    assert_eq!(span, expected);
    let said = traceable::messages::input_messages(&span.inputs.unwrap().to_value());
    assert_eq!(said[0].text(), "Hello");
    let answered = traceable::messages::output_messages(&span.outputs.unwrap().to_value());
    assert_eq!(answered[0].text(), "Hi!");

    let message = json!({
        "role": "assistant",
        "content": [{ "type": "text", "text": "Hi!" }],
        "usage": { "input_tokens": 7, "cache_read_input_tokens": 20, "output_tokens": 13 },
    });
    let content = ModelStreamContent::new(
        "anthropic",
        "claude-3-opus",
        ContentJson::of(&json!({ "messages": [] })),
        "event: message_start",
        ContentJson::of(&message),
    );
    assert_eq!(span_of(Content::from(content)).usage, Some(Usage::new(27, 13).with_input_detail("cache_read", 20)));
}

/// A27, A28: attributes are texts, numbers and booleans by name, and are said in an update.
#[test]
fn attributes() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        let attributes = Update::new()
            .attribute("userId", "user-123")
            .attribute("latency", 1234)
            .attribute("cached", false)
            .attribute("region", "us-east-1")
            .attribute("retryCount", 2);
        trace.update(attributes).unwrap();
        trace.update(Update::new().attributes([("ratio", 0.5), ("load", 2.0)])).unwrap();
        trace.update(Update::new().attributes([("retryCount", u64::MAX), ("left", 3)])).unwrap();
        trace.end();
    });
    let expected = Run {
        metadata: metadata(json!({
            "userId": "user-123", "latency": 1234, "cached": false, "region": "us-east-1",
            "ratio": 0.5, "load": 2.0, "retryCount": u64::MAX as f64, "left": 3,
        })),
        ..logged("trace", "chain")
    };
    assert_eq!(runs(&recorder), [expected]);
}

/// A29, A30: tags are added by an update, on traces and spans.
#[test]
fn tags() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace(LogTrace::new("trace").tags(["api"])).unwrap();
        trace.update(Update::new().tags(["api", "production", "high-priority", "llm", "gpt-4o"])).unwrap();
        let span = trace.log_span("span").unwrap();
        span.update(Update::new().tags(vec!["llm".to_owned()])).unwrap();
        span.end();
        trace.end();
    });
    let tagged = |run: Run, tags: &[&str]| Run { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..run };
    let expected = [
        tagged(logged("trace", "chain"), &["api", "production", "high-priority", "llm", "gpt-4o"]),
        tagged(logged("span", "chain"), &["llm"]),
    ];
    assert_eq!(runs(&recorder), expected);
}

/// A32: a monitor is made of a project id, without a runtime, before anything else.
static MONITOR: LazyLock<Monitor> = LazyLock::new(|| Adaline::new().init_monitor("my-project").unwrap());

/// A32: client and monitor stand at module level, as in both complete examples.
#[test]
fn a_monitor_at_module_level() {
    let recorder = Recorder::new();
    recorder.scope(|| MONITOR.log_trace("Chat Request").unwrap().end());
    assert_eq!(runs(&recorder), [logged("Chat Request", "chain")]);
}

/// A32: any text names a project, but none.
#[test]
fn project_ids_of_any_length() {
    let adaline = Adaline::new();
    for id in ["p", "my-project", &"p".repeat(500)] {
        let recorder = Recorder::new();
        recorder.scope(|| adaline.init_monitor(id).unwrap().log_trace("trace").unwrap().end());
        assert_eq!(runs(&recorder), [Run { project: Some(id.to_owned().into()), ..ok("trace", "chain") }]);
    }
    let error = adaline.init_monitor("").unwrap_err();
    assert_eq!(error.to_string(), "`project_id` takes at least 1 character, and was given 0");
}

/// Stands for the platform that keeps the prompts.
struct Deployment {
    id: String,
    prompt_id: String,
    provider_name: &'static str,
    model: &'static str,
    settings: Value,
    messages: Vec<Value>,
    tools: Vec<Value>,
}

async fn get_latest_deployment(prompt_id: &str, deployment_environment_id: &str) -> Deployment {
    tokio::task::yield_now().await;
    Deployment {
        id: format!("deployment_of_{deployment_environment_id}"),
        prompt_id: prompt_id.to_owned(),
        provider_name: "openai",
        model: "gpt-4o",
        settings: json!({ "temperature": 0.2 }),
        messages: vec![json!({ "role": "system", "content": "Be kind." })],
        tools: vec![json!({ "type": "function", "function": { "name": "get_weather" } })],
    }
}

/// Stands for the gateway: what was sent to the provider and what came back, as they were, and the answer.
struct GatewayResponse {
    request: Value,
    response: Value,
    answer: String,
}

async fn complete_chat(deployment: &Deployment, messages: Vec<Value>) -> Result<GatewayResponse, Box<dyn Error>> {
    tokio::task::yield_now().await;
    let said = messages.last().map(|message| message["content"].clone()).unwrap_or_default();
    if said == "" {
        return Err("the provider answered 400".into());
    }
    Ok(GatewayResponse {
        request: json!({
            "model": deployment.model, "messages": messages,
            "tools": deployment.tools, "temperature": deployment.settings["temperature"],
        }),
        response: json!({
            "choices": [{ "message": { "role": "assistant", "content": "Hi!" } }],
            "usage": { "prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12 },
        }),
        answer: "Hi!".to_owned(),
    })
}

async fn tracked_llm_call(user_message: &str) -> Result<String, Box<dyn Error>> {
    let deployment = get_latest_deployment("chat-prompt", "environment_abc123").await;
    let trace = MONITOR.log_trace(
        LogTrace::new("Chat Request").tags(["chat", "production"]).attribute("messageLength", user_message.len()),
    )?;
    let span = trace.log_span(
        LogSpan::new("LLM Call")
            .prompt_id(&deployment.prompt_id)
            .deployment_id(&deployment.id)
            .tags(["llm", deployment.provider_name]),
    )?;
    let mut messages = deployment.messages.clone();
    messages.push(json!({ "role": "user", "content": user_message }));
    // Whichever way this goes, both end when they are dropped.
    match complete_chat(&deployment, messages).await {
        Ok(gateway_response) => {
            let content = ModelContent::new(
                deployment.provider_name,
                deployment.model,
                ContentJson::of(&gateway_response.request),
                ContentJson::of(&gateway_response.response),
            );
            span.update(Update::new().status(Status::Success).content(content))?;
            trace.update(Status::Success)?;
            Ok(gateway_response.answer)
        }
        Err(error) => {
            span.update(Status::Failure)?;
            trace.update(Status::Failure)?;
            Err(error)
        }
    }
}

/// What the complete example records before it is known how the call went.
fn begun(message_length: usize) -> [Run; 2] {
    let metadata = metadata(json!({ "messageLength": message_length }));
    let trace = Run {
        tags: vec!["chat".to_owned(), "production".to_owned()],
        metadata: metadata.clone(),
        ..logged("Chat Request", "chain")
    };
    let span = Run {
        prompt_ref: Some("chat-prompt".to_owned()),
        deployment_ref: Some("deployment_of_environment_abc123".to_owned()),
        tags: vec!["llm".to_owned(), "openai".to_owned()],
        metadata,
        ..logged("LLM Call", "chain")
    };
    [trace, span]
}

/// A33–A37, A39: prompt and deployment of the platform are linked, the gateway's raw payloads are the content, success is
/// said, and both end.
#[tokio::test(flavor = "multi_thread")]
async fn the_complete_example() {
    let recorder = Recorder::new();
    let answer = recorder.scope_future(tracked_llm_call("Hello")).await.unwrap();
    assert_eq!(answer, "Hi!");
    let [trace, span] = begun(5);
    let span = Run {
        run_type: "llm".into(),
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        metadata: metadata(json!({ "messageLength": 5, "ls_provider": "openai", "ls_model_name": "gpt-4o" })),
        inputs: json(json!({
            "model": "gpt-4o",
            "messages": [{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "Hello" }],
            "tools": [{ "type": "function", "function": { "name": "get_weather" } }],
            "temperature": 0.2,
        })),
        outputs: json(json!({
            "choices": [{ "message": { "role": "assistant", "content": "Hi!" } }],
            "usage": { "prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12 },
        })),
        usage: Some(Usage::new(9, 3)),
        ..span
    };
    assert_eq!(tree(&recorder), [(None, trace), (Some(0), span)]);
}

/// A38, A39: a failure is said of both, both end, and the error goes on to the caller.
#[tokio::test(flavor = "multi_thread")]
async fn the_complete_example_fails() {
    let recorder = Recorder::new();
    let error = recorder.scope_future(tracked_llm_call("")).await.unwrap_err();
    assert_eq!(error.to_string(), "the provider answered 400");
    let failed = begun(0).map(|run| Run { status: traceable::Status::Error, ..run });
    let [trace, span] = failed;
    assert_eq!(tree(&recorder), [(None, trace), (Some(0), span)]);
}

/// Stands for the provider's usage.
#[derive(Clone, Copy)]
struct ProviderUsage {
    prompt_tokens: u32,
    completion_tokens: u32,
}

fn calculate_cost(usage: Option<ProviderUsage>) -> f64 {
    let Some(usage) = usage else { return 0.0 };
    (f64::from(usage.prompt_tokens) / 1000.0) * 0.005 + (f64::from(usage.completion_tokens) / 1000.0) * 0.015
}

fn tracked_call_in_python(user_message: &str, usage: Option<ProviderUsage>) -> Result<(), Box<dyn Error>> {
    let trace = MONITOR.log_trace(
        LogTrace::new("Chat Request").tags(["chat", "production"]).attribute("message_length", user_message.len()),
    )?;
    let span = trace.log_span(LogSpan::new("OpenAI Call").tags(["llm", "openai", "gpt-4o"]))?;
    let message = json!({ "role": "assistant", "content": "Hi!" });
    let content = ModelContent::new(
        "openai",
        "gpt-4o",
        ContentJson::of(&json!([{ "role": "user", "content": user_message }])),
        ContentJson::of(&message),
    )
    .cost(calculate_cost(usage));
    span.update(
        Update::new()
            .status(Status::Success)
            .content(content)
            .attribute("prompt_tokens", usage.map_or(0, |usage| usage.prompt_tokens))
            .attribute("completion_tokens", usage.map_or(0, |usage| usage.completion_tokens)),
    )?;
    trace.update(Status::Success)?;
    span.end();
    trace.end();
    Ok(())
}

/// A40, A41: status, content and attributes in one update; the cost is the application's own sum, and 0 without usage.
#[test]
fn the_complete_example_in_python() {
    let usage = ProviderUsage { prompt_tokens: 1000, completion_tokens: 2000 };
    for (usage, cost, tokens) in [(Some(usage), 0.005 + 2.0 * 0.015, (1000, 2000)), (None, 0.0, (0, 0))] {
        let recorder = Recorder::new();
        recorder.scope(|| tracked_call_in_python("Hello", usage).unwrap());
        let trace = Run {
            tags: vec!["chat".to_owned(), "production".to_owned()],
            metadata: metadata(json!({ "message_length": 5 })),
            ..logged("Chat Request", "chain")
        };
        let span = Run {
            tags: vec!["llm".to_owned(), "openai".to_owned(), "gpt-4o".to_owned()],
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o".to_owned()),
            metadata: metadata(json!({
                "message_length": 5, "prompt_tokens": tokens.0, "completion_tokens": tokens.1,
                "ls_provider": "openai", "ls_model_name": "gpt-4o",
            })),
            inputs: json(json!({ "messages": [{ "role": "user", "content": "Hello" }] })),
            outputs: json(json!({ "role": "assistant", "content": "Hi!" })),
            usage: Some(Usage::default().with_total_cost(cost)),
            ..logged("OpenAI Call", "llm")
        };
        assert_eq!(tree(&recorder), [(None, trace), (Some(0), span)]);
    }
}

/// A37: traces and spans stand in one of six ways, said when they are logged or later; the last word counts.
#[test]
fn six_statuses() {
    use traceable::Status as Run;

    let statuses = [
        (Status::Success, Run::Ok),
        (Status::Failure, Run::Error),
        (Status::Aborted, Run::Aborted),
        (Status::Cancelled, Run::Cancelled),
        (Status::Pending, Run::Pending),
        (Status::Unknown, Run::Unknown),
    ];
    for (said, expected) in statuses {
        let recorder = Recorder::new();
        recorder.scope(|| {
            let trace = monitor().log_trace(LogTrace::new("trace").status(said)).unwrap();
            let span = trace.log_span(LogSpan::new("span").status(Status::Failure)).unwrap();
            span.update(Update::new().status(said)).unwrap();
        });
        let statuses: Vec<_> = runs(&recorder).iter().map(|run| (run.status, run.error.clone())).collect();
        assert_eq!(statuses, [(expected, None), (expected, None)], "{said:?}");
    }
}

/// A39: an end may be said again, by whoever cleans up.
#[test]
fn only_the_first_end_counts() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        let span = trace.log_span("span").unwrap();
        span.end();
        trace.end();
        span.end();
        trace.end();
        assert!(span.is_ended() && trace.is_ended());
    });
    assert_eq!(recorder.tree(), "trace\n  span\n");
}

/// A39: the end of a trace is that of its spans, and the end of a span that of the spans in it.
#[test]
fn an_end_ends_what_is_below() {
    let recorder = Recorder::new();
    let (trace, spans) = recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        let outer = trace.log_span("outer").unwrap();
        let inner = outer.log_span("inner").unwrap();
        let innermost = inner.log_span("innermost").unwrap();
        let other = trace.log_span("other").unwrap();
        outer.end();
        assert!(outer.is_ended() && inner.is_ended() && innermost.is_ended());
        assert!(!other.is_ended() && !trace.is_ended());
        trace.end();
        assert!(other.is_ended() && trace.is_ended());
        (trace, [outer, inner, innermost, other])
    });
    assert_eq!(recorder.tree(), "trace\n  outer\n    inner\n      innermost\n  other\n");
    let ends: Vec<_> = recorder.runs().iter().map(|run| run.end_time.unwrap()).collect();
    assert!(ends[3] <= ends[2] && ends[2] <= ends[1] && ends[4] <= ends[0], "inner spans end first: {ends:?}");
    drop((trace, spans));
}

/// A39: what nobody ends is not lost; a span that outlives its trace goes on.
#[test]
fn what_is_dropped_ends() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        let span = trace.log_span("span").unwrap();
        drop(trace);
        assert!(!span.is_ended());
        span.update(Update::new().attribute("late", true)).unwrap();
        std::thread::spawn(move || drop(span)).join().unwrap();
    });
    let late = Run { metadata: metadata(json!({ "late": true })), ..logged("span", "chain") };
    assert_eq!(tree(&recorder), [(None, logged("trace", "chain")), (Some(0), late)]);
}

/// A39: spans may be many, and deep.
#[test]
fn many_spans() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        for _ in 0..500 {
            trace.log_span("short").unwrap();
        }
        let mut deep = vec![trace.log_span("deep").unwrap()];
        for _ in 0..500 {
            let next = deep[deep.len() - 1].log_span("deep").unwrap();
            deep.push(next);
        }
        trace.end();
        assert!(deep.iter().all(|span| span.is_ended()));
    });
    assert_eq!(recorder.runs().len(), 1002);
}

/// A28, A30, A37: an update says what it has to say, in whatever order they come.
#[test]
fn updates_in_parts_and_in_any_order() {
    let content = || Content::tool(ContentJson::of("a"), ContentJson::of("b"));
    let parts: [fn(Content) -> SpanUpdate; 4] = [
        |content| content.into(),
        |_| Status::Failure.into(),
        |_| Update::new().tags(["a"]).into(),
        |_| Update::new().attribute("k", 1).name("renamed").run_evaluation(true),
    ];
    let expected = Run {
        status: traceable::Status::Error,
        inputs: json(json!({ "input": "a" })),
        outputs: json(json!({ "output": "b" })),
        tags: vec!["a".to_owned()],
        metadata: metadata(json!({ "k": 1, "adaline_run_evaluation": true })),
        ..logged("renamed", "tool")
    };
    for first in 0..parts.len() {
        let recorder = Recorder::new();
        recorder.scope(|| {
            let trace = monitor().log_trace("trace").unwrap();
            let span = trace.log_span("span").unwrap();
            for at in 0..parts.len() {
                span.update(parts[(first + at) % parts.len()](content())).unwrap();
            }
        });
        assert_eq!(runs(&recorder)[1], expected);
    }
    let at_once = Update::new()
        .status(Status::Failure)
        .content(content())
        .tags(["a"])
        .attributes([("k", 1)])
        .name("renamed")
        .run_evaluation(true);
    assert_eq!(span_of(at_once), expected);
}

/// A28, A37: an update that holds something too long says nothing at all.
#[test]
fn a_refused_update_says_nothing() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        trace.update(Update::new().status(Status::Failure).tags([""])).unwrap_err();
        trace.log_span(LogSpan::new("span").tags([""])).unwrap_err();
    });
    assert_eq!(runs(&recorder), [logged("trace", "chain")]);
}

/// A37: a trace may be told how it stands when it has ended.
#[test]
fn what_is_said_after_the_end() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace("trace").unwrap();
        trace.end();
        trace.update(Update::new().status(Status::Failure).attribute("late", true)).unwrap();
    });
    let expected = Run {
        status: traceable::Status::Error,
        metadata: metadata(json!({ "late": true })),
        ..logged("trace", "chain")
    };
    assert_eq!(runs(&recorder), [expected]);
}

/// A34, A35: ids of sessions are those of conversations, for all spans in them; ids of the application's own stay with
/// what they name.
#[test]
fn sessions_and_references() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let trace = monitor().log_trace(LogTrace::new("trace").session_id("sess-1").reference_id("ref-1")).unwrap();
        let span = trace.log_span(LogSpan::new("span").reference_id("ref-2")).unwrap();
        let inner = span.log_span(LogSpan::new("inner").session_id("sess-2").run_evaluation(true)).unwrap();
        inner.log_span("innermost").unwrap();
        trace.end();
    });
    let of = |name, session: &str, said| Run {
        thread_id: Some(session.to_owned()),
        metadata: metadata(said),
        ..logged(name, "chain")
    };
    let expected = [
        (None, of("trace", "sess-1", json!({ "adaline_reference_id": "ref-1" }))),
        (Some(0), of("span", "sess-1", json!({ "adaline_reference_id": "ref-2" }))),
        (Some(1), of("inner", "sess-2", json!({ "adaline_run_evaluation": true }))),
        (Some(2), of("innermost", "sess-2", json!({}))),
    ];
    assert_eq!(tree(&recorder), expected);
}

/// A34, A35: functions with the attribute, and all other runs, are spans of a span that is entered.
#[tokio::test(flavor = "multi_thread")]
async fn traced_functions_are_spans_too() {
    #[traceable(run_type = "retriever")]
    async fn search(query: &str) -> usize {
        tokio::task::yield_now().await;
        query.len()
    }
    let recorder = Recorder::new();
    let work = async {
        let trace = monitor().log_trace("trace").unwrap();
        let span = trace.log_span("span").unwrap();
        assert_eq!(span.future(search("why?")).await, 4);
        span.scope(|| monitor().log_trace("inner").unwrap());
    };
    recorder.scope_future(work).await;
    assert_eq!(recorder.tree(), "trace\n  span\n    search retriever\n    inner\n");
    assert!(runs(&recorder).iter().all(|run| run.project.as_deref() == Some("my-project")));
}
