//! The shapes of a model's inputs.

use serde_json::{Value, json};

use super::{assert_inputs, text};

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
