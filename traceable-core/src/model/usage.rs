//! Token usage and cost of a run, in LangSmith's `usage_metadata` names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Tokens and, where known, cost in US dollars.
///
/// `input_tokens` includes tokens read from and written to a cache, `output_tokens` includes reasoning tokens;
/// the details say how they split and need not add up. A counter that the provider did not send stays `None`.
///
/// ```
/// use traceable_core::model::Usage;
///
/// let usage = Usage::new(27, 13).with_input_detail("cache_read", 20);
/// assert_eq!(usage.total_tokens, Some(40));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Both together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Parts of the input, such as `cache_read`, `cache_creation`, `audio`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input_token_details: BTreeMap<String, u64>,
    /// Parts of the output, such as `reasoning`, `audio`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub output_token_details: BTreeMap<String, u64>,
    /// Cost of the input in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cost: Option<f64>,
    /// Cost of the output in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_cost: Option<f64>,
    /// Cost of the call in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_cost: Option<f64>,
    /// Parts of `input_cost`, in US dollars.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub input_cost_details: BTreeMap<String, f64>,
    /// Parts of `output_cost`, in US dollars.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub output_cost_details: BTreeMap<String, f64>,
}

impl Usage {
    /// Usage of a call with these token counts; the total is their sum.
    #[must_use]
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens: Some(input_tokens),
            output_tokens: Some(output_tokens),
            total_tokens: Some(input_tokens.saturating_add(output_tokens)),
            ..Self::default()
        }
    }

    /// Adds a part of the input, such as `cache_read`.
    #[must_use]
    pub fn with_input_detail(mut self, name: impl Into<String>, tokens: u64) -> Self {
        self.input_token_details.insert(name.into(), tokens);
        self
    }

    /// Adds a part of the output, such as `reasoning`.
    #[must_use]
    pub fn with_output_detail(mut self, name: impl Into<String>, tokens: u64) -> Self {
        self.output_token_details.insert(name.into(), tokens);
        self
    }

    /// Sets the cost of the whole call in US dollars.
    #[must_use]
    pub fn with_total_cost(mut self, dollars: f64) -> Self {
        self.total_cost = Some(dollars);
        self
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
