//! The tokens of a JSON text, read without recursion and without a value of any kind: at any depth, and with every byte
//! where it was.

use std::{borrow::Cow, ops::Range};

use super::work::looked_at;

/// A token that matters here, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `[`, or else `{`.
    Open { list: bool },
    /// `]` or `}`.
    Close,
    /// The name of a member: what is between its quotes.
    Name(Range<usize>),
    /// A text: what is between its quotes.
    Text(Range<usize>),
    /// A number, `true`, `false` or `null`.
    Plain,
}

/// The text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// See the module.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// For each open container, whether it is a list.
    open: Vec<bool>,
    /// A name comes next.
    named: bool,
    /// A colon comes next.
    colon: bool,
    done: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new(), named: false, colon: false, done: false }
    }

    /// The next token; `None` behind the last one.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Broken> {
        let bytes = self.text.as_bytes();
        loop {
            let Some(&byte) = bytes.get(self.at) else {
                return if self.done { Ok(None) } else { Err(Broken) };
            };
            let start = self.at;
            self.at += 1;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                _ if self.done || self.colon != (byte == b':') => return Err(Broken),
                b',' => self.named = !*self.open.last().ok_or(Broken)?,
                b':' => self.colon = false,
                b'[' | b'{' if !self.named => {
                    let list = byte == b'[';
                    self.open.push(list);
                    self.named = !list;
                    return Ok(Some(Token::Open { list }));
                }
                b']' | b'}' => {
                    if self.open.pop() != Some(byte == b']') {
                        return Err(Broken);
                    }
                    self.named = false;
                    self.done = self.open.is_empty();
                    return Ok(Some(Token::Close));
                }
                b'"' => {
                    let end = closing(bytes, self.at).ok_or(Broken)?;
                    let inside = self.at..end;
                    self.at = end + 1;
                    if std::mem::take(&mut self.named) {
                        self.colon = true;
                        return Ok(Some(Token::Name(inside)));
                    }
                    self.done = self.open.is_empty();
                    return Ok(Some(Token::Text(inside)));
                }
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' if !self.named => {
                    let rest = &self.text[start..];
                    let length =
                        rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
                    if byte.is_ascii_alphabetic() && !matches!(&rest[..length], "true" | "false" | "null") {
                        return Err(Broken);
                    }
                    self.at = start + length;
                    self.done = self.open.is_empty();
                    return Ok(Some(Token::Plain));
                }
                _ => return Err(Broken),
            }
        }
    }
}

/// The quote that ends a text of which the first byte is at `from`.
pub(super) fn closing(bytes: &[u8], from: usize) -> Option<usize> {
    let end = closing_at(bytes, from);
    looked_at(end.unwrap_or(bytes.len()).saturating_sub(from));
    end
}

fn closing_at(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// What a text is without its escapes. Half of a surrogate pair becomes a replacement character.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    looked_at(raw.len());
    let Some(first) = raw.find('\\') else { return Cow::Borrowed(raw) };
    let mut text = String::with_capacity(raw.len());
    text.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else { break };
        rest = &rest[escape.len_utf8()..];
        text.push(match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = code_unit(&mut rest);
                let paired = (0xd800..0xdc00).contains(&high) && rest.starts_with("\\u");
                let mut behind = rest.get(2..).unwrap_or_default();
                let low = if paired { code_unit(&mut behind) } else { 0 };
                if (0xdc00..0xe000).contains(&low) {
                    rest = behind;
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}')
                } else {
                    char::from_u32(high).unwrap_or('\u{fffd}')
                }
            }
            other => other,
        });
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Takes four hexadecimal digits. What are none becomes no character.
fn code_unit(rest: &mut &str) -> u32 {
    let unit = rest.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    if unit.is_some() {
        *rest = &rest[4..];
    }
    unit.unwrap_or(0xd800)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_come_out_as_serde_json_reads_them(text in ".*") {
            let json = serde_json::to_string(&text).unwrap_or_default();
            prop_assert_eq!(unescape(&json[1..json.len() - 1]), text.as_str());
            let mut escaped = String::new();
            for unit in text.encode_utf16() {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            prop_assert_eq!(unescape(&escaped), text.as_str());
        }
    }

    #[test]
    fn what_is_no_json_is_broken() {
        for text in [
            "",
            "[",
            "{\"a\":1",
            "\"a",
            "\"a\\",
            "[1]]",
            "[}",
            "{]",
            "1 2",
            "{a: 1}",
            "[a: 1]",
            "{true}",
            "[\"a\": 1]",
            "{1}",
            "a",
            "[\"a\\\"]",
        ] {
            let mut tokens = Tokens::new(text);
            let end = loop {
                match tokens.next() {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert_eq!(end, Err(Broken), "{text}");
        }
    }
}
