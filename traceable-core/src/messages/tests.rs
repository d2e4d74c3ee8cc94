//! Every shape of every provider, in tables, and arbitrary JSON.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{Message, Part, Role, input_messages, output_messages, preview_input, preview_output, usage};
use crate::model::Usage;

const ANSWER: &str = "Sure, what time would you like to book the table for?";

/// What a list of messages is, in the JSON of GenAI's conventions.
fn parts_of(messages: &[Message]) -> Value {
    serde_json::to_value(messages).unwrap()
}

fn text(content: &str) -> Value {
    json!({ "type": "text", "content": content })
}

fn assert_inputs(table: Vec<(&str, Value, Value)>) {
    for (name, inputs, wanted) in table {
        assert_eq!(parts_of(&input_messages(&inputs)), wanted, "{name}");
    }
}

/// Checks each answer as it is and as the output of a traced function.
fn assert_outputs(table: Vec<(&str, Value, Value)>) {
    for (name, outputs, wanted) in table {
        assert_eq!(parts_of(&output_messages(&outputs)), wanted, "{name}");
        assert_eq!(parts_of(&output_messages(&json!({ "output": outputs }))), wanted, "{name}, wrapped");
    }
}

fn booking() -> Value {
    json!([
        { "role": "system", "content": "You are a helpful assistant." },
        { "role": "user", "content": "I'd like to book a table for two." },
    ])
}

#[test]
fn inputs_of_chat_and_instruct_models() {
    let wanted = json!([
        { "role": "system", "parts": [text("You are a helpful assistant.")] },
        { "role": "user", "parts": [text("I'd like to book a table for two.")] },
    ]);
    let prompt = json!([{ "role": "user", "parts": [text("polly the parrot\n")] }]);
    assert_inputs(vec![
        ("messages", json!({ "messages": booking() }), wanted.clone()),
        ("a bare list", booking(), wanted.clone()),
        ("request", json!({ "request": { "messages": booking(), "model": "gpt-4o" } }), wanted.clone()),
        (
            "a prompt in the settings",
            json!({ "config": { "prompt": "x" }, "req": { "messages": booking() } }),
            wanted.clone(),
        ),
        ("a list under any name", json!({ "history": booking(), "city": "Paris" }), wanted.clone()),
        ("a list of one list", json!({ "messages": [booking()] }), wanted.clone()),
        (
            "pairs",
            json!({ "messages": [["system", "You are a helpful assistant."], ["human", "I'd like to book a table for two."]] }),
            wanted.clone(),
        ),
        (
            "LangChain",
            json!({ "messages": [[
                { "lc": 1, "type": "constructor", "kwargs": { "type": "system", "content": "You are a helpful assistant." } },
                { "lc": 1, "type": "constructor", "kwargs": { "type": "human", "content": "I'd like to book a table for two." } },
            ]] }),
            wanted.clone(),
        ),
        ("GenAI", json!({ "messages": wanted.clone() }), wanted.clone()),
        (
            "GenAI with instructions",
            json!({ "system_instructions": [text("You are a helpful assistant.")], "input": [wanted[1].clone()] }),
            wanted.clone(),
        ),
        (
            "Anthropic's system",
            json!({ "system": "You are a helpful assistant.", "messages": [booking()[1].clone()] }),
            wanted.clone(),
        ),
        (
            "Anthropic's system in blocks",
            json!({ "system": [{ "type": "text", "text": "You are a helpful assistant.", "cache_control": {} }], "messages": [booking()[1].clone()] }),
            wanted.clone(),
        ),
        (
            "Responses, text",
            json!({ "instructions": "You are a helpful assistant.", "input": "I'd like to book a table for two." }),
            wanted.clone(),
        ),
        (
            "Responses, items",
            json!({ "input": [
                { "role": "system", "content": "You are a helpful assistant." },
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "I'd like to book a table for two." }] },
            ] }),
            wanted.clone(),
        ),
        (
            "Gemini",
            json!({
                "systemInstruction": { "parts": [{ "text": "You are a helpful assistant." }] },
                "contents": [{ "role": "user", "parts": [{ "text": "I'd like to book a table for two." }] }],
            }),
            wanted.clone(),
        ),
        (
            "Gemini without a role",
            json!({
                "system_instruction": "You are a helpful assistant.",
                "contents": [{ "parts": [{ "text": "I'd like to book a table for two." }] }],
            }),
            wanted,
        ),
        ("prompt", json!({ "prompt": "polly the parrot\n" }), prompt.clone()),
        ("prompt with other inputs", json!({ "prompt": "polly the parrot\n", "temperature": 0.5 }), prompt),
    ]);
}

