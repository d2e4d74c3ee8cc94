//! Files of a run: LangSmith takes their bytes beside the record, each in a part with its name.

use std::collections::HashMap;

use traceable_core::model::{Attachment, AttachmentData};

/// Bytes of a name: the part's whole name has to stay below what servers take.
const MAX_NAME: usize = 128;

/// Bytes of a media type.
const MAX_MIME: usize = 128;

/// The attachments whose bytes are sent, by the names they are sent under, and those that are only named. Of two with
/// one name the later counts.
pub(super) fn beside(attachments: &[Attachment]) -> (Vec<(String, &Attachment)>, Vec<&Attachment>) {
    if attachments.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut sent: Vec<(String, &Attachment)> = Vec::new();
    let mut places = HashMap::new();
    let mut named = Vec::new();
    for attachment in attachments {
        if !matches!(attachment.data, AttachmentData::Bytes(_)) {
            named.push(attachment);
            continue;
        }
        let name = name(&attachment.name);
        match places.get(&name) {
            Some(&place) => sent[place] = (name, attachment),
            None => {
                places.insert(name.clone(), sent.len());
                sent.push((name, attachment));
            }
        }
    }
    (sent, named)
}

/// Whether all that is known of a file goes into a part of its own.
pub(super) fn is_whole_beside(file: &Attachment) -> bool {
    let is_here = matches!(file.data, AttachmentData::Bytes(_)) && file.metadata.is_empty();
    is_here && name(&file.name) == file.name && mime(&file.mime) == file.mime
}

/// A name that fits into the name of a part, which is taken apart at dots and ends at a quote.
pub(super) fn name(name: &str) -> String {
    let mut fit = String::new();
    for c in name.chars() {
        let c = if matches!(c, '.' | '/' | '\\' | '"') || c.is_control() { '_' } else { c };
        if fit.len() + c.len_utf8() > MAX_NAME {
            break;
        }
        fit.push(c);
    }
    if fit.is_empty() { "attachment".into() } else { fit }
}

/// A media type that fits into a header: without one, anything.
pub(super) fn mime(mime: &str) -> &str {
    let mime = without_length(mime);
    let fits = !mime.is_empty() && mime.len() <= MAX_MIME && mime.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if fits { mime } else { "application/octet-stream" }
}

/// A `Content-Type` without the length that the SDKs write behind it.
pub(super) fn without_length(content_type: &str) -> &str {
    let is_length =
        |parameter: &str| parameter.trim_start().get(..7).is_some_and(|p| p.eq_ignore_ascii_case("length="));
    match content_type.rsplit_once(';') {
        Some((mime, parameter)) if is_length(parameter) => mime.trim(),
        _ => content_type.trim(),
    }
}
