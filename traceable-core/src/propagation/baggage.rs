//! LangSmith's part of a `baggage` header, between the entries of others.

use serde_json::{Map, Value};

use super::{
    MAX_ENTRIES, MAX_NAME, MAX_VALUE, SPACE,
    percent::{quote, unquote},
};

/// How LangSmith's entries begin.
const OURS: &str = "langsmith-";
const METADATA: &str = "langsmith-metadata";
const TAGS: &str = "langsmith-tags";
const PROJECT: &str = "langsmith-project";

/// The metadata and the tags in a header. Everything else is not for a caller to say: the project, the agent's address,
/// and above all the replicas, which would send runs elsewhere.
pub(super) fn read(text: &str) -> (Map<String, Value>, Vec<String>) {
    let (mut metadata, mut tags) = (Map::new(), Vec::new());
    if members(text).count() > MAX_ENTRIES {
        return (metadata, tags);
    }
    for member in members(text) {
        // Behind a semicolon are properties of the entry.
        let Some((name, value)) = member.split(';').next().and_then(|entry| entry.split_once('=')) else { continue };
        let value = || unquote(value.trim_matches(SPACE));
        match name.trim_matches(SPACE) {
            METADATA => metadata = value().and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
            TAGS => tags = value().map(|tags| tags.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            _ => {}
        }
    }
    let metadata = metadata.into_iter().filter(|(name, value)| name.len() <= MAX_NAME && is_short(value));
    tags.retain(|tag| !tag.is_empty() && tag.len() <= MAX_NAME);
    tags.truncate(MAX_ENTRIES);
    (metadata.take(MAX_ENTRIES).collect(), tags)
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= MAX_VALUE,
        Value::Array(_) | Value::Object(_) => value.to_string().len() <= MAX_VALUE,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn members(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|member| member.trim_matches(SPACE)).filter(|member| !member.is_empty())
}

/// The entries of others, to which ours are added.
#[derive(Debug, Default)]
pub(super) struct Others {
    text: String,
    entries: usize,
}

impl Others {
    /// Takes a line that stands in the request. LangSmith's own entries are left out: they belong to the
    /// `langsmith-trace` that is replaced, and what a stranger sent along with it must not travel on.
    pub(super) fn add(&mut self, line: &[u8]) {
        let Ok(line) = str::from_utf8(line) else { return };
        for member in members(line) {
            if !member.starts_with(OURS) && member.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
                push(&mut self.text, ",", member);
                self.entries += 1;
            }
        }
    }

    /// The whole header: first what there is room for of ours (so many bytes in all), then the others'.
    ///
    /// Ours come first since the Python SDK stops reading at an entry that it does not understand.
    pub(super) fn with_ours(
        self,
        bytes: usize,
        metadata: &Map<String, Value>,
        tags: &[String],
        project: Option<&str>,
    ) -> String {
        let mut room = bytes.saturating_sub(self.text.len());
        if self.entries + 3 > MAX_ENTRIES {
            room = 0;
        }
        let metadata = metadata.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
        // The project stands last, where LangSmith's SDKs have it, but has its room first.
        let project = entry(&mut room, PROJECT, ["", ""], project.map(str::to_owned).into_iter());
        let metadata = entry(&mut room, METADATA, ["%7B", "%7D"], metadata);
        let tags = entry(&mut room, TAGS, ["", ""], tags.iter().cloned());
        let mut text = String::new();
        for part in [metadata, tags, project, self.text] {
            if !part.is_empty() {
                push(&mut text, ",", &part);
            }
        }
        text
    }
}

/// An entry with those of the pieces that there is room for; empty when there are none.
fn entry(room: &mut usize, name: &str, [open, close]: [&str; 2], pieces: impl Iterator<Item = String>) -> String {
    // What stands around the list: also the `=`, and the comma to the next entry.
    let frame = name.len() + open.len() + close.len() + 2;
    let mut list = String::new();
    for piece in pieces.map(|piece| quote(&piece)).filter(|piece| !piece.is_empty()) {
        if frame + list.len() + "%2C".len() + piece.len() <= *room {
            push(&mut list, "%2C", &piece);
        }
    }
    if list.is_empty() {
        return list;
    }
    *room -= frame + list.len();
    format!("{name}={open}{list}{close}")
}

fn push(list: &mut String, between: &str, part: &str) {
    if !list.is_empty() {
        list.push_str(between);
    }
    list.push_str(part);
}
