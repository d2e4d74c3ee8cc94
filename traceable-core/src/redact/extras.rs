//! What is searched for only when it was asked for: e-mail addresses, card numbers, the user's patterns.

use regex::Regex;

use super::text::{By, Hit};

/// A pattern, what it is called, and a second look at what it finds.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    by: By,
    accept: fn(&str) -> bool,
    /// A text without this byte has no match.
    needs: Option<u8>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Extras {
    patterns: Vec<Pattern>,
}

/// How much of a text that goes on may be the beginning of a match.
const UNSETTLED: usize = 128;

impl Pattern {
    /// What the user asked for.
    pub(super) fn own(pattern: &str) -> Result<Self, regex::Error> {
        Ok(Self { regex: Regex::new(pattern)?, by: By::Mark, accept: |_| true, needs: None })
    }

    pub(super) fn email() -> Result<Self, regex::Error> {
        let regex = Regex::new(r"(?i)\b[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\b")?;
        Ok(Self { regex, by: By::Kind("email"), accept: |_| true, needs: Some(b'@') })
    }

    /// Thirteen to nineteen digits, in groups or not, with a right last one.
    pub(super) fn card() -> Result<Self, regex::Error> {
        let regex = Regex::new(r"(?-u)\b[2-6](?:[ -]?[0-9]){12,18}\b")?;
        Ok(Self { regex, by: By::Kind("card"), accept: luhn, needs: None })
    }

    /// Numbers of the social security of the United States.
    pub(super) fn ssn() -> Result<Self, regex::Error> {
        let regex = Regex::new(r"(?-u)\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b")?;
        let accept = |found: &str| {
            !found.starts_with("000")
                && !found.starts_with("666")
                && !found.contains("-00-")
                && !found.ends_with("0000")
        };
        Ok(Self { regex, by: By::Kind("ssn"), accept, needs: Some(b'-') })
    }
}

impl Extras {
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        Self { patterns }
    }

    /// Whether a text must be looked at, also one with JSON's escapes.
    pub(super) fn suspect(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.needs.is_none_or(|byte| text.as_bytes().contains(&byte)))
    }

    pub(super) fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        for Pattern { regex, by, accept, .. } in &self.patterns {
            let found = regex.find_iter(text).filter(|found| !found.is_empty() && accept(found.as_str()));
            hits.extend(found.map(|found| Hit { start: found.start(), end: found.end(), by: *by }));
        }
    }

    /// Where the text begins of which it is not known yet whether it matches, if it goes on.
    pub(super) fn unsettled(&self, text: &str) -> Option<usize> {
        let from = text.len().saturating_sub(UNSETTLED);
        let start = (0..=from).rev().find(|&at| text.is_char_boundary(at));
        start.filter(|_| !self.patterns.is_empty())
    }
}

/// The check of a card's last digit.
fn luhn(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| match digit * (1 + place as u32 % 2) {
            two @ 10.. => two - 9,
            one => one,
        })
        .sum();
    sum.is_multiple_of(10)
}
