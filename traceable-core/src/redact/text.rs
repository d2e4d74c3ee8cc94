//! Secrets in plain text: credentials by their format, values behind names, passwords in addresses, the user's patterns.
//!
//! JSON in texts is read as text here: `"api_key": "…"` is a name and a value also behind backslashes, in code, in prose,
//! and where it breaks off.

use std::ops::ControlFlow;

use super::{
    Redactor,
    finder::Trigger,
    formats::{FORMATS, is_start},
    keys::{self, Sense},
    tokens::closing,
    work::looked_at,
};

/// The mark of what no format names.
pub(crate) const MARK: &str = "[redacted]";

/// How often a text is looked at again that had secrets.
const MAX_PASSES: usize = 2;

/// A stretch of a text that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) by: By,
}

/// What a stretch is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A mark that says what it was.
    Kind(&'static str),
    /// The plain mark.
    Mark,
    /// Nothing: it may become a secret as the text goes on.
    Nothing,
}

impl By {
    pub(super) fn push_to(self, out: &mut String) {
        match self {
            Self::Kind(kind) => {
                out.push_str("[redacted: ");
                out.push_str(kind);
                out.push(']');
            }
            Self::Mark => out.push_str(MARK),
            Self::Nothing => {}
        }
    }
}

impl Redactor {
    /// Whether there may be a secret in JSON text, as it is, or in plain text.
    pub(super) fn suspects(&self, text: &str) -> bool {
        if self.extras.suspect(text) {
            return true;
        }
        let mut found = false;
        self.finder.each(text, |at, trigger| {
            found = self.at(text, at, trigger, true).is_some();
            (!found).then_some(at)
        });
        found
    }

    /// All that must be replaced in a text, in order and without overlaps. With `live`, the text may go on.
    pub(super) fn hits(&self, text: &str, live: bool) -> Vec<Hit> {
        let mut hits = self.hits_as_written(text, live);
        if let Some((plain, places)) = unescaped(text) {
            let hidden = self.hits_as_written(&plain, live);
            hits.extend(hidden.into_iter().map(|hit| Hit { start: places[hit.start], end: places[hit.end], ..hit }));
        }
        hits.sort_by_key(|hit| (hit.start, hit.end));
        hits.dedup_by(|next, kept| {
            let overlaps = next.start < kept.end || *next == *kept;
            if overlaps {
                kept.end = kept.end.max(next.end);
                if kept.by == By::Nothing || (kept.by == By::Mark && next.by != By::Nothing) {
                    kept.by = next.by;
                }
            }
            overlaps
        });
        hits
    }

