//! Spans of other people's libraries as runs.

use opentelemetry_proto::tonic::trace::v1::{Span, span};
use serde_json::{Value, json};
use traceable_core::{
    messages::{Role, input_messages, output_messages},
    model::{Run, RunChange, RunId, RunType, ScoreTarget, Status},
};
use traceable_wire::otlp::{Problem, decode_logs, decode_traces};

use crate::support::{START, body_of, event, failed, foreign_span, read, read_span};

fn inputs(run: &Run) -> Value {
    run.inputs.as_ref().unwrap().to_value()
}

fn outputs(run: &Run) -> Value {
    run.outputs.as_ref().unwrap().to_value()
}

/// Asserts that the run is a call of `gpt-4o` that was asked `Hi` and said `Hello`, for 3 tokens and 5.
fn assert_hello(run: &Run) {
    assert_eq!(run.run_type, RunType::Llm);
    assert_eq!(run.model.as_deref(), Some("gpt-4o"));
    let asked = input_messages(&inputs(run));
    assert_eq!((asked.last().unwrap().role.clone(), asked.last().unwrap().text()), (Role::User, "Hi".into()));
    assert_eq!(output_messages(&outputs(run))[0].text(), "Hello");
    let usage = run.usage.as_ref().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(5)));
}

#[test]
fn genai_of_today_and_of_before() {
    let asked = json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hi" }] }]).to_string();
    let said = json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Hello" }] }]).to_string();
    let common = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": asked, "gen_ai.output.messages": said, "gen_ai.usage.input_tokens": 3,
        "gen_ai.system_instructions": "[{\"type\":\"text\",\"content\":\"Be brief.\"}]",
        "gen_ai.usage.output_tokens": 5, "gen_ai.conversation.id": "c1", "user.id": "u1", "gen_ai.request.temperature": 0.5,
        "gen_ai.response.time_to_first_chunk": 0.000_000_002, "server.address": "api.openai.com",
    });
    for (written, name) in
        [(7, "gen_ai.usage.cache_write.input_tokens"), (8, "gen_ai.usage.cache_creation.input_tokens")]
    {
        let mut all = common.clone();
        all[name] = json!(written);
        let run = read(&all);
        assert_hello(&run);
        assert_eq!(input_messages(&inputs(&run))[0].role, Role::System);
        assert_eq!(run.usage.as_ref().unwrap().input_token_details["cache_creation"], written);
        assert_eq!(
            (run.provider.as_deref(), run.thread_id.as_deref(), run.user.as_deref()),
            (Some("openai"), Some("c1"), Some("u1"))
        );
        assert_eq!(run.params["temperature"], 0.5);
        assert_eq!(run.stream.as_ref().unwrap().first_chunk, START + 2);
        assert_eq!(run.metadata["server.address"], "api.openai.com");
    }
}

#[test]
fn openinference() {
    let run = read(&json!({
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.provider": "openai",
        "input.value": "whatever the library logs", "input.mime_type": "text/plain",
        "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "image",
        "llm.input_messages.1.message.contents.0.message_content.image.image.url": "https://example.com/a.png",
        "llm.input_messages.1.message.contents.1.message_content.type": "text",
        "llm.input_messages.1.message.contents.1.message_content.text": "Hi",
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "Hello",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "t1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"city\":\"Paris\"}",
        "llm.token_count.prompt": 3, "llm.token_count.completion": 5, "llm.token_count.total": 8, "llm.cost.total": 0.5,
        "llm.token_count.prompt_details.cache_read": 2, "llm.invocation_parameters": "{\"temperature\":0.1}",
        "session.id": "s1", "tag.tags": ["a", "b"], "metadata": "{\"tier\":\"gold\"}",
        "llm.prompt_template.variables": "{\"city\":\"Paris\"}",
    }));
    assert_hello(&run);
    assert_eq!(serde_json::to_value(&output_messages(&outputs(&run))[0].parts[1]).unwrap()["name"], "weather");
    assert_eq!(inputs(&run)["input"]["input"], "whatever the library logs");
    assert_eq!((run.session_id.as_deref(), run.thread_id.as_deref()), (Some("s1"), Some("s1")));
    assert_eq!((run.tags.len(), &run.metadata["tier"], &run.variables["city"]), (2, &json!("gold"), &json!("Paris")));
    assert_eq!((run.params["temperature"].clone(), run.usage.unwrap().total_cost), (json!(0.1), Some(0.5)));

    let search = read(&json!({
        "openinference.span.kind": "RETRIEVER", "input.value": "cats",
        "retrieval.documents.0.document.content": "Cats purr.", "retrieval.documents.0.document.score": 0.9,
        "retrieval.documents.0.document.metadata": "{\"page\":3}", "retrieval.documents.10.document.content": "last",
    }));
    assert_eq!(search.run_type, RunType::Retriever);
    assert_eq!(inputs(&search), json!({ "input": "cats" }));
    assert_eq!(
        outputs(&search),
        json!({ "documents": [{ "content": "Cats purr.", "score": 0.9, "metadata": { "page": 3 } }, { "content": "last" }] })
    );
}

