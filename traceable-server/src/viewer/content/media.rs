//! Pictures, sounds and files. What a file is, its first bytes say; what was said of it is not believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{Markup, html};
use traceable_core::messages::Part;
use traceable_store::{BlobHash, File, FilePlace};

use super::{Body, markdown::link};
use crate::{print, viewer::text::text};

/// What stands in a body in the place of bytes that were taken out.
const MARK: &str = "blob:sha256-";

/// Bytes of a picture that is put into the page itself.
const MAX_INLINE: usize = 100_000;

/// The type of what may be shown in place: pictures and sounds that no browser runs anything of.
pub(crate) fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, wanted: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(wanted));
    let riff = |form: &[u8]| at(0, b"RIFF") && at(8, form);
    Some(match bytes {
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"\xff\xd8\xff") => "image/jpeg",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if riff(b"WEBP") => "image/webp",
        _ if riff(b"WAVE") => "audio/wav",
        _ if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") || at(0, b"\xff\xf2") => "audio/mpeg",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"fLaC") => "audio/flac",
        _ => return None,
    })
}

/// The bytes of a picture as an address that may stand in a page.
pub(super) fn inline(bytes: &[u8]) -> Option<String> {
    let kind = kind_of(bytes).filter(|kind| kind.starts_with("image/"))?;
    Some(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
}

/// A `data:` address that is a picture, made anew.
pub(super) fn data_image(url: &str) -> Option<String> {
    let encoded = url.strip_prefix("data:image/")?.split_once(";base64,")?.1;
    inline(&STANDARD.decode(encoded.get(..encoded.len().min(MAX_INLINE))?).ok()?)
}

/// The hash in a text that stands for bytes, and the media type that the text says.
pub(super) fn lifted(said: &str) -> Option<(BlobHash, &str)> {
    let (mime, rest) = match said.strip_prefix("data:") {
        Some(rest) => rest.get(..rest.len().min(256))?.split_once(";base64,")?,
        None => ("", said),
    };
    let hash = rest.strip_prefix(MARK).filter(|hash| hash.len() == 64)?;
    Some((hash.parse().ok()?, mime))
}

/// A part of a message that is no text.
pub(super) fn part(part: &Part, body: &Body) -> Markup {
    match part {
        Part::Blob { modality, content, mime_type } => {
            let mime = mime_type.as_deref().unwrap_or(modality);
            match lifted(content) {
                Some((hash, _)) => blob(hash, modality, mime, body),
                None => bytes(content, mime),
            }
        }
        Part::Uri { modality, uri, .. } => {
            html! { p.elsewhere { (text(modality)) " " (link(uri, &text(uri), body)) } }
        }
        Part::File { modality, file_id, .. } => html! { p.elsewhere { (text(modality)) " " code { (text(file_id)) } } },
        _ => html! {},
    }
}

fn bytes(content: &str, mime: &str) -> Markup {
    let bytes = content.get(..content.len().min(MAX_INLINE)).and_then(|encoded| STANDARD.decode(encoded).ok());
    match bytes.as_deref().and_then(inline) {
        Some(url) => html! { figure.medium { img src=(url) alt=(crate::viewer::text::plain(mime)); } },
        None => html! { p.elsewhere { (text(mime)) ", " (print::bytes(content.len() as u64 / 4 * 3)) } },
    }
}

/// Bytes of the store: shown in place where they are said to be a picture or a sound, else a link.
pub(super) fn blob(hash: BlobHash, modality: &str, name: &str, body: &Body) -> Markup {
    let url = format!("/blobs/{hash}");
    let name = text(name);
    if body.is_file {
        // Filled in by whoever writes the file, who has the bytes.
        return match body.picture(hash) {
            Some(url) => html! { figure.medium { img src=(url) alt=""; figcaption { (name) } } },
            None => html! { p.elsewhere { (name) } },
        };
    }
    html! {
        figure.medium {
            @match modality {
                "image" => a href=(url) { img src=(url) alt="" loading="lazy"; },
                "audio" => audio controls preload="none" src=(url) {},
                _ => {}
            }
            figcaption { a href=(url) download { (name) } }
        }
    }
}

/// The files of a run.
pub(in crate::viewer) fn files(files: &[File]) -> Markup {
    listed(files, &Body::loose(super::As::default()))
}

/// The same on a page or in a file.
pub(super) fn listed(files: &[File], body: &Body) -> Markup {
    html! {
        @if !files.is_empty() {
            ul.files aria-label="Files" {
                @for file in files { li { (one(file, body)) } }
            }
        }
    }
}

fn one(file: &File, body: &Body) -> Markup {
    let modality = ["image", "audio"].into_iter().find(|class| file.mime.starts_with(class)).unwrap_or_default();
    match &file.place {
        FilePlace::Blob { hash, size } => {
            let name = format!("{} · {} · {}", file.name, file.mime, print::bytes(*size));
            blob(*hash, modality, &name, body)
        }
        FilePlace::Url(url) => html! { span.elsewhere { (text(&file.name)) " " (link(url, &text(url), body)) } },
        FilePlace::Path(path) => {
            html! { span.elsewhere { (text(&file.name)) " " code { (text(&path.to_string_lossy())) } } }
        }
        _ => html! { span.elsewhere { (text(&file.name)) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_are() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(kind_of(b"RIFF\0\0\0\0WAVEfmt "), Some("audio/wav"));
        for page in [&b"<html><script>"[..], b"<svg xmlns=", b"%PDF-1.7", b"PK\x03\x04", b"", b"RIFF"] {
            assert_eq!(kind_of(page), None);
        }
        assert_eq!(data_image("data:image/png;base64,PHNjcmlwdD4="), None);
        assert!(data_image("data:image/svg+xml;base64,R0lGODlhAQABAAAAACw=").unwrap().starts_with("data:image/gif;"));
    }
}