    fn hits_as_written(&self, text: &str, live: bool) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.finder.each(text, |at, trigger| {
            let Some(hit) = self.at(text, at, trigger, false) else {
                if live && let Some(start) = self.begun(text, at, trigger) {
                    hits.push(Hit { start, end: text.len(), by: By::Nothing });
                    return Some(text.len());
                }
                return Some(at);
            };
            hits.push(hit);
            Some(hit.end)
        });
        self.extras.find(text, &mut hits);
        if live {
            let start = begun_literal(text).into_iter().chain(self.extras.unsettled(text)).min();
            hits.extend(start.map(|start| Hit { start, end: text.len(), by: By::Nothing }));
        }
        hits
    }

    /// The secret that begins around a trigger. With `raw`, the text is JSON and more is taken for one.
    fn at(&self, text: &str, at: usize, trigger: Trigger, raw: bool) -> Option<Hit> {
        looked_at(1);
        let bytes = text.as_bytes();
        let here = Hit { start: at, end: at, by: By::Mark };
        match trigger {
            Trigger::Format(trigger) => {
                let formats = FORMATS.iter().filter(|format| format.literal.starts_with(trigger));
                let mut here = formats.filter(|format| bytes[at..].starts_with(format.literal.as_bytes()));
                here.find_map(|format| {
                    let (start, end) = format.find(bytes, at, raw)?;
                    Some(Hit { start, end, by: By::Kind(format.kind) })
                })
            }
            Trigger::Word if raw && self.names_a_member(text, at) => Some(here),
            Trigger::Word => match self.assignment(text, at, raw)? {
                ControlFlow::Break(hit) => Some(hit),
                ControlFlow::Continue(_) => None,
            },
            Trigger::Bytes => raw.then_some(here),
            Trigger::Scheme => userinfo(bytes, at + 3).map(|(start, end)| Hit { start, end, by: By::Kind("password") }),
            // A letter behind an escape, or a slash: whoever unescapes the text will see.
            Trigger::Escape => {
                let printable = bytes.get(at + 4).is_none_or(|byte| matches!(byte, b'2'..=b'7'));
                (raw && (bytes[at] == b':' || printable)).then_some(here)
            }
        }
    }

    /// Where the text begins to be what may become a secret, should it break off in it.
    fn begun(&self, text: &str, at: usize, trigger: Trigger) -> Option<usize> {
        let bytes = text.as_bytes();
        let begun = match trigger {
            Trigger::Format(trigger) => {
                let formats = FORMATS.iter().filter(|format| format.literal.starts_with(trigger));
                let mut here = formats.filter(|format| bytes[at..].starts_with(format.literal.as_bytes()));
                here.any(|format| format.is_begun(bytes, at))
            }
            Trigger::Word => {
                return match self.assignment(text, at, false)? {
                    ControlFlow::Continue(start) => Some(start),
                    ControlFlow::Break(_) => None,
                };
            }
            Trigger::Scheme => {
                let end = bytes[at + 3..].iter().position(|&byte| ends_authority(byte));
                looked_at(end.unwrap_or(bytes.len() - at));
                end.is_none()
            }
            Trigger::Escape => bytes.len() - at < 6,
            Trigger::Bytes => false,
        };
        begun.then_some(at)
    }

    /// Whether the word at `at` of JSON text is in a name, however it is written, with a value that may be secret. More is
    /// taken for one than there is.
    fn names_a_member(&self, text: &str, at: usize) -> bool {
        let bytes = text.as_bytes();
        let Some(length) = bytes[at..].iter().take(MAX_NAME).position(|&byte| byte == b'"') else { return false };
        let end = at + length;
        let behind = end + 1 + raw_blanks(&bytes[end + 1..]);
        // `["my password\"", …]`: the name may go on behind the quote.
        let is_over = matches!(bytes.get(behind), Some(b':' | b',' | b'}'));
        if !is_over && !bytes[..end].ends_with(b"\\") {
            return false;
        }
        let front = boundary(text, at.saturating_sub(2 * MAX_NAME));
        let start = text[front..at].rfind('"').map_or(front, |quote| front + quote + 1);
        let name = &text[start..end];
        let sense = keys::sense(name, &self.own_keys);
        if sense == Sense::Plain || !is_over {
            return sense != Sense::Plain;
        }
        if bytes[behind] != b':' {
            // `{"value": …, "name": "my password"}`, `["my password", …]`
            let before = trim_end(&bytes[..start.saturating_sub(1)]);
            return matches!(before.last(), Some(b':' | b'[' | b'\\'));
        }
        let value = behind + 1 + raw_blanks(&bytes[behind + 1..]);
        match bytes.get(value) {
            Some(b'"') => {
                let end = closing(bytes, value + 1).unwrap_or(bytes.len());
                keys::is_secret(sense, name, &text[value + 1..end])
            }
            // The second is JSON in a text.
            Some(b'[' | b'\\') => true,
            Some(b'{') => sense == Sense::Tree,
            _ => false,
        }
    }

    /// The value behind the name around `at`. `Continue` says where a value begins that may yet become a secret.
    fn assignment(&self, text: &str, at: usize, raw: bool) -> Option<ControlFlow<Hit, usize>> {
        let bytes = text.as_bytes();
        let mut name = name_around(bytes, at)?;
        // Most words of prose and code end here.
        let behind = bytes[name.1..].iter().find(|byte| !b" \t\\\"'`".contains(byte));
        let is_flag = name.0 >= 2 && &bytes[name.0 - 2..name.0] == b"--";
        if !is_flag && !matches!(behind, Some(b':' | b'=' | b',' | b'}' | b'n' | b't' | b'r' | b'\n' | b'\r')) {
            return None;
        }
        let mut sense = keys::sense(&text[name.0..name.1], &self.own_keys);
        // `api key: …`
        if sense == Sense::Plain && name.0 >= 2 && bytes[name.0 - 1] == b' ' {
            name.0 = name_around(bytes, name.0 - 2)?.0;
            sense = keys::sense(&text[name.0..name.1], &self.own_keys);
        }
        if sense == Sense::Plain { None } else { Value { text, name, sense, raw }.find() }
    }

    /// The text without its secrets. `None` when there are none.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        if self.suspects(text) { self.text_slowly(text, false) } else { None }
    }

    /// As `text`, for a text that is suspected. With `live`, it may go on.
    pub(super) fn text_slowly(&self, text: &str, live: bool) -> Option<String> {
        let mut redacted = self.text_once(text, live)?;
        // A mark may show what a quote had hidden.
        for _ in 0..MAX_PASSES {
            match self.text_once(&redacted, false) {
                Some(more) => redacted = more,
                None => break,
            }
        }
        Some(redacted)
    }

    fn text_once(&self, text: &str, live: bool) -> Option<String> {
        if matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
            && let Ok(redacted) = self.document(text, false)
        {
            return redacted;
        }
        looked_at(text.len());
        let hits = self.hits(text, live);
        if hits.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for hit in hits {
            out.push_str(&text[from..hit.start]);
            hit.by.push_to(&mut out);
            from = hit.end;
        }
        out.push_str(&text[from..]);
        Some(out)
    }
}

