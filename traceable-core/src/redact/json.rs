//! Secrets in JSON text: by the names of members, and in every text. All else is copied as it is: the text of numbers, the
//! order of members, members of the same name.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Redactor,
    keys::{self, Sense},
    text::MARK,
    tokens::{Broken, Token, Tokens, unescape},
};
use crate::tape::json::{escape, into_text};

/// What takes the place of a document that is no JSON, which only a fault could make.
const BROKEN: &str = r#"{"$withheld":"not readable, so it could not be searched for secrets"}"#;

/// A text that becomes another one.
#[derive(Debug)]
pub(super) struct Edit {
    /// What is between its quotes.
    pub(super) place: Range<usize>,
    /// What will be, escaped; `None` for what is.
    pub(super) new: Option<String>,
    soft: Soft,
}

/// Whether what follows may take an edit back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soft {
    No,
    /// Should the object have probabilities, this was no secret but a piece of text. It is the one at this depth.
    Piece(usize),
    /// Should the object be a schema, these were no values.
    Below,
}

impl Edit {
    pub(super) fn new(place: Range<usize>, text: &str) -> Self {
        Self { place, new: Some(escaped(text)), soft: Soft::No }
    }
}

/// An open list or object.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "facts that do not exclude each other")]
struct Level {
    list: bool,
    /// All texts below are secret.
    below: bool,
    /// What the name of the list, or of the member that comes next, says.
    sense: Sense,
    name: Range<usize>,
    items: u32,
    /// The first text of the list, or the text of a member such as `name`, names a secret.
    names: Option<Range<usize>>,
    /// The second text of the list, or the text of the member `value`.
    value: Option<Range<usize>>,
    has_probability: bool,
    is_schema: bool,
    first_edit: usize,
}

impl Redactor {
    /// JSON text without its secrets. `None` when there are none.
    pub(crate) fn json(&self, text: &str) -> Option<String> {
        if self.suspects(text) { self.json_slowly(text, false) } else { None }
    }

    /// As `json`, for a text that is suspected. With `live`, its texts may go on.
    pub(super) fn json_slowly(&self, text: &str, live: bool) -> Option<String> {
        self.document(text, live).unwrap_or_else(|Broken| Some(BROKEN.to_owned()))
    }

    /// As `json`, for what may be no JSON.
    pub(super) fn document(&self, text: &str, live: bool) -> Result<Option<String>, Broken> {
        let mut walk = Walk { redactor: self, text, live, levels: Vec::new(), edits: Vec::new() };
        walk.run()?;
        Ok(apply(text, walk.edits))
    }
}

/// The text with the edits made. Of several edits of one place the last one counts.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.retain(|edit| edit.new.is_some());
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|edit| edit.place.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut edits = edits.into_iter().peekable();
    while let Some(edit) = edits.next() {
        if edits.peek().is_some_and(|next| next.place.start == edit.place.start) {
            continue;
        }
        out.push_str(&text[from..edit.place.start]);
        out.push_str(edit.new.as_deref().unwrap_or_default());
        from = edit.place.end;
    }
    out.push_str(&text[from..]);
    Some(out)
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    escape(text.as_bytes(), &mut out);
    into_text(out)
}

