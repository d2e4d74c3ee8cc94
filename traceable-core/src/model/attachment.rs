//! Files that belong to a run: images, audio, documents.

use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

/// A file of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name in the run: that of the argument it was, unless another was given. Never a path.
    pub name: String,
    /// The media type, such as `image/png`.
    pub mime: Cow<'static, str>,
    /// Where its bytes are.
    pub data: AttachmentData,
    /// More about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Where the bytes of an attachment are.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttachmentData {
    /// Here; base64 in JSON.
    Bytes(Bytes),
    /// In a file of this machine that the program named on purpose; read when the attachment is sent.
    Path(PathBuf),
    /// On the web.
    Url(String),
}

impl Default for AttachmentData {
    fn default() -> Self {
        Self::Bytes(Bytes::default())
    }
}

impl fmt::Debug for AttachmentData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.0.len()),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// Bytes that clones share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Arc<[u8]>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map(|bytes| Self(bytes.into())).map_err(de::Error::custom)
    }
}
