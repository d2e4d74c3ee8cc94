//! All that each convention says of the same run.

use serde_json::{Value, json};
use traceable_core::model::Run;
use traceable_wire::otlp::{Convention, Conventions};

use crate::support::{chat, run, span_of};

/// Removes attributes whose value is JSON text, to be looked at as JSON.
fn without(said: Value, names: &[&str]) -> Value {
    let Value::Object(mut said) = said else { panic!("{said}") };
    for name in names {
        assert!(said.remove(*name).is_some(), "{name}");
    }
    Value::Object(said)
}

#[test]
fn genai_says() {
    let span = span_of(&chat(), &[Convention::GenAi]);
    let json = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"];
    assert_eq!(
        without(span.said(), &json),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "azure.ai.openai",
            "gen_ai.conversation.id": "conversation-1",
            "user.id": "user123",
            "gen_ai.prompt.name": "openai/greeting",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.top_p": 1.0,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.seed": 42,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.request.stream": true,
            "gen_ai.response.id": "resp-456",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 27,
            "gen_ai.usage.output_tokens": 13,
            "gen_ai.usage.cache_read.input_tokens": 20,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.usage.reasoning.output_tokens": 4,
            "server.address": "api.example.com",
            "tier": "gold",
        })
    );
    assert_eq!(
        span.json("gen_ai.input.messages"),
        json!([
            { "role": "system", "parts": [{ "type": "text", "content": "Be brief." }] },
            { "role": "user", "parts": [{ "type": "text", "content": "Weather in Paris?" }] },
            { "role": "assistant", "parts": [
                { "type": "tool_call", "id": "c1", "name": "weather", "arguments": { "city": "Paris" } },
            ] },
            { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": "sunny" }] },
        ])
    );
    assert_eq!(
        span.json("gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "It is sunny." }], "finish_reason": "stop" }])
    );
    assert_eq!(
        span.json("gen_ai.tool.definitions"),
        json!([{ "type": "function", "name": "weather", "parameters": { "type": "object" } }])
    );
}

#[test]
fn instructions_beside_the_conversation_stay_beside_it() {
    let inputs = json!({ "system": "Be brief.", "messages": [{ "role": "user", "content": "Hi" }] });
    let span = span_of(&run("llm", &inputs, &json!({})), &[Convention::GenAi]);
    assert_eq!(span.json("gen_ai.system_instructions"), json!([{ "type": "text", "content": "Be brief." }]));
    assert_eq!(span.json("gen_ai.input.messages").as_array().unwrap().len(), 1);
}

#[test]
fn genai_of_before_says_the_same_by_older_names() {
    let old = span_of(&chat(), &[Convention::GenAiOld]);
    assert_eq!(old.get("gen_ai.usage.cache_creation.input_tokens"), 2);
    assert_eq!(old.get("gen_ai.usage.cache_write.input_tokens"), Value::Null);
    assert_eq!(old.get("gen_ai.usage.input_tokens"), 27);
    let both = span_of(&chat(), &[Convention::GenAi, Convention::GenAiOld]);
    assert_eq!(both.get("gen_ai.usage.cache_creation.input_tokens"), both.get("gen_ai.usage.cache_write.input_tokens"));

    let search = run("retriever", &json!({ "query": "cats", "top_k": 3 }), &json!({ "documents": [] }));
    assert_eq!(span_of(&search, &[Convention::GenAi]).get("gen_ai.retrieval.top_k"), 3);
    assert_eq!(span_of(&search, &[Convention::GenAiOld]).get("gen_ai.request.top_k"), 3.0);
}

#[test]
fn openinference_says() {
    let span = span_of(&chat(), &[Convention::OpenInference]);
    let json = ["input.value", "output.value", "metadata", "llm.tools.0.tool.json_schema"];
    assert_eq!(
        without(span.said(), &json),
        json!({
            "openinference.span.kind": "LLM",
            "input.mime_type": "application/json",
            "output.mime_type": "application/json",
            "session.id": "conversation-1",
            "user.id": "user123",
            "tag.tags": ["eu", "beta"],
            "prompt.id": "openai/greeting",
            "llm.provider": "azure",
            "llm.system": "azure",
            "llm.model_name": "gpt-4o",
            "llm.request.model_name": "gpt-4o",
            "llm.response.model_name": "gpt-4o-2024-08-06",
            "llm.finish_reason": "stop",
            "llm.invocation_parameters": "{\"temperature\":0.2}",
            "llm.token_count.prompt": 27,
            "llm.token_count.completion": 13,
            "llm.token_count.total": 40,
            "llm.token_count.prompt_details.cache_read": 20,
            "llm.token_count.prompt_details.cache_write": 2,
            "llm.token_count.completion_details.reasoning": 4,
            "llm.cost.total": 0.05,
            "server.address": "api.example.com",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be brief.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": "Weather in Paris?",
            "llm.input_messages.2.message.role": "assistant",
            "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": "{\"city\":\"Paris\"}",
            "llm.input_messages.3.message.role": "tool",
            "llm.input_messages.3.message.content": "sunny",
            "llm.input_messages.3.message.tool_call_id": "c1",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "It is sunny.",
        })
    );
    assert_eq!(span.json("input.value"), chat().inputs.unwrap().to_value());
    assert_eq!(span.json("metadata"), json!({ "tier": "gold", "server.address": "api.example.com" }));
    assert_eq!(span.resource["openinference.project.name"], "chatbot_app");
}

#[test]
fn langsmith_says() {
    let run = chat();
    let span = span_of(&run, &[Convention::LangSmith]);
    let id = run.id.to_string();
    assert_eq!(
        without(span.said(), &["gen_ai.prompt", "gen_ai.completion", "langsmith.usage_metadata", "server.address"]),
        json!({
            "langsmith.span.kind": "llm",
            "langsmith.trace.name": "answer",
            "langsmith.trace.session_name": "chatbot_app",
            "langsmith.span.id": id,
            "langsmith.trace.id": id,
            "langsmith.span.dotted_order": run.dotted_order.as_str(),
            "langsmith.is_root": true,
            "langsmith.span.tags": "eu, beta",
            "langsmith.metadata.tier": "gold",
            "langsmith.metadata.server.address": "api.example.com",
            "langsmith.metadata.thread_id": "conversation-1",
            "langsmith.metadata.user_id": "user123",
            "langsmith.metadata.environment": "production",
            "langsmith.metadata.revision_id": "1.4.2",
            "gen_ai.system": "azure",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.top_p": 1.0,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.seed": 42,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.request.stream": true,
            "langsmith.request.streaming": true,
        })
    );
    assert_eq!(span.json("gen_ai.prompt"), run.inputs.unwrap().to_value());
    assert_eq!(span.json("gen_ai.completion"), run.outputs.unwrap().to_value());
    assert_eq!(span.json("langsmith.usage_metadata")["total_tokens"], 40);
}

#[test]
fn kinds_are_what_each_convention_calls_them() {
    for (run_type, genai, openinference, langsmith) in [
        ("llm", json!("chat"), "LLM", "llm"),
        ("embedding", json!("embeddings"), "EMBEDDING", "embedding"),
        ("tool", json!("execute_tool"), "TOOL", "tool"),
        ("retriever", json!("retrieval"), "RETRIEVER", "retriever"),
        ("chain", json!("invoke_workflow"), "CHAIN", "chain"),
        ("agent", json!("invoke_agent"), "AGENT", "chain"),
        ("reranker", Value::Null, "RERANKER", "chain"),
        ("guardrail", Value::Null, "GUARDRAIL", "chain"),
        ("evaluator", Value::Null, "EVALUATOR", "chain"),
        ("prompt", Value::Null, "PROMPT", "prompt"),
        ("parser", Value::Null, "CHAIN", "parser"),
        ("crawler", Value::Null, "CHAIN", "chain"),
    ] {
        let all = [Convention::GenAi, Convention::OpenInference, Convention::LangSmith];
        let span = span_of(&run(run_type, &json!({}), &json!({})), &all);
        let said =
            ["gen_ai.operation.name", "openinference.span.kind", "langsmith.span.kind"].map(|name| span.get(name));
        assert_eq!(said, [genai, openinference.into(), langsmith.into()], "{run_type}");
    }
    let complete = run("llm", &json!({ "prompt": "polly wants" }), &json!({ "choices": [{ "text": " a cracker" }] }));
    assert_eq!(span_of(&complete, &[Convention::GenAi]).get("gen_ai.operation.name"), "text_completion");
}

#[test]
fn a_tool_has_its_arguments_and_its_result() {
    let mut tool = run("tool", &json!({ "city": "Paris" }), &json!({ "output": "sunny" }));
    tool.metadata.insert("tool_call_id".into(), "c1".into());
    let span = span_of(&tool, &[Convention::GenAi, Convention::OpenInference]);
    assert_eq!(span.get("gen_ai.tool.name"), "answer");
    assert_eq!(span.get("gen_ai.tool.call.id"), "c1");
    assert_eq!(span.json("gen_ai.tool.call.arguments"), json!({ "city": "Paris" }));
    assert_eq!(span.json("gen_ai.tool.call.result"), json!({ "output": "sunny" }));
    assert_eq!((span.get("tool.name"), span.get("tool.id")), (json!("answer"), json!("c1")));
}

#[test]
fn a_search_has_its_query_and_documents() {
    let found = json!({ "documents": [
        { "id": "d1", "score": 0.9, "page_content": "Cats purr.", "metadata": { "page": 3 } },
        { "content": "Dogs bark." },
    ] });
    let search = run("retriever", &json!({ "query": "cats", "collection_name": "pets" }), &found);
    let span = span_of(&search, &[Convention::GenAi, Convention::OpenInference]);
    assert_eq!(span.get("gen_ai.retrieval.query.text"), "cats");
    assert_eq!(span.get("gen_ai.data_source.id"), "pets");
    assert_eq!(
        span.json("gen_ai.retrieval.documents"),
        json!([
            { "id": "d1", "score": 0.9, "content": "Cats purr.", "metadata": { "page": 3 } },
            { "id": "1", "score": 0.0, "content": "Dogs bark." },
        ])
    );
    assert_eq!(span.get("retrieval.documents.0.document.id"), "d1");
    assert_eq!(span.get("retrieval.documents.0.document.score"), 0.9);
    assert_eq!(span.get("retrieval.documents.1.document.content"), "Dogs bark.");
}

#[test]
fn an_embedding_has_its_size_and_an_agent_its_name() {
    let answer = json!({ "data": [{ "embedding": [0.1, 0.2, 0.3] }] });
    let embedding = run("embedding", &json!({ "input": "cats", "encoding_format": "float" }), &answer);
    let span =
        span_of(&Run { model: Some("embed-3".into()), ..embedding }, &[Convention::GenAi, Convention::OpenInference]);
    assert_eq!(span.get("gen_ai.embeddings.dimension.count"), 3);
    assert_eq!(span.get("gen_ai.request.encoding_formats"), json!(["float"]));
    assert_eq!(span.get("embedding.model_name"), "embed-3");
    let agent = span_of(&run("agent", &json!({}), &json!({})), &[Convention::GenAi, Convention::OpenInference]);
    assert_eq!((agent.get("gen_ai.agent.name"), agent.get("agent.name")), (json!("answer"), json!("answer")));
}

#[test]
fn names_of_conventions() {
    let all: Conventions = " GenAI, genai-old,openinference,openlit,, langsmith".parse().unwrap();
    assert_eq!(all.to_string(), "genai,genai-old,openinference,langsmith,openlit");
    assert_eq!("".parse(), Ok(Conventions::default()));
    let error = "genai,openllmetry".parse::<Conventions>().unwrap_err().to_string();
    assert!(error.contains("`openllmetry`") && error.contains("openlit"), "{error}");
}