/// One way through a document.
struct Walk<'a> {
    redactor: &'a Redactor,
    text: &'a str,
    live: bool,
    levels: Vec<Level>,
    edits: Vec<Edit>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Broken> {
        let mut tokens = Tokens::new(self.text);
        while let Some(token) = tokens.next()? {
            match token {
                Token::Open { list } => self.open(list),
                Token::Close => self.close(),
                Token::Name(place) => self.name(place),
                Token::Text(place) => self.value(place),
                Token::Plain => self.count(),
            }
        }
        Ok(())
    }

    fn count(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.items += 1;
        }
    }

    fn open(&mut self, list: bool) {
        self.count();
        let (below, sense, name) = match self.levels.last() {
            Some(above) => (above.below || above.sense == Sense::Tree, above.sense, above.name.clone()),
            None => (false, Sense::Plain, 0..0),
        };
        // The texts of a list are what its name says; those of an object have names of their own.
        let sense = match sense {
            Sense::Secret | Sense::Perhaps if list => sense,
            _ => Sense::Plain,
        };
        let first_edit = self.edits.len();
        self.levels.push(Level {
            list,
            below,
            sense: if below { Sense::Tree } else { sense },
            name,
            items: 0,
            names: None,
            value: None,
            has_probability: false,
            is_schema: false,
            first_edit,
        });
    }

    fn name(&mut self, place: Range<usize>) {
        let name = unescape(&self.text[place.clone()]);
        let Some(level) = self.levels.last_mut() else { return };
        let sense = keys::sense(&name, &self.redactor.own_keys);
        level.sense = if level.below { Sense::Tree } else { sense };
        level.name = place.clone();
        level.has_probability |= matches!(&*name, "logprob" | "logprobs" | "top_logprobs" | "prob" | "text_offset");
        level.is_schema |= matches!(&*name, "$ref" | "properties" | "anyOf" | "oneOf");
        if let Some(new) = self.redactor.text(&name) {
            self.edits.push(Edit::new(place, &new));
        }
    }

    fn value(&mut self, place: Range<usize>) {
        let value = unescape(&self.text[place.clone()]);
        let (mut sense, mut name) = (Sense::Plain, "".into());
        if let Some(level) = self.levels.last_mut() {
            level.items += 1;
            sense = level.sense;
            name = unescape(&self.text[level.name.clone()]);
            if level.list {
                match level.items {
                    1 => level.names = Some(place.clone()),
                    2 => level.value = Some(place.clone()),
                    _ => {}
                }
            } else {
                match &*name {
                    "name" | "key" | "header" | "field" | "Name" | "Key" | "k" => level.names = Some(place.clone()),
                    "value" | "val" | "v" | "Value" | "content" => level.value = Some(place.clone()),
                    "type" => level.is_schema |= is_type(&value),
                    _ => {}
                }
            }
        }
        if name == "$bytes" && !self.levels.last().is_some_and(|level| level.list) {
            let decoded = STANDARD.decode(value.as_bytes()).unwrap_or_default();
            if self.redactor.text(&String::from_utf8_lossy(&decoded)).is_some() {
                self.edits.push(Edit::new(place, MARK));
            }
        } else if keys::is_secret(sense, &name, &value) {
            let soft = match sense {
                Sense::Perhaps => Soft::Piece(self.levels.iter().rposition(|level| !level.list).map_or(0, |at| at + 1)),
                Sense::Tree => Soft::Below,
                _ => Soft::No,
            };
            self.edits.push(Edit { place, new: Some(MARK.to_owned()), soft });
        } else if let Some(new) = self.leaf(&value) {
            self.edits.push(Edit::new(place, &new));
        }
    }

    /// What becomes of a text that no name makes secret.
    fn leaf(&self, value: &str) -> Option<String> {
        if self.live { self.redactor.text_slowly(value, true) } else { self.redactor.text(value) }
    }

    fn close(&mut self) {
        let depth = self.levels.len();
        let Some(level) = self.levels.pop() else { return };
        for at in level.first_edit..self.edits.len() {
            let soft = self.edits[at].soft;
            let taken_back = match soft {
                Soft::No => false,
                Soft::Piece(of) => level.has_probability && of == depth,
                Soft::Below => level.is_schema,
            };
            if taken_back {
                let value = unescape(&self.text[self.edits[at].place.clone()]);
                let new = self.leaf(&value).map(|new| escaped(&new));
                self.edits[at] = Edit { new, soft: Soft::No, ..Edit::new(self.edits[at].place.clone(), "") };
            }
        }
        self.close_pair(&level);
    }

    /// `{"name": "authorization", "value": …}`, and `["authorization", …]` where it stands in a list, or names a header.
    fn close_pair(&mut self, level: &Level) {
        let (Some(names), Some(place)) = (&level.names, &level.value) else { return };
        let name = unescape(&self.text[names.clone()]);
        let sense = keys::sense(&name, &self.redactor.own_keys);
        let in_list = self.levels.last().is_some_and(|above| above.list);
        let is_pair = !level.list || (level.items == 2 && (in_list || keys::is_header(&name)));
        let value = unescape(&self.text[place.clone()]);
        if is_pair && keys::is_secret(sense, &name, &value) {
            self.edits.push(Edit::new(place.clone(), MARK));
        }
    }
}

/// The types of JSON schemas.
fn is_type(value: &str) -> bool {
    matches!(value, "string" | "object" | "array" | "number" | "integer" | "boolean" | "null")
}
