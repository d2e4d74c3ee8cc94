//! Files that belong to a run: images, audio, documents.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};
use serde_json::{Map, Value};

use crate::attachments;

/// A file of a run.
///
/// Among the arguments of a traced function, or in its output, it becomes one of the run's attachments: its bytes are
/// shared and not copied, an argument leaves the inputs, and elsewhere a reference `{"$attachment": name}` stays. Any other
/// serializer than the capture's writes the fields.
///
/// A path is a file only here, where it was named on purpose; a path in plain data is text. A value that is captured by
/// `Debug` shows its files as text, and `process_inputs` is given a mark in the place of a file.
///
/// ```
/// use traceable_core::model::Attachment;
///
/// let image = Attachment::bytes("image/png", include_bytes!("attachment.rs")).named("photo");
/// let report = Attachment::path("application/pdf", "/srv/report.pdf");
/// let page = Attachment::url("text/html", "https://example.com/");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Attachment {
    /// Its name in the run: that of the argument it was, unless another was given. Never a path.
    pub name: String,
    /// The media type, such as `image/png`.
    pub mime: Cow<'static, str>,
    /// Where its bytes are.
    pub data: AttachmentData,
    /// More about it.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl Attachment {
    /// A file of these bytes.
    pub fn bytes(mime: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        Self::of(mime, AttachmentData::Bytes(bytes.into()))
    }

    /// A file of this machine. It is read when it is sent, not here.
    pub fn path(mime: impl Into<Cow<'static, str>>, path: impl Into<PathBuf>) -> Self {
        Self::of(mime, AttachmentData::Path(path.into()))
    }

    /// A file on the web.
    pub fn url(mime: impl Into<Cow<'static, str>>, url: impl Into<String>) -> Self {
        Self::of(mime, AttachmentData::Url(url.into()))
    }

    fn of(mime: impl Into<Cow<'static, str>>, data: AttachmentData) -> Self {
        Self { mime: mime.into(), data, ..Self::default() }
    }

    /// Gives it a name of its own. `.` and `/` become `_`, for backends take the name apart at them.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Its bytes, read from its file where they are in one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is none (such as a folder or a pipe), or is longer than `max_bytes`; when the bytes are on the web.
    pub fn read(&self, max_bytes: usize) -> io::Result<Bytes> {
        let path = match &self.data {
            AttachmentData::Bytes(bytes) => return Ok(bytes.clone()),
            AttachmentData::Path(path) => path,
            AttachmentData::Url(_) => return Err(io::Error::new(io::ErrorKind::Unsupported, "it is on the web")),
        };
        // Looked at before it is opened: opening a pipe waits for somebody who writes.
        if !path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take((max_bytes as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > max_bytes {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {max_bytes} bytes")));
        }
        Ok(bytes.into())
    }
}

impl Serialize for Attachment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(attachments::NAME, &Fields(self))
    }
}

/// An attachment as the tape asks for it, or for any other serializer.
struct Fields<'a>(&'a Attachment);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Attachment { name, mime, data, metadata } = self.0;
        if attachments::is_asked() {
            return match attachments::put(self.0) {
                Some(number) => serializer.serialize_u64(number),
                None => serializer.serialize_str("… [attachment left out: no room]"),
            };
        }
        let fields = if metadata.is_empty() { 3 } else { 4 };
        let mut attachment = serializer.serialize_struct("Attachment", fields)?;
        attachment.serialize_field("name", name)?;
        attachment.serialize_field("mime", mime)?;
        attachment.serialize_field("data", data)?;
        if !metadata.is_empty() {
            attachment.serialize_field("metadata", metadata)?;
        }
        attachment.end()
    }
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
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Arc<[u8]>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self(bytes.as_slice().into())
    }
}

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