#[test]
fn content_blocks_of_anthropic() {
    let inputs = json!({ "messages": [
        { "role": "user", "content": [
            { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
            { "type": "document", "source": { "type": "url", "url": "https://a/b.pdf" } },
            { "type": "text", "text": "What is this?" },
        ] },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": "A table.", "signature": "x" },
            { "type": "redacted_thinking", "data": "y" },
            { "type": "tool_use", "id": "t1", "name": "book", "input": { "seats": 2 } },
        ] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "t1", "content": [{ "type": "text", "text": "booked" }] },
        ] },
    ] });
    let wanted = json!([
        { "role": "user", "parts": [
            { "type": "blob", "modality": "image", "content": "AAAA", "mime_type": "image/png" },
            { "type": "uri", "modality": "document", "uri": "https://a/b.pdf" },
            text("What is this?"),
        ] },
        { "role": "assistant", "parts": [
            { "type": "reasoning", "content": "A table." },
            { "type": "other", "value": { "type": "redacted_thinking", "data": "y" } },
            { "type": "tool_call", "id": "t1", "name": "book", "arguments": { "seats": 2 } },
        ] },
        { "role": "user", "parts": [{ "type": "tool_call_response", "id": "t1", "response": "booked" }] },
    ]);
    assert_inputs(vec![("Anthropic", inputs, wanted)]);
}

#[test]
fn tools_and_media_of_openai() {
    let inputs = json!({ "messages": [
        { "role": "developer", "content": "Be brief.", "name": "house" },
        { "role": "user", "content": [
            { "type": "text", "text": "Look and listen." },
            { "type": "image_url", "image_url": { "url": "https://a/b.png", "detail": "low" } },
            { "type": "image_url", "image_url": { "url": "data:image/jpeg;base64,BBBB" } },
            { "type": "input_audio", "input_audio": { "data": "CCCC", "format": "wav" } },
            { "type": "file", "file": { "file_id": "file-1" } },
            { "type": "file", "file": { "filename": "a.pdf", "file_data": "data:application/pdf;base64,DDDD" } },
            { "type": "input_image", "image_url": "https://a/c.png" },
        ] },
        { "role": "assistant", "content": null, "tool_calls": [
            { "id": "c1", "type": "function", "function": { "name": "book", "arguments": "{\"seats\":2}" } },
            { "id": "c2", "type": "function", "function": { "name": "cook", "arguments": "{\"sea" } },
            { "id": "c3", "type": "custom", "custom": { "name": "shell", "input": "ls" } },
            { "id": "c4", "type": "function", "function": { "name": "list", "arguments": "" } },
        ] },
        { "role": "tool", "tool_call_id": "c1", "content": "booked" },
        { "role": "tool", "tool_call_id": "c2", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
        { "role": "assistant", "function_call": { "name": "old", "arguments": "[1]" }, "content": "" },
    ] });
    let wanted = json!([
        { "role": "developer", "parts": [text("Be brief.")], "name": "house" },
        { "role": "user", "parts": [
            text("Look and listen."),
            { "type": "uri", "modality": "image", "uri": "https://a/b.png" },
            { "type": "blob", "modality": "image", "content": "BBBB", "mime_type": "image/jpeg" },
            { "type": "blob", "modality": "audio", "content": "CCCC", "mime_type": "audio/wav" },
            { "type": "file", "modality": "document", "file_id": "file-1" },
            { "type": "blob", "modality": "document", "content": "DDDD", "mime_type": "application/pdf" },
            { "type": "uri", "modality": "image", "uri": "https://a/c.png" },
        ] },
        { "role": "assistant", "parts": [
            { "type": "tool_call", "id": "c1", "name": "book", "arguments": { "seats": 2 } },
            { "type": "tool_call", "id": "c2", "name": "cook", "arguments": "{\"sea" },
            { "type": "tool_call", "id": "c3", "name": "shell", "arguments": "ls" },
            { "type": "tool_call", "id": "c4", "name": "list", "arguments": {} },
        ] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": "booked" }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c2", "response": "a\nb" }] },
        { "role": "assistant", "parts": [{ "type": "tool_call", "name": "old", "arguments": [1] }] },
    ]);
    assert_inputs(vec![("OpenAI", inputs, wanted)]);
}

