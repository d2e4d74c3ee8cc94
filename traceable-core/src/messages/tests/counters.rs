//! The shapes of token usage.

use serde_json::{Map, json};

use super::super::{usage, usage_in_metadata};
use crate::model::Usage;

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
    assert_eq!(usage_in_metadata(&metadata), Some(Usage::new(4, 5)));
    assert_eq!(usage_in_metadata(&Map::new()), None);
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
