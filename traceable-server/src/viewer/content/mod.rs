//! What was said: the inputs and outputs of runs as conversations, texts and JSON, and their errors.
//!
//! A page has to stay light whatever a run holds. So each body is shown within an allowance of elements and bytes; what
//! is beyond it stands behind a link, which `body` answers.

mod actions;
mod body;
mod copy;
mod error;
mod file;
mod json;
mod markdown;
mod media;
mod message;
mod side;

use std::{cell::Cell, collections::HashMap, rc::Rc};

use maud::{Markup, html};
use serde::Deserialize;
use traceable_core::model::RunId;
use traceable_store::BlobHash;

pub(super) use self::{
    actions::{actions, actions_of_thread, export_menu, routes},
    error::error,
    json::tree,
    media::files,
    message::message,
    side::{Side, exchange, messages, shown, side_as},
};
pub(crate) use self::{
    file::{head as file_head, run as file_run, trace as file_trace},
    media::kind_of,
};
use super::place::address;

/// How texts are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum As {
    /// What models write as Markdown, all else as text.
    #[default]
    Markdown,
    /// As it came, line by line.
    Text,
    /// The JSON of the body.
    Json,
}

impl As {
    const ALL: [(Self, &'static str); 3] = [(Self::Markdown, "Markdown"), (Self::Text, "text"), (Self::Json, "JSON")];

    /// As it stands in addresses; empty for what needs no word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// The choice between the ways to show texts; `link` gives the address of this page with `as` set to the value.
pub(super) fn switch(how: As, link: impl Fn(&str) -> String) -> Markup {
    html! {
        nav.forms aria-label="Show texts as" {
            @for (form, name) in As::ALL {
                a href=(link(form.as_str())) aria-current=[(form == how).then_some("true")] { (name) }
            }
        }
    }
}

/// Elements of one body; a page has two of them, and its own.
const ELEMENTS: usize = 500;
/// Bytes of text of one body.
const BYTES: usize = 200_000;

/// The body that is being shown: what its pieces need to know.
pub(super) struct Body {
    /// Whose it is; `None` when what is left out cannot be asked for.
    of: Option<(RunId, Side)>,
    how: As,
    /// Whether Markdown was asked for by name, for texts of people too.
    is_forced: bool,
    /// Whether it goes into a file, which can load nothing.
    is_file: bool,
    /// The pictures of a file.
    pictures: Rc<HashMap<BlobHash, String>>,
    /// The message whose JSON is shown: places are places in it.
    message: Option<usize>,
    elements: Cell<usize>,
    bytes: Cell<usize>,
}

impl Body {
    /// A body of a run on a page.
    pub(super) fn of(run: RunId, side: Side, how: As) -> Self {
        Self { of: Some((run, side)), ..Self::loose(how) }
    }

    /// A text or a value that is not one of a run's bodies.
    pub(super) fn loose(how: As) -> Self {
        Self {
            of: None,
            how,
            is_forced: false,
            is_file: false,
            pictures: Rc::default(),
            message: None,
            elements: Cell::new(ELEMENTS),
            bytes: Cell::new(BYTES),
        }
    }

    /// The same with fewer elements.
    pub(super) fn at_most(self, elements: usize) -> Self {
        self.elements.set(self.elements.get().min(elements));
        self
    }

    /// Shows a part of the JSON of a message, within what is left of the allowance.
    fn within(&self, message: usize, show: impl FnOnce(&Self) -> Markup) -> Markup {
        let inner = Self {
            of: self.of,
            message: Some(message),
            is_file: self.is_file,
            pictures: Rc::clone(&self.pictures),
            elements: self.elements.clone(),
            bytes: self.bytes.clone(),
            ..Self::loose(As::Json)
        };
        let shown = show(&inner);
        self.elements.set(inner.elements.get());
        self.bytes.set(inner.bytes.get());
        shown
    }

    /// Takes from the allowance of elements.
    fn element(&self) -> bool {
        self.elements.get().checked_sub(1).map(|left| self.elements.set(left)).is_some()
    }

    /// How many of these bytes may be shown.
    fn bytes(&self, wanted: usize) -> usize {
        let taken = wanted.min(self.bytes.get());
        self.bytes.set(self.bytes.get() - taken);
        taken
    }

    /// A picture, where it stands in the page itself.
    fn picture(&self, hash: BlobHash) -> Option<&str> {
        self.pictures.get(&hash).map(String::as_str)
    }

    /// A link to what is left out.
    fn more(&self, parameters: &[(&str, &str)], what: &str) -> Markup {
        match &self.of {
            Some((run, side)) if !self.is_file => {
                let message = self.message.map(|n| n.to_string());
                let parameters = message.iter().map(|n| ("message", n.as_str())).chain(parameters.iter().copied());
                let url = address(&format!("/body/{run}/{}", side.as_str()), parameters);
                html! { a.more href=(url) data-part="more" { "… " (what) } }
            }
            _ => html! { span.more { "… " (what) } },
        }
    }
}