#[test]
fn items_of_openai_responses() {
    let items = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "A table." }] },
        { "type": "message", "id": "msg_1", "role": "assistant", "content": [
            { "type": "output_text", "text": "One moment.", "annotations": [] },
            { "type": "refusal", "refusal": "No shouting." },
        ] },
        { "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "book", "arguments": "{\"seats\":2}" },
        { "type": "web_search_call", "id": "ws_1", "status": "completed" },
    ]);
    let answer = json!({ "role": "assistant", "parts": [
        { "type": "reasoning", "content": "A table." },
        text("One moment."),
        { "type": "refusal", "content": "No shouting." },
        { "type": "tool_call", "id": "call_1", "name": "book", "arguments": { "seats": 2 } },
        { "type": "other", "value": { "type": "web_search_call", "id": "ws_1", "status": "completed" } },
    ] });
    let mut input = items.as_array().unwrap().clone();
    input.push(json!({ "type": "function_call_output", "call_id": "call_1", "output": "booked" }));
    let result =
        json!({ "role": "tool", "parts": [{ "type": "tool_call_response", "id": "call_1", "response": "booked" }] });
    assert_inputs(vec![("items", json!({ "input": input }), json!([answer, result]))]);
    assert_outputs(vec![
        ("response", json!({ "id": "resp_1", "status": "completed", "output": items }), json!([answer])),
        (
            "stream",
            json!([
                { "type": "response.created", "response": { "output": [] } },
                { "type": "response.output_text.delta", "delta": "One " },
                { "type": "response.completed", "response": { "output": items } },
            ]),
            json!([answer]),
        ),
        (
            "stream cut after an item",
            json!([{ "type": "response.output_item.done", "item": items[1] }, { "type": "response.output_text.delta", "delta": "x" }]),
            json!([{ "role": "assistant", "parts": [answer["parts"][1].clone(), answer["parts"][2].clone()] }]),
        ),
        (
            "stream cut in a text",
            json!([{ "type": "response.output_text.delta", "delta": "One " }, { "type": "response.output_text.delta", "delta": "mo" }]),
            json!([{ "role": "assistant", "parts": [text("One mo")] }]),
        ),
    ]);
}

#[test]
fn the_documented_answers() {
    let message = json!({ "role": "assistant", "content": ANSWER });
    let wanted = json!([{ "role": "assistant", "parts": [text(ANSWER)] }]);
    assert_outputs(vec![
        ("choices", json!({ "choices": [{ "message": message }] }), wanted.clone()),
        (
            "choices with usage",
            json!({ "choices": [{ "message": message }], "usage_metadata": { "input_tokens": 27, "output_tokens": 13, "total_tokens": 40 } }),
            wanted.clone(),
        ),
        ("message", json!({ "message": message }), wanted.clone()),
        ("role and content", message.clone(), wanted.clone()),
        ("a pair", json!(["assistant", ANSWER]), wanted.clone()),
        ("a text", json!(ANSWER), wanted.clone()),
        ("GenAI", wanted.clone(), wanted.clone()),
        ("GenAI, one message", wanted[0].clone(), wanted.clone()),
        ("a list of messages", json!({ "messages": [message] }), wanted),
        (
            "choices of texts",
            json!({ "choices": [{ "text": "Hello, polly the parrot\n" }], "usage_metadata": { "input_tokens": 4, "output_tokens": 5, "total_tokens": 9 } }),
            json!([{ "role": "assistant", "parts": [text("Hello, polly the parrot\n")] }]),
        ),
        (
            "two choices",
            json!({ "choices": [{ "message": { "content": "a" }, "finish_reason": "stop" }, { "message": { "role": "assistant", "content": "b" } }] }),
            json!([{ "role": "assistant", "parts": [text("a")], "finish_reason": "stop" }, { "role": "assistant", "parts": [text("b")] }]),
        ),
        (
            "chunks of messages",
            json!([
                { "choices": [{ "message": { "content": "Hello, ", "role": "assistant" } }] },
                { "choices": [{ "message": { "content": "polly the parrot", "role": "assistant" } }] },
            ]),
            json!([{ "role": "assistant", "parts": [text("Hello, polly the parrot")] }]),
        ),
    ]);
}

