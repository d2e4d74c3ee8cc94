//! A message as roles and parts. Serialised, it is a message of OpenTelemetry's GenAI conventions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who speaks.
///
/// ```
/// use traceable_core::messages::Role;
///
/// assert_eq!(Role::from("model"), Role::Assistant);
/// assert_eq!(Role::from("critic").as_str(), "critic");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Cow<'_, str>", into = "String")]
#[non_exhaustive]
pub enum Role {
    /// Instructions of the application.
    System,
    /// Instructions of the application, in OpenAI's newer name.
    Developer,
    /// The person, or what stands for one.
    User,
    /// The model.
    Assistant,
    /// The answer of a tool.
    Tool,
    /// Any other.
    Custom(String),
}

/// The names of the roles, with those that other systems have for them: `LangChain`'s `human` and `ai`, Gemini's
/// `model`, Cohere's `chatbot`, OpenAI's older `function`.
const ROLES: [(&str, Role); 11] = [
    ("system", Role::System),
    ("developer", Role::Developer),
    ("user", Role::User),
    ("human", Role::User),
    ("assistant", Role::Assistant),
    ("ai", Role::Assistant),
    ("aimessagechunk", Role::Assistant),
    ("model", Role::Assistant),
    ("chatbot", Role::Assistant),
    ("tool", Role::Tool),
    ("function", Role::Tool),
];

impl Role {
    /// The role of that name, in upper or lower case; `None` for a name that no provider uses.
    #[must_use]
    pub fn known(name: &str) -> Option<Self> {
        ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, role)| role.clone())
    }

    /// The name, as OpenAI and OpenTelemetry write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Custom(name) => name,
        }
    }
}

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        Self::known(name).unwrap_or_else(|| Self::Custom(name.to_owned()))
    }
}

impl From<Cow<'_, str>> for Role {
    fn from(name: Cow<'_, str>) -> Self {
        Self::known(&name).unwrap_or_else(|| Self::Custom(name.into_owned()))
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        match role {
            Role::Custom(name) => name,
            known => known.as_str().to_owned(),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One piece of a message.
///
/// Names and JSON are those of the parts in OpenTelemetry's GenAI conventions; `refusal` and `other` are ours, which
/// the conventions allow.
///
/// ```
/// use traceable_core::messages::Part;
///
/// let part = Part::Text { content: "hello".into() };
/// assert_eq!(serde_json::to_string(&part)?, r#"{"type":"text","content":"hello"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text to read.
    Text {
        /// The text.
        content: String,
    },
    /// What the model thought before it answered.
    Reasoning {
        /// The thoughts, or their summary.
        content: String,
    },
    /// The model asks for a tool.
    ToolCall {
        /// What the answer refers to; some providers give none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The name of the tool.
        name: String,
        /// The arguments: parsed where they came as JSON text, the text itself where that is no JSON.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        arguments: Value,
    },
    /// What a tool answered.
    #[serde(rename = "tool_call_response")]
    ToolResult {
        /// The id of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The name of the tool, where the provider repeats it (Gemini, which gives no id).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The answer.
        #[serde(default)]
        response: Value,
    },
    /// A picture, sound or document that stands in the message.
    Blob {
        /// `image`, `audio`, `video` or `document`.
        modality: Cow<'static, str>,
        /// The bytes, in base64.
        content: String,
        /// Such as `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    /// A picture, sound or document behind an address.
    Uri {
        /// `image`, `audio`, `video` or `document`.
        modality: Cow<'static, str>,
        /// The address.
        uri: String,
        /// Such as `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    /// A picture, sound or document that the provider keeps.
    File {
        /// `image`, `audio`, `video` or `document`.
        modality: Cow<'static, str>,
        /// The provider's id of the file.
        file_id: String,
        /// Such as `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
    },
    /// The model refused.
    Refusal {
        /// What it said.
        content: String,
    },
    /// A part of a kind that is not known here.
    Other {
        /// The part as it came.
        value: Value,
    },
}

impl Part {
    /// Whether the part has text and that is empty: streams begin with such parts.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text { content } | Self::Reasoning { content } | Self::Refusal { content } => content.is_empty(),
            _ => false,
        }
    }
}

/// One message of a conversation.
///
/// ```
/// use traceable_core::messages::{Message, Role};
///
/// let message = Message::with_text(Role::User, "hello");
/// assert_eq!(message.text(), "hello");
/// assert_eq!(
///     serde_json::to_string(&message)?,
///     r#"{"role":"user","parts":[{"type":"text","content":"hello"}]}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order; empty when the message said nothing.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The name of the speaker or of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why the model stopped, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, finish_reason: None }
    }

    /// A message of one text; of no parts when the text is empty.
    #[must_use]
    pub fn with_text(role: Role, text: impl Into<String>) -> Self {
        let part = Part::Text { content: text.into() };
        Self::new(role, if part.is_blank() { Vec::new() } else { vec![part] })
    }

    /// The text parts, put together as they are; reasoning, refusals and tools are left out.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let mut texts = self.parts.iter().filter_map(|part| match part {
            Part::Text { content } => Some(content.as_str()),
            _ => None,
        });
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        texts.fold(Cow::Borrowed(first), |all, next| all + next)
    }
}
