//! Pictures, sounds and files. What a file is, its first bytes say; what was said of it is not believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{Markup, html};
use traceable_core::messages::Part;
use traceable_store::{BlobHash, File, FilePlace};

use super::{
    Body,
    markdown::{begin, link},
};
use crate::{
    print::{self, counted},
    viewer::text::{plain, text},
};

/// What stands in a body in the place of bytes that were taken out.
const MARK: &str = "blob:sha256-";

/// Characters of a picture that is put into the page itself.
const MAX_INLINE: usize = 100_000;

/// Files of a run that are listed.
const FILES: usize = 200;

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

/// A `data:` address that is a picture and not too long, made anew.
pub(super) fn data_image(url: &str) -> Option<String> {
    let encoded = url.strip_prefix("data:image/")?.split_once(";base64,")?.1;
    inline(&STANDARD.decode(encoded).ok().filter(|_| encoded.len() <= MAX_INLINE)?)
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
                None => bytes(content, mime, body),
            }
        }
        Part::Uri { modality, uri, .. } => {
            html! { p.elsewhere { (text(modality)) " " (link(uri, &begin(uri), body)) } }
        }
        Part::File { modality, file_id, .. } => html! { p.elsewhere { (text(modality)) " " code { (text(file_id)) } } },
        _ => html! {},
    }
}

/// Bytes that stand in the body itself: a picture within the allowance is shown, never half of one.
fn bytes(content: &str, mime: &str, body: &Body) -> Markup {
    let most = body.bytes.get().min(if body.is_file { usize::MAX } else { MAX_INLINE });
    let is_long = content.len() > most;
    let url = if is_long { None } else { STANDARD.decode(content).ok().and_then(|bytes| inline(&bytes)) };
    match url {
        Some(url) => {
            body.bytes(content.len());
            html! { figure.medium { img src=(url) alt=(plain(mime)); } }
        }
        None => html! {
            p.elsewhere {
                (text(mime)) ", " (print::bytes(content.len() as u64 / 4 * 3))
                @if is_long { ": too large to be shown here; it is in the JSON" }
            }
        },
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
                @for file in files.iter().take(FILES) { li { (one(file, body)) } }
                @if files.len() > FILES { li { "… " (counted((files.len() - FILES) as u64, "file")) " more: see the JSON" } }
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
        FilePlace::Url(url) => html! { span.elsewhere { (text(&file.name)) " " (link(url, &begin(url), body)) } },
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
    fn a_picture_is_shown_whole_or_not_at_all() {
        let page = Body::loose(super::super::As::default());
        let picture = |length: usize| STANDARD.encode([&b"GIF89a"[..], &vec![0; length]].concat());
        assert!(bytes(&picture(60_000), "image/gif", &page).0.contains("<img"));
        let large = bytes(&picture(90_000), "image/gif", &page).0;
        assert!(!large.contains("<img") && large.contains("image/gif, 90.0 kB: too large"), "{large}");
        // Many are no lighter than one.
        assert!(bytes(&picture(60_000), "image/gif", &page).0.contains("<img"));
        assert!(!bytes(&picture(60_000), "image/gif", &page).0.contains("<img"));
    }

    #[test]
    fn a_file_is_what_its_bytes_are() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(kind_of(b"RIFF\0\0\0\0WAVEfmt "), Some("audio/wav"));
        for page in [&b"<html><script>"[..], b"<svg xmlns=", b"%PDF-1.7", b"PK\x03\x04", b"", b"RIFF"] {
            assert_eq!(kind_of(page), None);
        }
        assert_eq!(data_image("data:image/png;base64,PHNjcmlwdD4="), None);
        let long = format!("data:image/gif;base64,R0lGODlhAQABAAAAACw{}", "A".repeat(MAX_INLINE));
        assert_eq!(data_image(&long), None, "never half of it");
        assert!(data_image("data:image/svg+xml;base64,R0lGODlhAQABAAAAACw=").unwrap().starts_with("data:image/gif;"));
    }
}