#[test]
fn replies_of_providers() {
    let thought = json!({ "type": "reasoning", "content": "A table." });
    let call = json!({ "type": "tool_call", "id": "t1", "name": "book", "arguments": { "seats": 2 } });
    let whole = |reason: &str| json!([{ "role": "assistant", "parts": [thought, text("Sure."), call], "finish_reason": reason }]);
    let mut no_id = call.clone();
    no_id.as_object_mut().unwrap().remove("id");
    assert_outputs(vec![
        (
            "OpenAI and compatibles",
            json!({ "choices": [{ "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "Sure.", "reasoning_content": "A table.", "refusal": null,
                "tool_calls": [{ "id": "t1", "type": "function", "function": { "name": "book", "arguments": "{\"seats\":2}" } }],
            } }] }),
            whole("tool_calls"),
        ),
        (
            "Mistral",
            json!({ "choices": [{ "finish_reason": "tool_calls", "message": {
                "role": "assistant",
                "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "A table." }] }, { "type": "text", "text": "Sure." }],
                "tool_calls": [{ "id": "t1", "function": { "name": "book", "arguments": "{\"seats\":2}" } }],
            } }] }),
            whole("tool_calls"),
        ),
        (
            "Anthropic",
            json!({ "type": "message", "role": "assistant", "stop_reason": "tool_use", "content": [
                { "type": "thinking", "thinking": "A table.", "signature": "x" },
                { "type": "text", "text": "Sure." },
                { "type": "tool_use", "id": "t1", "name": "book", "input": { "seats": 2 } },
            ] }),
            whole("tool_use"),
        ),
        (
            "Gemini",
            json!({ "candidates": [{ "finishReason": "STOP", "content": { "role": "model", "parts": [
                { "text": "A table.", "thought": true },
                { "text": "Sure." },
                { "functionCall": { "id": "t1", "name": "book", "args": { "seats": 2 } }, "thoughtSignature": "x" },
            ] } }] }),
            whole("STOP"),
        ),
        (
            "Bedrock",
            json!({ "stopReason": "tool_use", "output": { "message": { "role": "assistant", "content": [
                { "reasoningContent": { "reasoningText": { "text": "A table.", "signature": "x" } } },
                { "text": "Sure." },
                { "toolUse": { "toolUseId": "t1", "name": "book", "input": { "seats": 2 } } },
            ] } } }),
            whole("tool_use"),
        ),
        (
            "Cohere",
            json!({ "finish_reason": "TOOL_CALL", "message": {
                "role": "assistant",
                "content": [{ "type": "thinking", "thinking": "A table." }, { "type": "text", "text": "Sure." }],
                "tool_calls": [{ "id": "t1", "type": "function", "function": { "name": "book", "arguments": "{\"seats\":2}" } }],
            } }),
            whole("TOOL_CALL"),
        ),
        (
            "Ollama",
            json!({ "done": true, "done_reason": "stop", "message": {
                "role": "assistant", "content": "Sure.", "thinking": "A table.",
                "tool_calls": [{ "function": { "name": "book", "arguments": { "seats": 2 } } }],
            } }),
            json!([{ "role": "assistant", "parts": [thought, text("Sure."), no_id], "finish_reason": "stop" }]),
        ),
        (
            "Ollama, generate",
            json!({ "response": "Sure.", "thinking": "A table.", "done": true, "done_reason": "stop" }),
            json!([{ "role": "assistant", "parts": [thought, text("Sure.")], "finish_reason": "stop" }]),
        ),
        (
            "LangChain",
            json!({ "generations": [[{ "text": "Sure.", "message": { "lc": 1, "kwargs": { "type": "ai", "content": "Sure." } } }]] }),
            json!([{ "role": "assistant", "parts": [text("Sure.")] }]),
        ),
        (
            "a picture of Gemini's",
            json!({ "candidates": [{ "content": { "parts": [{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }, { "fileData": { "fileUri": "gs://a", "mimeType": "audio/wav" } }] } }] }),
            json!([{ "role": "assistant", "parts": [
                { "type": "blob", "modality": "image", "content": "AAAA", "mime_type": "image/png" },
                { "type": "uri", "modality": "audio", "uri": "gs://a", "mime_type": "audio/wav" },
            ] }]),
        ),
        (
            "a refusal",
            json!({ "choices": [{ "message": { "role": "assistant", "content": null, "refusal": "No." } }] }),
            json!([{ "role": "assistant", "parts": [{ "type": "refusal", "content": "No." }] }]),
        ),
    ]);
}

