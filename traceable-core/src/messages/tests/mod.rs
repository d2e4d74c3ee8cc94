//! What holds for any value, previews, and what the tables of the other files share.

mod counters;
mod inputs;
mod outputs;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{Message, Part, Role, input_messages, output_messages, preview_input, preview_output, usage};

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
        summary web_search_call ToolCall fn_name Text usage usage_metadata usageMetadata input_tokens output_tokens total_tokens \
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
