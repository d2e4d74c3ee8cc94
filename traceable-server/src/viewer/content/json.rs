//! JSON as a tree that folds. It is made here, so that no browser has to parse a body of megabytes; a long list and a long
//! text come in pieces.

use std::borrow::Cow;

use maud::{Markup, html};
use serde_json::Value;

use super::{Body, media};
use crate::{
    print::{bytes, count},
    viewer::{show, text::text},
};

/// Members that are shown at once.
const WINDOW: usize = 100;
/// Bytes of one text in a tree that are shown at once.
const TEXT: usize = 20_000;
/// Texts that are shorter, and of one line, stand beside their key.
const SHORT: usize = 120;
/// How deep a tree is drawn; the rest is behind a link.
const MAX_DEPTH: usize = 40;
/// Levels that are open at first.
const OPEN: usize = 2;
/// JSON in texts is read up to this length.
const MAX_INNER: usize = 1_000_000;

/// A value. `at` is the JSON pointer of it in its body.
pub(in crate::viewer) fn tree(value: &Value, at: &str, body: &Body) -> Markup {
    html! { div.json { (node(value, at, 0, 0, body)) } }
}

/// The rest of a list, an object or a text, from a place on.
pub(super) fn rest(value: &Value, at: &str, from: usize, body: &Body) -> Markup {
    match value {
        Value::String(said) => long(said, from, at, body),
        Value::Array(_) | Value::Object(_) => members(value, at, from, OPEN, body),
        _ => node(value, at, 0, 0, body),
    }
}

/// The value at a pointer, which also leads into JSON that stands in texts.
pub(super) fn find<'a>(value: &'a Value, at: &str) -> Option<Cow<'a, Value>> {
    let mut found = Cow::Borrowed(value);
    for token in at.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if let Value::String(said) = &*found {
            found = Cow::Owned(inner(said)?);
        }
        let step = |value: &Value| match value {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?).map(|_| ()),
            Value::Object(members) => members.get(&token).map(|_| ()),
            _ => None,
        };
        step(&found)?;
        found = match found {
            Cow::Borrowed(value) => {
                Cow::Borrowed(value.get(&token).or_else(|| value.get(token.parse::<usize>().ok()?))?)
            }
            Cow::Owned(Value::Array(mut items)) => Cow::Owned(items.swap_remove(token.parse().ok()?)),
            Cow::Owned(Value::Object(mut members)) => Cow::Owned(members.remove(&token)?),
            Cow::Owned(_) => return None,
        };
    }
    Some(found)
}

/// JSON that stands in a text.
pub(super) fn inner(said: &str) -> Option<Value> {
    let trimmed = said.trim();
    let is_framed =
        (trimmed.starts_with('{') && trimmed.ends_with('}')) || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    if !is_framed || said.len() > MAX_INNER || trimmed.len() < 3 {
        return None;
    }
    serde_json::from_str(trimmed).ok()
}

/// `unescaped` counts the texts that were opened on the way: JSON in JSON in JSON is enough.
fn node(value: &Value, at: &str, depth: usize, unescaped: usize, body: &Body) -> Markup {
    match value {
        Value::Null => html! { span.null { "null" } },
        Value::Bool(flag) => html! { span.flag { (flag) } },
        Value::Number(number) => html! { span.number { (number) } },
        Value::String(said) => match inner(said).filter(|_| unescaped < 3) {
            Some(inner) => html! {
                span.unescaped title="This is a text which holds JSON" { "JSON in a text" } (node(&inner, at, depth, unescaped + 1, body))
            },
            None => string(said, at, body),
        },
        Value::Array(items) if is_vector(items) => vector(items, at, 0, body),
        Value::Array(items) if items.is_empty() => html! { span.null { "[ ]" } },
        Value::Object(members) if members.is_empty() => html! { span.null { "{ }" } },
        _ if depth >= MAX_DEPTH => body.more(&[("at", at)], "more"),
        _ => members(value, at, 0, depth, body),
    }
}