#[test]
fn streams() {
    let call = |id: Value, name: &str, arguments: &str| json!({ "index": 0, "id": id, "function": { "name": name, "arguments": arguments } });
    let delta = |delta: Value| json!({ "choices": [{ "index": 0, "delta": delta }] });
    assert_outputs(vec![
        (
            "OpenAI",
            json!([
                delta(json!({ "role": "assistant", "content": "" })),
                delta(json!({ "reasoning_content": "A " })),
                delta(json!({ "reasoning_content": "table." })),
                delta(json!({ "content": "Su" })),
                delta(json!({ "content": "re." })),
                delta(json!({ "tool_calls": [{ "index": 0, "id": "a", "type": "function", "function": { "name": "book", "arguments": "" } }] })),
                delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{\"seats\"" } }] })),
                delta(json!({ "tool_calls": [{ "index": 1, "id": "b", "function": { "name": "cook", "arguments": "{" } }] })),
                delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": ":2}" } }, { "index": 1, "function": { "arguments": "}" } }] })),
                { "choices": [{ "index": 0, "delta": {}, "finish_reason": "tool_calls" }] },
                { "choices": [], "usage": { "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40 } },
            ]),
            json!([{ "role": "assistant", "finish_reason": "tool_calls", "parts": [
                { "type": "reasoning", "content": "A table." },
                text("Sure."),
                { "type": "tool_call", "id": "a", "name": "book", "arguments": { "seats": 2 } },
                { "type": "tool_call", "id": "b", "name": "cook", "arguments": {} },
            ] }]),
        ),
        (
            "two choices and two ids at one index",
            json!([
                { "choices": [{ "index": 1, "delta": { "content": "b" } }, { "index": 0, "delta": { "content": "a" } }] },
                delta(json!({ "tool_calls": [call(json!("x"), "book", "{}")] })),
                delta(json!({ "tool_calls": [call(json!("y"), "cook", "[1,")] })),
                delta(json!({ "tool_calls": [call(Value::Null, "", "2]")] })),
            ]),
            json!([
                { "role": "assistant", "parts": [
                    text("a"),
                    { "type": "tool_call", "id": "x", "name": "book", "arguments": {} },
                    { "type": "tool_call", "id": "y", "name": "cook", "arguments": [1, 2] },
                ] },
                { "role": "assistant", "parts": [text("b")] },
            ]),
        ),
        ("one chunk", delta(json!({ "content": "a" })), json!([{ "role": "assistant", "parts": [text("a")] }])),
        (
            "OpenAI's completions",
            json!([{ "choices": [{ "text": "Hello, " }] }, { "choices": [{ "text": "polly", "finish_reason": "stop" }] }]),
            json!([{ "role": "assistant", "parts": [text("Hello, polly")], "finish_reason": "stop" }]),
        ),
        (
            "Anthropic",
            json!([
                { "type": "message_start", "message": { "role": "assistant", "content": [], "usage": { "input_tokens": 7, "output_tokens": 1 } } },
                { "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } },
                { "type": "content_block_delta", "index": 0, "delta": { "type": "thinking_delta", "thinking": "A table." } },
                { "type": "content_block_delta", "index": 0, "delta": { "type": "signature_delta", "signature": "x" } },
                { "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "" } },
                { "type": "ping" },
                { "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": "Su" } },
                { "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": "re." } },
                { "type": "content_block_start", "index": 2, "content_block": { "type": "tool_use", "id": "t1", "name": "book", "input": {} } },
                { "type": "content_block_delta", "index": 2, "delta": { "type": "input_json_delta", "partial_json": "" } },
                { "type": "content_block_delta", "index": 2, "delta": { "type": "input_json_delta", "partial_json": "{\"seats\"" } },
                { "type": "content_block_delta", "index": 2, "delta": { "type": "input_json_delta", "partial_json": ":2}" } },
                { "type": "content_block_start", "index": 3, "content_block": { "type": "tool_use", "id": "t2", "name": "list", "input": {} } },
                { "type": "content_block_stop", "index": 3 },
                { "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 13 } },
                { "type": "message_stop" },
            ]),
            json!([{ "role": "assistant", "finish_reason": "tool_use", "parts": [
                { "type": "reasoning", "content": "A table." },
                text("Sure."),
                { "type": "tool_call", "id": "t1", "name": "book", "arguments": { "seats": 2 } },
                { "type": "tool_call", "id": "t2", "name": "list", "arguments": {} },
            ] }]),
        ),
        (
            "Gemini",
            json!([
                { "candidates": [{ "content": { "role": "model", "parts": [{ "text": "A table.", "thought": true }, { "text": "Su" }] } }] },
                { "candidates": [{ "content": { "role": "model", "parts": [{ "text": "re." }] }, "finishReason": "STOP" }] },
            ]),
            json!([{ "role": "assistant", "finish_reason": "STOP", "parts": [{ "type": "reasoning", "content": "A table." }, text("Sure.")] }]),
        ),
        (
            "Ollama",
            json!([
                { "message": { "role": "assistant", "content": "Su" }, "done": false },
                { "message": { "role": "assistant", "content": "re.", "tool_calls": [{ "function": { "name": "a", "arguments": {} } }, { "function": { "name": "b", "arguments": {} } }] }, "done": false },
                { "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop", "eval_count": 5 },
            ]),
            json!([{ "role": "assistant", "finish_reason": "stop", "parts": [
                text("Sure."),
                { "type": "tool_call", "name": "a", "arguments": {} },
                { "type": "tool_call", "name": "b", "arguments": {} },
            ] }]),
        ),
    ]);
}

#[test]
fn what_is_no_conversation() {
    for value in [
        json!(null),
        json!(3),
        json!({}),
        json!([]),
        json!({ "city": "Paris" }),
        json!({ "system": "linux" }),
        json!({ "messages": 3 }),
        json!({ "messages": ["a", 3, null, { "role": 3, "content": "x" }] }),
        json!({ "users": [{ "role": "admin", "name": "Bob" }] }),
        json!({ "documents": [{ "page_content": "x", "type": "Document", "metadata": {} }] }),
        json!({ "input": ["embed", "these"] }),
    ] {
        assert_eq!(input_messages(&value), [], "{value}");
    }
    for value in [
        json!(null),
        json!({}),
        json!([]),
        json!(["a", "b", "c"]),
        json!({ "choices": 3 }),
        json!({ "choices": [3, {}, { "message": "x" }] }),
        json!({ "message": "done" }),
        json!({ "done": true, "text": "x" }),
        json!({ "output": [{ "page_content": "x", "type": "Document", "metadata": {} }] }),
        json!({ "output": { "output": { "output": "too deep" } } }),
    ] {
        assert_eq!(output_messages(&value), [], "{value}");
        assert_eq!(usage(&value), None, "{value}");
    }
}

