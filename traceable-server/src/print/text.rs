//! Text that is safe to print: terminals obey control characters, and what was traced may hold any.

use std::borrow::Cow;

use traceable_core::show::harmless;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text on one line: white space is one space, control characters are shown and not sent.
pub(crate) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().map(harmless).collect()
}

/// The lines of a text, with control characters shown.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| line.replace('\t', "    ").chars().map(harmless).collect())
}

/// The text, cut to so many columns; a cut shows as `…`.
pub(crate) fn fit(text: &str, max: usize) -> Cow<'_, str> {
    // A megabyte of accents takes one column.
    if width(text) <= max && text.len() <= max.saturating_mul(8).max(64) {
        return Cow::Borrowed(text);
    }
    let (mut used, mut cut) = (0, String::new());
    for c in text.chars().take(max.saturating_mul(4)) {
        used += c.width().unwrap_or(0);
        if used >= max {
            break;
        }
        cut.push(c);
    }
    if max > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_sent() {
        assert_eq!(line("a\u{1b}[31m\r\n b\u{9b}2J"), "a␛[31m b\u{fffd}2J");
        assert_eq!(lines("a\tb\n\u{1b}]0;x\u{7}").collect::<Vec<_>>(), ["a    b", "␛]0;x␇"]);
        assert!(!line("safe\u{202e}txt.exe").contains('\u{202e}'));
    }

    #[test]
    fn a_cut_fits() {
        assert_eq!(fit("wide", 4), "wide");
        assert_eq!(fit("wider", 4), "wid…");
        assert_eq!(fit("注文はどこ", 8), "注文は…");
        assert_eq!(fit("x", 0), "");
        assert!(fit(&"e\u{301}".repeat(1_000), 2).len() < 40);
    }
}
