//! Texts of a run as they may be shown. Nothing in them is invisible: what turns the text around, what takes no room, and
//! what a terminal would obey shows as a mark.

use std::{borrow::Cow, fmt::Write as _};

use maud::{Markup, html};

/// Marks of one text that are elements; the rest is marked in the text itself, so that no text makes a page heavy.
const MAX_MARKS: usize = 100;

/// A text, with marks for what could not be seen.
pub(super) fn text(text: &str) -> Markup {
    let mut marks = 0;
    html! {
        @for piece in pieces(text) {
            @match piece {
                Piece::Seen(seen) => (seen),
                Piece::Unseen(c) => {
                    @if { marks += 1; marks <= MAX_MARKS } {
                        span.unseen title=(format_args!("U+{:04X}", u32::from(c))) { (label(c)) }
                    } @else { "⟨" (label(c)) "⟩" }
                }
            }
        }
    }
}

/// The same as a plain text, for titles and labels of elements.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let mut all = pieces(text).peekable();
    let first = match all.next() {
        None => return Cow::Borrowed(""),
        Some(Piece::Seen(seen)) if all.peek().is_none() => return Cow::Borrowed(seen),
        Some(first) => first,
    };
    let mut plain = String::with_capacity(text.len() + 16);
    for piece in std::iter::once(first).chain(all) {
        match piece {
            Piece::Seen(seen) => plain.push_str(seen),
            Piece::Unseen(c) => {
                let _ = write!(plain, "⟨{}⟩", label(c));
            }
        }
    }
    Cow::Owned(plain)
}

enum Piece<'a> {
    Seen(&'a str),
    Unseen(char),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let (mut rest, mut before) = (text, '\0');
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if is_unseen(first, before, &rest[first.len_utf8()..]) {
            before = first;
            rest = &rest[first.len_utf8()..];
            return Some(Piece::Unseen(first));
        }
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            if is_unseen(c, before, &rest[at + c.len_utf8()..]) {
                end = at;
                break;
            }
            before = c;
        }
        let (seen, behind) = rest.split_at(end);
        rest = behind;
        Some(Piece::Seen(seen))
    })
}

pub(super) fn is_unseen(c: char, before: char, behind: &str) -> bool {
    match c {
        '\n' | '\t' => false,
        '\r' => !behind.starts_with('\n'),
        // Joiners belong into Persian, Hindi and emoji; among Latin letters they only hide.
        '\u{200c}' | '\u{200d}' => before.is_ascii(),
        // So do variation selectors; behind a letter they carry data.
        '\u{fe00}'..='\u{fe0f}' => before.is_ascii_alphabetic() || matches!(before, '\u{fe00}'..='\u{fe0f}'),
        // What controls, what is empty, what turns text around, and last private tags, and selectors of which no text needs
        // so many.
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// What the ASCII ones are called. Unicode has pictures of them, which few fonts have.
const CONTROLS: &str = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB \
                        ESC FS GS RS US";

/// What is shown in the place of a character.
fn label(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\0'..='\u{1f}' => CONTROLS.split(' ').nth(code as usize).unwrap_or("?").into(),
        '\u{7f}' => "DEL".into(),
        // Letters that models read and people do not see.
        '\u{e0020}'..='\u{e007e}' => char::from_u32(code - 0xe_0000).unwrap_or('?').into(),
        _ => format!("U+{code:04X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_unseen() {
        assert_eq!(plain("a\u{1b}[31mb\r\nc\td"), "a⟨ESC⟩[31mb\r\nc\td");
        assert_eq!(plain("safe\u{202e}txt.exe"), "safe⟨U+202E⟩txt.exe");
        assert_eq!(plain("pass\u{200b}word\u{200d}"), "pass⟨U+200B⟩word⟨U+200D⟩");
        assert_eq!(plain("hi\u{e0041}\u{e0042}"), "hi⟨A⟩⟨B⟩");
        assert_eq!(text("<b>\u{7}").into_string(), "&lt;b&gt;<span class=\"unseen\" title=\"U+0007\">BEL</span>");
        assert!(text(&"\u{0}".repeat(10_000)).into_string().matches("<span").count() <= MAX_MARKS);
    }

    #[test]
    fn scripts_and_emoji_stay_as_they_are() {
        for whole in ["می‌خواهم", "क्‍ष", "👩‍💻 ❤️", "注文はどこ", "naïve — “ok”", ""]
        {
            assert_eq!(plain(whole), whole);
        }
    }
}