/// A usage of these counters and details.
fn counted(input: impl Into<Option<u64>>, output: impl Into<Option<u64>>, total: impl Into<Option<u64>>) -> Usage {
    Usage { input_tokens: input.into(), output_tokens: output.into(), total_tokens: total.into(), ..Usage::default() }
}

#[test]
fn usage_of_langsmith() {
    let details = json!({ "usage_metadata": {
        "input_tokens": 27, "output_tokens": 13.0, "total_tokens": 40, "total_cost": "0.5", "input_cost": 0.25,
        "input_token_details": { "cache_read": 20, "ephemeral_5m_input_tokens": 3, "house": 1, "wrong": "x" },
        "output_token_details": { "reasoning": 10 },
        "input_cost_details": { "cache_read": 0.125 },
    } });
    let mut wanted = Usage::new(27, 13).with_input_detail("cache_read", 20).with_total_cost(0.5);
    wanted = wanted.with_input_detail("ephemeral_5m_input_tokens", 3).with_input_detail("house", 1);
    wanted = wanted.with_output_detail("reasoning", 10);
    wanted.input_cost = Some(0.25);
    wanted.input_cost_details.insert("cache_read".to_owned(), 0.125);
    assert_eq!(usage(&details), Some(wanted));
    let metadata = Map::from_iter([("usage_metadata".to_owned(), json!({ "input_tokens": 4, "output_tokens": 5 }))]);
    assert_eq!(super::usage_in_metadata(&metadata), Some(Usage::new(4, 5)));
    assert_eq!(super::usage_in_metadata(&Map::new()), None);
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn usage_of_providers() {
    let new = Usage::new;
    let table = [
        (
            "LangSmith",
            json!({ "usage_metadata": { "input_tokens": 27, "output_tokens": 13, "total_tokens": 40 } }),
            new(27, 13),
        ),
        (
            "LangSmith goes first",
            json!({ "usage": { "prompt_tokens": 1 }, "usage_metadata": { "input_tokens": 4, "output_tokens": 5, "total_tokens": 9 } }),
            new(4, 5),
        ),
        ("no output sent", json!({ "usage_metadata": { "input_tokens": 4 } }), counted(4, None, None)),
        (
            "OpenAI chat",
            json!({ "usage": {
                "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40,
                "prompt_tokens_details": { "cached_tokens": 20, "audio_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 10, "audio_tokens": null, "accepted_prediction_tokens": 1 },
            } }),
            new(27, 13)
                .with_input_detail("cache_read", 20)
                .with_input_detail("audio", 0)
                .with_output_detail("reasoning", 10)
                .with_output_detail("accepted_prediction_tokens", 1),
        ),
        ("embeddings", json!({ "usage": { "prompt_tokens": 27, "total_tokens": 27 } }), counted(27, None, 27)),
        (
            "OpenAI Responses",
            json!({ "output": [], "usage": {
                "input_tokens": 27, "input_tokens_details": { "cached_tokens": 20 },
                "output_tokens": 13, "output_tokens_details": { "reasoning_tokens": 10 }, "total_tokens": 40,
            } }),
            new(27, 13).with_input_detail("cache_read", 20).with_output_detail("reasoning", 10),
        ),
        (
            "OpenRouter",
            json!({ "usage": { "prompt_tokens": 27, "completion_tokens": 13, "cost": 0.5 } }),
            new(27, 13).with_total_cost(0.5),
        ),
        (
            "xAI",
            json!({ "usage": { "prompt_tokens": 27, "completion_tokens": 3, "total_tokens": 40, "completion_tokens_details": { "reasoning_tokens": 10 } } }),
            new(27, 13).with_output_detail("reasoning", 10),
        ),
        (
            "DeepSeek",
            json!({ "usage": { "prompt_tokens": 27, "completion_tokens": 13, "prompt_cache_hit_tokens": 20 } }),
            new(27, 13).with_input_detail("cache_read", 20),
        ),
        (
            "Anthropic",
            json!({ "usage": { "input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 4, "output_tokens": 13 } }),
            new(27, 13).with_input_detail("cache_read", 20).with_input_detail("cache_creation", 4),
        ),
        (
            "Anthropic, cache split by lifetime",
            json!({ "usage": {
                "input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 4, "output_tokens": 13,
                "cache_creation": { "ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3 },
            } }),
            new(27, 13)
                .with_input_detail("cache_read", 20)
                .with_input_detail("ephemeral_5m_input_tokens", 1)
                .with_input_detail("ephemeral_1h_input_tokens", 3),
        ),
        (
            "Anthropic's names with the cache counted in",
            json!({ "usage": { "input_tokens": 27, "cache_read_input_tokens": 20, "output_tokens": 13, "total_tokens": 40 } }),
            new(27, 13).with_input_detail("cache_read", 20),
        ),
        (
            "Gemini",
            json!({ "usageMetadata": {
                "promptTokenCount": 25, "toolUsePromptTokenCount": 2, "cachedContentTokenCount": 20,
                "candidatesTokenCount": 3, "thoughtsTokenCount": 10, "totalTokenCount": 40,
            } }),
            new(27, 13).with_input_detail("cache_read", 20).with_output_detail("reasoning", 10),
        ),
        (
            "Gemini, in Python's names",
            json!({ "usage_metadata": { "prompt_token_count": 27, "candidates_token_count": 13 } }),
            new(27, 13),
        ),
        (
            "Gemini, thoughts only",
            json!({ "usageMetadata": { "promptTokenCount": 27, "thoughtsTokenCount": 13, "totalTokenCount": 40 } }),
            new(27, 13).with_output_detail("reasoning", 13),
        ),
        ("Ollama", json!({ "prompt_eval_count": 27, "eval_count": 13, "done": true }), new(27, 13)),
        (
            "Bedrock",
            json!({ "usage": { "inputTokens": 3, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 4, "outputTokens": 13, "totalTokens": 40 } }),
            new(27, 13).with_input_detail("cache_read", 20).with_input_detail("cache_creation", 4),
        ),
        (
            "Cohere",
            json!({ "usage": { "billed_units": { "input_tokens": 5 }, "tokens": { "input_tokens": 27, "output_tokens": 13 } } }),
            new(27, 13),
        ),
    ];
    for (name, outputs, wanted) in table {
        assert_eq!(usage(&outputs), Some(wanted.clone()), "{name}");
        assert_eq!(usage(&json!({ "output": outputs })), Some(wanted), "{name}, wrapped");
    }
}

#[test]
fn usage_of_streams() {
    let start = json!({ "type": "message_start", "message": { "usage": {
        "input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 4, "output_tokens": 1,
        "cache_creation": { "ephemeral_5m_input_tokens": 4 },
    } } });
    let anthropic = |output: u64| {
        Usage::new(27, output).with_input_detail("cache_read", 20).with_input_detail("ephemeral_5m_input_tokens", 4)
    };
    let mut cut = anthropic(0);
    (cut.output_tokens, cut.total_tokens) = (None, None);
    let table = [
        (
            "OpenAI's last chunk",
            json!([
                { "choices": [{ "delta": { "content": "a" } }], "usage": null },
                { "choices": [], "usage": { "prompt_tokens": 27, "completion_tokens": 13, "total_tokens": 40 } },
            ]),
            Usage::new(27, 13),
        ),
        (
            "growing, then zero",
            json!([
                { "usage": { "prompt_tokens": 27, "completion_tokens": 1 } },
                { "usage": { "prompt_tokens": 27, "completion_tokens": 13 } },
                { "usage": { "prompt_tokens": 0, "completion_tokens": 13 } },
                { "choices": [] },
            ]),
            Usage::new(27, 13),
        ),
        (
            "Groq",
            json!([{ "x_groq": { "usage": { "prompt_tokens": 27, "completion_tokens": 13 } } }]),
            Usage::new(27, 13),
        ),
        (
            "Responses",
            json!([{ "type": "response.completed", "response": { "usage": { "input_tokens": 27, "output_tokens": 13, "total_tokens": 40 } } }]),
            Usage::new(27, 13),
        ),
        (
            "Anthropic",
            json!([start, { "type": "message_delta", "usage": { "output_tokens": 13, "input_tokens": 0 } }]),
            anthropic(13),
        ),
        ("Anthropic, cut", json!([start]), cut),
        (
            "Gemini",
            json!([
                { "usageMetadata": { "promptTokenCount": 27, "candidatesTokenCount": 1 } },
                { "usageMetadata": { "promptTokenCount": 27, "candidatesTokenCount": 13 } },
            ]),
            Usage::new(27, 13),
        ),
    ];
    for (name, chunks, wanted) in table {
        assert_eq!(usage(&chunks), Some(wanted.clone()), "{name}");
        assert_eq!(usage(&json!({ "output": chunks })), Some(wanted), "{name}, wrapped");
    }
}

#[test]
fn previews() {
    let messages = input_messages(&json!({ "messages": [
        { "role": "user", "content": "Book a \u{1b}[31mtable\n\n  for two.\u{202e}" },
        { "role": "assistant", "content": null, "tool_calls": [{ "function": { "name": "book", "arguments": "{\"seats\":2}" } }] },
        { "role": "tool", "content": "{\"ok\":true}" },
    ] }));
    assert_eq!(preview_input(&messages, 80).unwrap(), "Book a [31mtable for two.");
    assert_eq!(preview_input(&messages[1..], 80).unwrap(), "{\"ok\":true}");
    assert_eq!(preview_output(&messages[1..2], 80).unwrap(), "book({\"seats\":2})");
    let pair = output_messages(&json!(["assistant", ANSWER]));
    for (max, wanted) in [
        (0, None),
        (1, Some("…")),
        (2, Some("S…")),
        (5, Some("Sure…")),
        (6, Some("Sure,…")),
        (7, Some("Sure,…")),
        (8, Some("Sure, w…")),
        (53, Some(ANSWER)),
    ] {
        assert_eq!(preview_output(&pair, max).as_deref(), wanted, "{max}");
    }
    let thought = Part::Reasoning { content: "Hm.".into() };
    let image = Part::Uri { modality: "image".into(), uri: "https://a".into(), mime_type: None };
    assert_eq!(Message::new(Role::Assistant, vec![thought.clone()]).preview(80).unwrap(), "Hm.");
    assert_eq!(Message::new(Role::Assistant, vec![thought, image]).preview(80).unwrap(), "[image]");
    assert_eq!(Message::new(Role::Assistant, Vec::new()).preview(80), None);
}

/// Serde reads no more than 128 levels, so that no deeper value comes from a wire.
#[test]
fn deep_values_are_read() {
    for key in ["output", "response", "message", "messages", "request", "content", "kwargs", "source"] {
        let (mut objects, mut lists) = (json!({ "role": "user", "content": "x" }), json!("x"));
        for _ in 0..60 {
            objects = json!({ "type": "response.completed", "role": "tool", key: objects });
            lists = json!([{ "type": "tool_result", key: lists }]);
        }
        read_all(&objects);
        read_all(&lists);
    }
}

/// Runs everything; checks what holds for any value.
fn read_all(value: &Value) {
    for messages in [input_messages(value), output_messages(value)] {
        // What we write, we read back as it is: as messages, and through serde.
        let written = parts_of(&messages);
        assert_eq!(input_messages(&json!({ "messages": written })), messages);
        assert_eq!(serde_json::from_value::<Vec<Message>>(written).unwrap(), messages);
        for max in [0, 1, 7] {
            let lines = [preview_input(&messages, max), preview_output(&messages, max)];
            assert!(lines.iter().flatten().all(|line| line.chars().count() <= max));
        }
    }
    if let Some(usage) = usage(value) {
        assert_eq!(super::usage(&json!({ "usage_metadata": usage })), Some(usage));
    }
}

/// The words that the normaliser looks for, so that arbitrary values come near the shapes.
fn word() -> impl Strategy<Value = String> {
    let words = "messages message role content parts text type user assistant tool system output input prompt choices \
        delta tool_calls function name arguments id index contents candidates generations kwargs response image_url \
        url data source image thinking reasoning tool_use tool_result tool_call tool_call_response function_call \
        function_call_output custom_tool_call message_start content_block_start content_block_delta content_block \
        partial_json functionCall functionResponse toolUse inlineData other value blob uri file modality done refusal \
        summary web_search_call usage usage_metadata usageMetadata input_tokens output_tokens total_tokens \
        prompt_tokens completion_tokens cache_read_input_tokens cache_creation_input_tokens cache_creation \
        promptTokenCount candidatesTokenCount thoughtsTokenCount inputTokens totalTokens input_token_details \
        output_token_details reasoning_tokens cached_tokens cost prompt_eval_count response.completed finish_reason";
    let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
    prop_oneof![8 => select(words), 1 => Just("{\"a\":[1]}".to_owned()), 1 => ".{0,6}"]
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u64..30).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word(), inner), 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_without_a_panic_and_to_the_same_again(value in arbitrary_json()) {
        read_all(&value);
    }

    #[test]
    fn any_list_of_messages_is_read_to_the_same_again(contents in vec((word(), arbitrary_json()), 0..4)) {
        let messages: Vec<_> = contents.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
        prop_assert_eq!(input_messages(&json!({ "messages": messages })).len(), messages.len());
        read_all(&json!({ "messages": messages }));
    }

    #[test]
    fn any_counters_are_read_to_the_same_again(counters in vec((word(), arbitrary_json()), 0..8)) {
        let counters: Map<_, _> = counters.into_iter().collect();
        read_all(&json!({ "usage": counters }));
    }
}