#[test]
fn openlit_as_documented_and_as_it_is() {
    let documented = read(&json!({
        "gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt": "Hi", "gen_ai.completion": "Hello", "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 5, "gen_ai.usage.total_tokens": 8, "gen_ai.usage.cost": 0.5,
        "gen_ai.application_name": "chatbot_app", "gen_ai.environment": "production", "gen_ai.request.user": "u1",
        "gen_ai.request.is_stream": true, "gen_ai.request.image_style": "van_gogh", "telemetry.sdk.name": "openlit",
    }));
    assert_hello(&documented);
    assert_eq!(inputs(&documented), json!({ "prompt": "Hi" }));
    assert_eq!(
        (documented.project.as_deref(), documented.environment.as_deref()),
        (Some("chatbot_app"), Some("production"))
    );
    assert_eq!(
        (documented.params["stream"].clone(), documented.params["style"].clone()),
        (json!(true), json!("van_gogh"))
    );

    let database = read(&json!({ "gen_ai.operation.name": "vectordb", "db.system": "chroma", "db.n_results": 5 }));
    assert_eq!((database.run_type, &database.metadata["db.system"]), (RunType::Retriever, &json!("chroma")));

    let decorated = read(&json!({ "gen_ai.output.messages": "Hello", "gen_ai.request.user": "" }));
    assert_eq!((outputs(&decorated), decorated.user), (json!({ "output": "Hello" }), None));
}

#[test]
fn langsmith() {
    let (id, trace) = (RunId::from_u128(77), RunId::from_u128(66));
    let run = read(&json!({
        "langsmith.span.kind": "LLM", "langsmith.trace.name": "ask", "langsmith.span.id": id.to_string(),
        "langsmith.trace.id": trace.to_string(), "langsmith.span.parent_id": trace.to_string(),
        "langsmith.trace.session_name": "shop", "langsmith.span.tags": "a, b", "langsmith.metadata.tier": "gold",
        "langsmith.metadata.thread_id": "t1", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt": "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
        "gen_ai.completion": "{\"role\":\"assistant\",\"content\":\"Hello\"}",
        "langsmith.usage_metadata": "{\"input_tokens\":3,\"output_tokens\":5}", "gen_ai.usage.input_tokens": 999,
    }));
    assert_hello(&run);
    assert_eq!((run.id, run.trace_id, run.parent_id), (id, trace, Some(trace)));
    assert_eq!((&*run.name, run.project.as_deref(), run.tags.join("|")), ("ask", Some("shop"), "a|b".into()));
    assert_eq!((&run.metadata["tier"], run.thread_id.as_deref()), (&json!("gold"), Some("t1")));
}

#[test]
fn traceloop_and_langfuse() {
    let flat = read(&json!({
        "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Hi", "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Hello",
        "gen_ai.completion.0.finish_reason": "stop", "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": 5,
        "traceloop.association.properties.user_id": "u1", "traceloop.association.properties.plan": "pro",
    }));
    assert_hello(&flat);
    assert_eq!((flat.user.as_deref(), &flat.metadata["plan"]), (Some("u1"), &json!("pro")));

    let workflow = read(&json!({ "traceloop.span.kind": "tool", "traceloop.entity.input": "{\"city\":\"Paris\"}" }));
    assert_eq!((workflow.run_type.clone(), inputs(&workflow)), (RunType::Tool, json!({ "city": "Paris" })));

    let langfuse = read(&json!({
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o",
        "langfuse.observation.input": "[{\"role\":\"user\",\"content\":\"Hi\"}]", "langfuse.observation.output": "Hello",
        "langfuse.observation.usage_details": "{\"input\":3,\"output\":5}", "langfuse.trace.tags": ["a"],
        "langfuse.observation.cost_details": "{\"total\":0.25}", "langfuse.environment": "staging",
        "langfuse.observation.metadata.tier": "gold", "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "too late",
    }));
    assert_hello(&langfuse);
    assert_eq!((langfuse.status, langfuse.error.as_deref()), (Status::Error, Some("too late")));
    assert_eq!((langfuse.environment.as_deref(), &langfuse.metadata["tier"]), (Some("staging"), &json!("gold")));
    assert_eq!(langfuse.usage.unwrap().total_cost, Some(0.25));
}

