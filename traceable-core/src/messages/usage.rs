//! Token usage, in the words of any provider, as [`Usage`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{first, object, text};
use crate::model::Usage;

/// Where a reply has its counters. `usage_metadata` comes first: it was put there by hand.
const DIRECT: [&str; 3] = ["usage_metadata", "usage", "usageMetadata"];

/// What may stand around the object with the counters: a traced function's wrapper (`output`), the last event of
/// OpenAI's Responses API and the first of Anthropic's (`response`, `message`), Groq, Bedrock's last event, and
/// `LangChain`'s serialised message.
const WRAPPERS: [&str; 6] = ["output", "response", "message", "x_groq", "metadata", "kwargs"];

/// What providers call parts of the input or output, and what LangSmith calls them. Others keep their names.
const DETAILS: [(&str, &str); 8] = [
    ("cached_tokens", "cache_read"),
    ("cache_write_tokens", "cache_creation"),
    ("cache_creation_tokens", "cache_creation"),
    ("audio_tokens", "audio"),
    ("reasoning_tokens", "reasoning"),
    ("thinking_tokens", "reasoning"),
    ("text_tokens", "text"),
    ("image_tokens", "image"),
];

/// The token counters of a run's outputs.
///
/// `usage_metadata` with LangSmith's names is taken first, then the reply of OpenAI and those like it, Anthropic,
/// Gemini, Ollama, Bedrock or Cohere; also under `output`, and spread over the chunks of a stream. As [`Usage`]
/// wants it, input includes what a cache read and wrote, output includes reasoning. A counter that was not sent stays
/// `None`; only a total that no one sent is summed when both its parts are there.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::usage;
///
/// // Anthropic counts the cache apart.
/// let reply = json!({ "usage": { "input_tokens": 7, "cache_read_input_tokens": 20, "output_tokens": 13 } });
/// let usage = usage(&reply).unwrap_or_default();
/// assert_eq!((usage.input_tokens, usage.total_tokens), (Some(27), Some(40)));
/// assert_eq!(usage.input_token_details["cache_read"], 20);
/// ```
#[must_use]
pub fn usage(outputs: &Value) -> Option<Usage> {
    let list = outputs.as_array().or_else(|| outputs.get("output")?.as_array());
    find(outputs, 2).and_then(read).or_else(|| of_chunks(list?))
}

/// The token counters of a run's metadata, under `usage_metadata`; for outputs that have none.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::usage_in_metadata;
///
/// let metadata = json!({ "usage_metadata": { "input_tokens": 4, "output_tokens": 5, "total_tokens": 9 } });
/// let usage = metadata.as_object().and_then(usage_in_metadata).unwrap_or_default();
/// assert_eq!(usage.total_tokens, Some(9));
/// ```
#[must_use]
pub fn usage_in_metadata(metadata: &Map<String, Value>) -> Option<Usage> {
    read(metadata.get("usage_metadata")?)
}

/// The object with the counters, through at most `wrappers` others.
fn find(value: &Value, wrappers: u8) -> Option<&Value> {
    let direct = DIRECT.iter().find_map(|key| value.get(key).filter(|raw| read(raw).is_some()));
    // Ollama counts at the top.
    let direct = direct.or_else(|| first(value, &["prompt_eval_count", "eval_count"]).map(|_| value));
    let left = wrappers.checked_sub(1);
    direct.or_else(|| WRAPPERS.iter().find_map(|key| find(object(value, &[key])?, left?)))
}

/// The counters of a stream. Some providers send them once, some grow them with each chunk, Anthropic splits them
/// over its first and last event: the last value of each counter holds.
fn of_chunks(chunks: &[Value]) -> Option<Usage> {
    let mut all = Map::new();
    for chunk in chunks {
        let Some(raw) = find(chunk, 2).and_then(Value::as_object) else { continue };
        overlay(&mut all, raw, 1);
        // Anthropic's first event has a placeholder for the output; a stream that was cut never gets the real one.
        if text(chunk, &["type"]) == Some("message_start") {
            all.remove("output_tokens");
        }
    }
    read(&Value::Object(all))
}

