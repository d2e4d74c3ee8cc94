//! Text that is safe to print and fits: control characters made harmless, columns counted as a terminal does.

use std::borrow::Cow;

use traceable_core::show::harmless;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { clusters(text).map(UnicodeWidthStr::width).sum() }
}

/// One line of at most `max` columns: runs of white space become one space, control characters are shown and not sent.
pub(super) fn clean(text: &str, max: usize) -> String {
    // A cluster takes at least no column, so the text is cut by characters as well: a megabyte of combining
    // marks must not pass as one column.
    let mut line = String::new();
    let mut space = false;
    let limit = max.saturating_mul(4).saturating_add(1);
    for (count, c) in text.trim().chars().enumerate() {
        if count == limit {
            line.push('…');
            break;
        }
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            line.push(' ');
        }
        line.push(harmless(c));
    }
    match fit(&line, max) {
        Cow::Borrowed(_) => line,
        Cow::Owned(cut) => cut,
    }
}

/// The text, cut to `max` columns; a cut shows as `…`.
pub(super) fn fit(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut cut = String::from(head(text, max - 1));
    cut.push('…');
    Cow::Owned(cut)
}

/// The longest beginning of the text that takes at most `max` columns.
fn head(text: &str, max: usize) -> &str {
    let (mut used, mut end) = (0, 0);
    for cluster in clusters(text) {
        used += cluster.width();
        if used > max {
            break;
        }
        end += cluster.len();
    }
    &text[..end]
}

/// The text in pieces of at most `max` columns, broken at spaces where there are any. Nothing is left out.
pub(super) fn wrap(text: &str, max: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    while width(rest) > max {
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let full = head(rest, max).len().max(first);
        // A break at a space is worth up to half of the line.
        let at_space = || rest[..full].rfind(' ').filter(|at| *at > full / 2);
        let end = if rest[full..].starts_with(' ') { full } else { at_space().unwrap_or(full) };
        lines.push(rest[..end].trim_end());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// The pieces that are never parted: a character with what joins it, such as accents and emoji sequences.
fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (cluster, after) = rest.split_at(cluster_len(rest));
        rest = after;
        (!cluster.is_empty()).then_some(cluster)
    })
}

fn cluster_len(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, mut last)) = chars.next() else { return 0 };
    let mut flag = is_flag_half(last);
    for (at, c) in chars {
        let joins = last == '\u{200d}' || c.width() == Some(0) || is_skin(c) || (flag && is_flag_half(c));
        if !joins {
            return at;
        }
        flag = false;
        last = c;
    }
    text.len()
}

fn is_flag_half(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

fn is_skin(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_character_takes_two_columns_and_is_never_halved() {
        assert_eq!(width("注文"), 4);
        assert_eq!(fit("注文はどこ", 10), "注文はどこ");
        assert_eq!(fit("注文はどこ", 9), "注文はど…");
        assert_eq!(fit("注文はどこ", 8), "注文は…");
    }

    #[test]
    fn an_emoji_sequence_stays_whole() {
        let family = "👩‍👩‍👧";
        assert_eq!(width(family), 2);
        assert_eq!(fit(&format!("{family}{family}"), 3), format!("{family}…"));
        assert_eq!(fit("🇩🇪🇫🇷", 3), "🇩🇪…");
    }

    #[test]
    fn a_combining_mark_stays_with_its_letter() {
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_sent() {
        assert_eq!(clean("a\x1b[2Jb\x07\x7f\u{9b}1m", 40), "a␛[2Jb␇␡\u{fffd}1m");
        assert_eq!(clean("pay\u{202e}lla", 40), "pay\u{fffd}lla");
    }

    #[test]
    fn white_space_becomes_one_space() {
        assert_eq!(clean("  a\r\n\t b\u{2028}c ", 40), "a b c");
    }

    #[test]
    fn a_flood_of_marks_is_cut() {
        let flood = format!("e{}", "\u{301}".repeat(100_000));
        assert!(clean(&flood, 10).chars().count() < 60);
    }

    #[test]
    fn wrapping_loses_no_word() {
        let text = "one two three four five";
        assert_eq!(wrap(text, 9), ["one two", "three", "four five"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("注文", 1), ["注", "文"]);
        assert_eq!(wrap("", 4), [""; 0]);
    }
}
