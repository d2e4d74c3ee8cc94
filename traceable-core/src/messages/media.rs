//! Pictures, sounds and documents inside a message.

use std::borrow::Cow;

use serde_json::Value;

use super::{Part, object, string, text};

/// Keys under which providers put a medium: OpenAI's `*_url`, `input_audio` and `file`, Gemini's `inlineData` and
/// `fileData`, Bedrock's `image`, `document`, `audio`, `video`.
const BODIES: [&str; 13] = [
    "image_url",
    "video_url",
    "audio_url",
    "input_audio",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "file",
    "image",
    "document",
    "audio",
    "video",
];

/// A part whose `type` is `kind`.
pub(super) fn tagged(value: &Value, kind: &str) -> Option<Part> {
    let modality = match kind {
        "image" | "image_url" | "input_image" => Some("image"),
        "audio" | "audio_url" | "input_audio" => Some("audio"),
        "video" | "video_url" | "input_video" => Some("video"),
        "document" => Some("document"),
        // `blob`, `uri` and `file` of GenAI say their modality themselves, a `file` of OpenAI by its mime type.
        "blob" | "uri" | "file" | "input_file" | "media" => None,
        _ => return None,
    };
    medium(value, modality)
}

/// A part without `type`.
pub(super) fn untagged(value: &Value) -> Option<Part> {
    let key = BODIES.into_iter().find(|key| value.get(key).is_some_and(Value::is_object))?;
    let modality = ["image", "audio", "video", "document"].into_iter().find(|modality| *modality == key);
    medium(value, modality)
}

fn medium(value: &Value, modality: Option<&'static str>) -> Option<Part> {
    let body = object(value, &BODIES).unwrap_or(value);
    // Anthropic and Bedrock put the bytes under `source`.
    let source = object(body, &["source"]).unwrap_or(body);
    // Anthropic's plain text documents: `data` is no base64.
    if text(source, &["type"]) == Some("text") {
        return None;
    }
    let look = |keys: &[&str]| string(source, keys).or_else(|| string(value, keys));
    let mime = look(&["media_type", "mime_type", "mimeType"]);
    let from_mime = mime.as_deref().map(of_mime);
    let modality = match string(value, &["modality"]) {
        Some(said) => Cow::Owned(said),
        None => Cow::Borrowed(modality.or(from_mime).unwrap_or("document")),
    };
    let mime_type = mime.or_else(|| Some(format!("{modality}/{}", text(body, &["format"])?)));

    if let Some(content) = look(&["data", "bytes", "file_data", "content"]) {
        return Some(blob(modality, content, mime_type));
    }
    if let Some(uri) = look(&["url", "uri", "fileUri", "file_uri", "file_url", "image_url", "video_url", "image"]) {
        let inline = uri.starts_with("data:");
        return Some(if inline { blob(modality, uri, mime_type) } else { Part::Uri { modality, uri, mime_type } });
    }
    let file_id = look(&["file_id", "fileId"])?;
    Some(Part::File { modality, file_id, mime_type })
}

/// Bytes in base64, alone or in a `data:` URL, which says its own mime type.
fn blob(modality: Cow<'static, str>, content: String, mime_type: Option<String>) -> Part {
    let url = content.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let Some((said, bytes)) = url else { return Part::Blob { modality, content, mime_type } };
    let bytes = bytes.to_owned();
    // The general `document` gives way to what the URL says.
    let modality = if modality == "document" { Cow::Borrowed(of_mime(said)) } else { modality };
    let mime_type = mime_type.or_else(|| (!said.is_empty()).then(|| said.to_owned()));
    Part::Blob { modality, content: bytes, mime_type }
}

fn of_mime(mime: &str) -> &'static str {
    let class = mime.split('/').next().unwrap_or_default();
    ["image", "audio", "video"].into_iter().find(|known| *known == class).unwrap_or("document")
}
