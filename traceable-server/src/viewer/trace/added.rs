//! What a call of a model was told that the call before it was not. An agent sends its whole history each time; what is
//! new is what people want to read.

use maud::{Markup, html};
use traceable_core::{
    messages::{Message, Role, input_messages},
    model::RunId,
};
use traceable_store::StoredRun;

use super::super::content::{self, Body};
use crate::print::counted;

/// Longer inputs are not compared.
const MAX_BYTES: usize = 2 << 20;

/// New messages that are shown at once: the first and the last.
const FIRST: usize = 4;
const LAST: usize = 26;

/// A prompt in two parts.
pub(super) struct Added {
    /// The call before.
    pub(super) since: RunId,
    /// How many messages are as they were there.
    pub(super) before: usize,
    pub(super) messages: Vec<Message>,
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
        let messages_now = messages(stored);
        let found = others.iter().map(|other| (common(&messages(other), &messages_now), other.run.id));
        let (before, since) = found.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        (before >= 2).then_some(Self { since, before, messages: messages_now })
    }
}

/// Messages from one on: of many the first and the last. Answers of tools are left out where their runs stand beside.
pub(super) fn from(messages: &[Message], from: usize, has_tools: bool, body: &Body) -> Markup {
    let left_out = if messages.len() > from + FIRST + LAST { from + FIRST..messages.len() - LAST } else { 0..0 };
    html! {
        div.conversation {
            @for (n, message) in messages.iter().enumerate().skip(from) {
                @if !left_out.is_empty() && n == left_out.start { (some(left_out.start, left_out.end, "more", body)) }
                @if !left_out.contains(&n) && !(has_tools && message.role == Role::Tool) { (content::message(message, n, body)) }
            }
        }
    }
}

/// A link to messages that are not shown.
pub(super) fn some(from: usize, to: usize, word: &str, body: &Body) -> Markup {
    let place = [("messages", from.to_string()), ("to", to.to_string())];
    let place = place.each_ref().map(|(name, value)| (*name, value.as_str()));
    body.more(&place, &format!("{} {word}", counted((to - from) as u64, "message")))
}
