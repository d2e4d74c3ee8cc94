//! The shapes of a model's answers, whole and in chunks.

use serde_json::{Value, json};

use super::{ANSWER, assert_inputs, assert_outputs, text};

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
#[allow(clippy::too_many_lines, reason = "a table")]
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
            "rig",
            json!({ "role": "assistant", "id": null, "content": [
                { "id": null, "reasoning": ["A table."] },
                { "text": "Sure." },
                { "id": "t1", "call_id": null, "function": { "name": "book", "arguments": { "seats": 2 } } },
            ] }),
            json!([{ "role": "assistant", "parts": [thought, text("Sure."), call] }]),
        ),
        (
            "genai",
            json!({ "reasoning_content": "A table.", "usage": { "prompt_tokens": 27 }, "content": { "parts": [
                { "Text": "Sure." },
                { "ToolCall": { "call_id": "t1", "fn_name": "book", "fn_arguments": { "seats": 2 } } },
            ] } }),
            json!([{ "role": "assistant", "parts": [thought, text("Sure."), call] }]),
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
