//! The files that pages load. They are part of the program; a debug build reads them from the source, so that a change
//! shows at the next reload.

use std::{borrow::Cow, sync::LazyLock};

use axum::{
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use xxhash_rust::xxh3::Xxh3;

use crate::http::Refusal;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("assets/", $name)))),+]
    };
}

/// Each with what it held when the program was built. What is named `*.css` is sent as one file, [`STYLE`], in this order.
const FILES: &[(&str, &str)] = files![
    "act.js",
    "app.js",
    "chunks.js",
    "content.js",
    "dom.js",
    "icon.svg",
    "keys.js",
    "live.js",
    "query.js",
    "rows.js",
    "setup.js",
    "trace.js",
    "tree.js",
    "base.css",
    "lists.css",
    "trace.css",
    "content.css",
];

const CSS: &str = "text/css; charset=utf-8";

/// The name of all styles together.
const STYLE: &str = "style.css";

/// Part of every file's address: another release has other addresses, so browsers may keep what they have.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Xxh3::new();
    for (name, text) in FILES {
        hash.update(name.as_bytes());
        hash.update(text.as_bytes());
    }
    format!("{:016x}", hash.digest())
});

/// The address of a file.
pub(super) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// The styles of what was said, for a page that stands alone.
pub(super) fn own_style() -> String {
    ["base.css", "content.css"].into_iter().filter_map(single).collect()
}

fn current(name: &str) -> Option<Cow<'static, str>> {
    if name == STYLE {
        let styles = FILES.iter().filter(|(file, _)| kind(file) == CSS);
        return Some(styles.filter_map(|(file, _)| single(file)).collect::<String>().into());
    }
    single(name)
}

fn single(name: &str) -> Option<Cow<'static, str>> {
    let (name, text) = FILES.iter().find(|(file, _)| *file == name)?;
    if cfg!(debug_assertions) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/viewer/assets").join(name);
        if let Ok(text) = std::fs::read_to_string(path) {
            return Some(text.into());
        }
    }
    Some((*text).into())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => CSS,
        _ => "image/svg+xml",
    }
}

/// Answers with a file.
pub(super) async fn asset(Path((version, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    let text = current(&name).ok_or(Refusal::NotFound("there is no such file"))?;
    let is_kept = version == *VERSION && !cfg!(debug_assertions);
    let kept = if is_kept { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(CONTENT_TYPE, kind(&name)), (CACHE_CONTROL, kept)], text.into_owned()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_asks_another_server_for_anything() {
        for (name, text) in FILES {
            let text = text.replace("http://www.w3.org/", "");
            assert!(!text.contains("http://") && !text.contains("https://"), "{name}");
        }
    }
}