/// The text with its `\u00XX` escapes of ASCII as the letters that they stand for, however many backslashes they have,
/// and for each byte (and the end) its place in the original. `None` where there is no such escape.
fn unescaped(text: &str) -> Option<(String, Vec<usize>)> {
    let bytes = text.as_bytes();
    let hidden = |at: usize| {
        let digits = text.get(at + 1..at + 5).filter(|_| bytes[at] == b'u')?;
        u8::from_str_radix(digits, 16).ok().filter(|byte| (0x20..0x7f).contains(byte))
    };
    text.contains("\\u00").then_some(())?;
    looked_at(text.len());
    let (mut plain, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
    let mut from = 0;
    while from < text.len() {
        let backslashes = bytes[from..].iter().take_while(|&&byte| byte == b'\\').count();
        if backslashes > 0
            && from + backslashes < text.len()
            && let Some(byte) = hidden(from + backslashes)
        {
            plain.push(char::from(byte));
            places.push(from);
            from += backslashes + 5;
            continue;
        }
        let step = backslashes.max(1);
        let end = (from + step..=text.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(text.len());
        plain.push_str(&text[from..end]);
        places.extend(from..end);
        from = end;
    }
    places.push(text.len());
    Some((plain, places))
}

/// Where a literal begins that the text breaks off in.
fn begun_literal(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let begun = |literal: &str| {
        (1..literal.len()).rev().find(|&length| {
            bytes.ends_with(&literal.as_bytes()[..length]) && is_start(bytes, bytes.len() - length, false)
        })
    };
    let longest = FORMATS.iter().filter_map(|format| begun(format.literal)).max()?;
    Some(text.len() - longest)
}

fn ends_authority(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"/?#\"'<>\\`)]}|,;".contains(&byte)
}

/// How far an address is looked at for a password.
const MAX_AUTHORITY: usize = 512;

/// The password of `name:password@host`.
fn userinfo(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = &bytes[from.min(bytes.len())..];
    let scheme = from.checked_sub(4).is_some_and(|last| bytes[last].is_ascii_alphanumeric());
    let end = rest.iter().take(MAX_AUTHORITY).position(|&byte| ends_authority(byte));
    let authority = &rest[..end.unwrap_or(rest.len().min(MAX_AUTHORITY))];
    let at = authority.iter().rposition(|&byte| byte == b'@')?;
    let colon = authority[..at].iter().position(|&byte| byte == b':')?;
    let password = str::from_utf8(&authority[colon + 1..at]).ok()?;
    (scheme && keys::is_secret(Sense::Secret, "password", password)).then_some((from + colon + 1, from + at))
}

/// Bytes of a name on either side of what gave it away.
const MAX_NAME: usize = 64;

/// The name around a place, as `a.b_c-d`.
fn name_around(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let reach = |range: &[u8]| range.iter().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let back = |end: usize| bytes[..end].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let end = at + reach(&bytes[at..]);
    let mut start = at - back(at);
    // The name of a flag.
    start += bytes[start..at].iter().take_while(|&&byte| byte == b'-').count();
    let end = end - bytes[start..end].iter().rev().take_while(|byte| matches!(byte, b'-' | b'.')).count();
    (end > at).then_some((start, end))
}

#[allow(clippy::unnecessary_wraps, reason = "as the searches answer")]
fn hit(start: usize, end: usize) -> Option<ControlFlow<Hit, usize>> {
    Some(ControlFlow::Break(Hit { start, end, by: By::Mark }))
}

/// The search for the value that belongs to a name.
struct Value<'a> {
    text: &'a str,
    name: (usize, usize),
    sense: Sense,
    raw: bool,
}

/// The quotes around a text: how many backslashes, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quotes {
    backslashes: usize,
    quote: u8,
}