#[test]
fn what_traceloop_and_langfuse_say_of_prompts_and_streams() {
    let flat = read(&json!({
        "traceloop.span.kind": "workflow", "traceloop.entity.name": "joke", "traceloop.workflow.name": "joke",
        "traceloop.prompt.key": "greeting", "traceloop.prompt.version": 3,
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "t1", "gen_ai.completion.0.tool_calls.0.name": "weather",
        "gen_ai.completion.0.tool_calls.0.arguments": "{\"city\":\"Paris\"}",
    }));
    assert_eq!((flat.prompt_ref.as_deref(), flat.deployment_ref.as_deref()), (Some("greeting"), Some("3")));
    assert_eq!(serde_json::to_value(&output_messages(&outputs(&flat))[0].parts[0]).unwrap()["name"], "weather");
    // In JSON, as its SDKs write it, and bare.
    for time in ["\"2024-05-31T16:08:37.250Z\"", "2024-05-31T16:08:37.250Z"] {
        let run = read(&json!({
            "langfuse.observation.type": "generation", "langfuse.observation.completion_start_time": time,
            "langfuse.observation.prompt.name": "greeting", "langfuse.observation.prompt.version": 2,
        }));
        assert_eq!((run.time_to_first_chunk(), run.stream.unwrap().chunks), (Some(250_000_000), 0), "{time}");
        assert_eq!((run.prompt_ref.as_deref(), run.deployment_ref.as_deref()), (Some("greeting"), Some("2")));
    }
}

#[test]
fn an_event_of_a_chunk_is_of_a_stream() {
    for name in ["First Token Stream Event", "llm.content.completion.chunk"] {
        let first = span::Event { time_unix_nano: START as u64 + 3, ..event(name, &json!({})) };
        let run = read_span(Span { events: vec![first], ..foreign_span(&json!({})) });
        assert_eq!(run.time_to_first_chunk(), Some(3), "{name}");
    }
}

/// The shapes of openlit 1.45.0, as it was captured.
#[test]
fn openlit_of_today() {
    let of_openlit = |all: &Value| {
        let body =
            body_of(vec![foreign_span(all)], &json!({ "telemetry.sdk.name": "openlit", "service.name": "shop" }));
        decode_traces(&body).changes[0].run().unwrap().clone()
    };
    // What it has not been told of, it fills in: an answer that came at once is no stream, and "" no user.
    let call = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.stream": false,
        "gen_ai.server.time_to_first_token": 0.03, "gen_ai.usage.input_tokens": 27, "gen_ai.usage.output_tokens": 13,
        "gen_ai.client.token.usage": 40, "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.request.user": "",
    });
    let run = of_openlit(&call);
    let usage = run.usage.unwrap();
    assert_eq!((run.stream, run.user), (None, None));
    assert_eq!((usage.input_tokens, usage.total_tokens), (Some(27), Some(40)));
    // What Anthropic read from its cache, it counts beside the input.
    let mut anthropic = call.clone();
    anthropic["gen_ai.provider.name"] = json!("anthropic");
    anthropic["gen_ai.usage.cache_creation.input_tokens"] = json!(3);
    anthropic["gen_ai.request.stream"] = json!(true);
    let run = of_openlit(&anthropic);
    let usage = run.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (Some(50), Some(13), Some(63)));
    assert_eq!(run.stream.unwrap().first_chunk, START + 30_000_000);
    // OpenTelemetry counts it in.
    assert_eq!(read(&anthropic).usage.unwrap().input_tokens, Some(27));

    let decorated = of_openlit(&json!({
        "function.args": "('Where is it?',)", "function.kwargs": "{}", "gen_ai.output.messages": { "said": "here" },
    }));
    assert_eq!(inputs(&decorated), json!({ "args": "('Where is it?',)" }));
    let search = of_openlit(&json!({
        "gen_ai.operation.name": "vectordb", "db.system.name": "chroma", "db.query.text": "cats", "db.vector.query.top_k": 2,
    }));
    assert_eq!((search.run_type.clone(), inputs(&search)), (RunType::Retriever, json!({ "query": "cats" })));
}

#[test]
fn a_request_over_http_is_one() {
    for name in ["http.method", "http.request.method"] {
        let client = Span { kind: 3, name: "POST".into(), ..foreign_span(&json!({ name: "POST" })) };
        assert_eq!(read_span(client.clone()).run_type.as_str(), "http");
        assert_eq!(read_span(Span { kind: 2, ..client }).run_type, RunType::Chain, "a server's");
    }
}

#[test]
fn kinds_by_the_first_that_says_so() {
    for (all, kind) in [
        (json!({ "openinference.span.kind": "TOOL", "gen_ai.operation.name": "chat" }), "tool"),
        (json!({ "langsmith.span.kind": "prompt", "openinference.span.kind": "LLM" }), "prompt"),
        (json!({ "gen_ai.operation.name": "invoke_agent" }), "agent"),
        (json!({ "gen_ai.operation.name": "image" }), "image"),
        (json!({ "openinference.span.kind": "UNKNOWN", "gen_ai.tool.name": "weather" }), "tool"),
        (json!({ "gen_ai.response.model": "gpt-4o" }), "llm"),
        (json!({ "http.request.method": "POST" }), "chain"),
    ] {
        assert_eq!(read(&all).run_type.as_str(), kind, "{all}");
    }
}

