//! Finds where a secret may begin: all known beginnings in one pass over a text.

use aho_corasick::{AhoCorasick, Anchored, Input, packed};

use super::{
    formats::{FORMATS, Format},
    work::looked_at,
};

/// What the words have in them that name a secret, as it is written in names of any style. The rules of names decide.
const WORDS: &[&str] = &[
    "key",
    "Key",
    "KEY",
    "uth",
    "UTH",
    "pwd",
    "Pwd",
    "PWD",
    "oken",
    "OKEN",
    "ecret",
    "ECRET",
    "assw",
    "assW",
    "ass\"",
    "ASSW",
    "redential",
    "REDENTIAL",
    "ookie",
    "OOKIE",
    "nection",
    "NECTION",
    "hrase",
    "PHRASE",
    "ignature",
    "asscode",
];

/// Beginnings that several formats share and none is by itself.
const SHARED: &[&str] = &["xox", "rk_"];

/// What a place in the text may be the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The formats that begin with this.
    Format(&'static str),
    /// A word of a name.
    Word,
    /// `://`
    Scheme,
    /// An escape that may hide a letter, or a slash.
    Escape,
    /// `$bytes`, under which bytes stand in base64.
    Bytes,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Finder {
    groups: Vec<(Search, Vec<Trigger>)>,
}

#[derive(Debug)]
enum Search {
    /// Vector instructions, many bytes at a time.
    Packed(packed::Searcher),
    /// Everywhere, and for names in any case.
    Automaton(AhoCorasick),
}

/// How many literals the vector search finds as fast as one.
const GROUP: usize = 32;

impl Finder {
    /// `own`: words of names that the user gave.
    pub(super) fn new(own: &[String]) -> Self {
        let mut triggers = triggers();
        // It is the faster the more bytes all of its literals have, up to four.
        triggers.sort_by_key(|(literal, _)| literal.len().min(4));
        let (short, long) = triggers.split_at(triggers.partition_point(|(literal, _)| literal.len() < 4));
        let mut groups: Vec<_> = short.chunks(GROUP).chain(long.chunks(GROUP)).filter_map(group).collect();
        if let Ok(search) = AhoCorasick::builder().ascii_case_insensitive(true).build(own)
            && !own.is_empty()
        {
            groups.push((Search::Automaton(search), vec![Trigger::Word; own.len()]));
        }
        Self { groups }
    }

    /// Calls `look` at every place. It answers where to go on behind it, or `None` to stop.
    pub(super) fn each(&self, text: &str, mut look: impl FnMut(usize, Trigger) -> Option<usize>) {
        for (search, triggers) in &self.groups {
            let mut at = 0;
            loop {
                let found = search.next(text, at);
                looked_at(found.map_or(text.len(), |(start, _)| start) - at);
                let Some((start, which)) = found else { break };
                match look(start, triggers[which]) {
                    Some(end) => at = end.max(start + 1),
                    None => return,
                }
                if at >= text.len() {
                    break;
                }
            }
        }
    }
}

/// Everything that is searched for. No literal begins with another one.
fn triggers() -> Vec<(&'static str, Trigger)> {
    let mut triggers = vec![("://", Trigger::Scheme), (":\\/", Trigger::Escape), ("\\u00", Trigger::Escape)];
    triggers.push(("$by", Trigger::Bytes));
    triggers.extend(WORDS.iter().map(|word| (*word, Trigger::Word)));
    triggers.extend(SHARED.iter().map(|literal| (*literal, Trigger::Format(literal))));
    for Format { literal, .. } in FORMATS {
        // `sk-` finds `sk-ant-`, too.
        let shorter = |other: &str| other.len() < literal.len() && literal.starts_with(other);
        let known = triggers.iter().any(|(other, _)| literal == other);
        if !known && !SHARED.iter().any(|other| shorter(other)) && !FORMATS.iter().any(|other| shorter(other.literal)) {
            triggers.push((literal, Trigger::Format(literal)));
        }
    }
    triggers
}

fn group(triggers: &[(&str, Trigger)]) -> Option<(Search, Vec<Trigger>)> {
    let literals = || triggers.iter().map(|(literal, _)| *literal);
    let packed = packed::Config::new().builder().extend(literals()).build().map(Search::Packed);
    let search = packed.or_else(|| AhoCorasick::new(literals()).ok().map(Search::Automaton))?;
    Some((search, triggers.iter().map(|(_, trigger)| *trigger).collect()))
}

impl Search {
    fn next(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let found = match self {
            Self::Packed(search) => search.find_in(text, (from..text.len()).into()),
            Self::Automaton(search) => search.find(Input::new(text).span(from..text.len()).anchored(Anchored::No)),
        }?;
        Some((found.start(), found.pattern().as_usize()))
    }
}
