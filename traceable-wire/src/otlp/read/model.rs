//! Which model was called, with what, and what that used.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use traceable_core::{
    messages::usage_in_metadata,
    model::{Run, Usage},
};

use super::Attributes;
use crate::otlp::names::{foreign, genai, langsmith, openinference as oi, openlit};

pub(super) fn provider(attributes: &mut Attributes) -> Option<String> {
    attributes.text(&[oi::PROVIDER, genai::PROVIDER, langsmith::SYSTEM, oi::SYSTEM])
}

/// The model that was asked for.
pub(super) fn asked(attributes: &mut Attributes) -> Option<String> {
    let openinference = [oi::REQUEST_MODEL, oi::MODEL, oi::EMBEDDING_MODEL, oi::RERANKER_MODEL];
    let openinference = attributes.text(&openinference);
    let genai = attributes.text(&[genai::REQUEST_MODEL]);
    openinference.or(genai).or_else(|| attributes.text(&[foreign::LANGFUSE_MODEL]))
}

/// The parameters of the call as one convention keeps them.
pub(super) fn parameters(attributes: &mut Attributes) -> Option<BTreeMap<String, Value>> {
    match attributes.json(oi::PARAMETERS)? {
        Value::Object(map) => Some(map.into_iter().collect()),
        _ => None,
    }
}

/// The parameters that have a name each, by the last part of it.
pub(super) fn requested(attributes: &mut Attributes) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    if let Some(Value::Object(map)) = attributes.json(foreign::LANGFUSE_PARAMETERS) {
        all.extend(map);
    }
    for (name, short) in [
        (genai::TEMPERATURE, "temperature"),
        (genai::TOP_P, "top_p"),
        (genai::TOP_K, "top_k"),
        (genai::RETRIEVAL_TOP_K, "top_k"),
        (genai::MAX_TOKENS, "max_tokens"),
        (genai::SEED, "seed"),
        (genai::FREQUENCY_PENALTY, "frequency_penalty"),
        (genai::PRESENCE_PENALTY, "presence_penalty"),
        (genai::STOP, "stop"),
        (genai::CHOICES, "n"),
        (genai::REASONING_LEVEL, "reasoning_effort"),
        (genai::PREVIOUS_RESPONSE, "previous_response_id"),
        (genai::ENCODINGS, "encoding_format"),
        (genai::DIMENSIONS, "dimensions"),
    ] {
        all.extend(attributes.take(name).filter(|value| !value.is_null()).map(|value| (short.to_owned(), value)));
    }
    // OpenLIT's, by what a call names them.
    for (name, _, keys) in openlit::REQUEST {
        if let (Some(key), Some(value)) = (keys.first(), attributes.get(name).cloned()) {
            attributes.take(name);
            all.entry((*key).to_owned()).or_insert(value);
        }
    }
    let stream = [genai::STREAM, langsmith::STREAMING, openlit::IS_STREAM, foreign::IS_STREAMING];
    all.extend(attributes.bool(&stream).filter(|yes| *yes).map(|yes| ("stream".to_owned(), yes.into())));
    all
}