/// Takes over what `later` says; a count stays when a null or zero follows it. Details go key by key.
fn overlay(all: &mut Map<String, Value>, later: &Map<String, Value>, levels: u8) {
    for (key, new) in later {
        match (all.get_mut(key), new) {
            (_, Value::Null) => {}
            (Some(Value::Object(old)), Value::Object(new)) if levels > 0 => overlay(old, new, levels - 1),
            (Some(old), new) if count(new) == Some(0) && count(old).is_some() => {}
            (Some(old), new) => *old = new.clone(),
            (None, new) => drop(all.insert(key.clone(), new.clone())),
        }
    }
}

/// Reads counters by the names that they have.
fn read(raw: &Value) -> Option<Usage> {
    let has = |keys: &[&str]| first(raw, keys).is_some();
    let usage = if has(&["promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count"]) {
        gemini(raw)
    } else if has(&["inputTokens", "outputTokens"]) {
        bedrock(raw)
    } else if has(&["prompt_eval_count", "eval_count"]) {
        ollama(raw)
    } else if has(&["tokens", "billed_units"]) {
        cohere(raw)
    } else {
        named(raw)
    };
    Some(finish(usage)).filter(|usage| !usage.is_empty())
}

/// What all have in common once their numbers are read.
fn finish(mut usage: Usage) -> Usage {
    let reasoning = usage.output_token_details.get("reasoning").copied().filter(|n| *n > 0);
    if let (Some(input), Some(output), Some(total), Some(reasoning)) =
        (usage.input_tokens, usage.output_tokens, usage.total_tokens, reasoning)
        && total.checked_sub(input).and_then(|rest| rest.checked_sub(output)) == Some(reasoning)
    {
        // xAI, and LangSmith's wrapper of Gemini, leave reasoning out of the output; only the total tells.
        usage.output_tokens = Some(output.saturating_add(reasoning));
    }
    usage.total_tokens = usage.total_tokens.or_else(|| Some(usage.input_tokens?.saturating_add(usage.output_tokens?)));
    usage
}

/// LangSmith's own names, OpenAI's two APIs and those like them, and Anthropic.
fn named(raw: &Value) -> Usage {
    let mut usage = Usage {
        input_tokens: counter(raw, &["input_tokens", "prompt_tokens"]),
        output_tokens: counter(raw, &["output_tokens", "completion_tokens"]),
        total_tokens: counter(raw, &["total_tokens"]),
        input_cost: dollars(raw, &["input_cost"]),
        output_cost: dollars(raw, &["output_cost"]),
        // OpenRouter's `cost` is what was charged.
        total_cost: dollars(raw, &["total_cost", "cost"]),
        input_cost_details: map(raw, &["input_cost_details"], dollar),
        output_cost_details: map(raw, &["output_cost_details"], dollar),
        input_token_details: details(raw, &["input_token_details", "input_tokens_details", "prompt_tokens_details"]),
        output_token_details: details(
            raw,
            &["output_token_details", "output_tokens_details", "completion_tokens_details"],
        ),
        ..Usage::default()
    };
    // Cache hits beside the counters: Anthropic's OpenAI endpoint, Mistral, DeepSeek, xAI, rig.
    let cached = [
        "cached_tokens",
        "num_cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_prompt_text_tokens",
        "cached_input_tokens",
    ];
    put(&mut usage.input_token_details, "cache_read", counter(raw, &cached));
    put(&mut usage.output_token_details, "reasoning", counter(raw, &["reasoning_tokens"]));
    anthropic(raw, usage)
}

/// Anthropic: `input_tokens` is what no cache served. Its replies have no total; one that has is of a library that
/// took over the names and counts the cache in.
fn anthropic(raw: &Value, mut usage: Usage) -> Usage {
    let read = counter(raw, &["cache_read_input_tokens"]);
    let written = counter(raw, &["cache_creation_input_tokens"]);
    if usage.total_tokens.is_none() {
        usage.input_tokens = plus(usage.input_tokens, &[read, written]);
    }
    put(&mut usage.input_token_details, "cache_read", read);
    // The split by lifetime says it all: with `cache_creation` beside it, LangSmith would price both.
    let split = details(raw, &["cache_creation"]);
    if split.is_empty() || split.values().fold(0, |sum: u64, n| sum.saturating_add(*n)) < written.unwrap_or(0) {
        put(&mut usage.input_token_details, "cache_creation", written);
    } else {
        usage.input_token_details.extend(split);
    }
    usage
}