/// Bytes of a value without quotes that are looked at before it is taken for none.
const JUDGED: usize = 1024;
/// Bytes of a list or an object in a text that are looked at.
const MAX_REGION: usize = 64 << 10;
/// Levels of it that are looked at.
const MAX_LEVELS: usize = 16;

impl<'a> Value<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn name(&self) -> &'a str {
        &self.text[self.name.0..self.name.1]
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    fn is_secret(&self, value: &str) -> bool {
        keys::is_secret(self.sense, self.name(), value)
    }

    fn find(&self) -> Option<ControlFlow<Hit, usize>> {
        let (start, end) = self.name;
        let quotes = self.quotes_at(end);
        let is_quoted = quotes.is_some_and(|behind| self.quotes_before(start) == Some(behind));
        let mut at = end + quotes.filter(|_| is_quoted).map_or(0, Quotes::len);
        let gap = self.blanks(at);
        at += gap;
        match self.byte(at)? {
            // `{"value": …, "name": "authorization"}`
            b',' | b'}' if is_quoted && self.raw && self.is_value(start - quotes?.len()) => return hit(start, end),
            b',' if is_quoted => return self.in_a_list(at + 1, quotes?),
            b':' if self.byte(at + 1) == Some(b':') => return None,
            b':' if self.byte(at + 1) == Some(b'=') => at += 2,
            b'=' if matches!(self.byte(at + 1), Some(b'=' | b'~')) => return None,
            b'=' if self.byte(at + 1) == Some(b'>') => at += 2,
            b':' | b'=' => at += 1,
            // The value of a flag.
            _ if gap > 0 && !is_quoted && start >= 2 && &self.bytes()[start - 2..start] == b"--" => {}
            _ => return None,
        }
        let tight = gap == 0 && self.blanks(at) == 0;
        at += self.blanks(at);
        if let Some(hit) = self.value(at, is_quoted) {
            return Some(hit);
        }
        self.bare(at, tight && !is_quoted)
    }

    /// Whether what begins here stands behind a colon.
    fn is_value(&self, at: usize) -> bool {
        trim_end(&self.bytes()[..at]).ends_with(b":")
    }

