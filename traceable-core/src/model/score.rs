//! Scores of runs, traces and threads: feedback of users, metrics of the product, results of evaluations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RunId;

/// What a score is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScoreTarget {
    /// One run.
    Run(RunId),
    /// A trace, by the id of its root.
    Trace(RunId),
    /// A conversation.
    Thread(String),
}

/// Who gave a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ScoreSource {
    /// A person.
    Human,
    /// A program.
    #[default]
    Code,
    /// A model.
    Ai,
}

impl ScoreSource {
    /// The name as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Code => "code",
            Self::Ai => "ai",
        }
    }
}

/// A score: a number, a value or a label under a key, for a run, a trace or a thread.
///
/// It may come before what it is about, and from another process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The score's own id. Sent again with the same id, it replaces the one before.
    pub id: RunId,
    /// What it is about.
    pub target: ScoreTarget,
    /// What was judged, such as `helpfulness`.
    pub key: String,
    /// The number. Finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// A value that is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// A class, such as `positive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What the output should have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Value>,
    /// Who gave it.
    #[serde(default)]
    pub source: ScoreSource,
    /// The user who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When it was given, in nanoseconds since the epoch.
    pub time: i64,
    /// Labels to filter by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}
