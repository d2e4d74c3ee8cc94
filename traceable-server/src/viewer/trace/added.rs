//! What a call of a model was told that the call before it was not. An agent sends its whole history each time; what is
//! new is what people want to read.

use std::ops::Range;

use maud::{Markup, html};
use traceable_core::{
    messages::{Message, Role, input_messages},
    model::RunId,
};
use traceable_store::StoredRun;

use crate::{print::counted, viewer::place::address};

/// Longer inputs are not compared.
const MAX_BYTES: usize = 2 << 20;

/// A prompt in two parts.
pub(super) struct Added {
    /// The call before.
    pub(super) since: RunId,
    /// How many messages are as they were there.
    pub(super) before: usize,
    /// Which of them is the last that the user said, if nothing new is: it is never hidden.
    pub(super) asked: Option<usize>,
    /// How many there are in all.
    pub(super) all: usize,
}

pub(super) fn messages(stored: &StoredRun) -> Vec<Message> {
    let inputs = stored.run.inputs.as_ref().filter(|inputs| inputs.as_str().len() <= MAX_BYTES);
    inputs.map(|inputs| input_messages(&inputs.to_value())).unwrap_or_default()
}

/// How many messages two conversations begin with in common.
pub(super) fn common(one: &[Message], two: &[Message]) -> usize {
    one.iter().zip(two).take_while(|(one, two)| one.role == two.role && one.parts == two.parts).count()
}

impl Added {
    /// Compares with the one of these that it goes on from: the one with the longest common begin, the nearest of equals.
    /// `None` where none has more in common than its instructions.
    pub(super) fn of(stored: &StoredRun, others: &[StoredRun]) -> Option<Self> {
        let now = messages(stored);
        let found = others.iter().map(|other| (common(&messages(other), &now), other.run.id));
        let (before, since) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        let asked = now.iter().rposition(|message| message.role == Role::User).filter(|asked| *asked < before);
        (before >= 2).then_some(Self { since, before, asked, all: now.len() })
    }
}

/// A link to messages that are as they were.
pub(super) fn old(run: RunId, range: &Range<usize>) -> Markup {
    let (from, to) = (range.start.to_string(), range.end.to_string());
    let url = address(&format!("/body/{run}/input"), [("messages", from.as_str()), ("to", to.as_str())]);
    html! { a.more href=(url) data-part="more" { "… " (counted(range.len() as u64, "message")) } }
}