    /// A value in quotes, in a constructor, or a list or object of such.
    fn value(&self, mut at: usize, quoted: bool) -> Option<ControlFlow<Hit, usize>> {
        // `password: Some("…")`, `api_key: &str = "…"`
        for _ in 0..3 {
            let word = self.bytes()[at..].iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if word > 0 && self.byte(at)?.is_ascii_uppercase() && self.byte(at + word) == Some(b'(') {
                at += word + 1;
            }
        }
        let annotation = self.bytes()[at..]
            .iter()
            .take(32)
            .take_while(|byte| byte.is_ascii_alphabetic() || b"&'<>[] |".contains(byte));
        let annotated = at + annotation.count();
        if !quoted && annotated > at && self.byte(annotated) == Some(b'=') && self.quotes_at(at).is_none() {
            at = annotated + 1 + self.blanks(annotated + 1);
            self.quotes_at(at)?;
        }
        if let Some(quotes) = self.quotes_at(at) {
            let start = at + quotes.len();
            let closing = self.closing(start, quotes);
            let end = closing.unwrap_or(self.text.len());
            if self.is_unknown_in(quotes)
                || (self.is_secret(&self.text[start..end]) && (self.raw || !self.is_piece_of_text()))
            {
                return hit(start, end);
            }
            return if closing.is_none() { Some(ControlFlow::Continue(start)) } else { None };
        }
        let open = self.byte(at)?;
        let objects = self.sense == Sense::Tree;
        if self.raw && (open == b'[' || (open == b'{' && objects)) {
            return hit(at, at + 1);
        }
        if open == b'[' || (open == b'{' && objects) { self.region(at, objects) } else { None }
    }

    /// Whether the name is that of a piece of text with its probability.
    fn is_piece_of_text(&self) -> bool {
        let (start, end) = (self.name.0.saturating_sub(200), self.text.len().min(self.name.1 + 200));
        self.sense == Sense::Perhaps && self.bytes()[start..end].windows(7).any(|words| words == b"logprob")
    }

