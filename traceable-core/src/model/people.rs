//! Conversations and the users who take part in them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is known of a conversation. Runs name it by its id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thread {
    /// The id that the application gave it.
    pub id: String,
    /// A title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user, by id or identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Labels to filter by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Named values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// When this was said, in nanoseconds since the epoch.
    pub time: i64,
}

/// What is known of a user. Said again, values are merged key by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// What tells the user from all others, such as an e-mail address.
    pub identifier: String,
    /// Named values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// When this was said, in nanoseconds since the epoch.
    pub time: i64,
}