fn members(value: &Value, at: &str, from: usize, depth: usize, body: &Body) -> Markup {
    let all: Vec<(Cow<'_, str>, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(n, item)| (n.to_string().into(), item)).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.as_str().into(), member)).collect(),
        _ => Vec::new(),
    };
    let (mut shown, mut rows) = (from, Vec::new());
    for (key, member) in all.iter().skip(from).take(WINDOW) {
        // A row is an item, its key and its value.
        if !(body.element() && body.element() && body.element()) {
            break;
        }
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        rows.push(row(key, member, &at, depth, value.is_array(), body));
        shown += 1;
    }
    let left = all.len().saturating_sub(shown);
    html! {
        ul {
            @for row in &rows { (row) }
            @if left > 0 {
                li { (body.more(&[("at", at), ("from", &shown.to_string())], &format!("{} more", count(left as u64)))) }
            }
        }
    }
}

fn row(key: &str, value: &Value, at: &str, depth: usize, is_item: bool, body: &Body) -> Markup {
    if key.len() > TEXT {
        // Its value has no address that is short enough.
        return html! { li { span.key { (show::name(key)) } " " span.more { "… a name of " (bytes(key.len() as u64)) ": see all of it as a file" } } };
    }
    let key = html! { span.key.item[is_item] { (text(key)) } };
    let size = match value {
        Value::Array(items) if !items.is_empty() && !is_vector(items) => format!("[{}]", count(items.len() as u64)),
        Value::Object(members) if !members.is_empty() => format!("{{{}}}", count(members.len() as u64)),
        _ => return html! { li { (key) " " (node(value, at, depth + 1, 0, body)) } },
    };
    body.element();
    html! {
        li {
            details open[depth < OPEN] {
                summary { (key) " " span.size { (size) } }
                (node(value, at, depth + 1, 0, body))
            }
        }
    }
}

fn string(said: &str, at: &str, body: &Body) -> Markup {
    if let Some((hash, mime)) = media::lifted(said) {
        let modality = ["image", "audio"].into_iter().find(|class| mime.starts_with(class)).unwrap_or_default();
        return media::blob(hash, modality, if mime.is_empty() { "file" } else { mime }, body);
    }
    if said.len() <= SHORT && !said.contains('\n') {
        body.bytes(said.len());
        return html! { span.string { (text(said)) } };
    }
    long(said, 0, at, body)
}

/// A long text from a byte on, with a link to what follows.
fn long(said: &str, from: usize, at: &str, body: &Body) -> Markup {
    let most = if from == 0 { TEXT } else { usize::MAX };
    super::message::piece(said, from, most, body, &[("at", at)])
}

/// Whether a list is a vector, such as an embedding: nobody reads its numbers one by one.
fn is_vector(items: &[Value]) -> bool {
    items.len() >= 16 && items.iter().all(Value::is_number)
}

fn vector(items: &[Value], at: &str, from: usize, body: &Body) -> Markup {
    let first: Vec<String> = items.iter().skip(from).take(6).map(ToString::to_string).collect();
    body.bytes(64);
    html! {
        span.size { (count(items.len() as u64)) " numbers" } " "
        span.number { (first.join(", ")) ", …" } " "
        @if !body.is_file { (body.more(&[("at", at), ("as", "text")], "all")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::As, *};

    fn shown(value: &Value) -> String {
        tree(value, "", &Body::loose(As::Json)).into_string()
    }

    #[test]
    fn json_in_a_text_is_opened_and_found() {
        let value = json!({ "body": "{\"a/b\": [1, {\"c\": \"deep\"}]}", "plain": "[not json" });
        let html = shown(&value);
        assert!(html.contains("JSON in a text") && html.contains("deep") && html.contains("[not json"));
        assert_eq!(find(&value, "/body/a~1b/1/c").as_deref(), Some(&json!("deep")));
        assert_eq!(find(&value, "").as_deref(), Some(&value));
        assert_eq!(find(&value, "/body/zzz"), None);
    }

    #[test]
    fn a_long_list_comes_in_pieces() {
        let list: Vec<Value> = (0..10_000).map(|n| json!({ "n": n })).collect();
        let html = shown(&json!({ "rows": list }));
        assert!(html.contains("9 900 more") || html.contains("more"), "{html}");
        assert!(html.matches('<').count() < 3_000, "{}", html.matches('<').count());
        let numbers: Vec<f64> = (0..1_536).map(f64::from).collect();
        assert!(shown(&json!(numbers)).contains("1 536 numbers"));
    }

    #[test]
    fn a_long_text_has_its_lines() {
        let html = shown(&json!({ "log": "one\ntwo".repeat(100) }));
        assert!(html.contains("<pre") && html.contains("one\ntwoone"));
        assert!(shown(&json!("x".repeat(1_000_000))).len() < 2 * TEXT);
    }
}