    /// The texts of a list or an object that is cut out of JSON: all of it up to the last one.
    fn region(&self, open: usize, objects: bool) -> Option<ControlFlow<Hit, usize>> {
        let (mut at, mut depth, mut last) = (open, 0_usize, None);
        let end = self.text.len().min(open + MAX_REGION);
        while at < end {
            if let Some(quotes) = self.quotes_at(at) {
                let start = at + quotes.len();
                let close = self.closing(start, quotes).unwrap_or(self.text.len());
                at = (close + quotes.len()).min(self.text.len());
                let is_name = self.byte(at + self.blanks(at)) == Some(b':');
                if !is_name && self.is_secret(&self.text[start..close]) {
                    // The hit spans from the first text to the last; names between them go as well.
                    let first = last.map_or(start, |(first, _)| first);
                    last = Some((first, close));
                }
                continue;
            }
            match self.bytes()[at] {
                b'[' => depth += 1,
                b'{' if objects => depth += 1,
                // A list of objects, such as a schema's.
                b'{' => break,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 || depth > MAX_LEVELS {
                break;
            }
        }
        looked_at(at - open);
        let schema = objects
            && ["\"type", "\"$ref", "\"properties"]
                .iter()
                .any(|word| self.text[open..boundary(self.text, at)].contains(word));
        let (first, close) = last.filter(|_| !schema)?;
        hit(first, close)
    }

    /// The second of a pair, or the value of `{"name": …, "value": …}`.
    fn in_a_list(&self, at: usize, quotes: Quotes) -> Option<ControlFlow<Hit, usize>> {
        let at = at + self.blanks(at);
        let second = self.quotes_at(at).filter(|second| *second == quotes)?;
        let start = at + second.len();
        let closing = self.closing(start, quotes);
        let end = closing.unwrap_or(self.text.len());
        let cut_off = closing.is_none() && self.is_secret(&self.text[start..]);
        if cut_off || self.is_unknown_in(quotes) {
            return hit(start, end);
        }
        let behind = end + quotes.len();
        let behind = behind + self.blanks(behind);
        let word = &self.text[start..end];
        if self.byte(behind) == Some(b':') {
            let is_value = ["value", "val", "v", "content"].iter().any(|known| word.eq_ignore_ascii_case(known));
            let at = behind + 1 + self.blanks(behind + 1);
            let value = self.quotes_at(at).filter(|_| is_value)?;
            let start = at + value.len();
            let end = self.closing(start, value).unwrap_or(self.text.len());
            return if self.is_secret(&self.text[start..end]) { hit(start, end) } else { None };
        }
        let open = self.name.0 - quotes.len();
        let opens = open > 0 && matches!(self.byte(open - 1), Some(b'[' | b'('));
        let closes = matches!(self.byte(behind), Some(b']' | b')') | None);
        let nested = open > 1 && matches!(trim_end(&self.bytes()[..open - 1]).last(), Some(b'[' | b',' | b'('));
        let pair = opens && closes && (nested || keys::is_header(self.name()));
        if pair && self.is_secret(word) { hit(start, end) } else { None }
    }

    /// A value without quotes: a header's, a query's, a setting's.
    fn bare(&self, at: usize, tight: bool) -> Option<ControlFlow<Hit, usize>> {
        let rest = self.within(at);
        let is_cookie = self.sense == Sense::Tree && self.name().to_ascii_lowercase().ends_with("cookie");
        if is_cookie {
            let line = rest.split(['\n', '\r', '"', '\'', '\\']).next().unwrap_or_default();
            let is_pair = line.split_once('=').is_some_and(|(name, value)| {
                !name.is_empty()
                    && !name.contains([' ', '(', ')', '.', '{'])
                    && value.len() >= 4
                    && !value.starts_with('=')
            });
            let goes_on = self.raw && self.bytes()[at + line.len()..].starts_with(b"\\/");
            if is_pair || goes_on {
                return hit(at, at + line.trim_end().len());
            }
        }
        let before_name = self.name.0.checked_sub(1).and_then(|before| self.byte(before));
        let in_query = matches!(before_name, Some(b'?' | b'&'));
        let in_settings = before_name == Some(b';');
        let (mut start, mut value) = (at, bare_run(rest));
        // `Authorization: Scheme credentials`
        let is_scheme = ["bearer", "basic", "token", "digest", "apikey", "api-key"]
            .iter()
            .any(|known| value.eq_ignore_ascii_case(known));
        if is_scheme && rest.as_bytes().get(value.len()) == Some(&b' ') {
            start = at + value.len() + 1;
            start += self.blanks(start);
            value = bare_run(self.within(start));
        }
        let end = start + value.len();
        // It goes on behind a slash that is escaped.
        if self.raw && self.bytes()[end..].starts_with(b"\\/") {
            return hit(start, end);
        }
        // What is no text anyway, and code.
        if value.is_empty() || !self.is_secret(value) || matches!(self.byte(end), Some(b'(' | b'[' | b'{' | b'<')) {
            return if end == self.text.len() { Some(ControlFlow::Continue(start)) } else { None };
        }
        let judged = &value.as_bytes()[..value.len().min(JUDGED)];
        let digits = judged.iter().any(u8::is_ascii_digit);
        let letters = judged.iter().any(u8::is_ascii_alphabetic);
        let signs = judged.iter().any(|byte| b"!@#%^*+~/=".contains(byte));
        let is_path = value.contains('.')
            && value
                .split('.')
                .all(|part| part.len() <= 24 && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
        let is_password = self.name().to_ascii_lowercase().contains("pass");
        let least = if self.sense == Sense::Perhaps { 16 } else { 6 };
        let looks = value.len() >= least
            && ((digits && (letters || is_password)) || (signs && letters && value.len() >= 12))
            && !is_path;
        // `DB_PASSWORD=…` of an environment, `-H 'x-api-key: …'` of a command line.
        let is_variable = tight && value.len() >= 6 && !self.name().bytes().any(|byte| byte.is_ascii_lowercase());
        let is_header = before_name.is_some_and(|byte| b"\"'".contains(&byte)) && keys::is_header(self.name());
        let certain = is_variable || ((is_header || (tight && (in_query || in_settings))) && value.len() >= 3);
        if looks || certain {
            hit(start, start + bare_run(&self.text[start..]).len())
        } else if end == self.text.len() {
            Some(ControlFlow::Continue(start))
        } else {
            None
        }
    }

    /// Whether the end of what is in these quotes is not known: not those of JSON, but of a text in it, which may break off.
    fn is_unknown_in(&self, quotes: Quotes) -> bool {
        self.raw && quotes != Quotes { backslashes: 0, quote: b'"' }
    }

    /// The text from here on, as far as it is looked at.
    fn within(&self, at: usize) -> &'a str {
        let end = boundary(self.text, self.text.len().min(at + JUDGED));
        self.text.get(at..end).unwrap_or_default()
    }

    /// The quotes that begin here.
    fn quotes_at(&self, at: usize) -> Option<Quotes> {
        let rest = self.bytes().get(at..)?;
        let backslashes = rest.iter().take(1024).take_while(|&&byte| byte == b'\\').count();
        let quote = *rest.get(backslashes)?;
        matches!(quote, b'"' | b'\'' | b'`').then_some(Quotes { backslashes, quote })
    }

    /// The quotes that end in front of a place.
    fn quotes_before(&self, at: usize) -> Option<Quotes> {
        let front = &self.bytes()[..at];
        let quote = *front.last()?;
        let backslashes = front[..at - 1].iter().rev().take(1024).take_while(|&&byte| byte == b'\\').count();
        matches!(quote, b'"' | b'\'' | b'`').then_some(Quotes { backslashes, quote })
    }

    /// Where the text in these quotes ends, of which the first byte is at `from`: quotes in it have more backslashes.
    fn closing(&self, from: usize, quotes: Quotes) -> Option<usize> {
        let end = self.closing_at(from, quotes);
        looked_at(end.unwrap_or(self.text.len()).saturating_sub(from));
        end
    }

    fn closing_at(&self, from: usize, quotes: Quotes) -> Option<usize> {
        let mut backslashes = 0;
        for (at, &byte) in self.bytes().iter().enumerate().skip(from) {
            if byte == b'\\' {
                backslashes += 1;
                continue;
            }
            let plain = quotes.backslashes == 0 && backslashes % 2 == 0;
            if byte == quotes.quote && (plain || (backslashes == quotes.backslashes && quotes.backslashes > 0)) {
                return Some(at - quotes.backslashes);
            }
            backslashes = 0;
        }
        None
    }

    /// Blanks from here on, also those that are written as escapes.
    fn blanks(&self, at: usize) -> usize {
        let rest = self.bytes().get(at..).unwrap_or_default();
        let mut length = 0;
        while length < 64 {
            match rest.get(length..) {
                Some([b' ' | b'\t' | b'\n' | b'\r', ..]) => length += 1,
                Some([b'\\', b'n' | b't' | b'r', ..]) => length += 2,
                _ => break,
            }
        }
        length
    }
}

impl Quotes {
    fn len(self) -> usize {
        self.backslashes + 1
    }
}

/// What stands without blanks, quotes and brackets.
fn bare_run(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || "\"'`,;&<>(){}[]|\\".contains(c)).unwrap_or(text.len());
    looked_at(end);
    text[..end].trim_end_matches(['.', ':', '!', '?'])
}

/// The text without the blanks at its end.
fn trim_end(bytes: &[u8]) -> &[u8] {
    let trimmed = bytes.trim_ascii_end();
    looked_at(bytes.len() - trimmed.len());
    trimmed
}

/// Blanks in JSON text, also in a text in it.
fn raw_blanks(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(rest) = bytes.get(length..) {
        let backslashes = rest.iter().take_while(|&&byte| byte == b'\\').count();
        length += match rest.get(backslashes) {
            Some(b' ' | b'\t' | b'\n' | b'\r') if backslashes == 0 => 1,
            Some(b'n' | b't' | b'r') if backslashes > 0 => backslashes + 1,
            _ => break,
        };
    }
    looked_at(length);
    length
}

fn boundary(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}
