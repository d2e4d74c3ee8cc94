//! How what was expected and what is actual differ, line by line, for a person to read.

use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _},
};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Lines around a difference that are shown as well.
const CONTEXT: usize = 3;
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";

/// The difference of two JSON values; `None` is no value.
pub(super) fn values(expected: &Value, actual: Option<&Value>) -> String {
    // Escaped text is hard to read; two texts can be shown as they are.
    if let (Value::String(expected), Some(Value::String(actual))) = (expected, actual)
        && [expected, actual].iter().any(|text| text.contains(['\n', '"', '\\']))
    {
        return lines(expected, actual);
    }
    lines(&pretty(expected), &actual.map_or_else(|| "(nothing)".to_owned(), pretty))
}

/// JSON without the commas at the ends of lines: that another item follows is no difference of an item.
fn pretty(value: &Value) -> String {
    format!("{value:#}").replace(",\n", "\n")
}

/// The difference of two texts. Coloured where standard error, to which panics go, is a terminal.
pub(super) fn lines(expected: &str, actual: &str) -> String {
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    render(expected, actual, !plain && io::stderr().is_terminal())
}

fn render(expected: &str, actual: &str, colour: bool) -> String {
    let mut text = String::new();
    let mut line = |mark: &str, tint: &str, line: &str| {
        let (tint, reset) = if colour && !tint.is_empty() { (tint, RESET) } else { ("", "") };
        let line = format!("{mark} {line}");
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{tint}{}{reset}", line.trim_end());
    };
    line("-", RED, "expected");
    line("+", GREEN, "actual");
    line("", "", "");
    let diff = TextDiff::from_lines(expected, actual);
    for (n, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if n > 0 {
            line(" ", "", "…");
        }
        for change in group.iter().flat_map(|part| diff.iter_changes(part)) {
            match change.tag() {
                ChangeTag::Delete => line("-", RED, change.value()),
                ChangeTag::Insert => line("+", GREEN, change.value()),
                ChangeTag::Equal => line(" ", "", change.value()),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_and_what_is_near_it_is_shown() {
        let expected = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let actual = expected.replace("1\n2\n", "1\ntwo\n").replace("12\n", "12\n13\n");
        assert_eq!(
            render(expected, &actual, false),
            "- expected\n+ actual\n\n  1\n- 2\n+ two\n  3\n  4\n  5\n  …\n  10\n  11\n  12\n+ 13\n"
        );
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(
            render("a", "b", true),
            "\x1b[31m- expected\x1b[0m\n\x1b[32m+ actual\x1b[0m\n\n\x1b[31m- a\x1b[0m\n\x1b[32m+ b\x1b[0m\n"
        );
    }
}
