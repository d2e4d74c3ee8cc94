//! What went wrong, taken apart: the kind of the error, what it says, and where it came from.

use maud::{Markup, html};
use serde_json::Value;

use super::{As, Body, json, message::boundary};
use crate::viewer::text::text;

/// Bytes of each part that are shown.
const MAX: usize = 50_000;

/// An error in the words of whoever threw it.
#[derive(Debug, Default, PartialEq)]
struct Parts<'a> {
    kind: &'a str,
    message: &'a str,
    /// What it was caused by, the nearest first.
    causes: Vec<&'a str>,
    stack: &'a str,
    /// JSON that stands at the end of the message, as providers send it.
    detail: Option<Value>,
}

/// Shows the error of a run.
pub(in crate::viewer) fn error(said: &str) -> Markup {
    error_in(said, &Body::loose(As::Json))
}

/// The same within the allowance of a body.
pub(super) fn error_in(said: &str, body: &Body) -> Markup {
    let Parts { kind, message, causes, stack, detail } = take_apart(said);
    // Providers say in JSON what people read first.
    let told = detail.as_ref().and_then(|detail| detail.get("error").unwrap_or(detail).get("message")?.as_str());
    let message = if message.is_empty() { told.unwrap_or_default() } else { message };
    html! {
        section.error role="group" aria-label="Error" {
            p.what {
                @if !kind.is_empty() { strong { (text(kind)) } @if !message.is_empty() { ": " } }
                span.said { (text(cut(message))) }
            }
            @if !causes.is_empty() {
                ol.causes aria-label="Caused by" { @for cause in causes.iter().take(50) { li { (text(cut(cause))) } } }
            }
            @if let Some(detail) = &detail { (json::tree(detail, "", body)) }
            @if !stack.is_empty() {
                details { summary { "Stack" } pre.said tabindex="0" { (text(cut(stack))) } }
            }
        }
    }
}

fn cut(text: &str) -> &str {
    &text[..boundary(text, MAX)]
}

fn take_apart(said: &str) -> Parts<'_> {
    let said = said.trim();
    let mut parts = python(said)
        .or_else(|| rust(said))
        .or_else(|| javascript(said))
        .unwrap_or(Parts { message: said, ..Parts::default() });
    if parts.kind.is_empty()
        && let Some((kind, message)) = named(parts.message)
    {
        (parts.kind, parts.message) = (kind, message);
    }
    if let Some(at) = parts.message.find(['{', '['])
        && let Some(detail) = json::inner(&parts.message[at..])
    {
        parts.message = parts.message[..at].trim_end_matches([' ', '-', ':', '\n']);
        parts.detail = Some(detail);
    }
    parts
}

/// Python: the traceback comes before the error; LangSmith's SDK writes the error's `repr` before both.
fn python(said: &str) -> Option<Parts<'_>> {
    let at = said.find("Traceback (most recent call last):")?;
    let trace = said[at..].trim_end();
    // The error is what stands behind the last line that is indented.
    let mut from = 0;
    let mut begin = trace.len();
    for line in trace.split_inclusive('\n') {
        let is_inside = line.starts_with([' ', '\t']) || line.trim().is_empty() || line.starts_with("Traceback (");
        from += line.len();
        if is_inside {
            begin = from;
        }
    }
    let (stack, last) = trace.split_at(begin);
    let last = if last.trim().is_empty() { said[..at].trim() } else { last.trim() };
    let (kind, message) = named(last).unwrap_or(("", last));
    Some(Parts { kind, message, stack: stack.trim_end(), ..Parts::default() })
}

/// Rust: `anyhow` and `eyre` list the causes, then the backtrace.
fn rust(said: &str) -> Option<Parts<'_>> {
    let (said, stack) =
        match ["\nStack backtrace:", "\nstack backtrace:", "\nBacktrace:"].iter().find_map(|mark| said.find(mark)) {
            Some(at) => (said[..at].trim_end(), said[at..].trim()),
            None => (said, ""),
        };
    let found = said.split_once("\nCaused by:");
    if found.is_none() && stack.is_empty() {
        return None;
    }
    let (message, list) = found.unwrap_or((said, ""));
    let cause = |line: &'_ str| -> usize {
        line.find(|c: char| !c.is_ascii_digit())
            .filter(|at| *at > 0 && line[*at..].starts_with(": "))
            .map_or(0, |at| at + 2)
    };
    let causes = list.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| &line[cause(line)..]);
    Some(Parts { message: message.trim(), causes: causes.collect(), stack, ..Parts::default() })
}

/// JavaScript: frames that begin with `at` follow the error.
fn javascript(said: &str) -> Option<Parts<'_>> {
    let at = said.find("\n    at ")?;
    let (message, stack) = said.split_at(at);
    Some(Parts { message: message.trim(), stack: stack.trim_matches('\n'), ..Parts::default() })
}

/// A name of a type before a colon: `openai.RateLimitError: too many`.
fn named(said: &str) -> Option<(&str, &str)> {
    let (name, message) = said.split_once(": ")?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | ':');
    let last = name.rsplit(['.', ':']).next()?;
    let is_type = last.starts_with(char::is_uppercase) && name.len() < 100 && name.chars().all(is_name);
    is_type.then(|| (name, message.trim()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_of_each_language_are_taken_apart() {
        let said = "ValueError('no key')Traceback (most recent call last):\n\n  File \"a.py\", line 3, in f\n    g()\n\n\nopenai.BadRequest: no key\n";
        let python = take_apart(said);
        assert_eq!((python.kind, python.message), ("openai.BadRequest", "no key"));
        assert!(python.stack.ends_with("g()"), "{}", python.stack);

        let rust = take_apart(
            "cannot answer\n\nCaused by:\n    0: the model timed out\n    1: deadline has elapsed\n\nStack backtrace:\n   0: main",
        );
        assert_eq!(rust.message, "cannot answer");
        assert_eq!(rust.causes, ["the model timed out", "deadline has elapsed"]);
        assert!(rust.stack.ends_with("0: main"));

        let script = take_apart("TypeError: x is not a function\n    at f (a.js:1:2)\n    at g (a.js:3:4)");
        assert_eq!((script.kind, script.message), ("TypeError", "x is not a function"));
        assert!(script.stack.contains("at g"));
    }

    #[test]
    fn json_in_an_error_is_a_tree() {
        let parts = take_apart("HTTP 429: {\"error\": {\"message\": \"slow down\"}}");
        assert_eq!((parts.message, parts.detail), ("HTTP 429", Some(json!({ "error": { "message": "slow down" } }))));
        assert_eq!(take_apart("no city called {x}").message, "no city called {x}");
    }
}