/// Tokens and cost, each counter by the first convention that has it.
pub(super) fn usage(attributes: &mut Attributes) -> Option<Usage> {
    let whole = attributes.json(langsmith::USAGE);
    let langfuse = [attributes.json(foreign::LANGFUSE_USAGE), attributes.json(foreign::LANGFUSE_COST)];
    let mut usage = Usage::default();
    usage.input_tokens = attributes.count(&[genai::INPUT_TOKENS, openlit::PROMPT_TOKENS, oi::PROMPT_TOKENS]);
    usage.output_tokens = attributes.count(&[genai::OUTPUT_TOKENS, openlit::COMPLETION_TOKENS, oi::COMPLETION_TOKENS]);
    usage.total_tokens =
        attributes.count(&[openlit::TOTAL_TOKENS, oi::TOTAL_TOKENS, openlit::TOKENS, "llm.usage.total_tokens"]);
    let [(_, oi_read), (_, oi_written), (_, oi_audio_in)] = oi::PROMPT_DETAILS;
    let [(_, oi_reasoning), (_, oi_audio_out)] = oi::COMPLETION_DETAILS;
    for (part, names) in [
        ("cache_read", &[genai::CACHE_READ, openlit::CACHED_TOKENS, oi_read][..]),
        ("cache_creation", &[genai::CACHE_WRITE, genai::OLD_CACHE_WRITE, oi_written]),
        ("audio", &[oi_audio_in]),
    ] {
        usage.input_token_details.extend(attributes.count(names).map(|tokens| (part.to_owned(), tokens)));
    }
    for (part, names) in
        [("reasoning", &[genai::REASONING, openlit::REASONING_TOKENS, oi_reasoning][..]), ("audio", &[oi_audio_out])]
    {
        usage.output_token_details.extend(attributes.count(names).map(|tokens| (part.to_owned(), tokens)));
    }
    usage.total_cost = attributes.double(&[openlit::COST, oi::COST]);
    usage.input_cost = attributes.double(&[oi::PROMPT_COST]);
    usage.output_cost = attributes.double(&[oi::COMPLETION_COST]);
    let whole = whole.and_then(|whole| serde_json::from_value::<Usage>(whole).ok()).filter(|usage| !usage.is_empty());
    let usage = whole.unwrap_or(usage);
    if usage.is_empty() { self::langfuse(langfuse) } else { Some(usage) }
}

/// `OpenLIT` counts as input what was new of it, where others count all that was read, and as output what was said without
/// what was thought, where a provider has it so.
pub(super) fn openlit(run: &mut Run) {
    let (Some(provider), Some(usage)) = (run.provider.as_deref(), &mut run.usage) else { return };
    let sum = |details: &BTreeMap<String, u64>, names: &[&str]| {
        names.iter().filter_map(|name| details.get(*name)).fold(0_u64, |sum, tokens| sum.saturating_add(*tokens))
    };
    let (read, thought) = match provider {
        "anthropic" | "aws.bedrock" => (sum(&usage.input_token_details, &["cache_read", "cache_creation"]), 0),
        "gcp.gemini" | "gcp.vertex_ai" | "gcp.gen_ai" | "google" => {
            (0, sum(&usage.output_token_details, &["reasoning"]))
        }
        _ => return,
    };
    let add = |count: &mut Option<u64>, more: u64| *count = count.map(|count| count.saturating_add(more));
    let is_their_sum = matches!(
        (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        (Some(input), Some(output), Some(total)) if input.checked_add(output) == Some(total)
    );
    add(&mut usage.input_tokens, read);
    add(&mut usage.output_tokens, thought);
    if is_their_sum {
        add(&mut usage.total_tokens, read.saturating_add(thought));
    }
}

/// Langfuse's counters: `input`, `output`, `total`, or a provider's own.
fn langfuse([tokens, cost]: [Option<Value>; 2]) -> Option<Usage> {
    let count = |name: &str| tokens.as_ref()?.get(name)?.as_u64();
    let dollars = |name: &str| cost.as_ref()?.get(name)?.as_f64();
    let own = tokens.as_ref().map(|tokens| Map::from_iter([("usage_metadata".to_owned(), tokens.clone())]));
    let mut usage = own.as_ref().and_then(usage_in_metadata).unwrap_or_default();
    usage.input_tokens = usage.input_tokens.or(count("input"));
    usage.output_tokens = usage.output_tokens.or(count("output"));
    usage.total_tokens = usage.total_tokens.or(count("total"));
    usage.total_cost = usage.total_cost.or(dollars("total"));
    usage.input_cost = usage.input_cost.or(dollars("input"));
    usage.output_cost = usage.output_cost.or(dollars("output"));
    Some(usage).filter(|usage| !usage.is_empty())
}