#[test]
fn ids_are_derived_and_whole_ids_win() {
    let root = foreign_span(&json!({}));
    let child = Span {
        span_id: 10_u64.to_be_bytes().to_vec(),
        parent_span_id: root.span_id.clone(),
        ..foreign_span(&json!({}))
    };
    let body = body_of(vec![child.clone(), root.clone()], &json!({ "service.name": "shop" }));
    let decoded = decode_traces(&body);
    let runs: Vec<_> = decoded.changes.iter().filter_map(RunChange::run).collect();
    let [of_child, of_root] = &*runs else { panic!("{runs:?}") };
    assert_eq!((of_child.parent_id, of_root.parent_id), (Some(of_root.id), None));
    assert_eq!((of_child.trace_id, of_root.id.span_id()), (RunId::from_u128(7), 9));
    assert_eq!((of_root.project.as_deref(), of_root.dotted_order.id()), (Some("shop"), Some(of_root.id)));
    assert_eq!(decode_traces(&body).changes, decoded.changes);

    // A span of somebody else's below a run of ours, before it in the request.
    let whole = RunId::from_u128(0xabc_0000_0000_0000_0009);
    let mut ours = foreign_span(&json!({ "traceable.run.id": whole.to_string() }));
    ours.name = "ours".into();
    let decoded = decode_traces(&body_of(vec![child, ours], &json!({})));
    assert_eq!(decoded.changes[0].run().unwrap().parent_id, Some(whole));
    assert_eq!(decoded.changes[1].run().unwrap().id, whole);
}

#[test]
fn errors_events_and_scores() {
    let stack = json!({ "exception.message": "slow down", "exception.stacktrace": "at line 1" });
    let score = json!({ "gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 0.5, "by": "judge" });
    let span = Span {
        events: vec![
            event("exception", &stack),
            event("retry", &json!({ "attempt": 2 })),
            event("gen_ai.evaluation.result", &score),
        ],
        status: Some(failed("RateLimitError")),
        ..foreign_span(&json!({}))
    };
    let decoded = decode_traces(&body_of(vec![span], &json!({})));
    let [RunChange::End(run), RunChange::Score(score)] = &*decoded.changes else { panic!("{decoded:?}") };
    assert_eq!((run.status, run.error.as_deref()), (Status::Error, Some("slow down\n\nat line 1")));
    assert_eq!((run.events.len(), run.events[0].data.clone()), (1, Some(json!({ "attempt": 2 }))));
    assert_eq!((&*score.key, score.score, &score.metadata["by"]), ("tone", Some(0.5), &json!("judge")));
    assert_eq!(score.target, ScoreTarget::Run(run.id));
    assert_eq!(read_span(Span { status: Some(failed("no")), ..foreign_span(&json!({})) }).error.as_deref(), Some("no"));
}

#[test]
fn spans_without_ids_are_refused_alone() {
    let broken = Span { span_id: vec![1, 2], ..foreign_span(&json!({})) };
    let zero = Span { trace_id: vec![0; 16], ..foreign_span(&json!({})) };
    let decoded = decode_traces(&body_of(vec![broken, foreign_span(&json!({})), zero], &json!({})));
    assert_eq!(decoded.problems, [Problem::NoId { span: 0 }, Problem::NoId { span: 2 }]);
    assert_eq!(decoded.changes.len(), 1);
}

#[test]
fn what_would_become_too_much_is_refused_before_it_is_made() {
    // Spans of no fields: 2 bytes each here, hundreds each when they are made.
    let spans = b"\x12\x00".repeat(200_000);
    let wrap = |tag: u8, inside: &[u8]| {
        let mut message = vec![tag];
        let mut length = inside.len();
        while length > 0x7f {
            message.push(length as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        [&*message, inside].concat()
    };
    assert_eq!(decode_traces(&wrap(0x0a, &wrap(0x12, &spans))).problems, [Problem::TooMany]);
    let mut deep = Vec::new();
    for _ in 0..200 {
        deep = wrap(0x2a, &wrap(0x0a, &deep));
    }
    let attribute = wrap(0x4a, &wrap(0x12, &deep));
    assert_eq!(decode_traces(&wrap(0x0a, &wrap(0x12, &wrap(0x12, &attribute)))).problems, [Problem::TooDeep]);
    assert_eq!(decode_traces(b"{\"resourceSpans\":[]}").problems, [Problem::NotARequest]);
    assert_eq!(decode_logs(b"\x0a\xff").problems, [Problem::NotARequest]);
    assert!(decode_traces(b"").problems.is_empty());
}