/// Gemini: thoughts and the prompts of its own tools are counted apart.
fn gemini(raw: &Value) -> Usage {
    let thoughts = counter(raw, &["thoughtsTokenCount", "thoughts_token_count"]);
    let tools = counter(raw, &["toolUsePromptTokenCount", "tool_use_prompt_token_count"]);
    let input = counter(raw, &["promptTokenCount", "prompt_token_count"]);
    let output = counter(raw, &["candidatesTokenCount", "candidates_token_count"]);
    let mut usage = Usage {
        input_tokens: plus(input, &[tools]),
        output_tokens: plus(output.or(thoughts.map(|_| 0)), &[thoughts]),
        total_tokens: counter(raw, &["totalTokenCount", "total_token_count"]),
        ..Usage::default()
    };
    let cached = counter(raw, &["cachedContentTokenCount", "cached_content_token_count"]);
    put(&mut usage.input_token_details, "cache_read", cached);
    put(&mut usage.output_token_details, "reasoning", thoughts);
    usage
}

/// Bedrock Converse, where the cache is counted apart; Vercel's AI SDK has the same names for sums.
fn bedrock(raw: &Value) -> Usage {
    let (read, written) = (counter(raw, &["cacheReadInputTokens"]), counter(raw, &["cacheWriteInputTokens"]));
    let mut usage = Usage {
        input_tokens: plus(counter(raw, &["inputTokens"]), &[read, written]),
        output_tokens: counter(raw, &["outputTokens"]),
        total_tokens: counter(raw, &["totalTokens"]),
        ..Usage::default()
    };
    put(&mut usage.input_token_details, "cache_read", read.or(counter(raw, &["cachedInputTokens"])));
    put(&mut usage.input_token_details, "cache_creation", written);
    put(&mut usage.output_token_details, "reasoning", counter(raw, &["reasoningTokens"]));
    usage
}

fn ollama(raw: &Value) -> Usage {
    let mut usage = Usage {
        input_tokens: counter(raw, &["prompt_eval_count"]),
        output_tokens: counter(raw, &["eval_count"]),
        ..Usage::default()
    };
    put(&mut usage.input_token_details, "cache_read", counter(raw, &["prompt_eval_cached_count"]));
    usage
}

/// Cohere: `tokens` is what the model saw, `billed_units` what is charged.
fn cohere(raw: &Value) -> Usage {
    let counters = object(raw, &["tokens", "billed_units"]).unwrap_or(raw);
    let mut usage = Usage {
        input_tokens: counter(counters, &["input_tokens"]),
        output_tokens: counter(counters, &["output_tokens"]),
        ..Usage::default()
    };
    put(&mut usage.input_token_details, "cache_read", counter(raw, &["cached_tokens"]));
    usage
}

/// A count as it is sent: JavaScript and Protobuf write some as `27.0`.
fn count(value: &Value) -> Option<u64> {
    /// From here on, not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|n| (0.0..=EXACT).contains(n) && n.fract() == 0.0)?;
        Some(number as u64)
    })
}

fn counter(raw: &Value, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| count(raw.get(key)?))
}

/// An amount of money. Python's `Decimal` is sent as text.
fn dollar(value: &Value) -> Option<f64> {
    let amount = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    amount.is_finite().then_some(amount)
}

fn dollars(raw: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().find_map(|key| dollar(raw.get(key)?))
}

fn map<T>(raw: &Value, keys: &[&str], number: fn(&Value) -> Option<T>) -> BTreeMap<String, T> {
    let found = object(raw, keys).and_then(Value::as_object);
    found.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), number(value)?))).collect()
}

/// Parts of a counter, in LangSmith's names.
fn details(raw: &Value, keys: &[&str]) -> BTreeMap<String, u64> {
    let mut details = map(raw, keys, count);
    for (theirs, ours) in DETAILS {
        let tokens = details.remove(theirs);
        put(&mut details, ours, tokens);
    }
    details
}

/// Adds a detail unless it is there.
fn put(details: &mut BTreeMap<String, u64>, name: &str, tokens: Option<u64>) {
    if let Some(tokens) = tokens {
        details.entry(name.to_owned()).or_insert(tokens);
    }
}

/// A counter with what was counted apart from it; `None` stays `None`.
fn plus(counter: Option<u64>, apart: &[Option<u64>]) -> Option<u64> {
    Some(apart.iter().flatten().fold(counter?, |sum, n| sum.saturating_add(*n)))
}
