//! Where in a run's inputs and outputs the messages stand.

use serde_json::Value;

use super::{Message, Role, content, first, list, object, stream, string, turn};

/// The messages that a model was called with.
///
/// Known are lists of messages under `messages`, as OpenAI, Anthropic (with `system`) and OpenTelemetry's GenAI
/// conventions write them, `input` with `instructions` (OpenAI Responses), `contents` with `systemInstruction`
/// (Gemini), `prompt`, and a bare list of messages; also one level down, as in `{"request": {"messages": …}}`.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::{Role, input_messages};
///
/// let messages = input_messages(&json!({ "request": { "system": "Be brief.", "messages": [["user", "Hi"]] } }));
/// assert_eq!(messages[0].role, Role::System);
/// assert_eq!(messages[1].text(), "Hi");
/// assert!(input_messages(&json!({ "city": "Paris" })).is_empty());
/// ```
#[must_use]
pub fn input_messages(inputs: &Value) -> Vec<Message> {
    let found = conversation(inputs);
    if !found.is_empty() {
        return found;
    }
    let inner = inputs.as_object().into_iter().flat_map(|map| map.values()).map(conversation);
    // The longest, so that a prompt in the settings does not hide the conversation; the first of equal ones.
    inner.reduce(|best, next| if next.len() > best.len() { next } else { best }).unwrap_or_default()
}

fn conversation(value: &Value) -> Vec<Message> {
    match value {
        Value::Array(items) if turn::are_turns(items) || is_batch(items) => turn::turns(items),
        Value::Object(_) => {
            let said = ["messages", "contents", "input", "prompt"].into_iter();
            let said = said.filter_map(|key| value.get(key).map(said_under)).find(|m| !m.is_empty());
            // Instructions alone are no conversation: `system` is a word of many meanings.
            let Some(said) = said.or_else(|| Some(vec![turn::message(value)?])) else { return Vec::new() };
            system(value).into_iter().chain(said).collect()
        }
        _ => Vec::new(),
    }
}

/// `LangChain`'s list of one conversation.
fn is_batch(items: &[Value]) -> bool {
    matches!(items, [Value::Array(only)] if turn::are_turns(only))
}

/// What was said to the model: a text of the user's, or a list of messages.
fn said_under(value: &Value) -> Vec<Message> {
    match value {
        Value::String(text) => vec![Message::with_text(Role::User, text)],
        Value::Array(items) => turn::turns(items).into_iter().chain(gemini_parts(items)).collect(),
        Value::Object(_) => turn::message(value).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Contents of one turn without a role, which Gemini takes as the user's.
fn gemini_parts(items: &[Value]) -> Option<Message> {
    let [only] = items else { return None };
    let parts = only.get("role").is_none().then(|| only.get("parts")).flatten()?;
    Some(Message::new(Role::User, content::parts(parts)))
}

/// Instructions beside the conversation: Anthropic, OpenAI Responses, Gemini, GenAI.
fn system(value: &Value) -> Option<Message> {
    let keys = ["system", "instructions", "systemInstruction", "system_instruction", "system_instructions"];
    let found = first(value, &keys)?;
    let parts = content::parts(found.get("parts").unwrap_or(found));
    (!parts.is_empty()).then(|| Message::new(Role::System, parts))
}

/// The messages that a model answered.
///
/// Known are the shapes that LangSmith documents (`choices` of messages or texts, `message`, a pair of role and
/// content, a message), and the replies of OpenAI, Anthropic, Gemini, Ollama, Bedrock and Cohere, GenAI messages, a
/// plain text, and the chunks of a stream, which are joined; each also under `output`.
///
/// ```
/// use serde_json::json;
/// use traceable_core::messages::output_messages;
///
/// let pair = json!({ "output": ["assistant", "Sure, what time?"] });
/// assert_eq!(output_messages(&pair)[0].text(), "Sure, what time?");
///
/// let chunks = json!([
///     { "choices": [{ "index": 0, "delta": { "role": "assistant", "content": "Sure, " } }] },
///     { "choices": [{ "index": 0, "delta": { "content": "what time?" } }] },
/// ]);
/// assert_eq!(output_messages(&chunks), output_messages(&pair));
/// ```
#[must_use]
pub fn output_messages(outputs: &Value) -> Vec<Message> {
    // Two wrappers: a traced function's `output`, and `output` or `response` of the reply inside.
    answer(outputs, 2)
}

/// Reads an answer, through at most `wrappers` objects that have it under `output` or `response`.
fn answer(value: &Value, wrappers: u8) -> Vec<Message> {
    match value {
        Value::String(text) => vec![Message::with_text(Role::Assistant, text)],
        Value::Array(items) => answer_list(items),
        Value::Object(_) => {
            let mut messages = answer_object(value, wrappers);
            // Ollama, Cohere and Bedrock say it beside the message.
            if let [only] = messages.as_mut_slice()
                && only.finish_reason.is_none()
            {
                only.finish_reason = turn::finish_reason(value);
            }
            messages
        }
        _ => Vec::new(),
    }
}

fn answer_list(items: &[Value]) -> Vec<Message> {
    if let Some(message) = turn::pair(items) {
        return vec![message];
    }
    let joined = stream::join(items);
    if joined.is_empty() { turn::turns(items) } else { joined }
}

fn answer_object(value: &Value, wrappers: u8) -> Vec<Message> {
    let shapes: [fn(&Value) -> Vec<Message>; 6] = [choices, message, candidates, generations, messages, generated];
    let found = shapes.iter().map(|shape| shape(value)).find(|messages| !messages.is_empty());
    found.or_else(|| wrapped(value, wrappers)).unwrap_or_default()
}

fn wrapped(value: &Value, wrappers: u8) -> Option<Vec<Message>> {
    let left = wrappers.checked_sub(1)?;
    let inner = |key: &str| value.get(key).map(|inner| answer(inner, left)).filter(|m| !m.is_empty());
    inner("output").or_else(|| inner("response"))
}

/// OpenAI: `choices` of messages (chat), of texts (completions), or of deltas (one chunk alone).
fn choices(value: &Value) -> Vec<Message> {
    let choice = |choice: &Value| {
        let text = || string(choice, &["text"]).map(|text| Message::with_text(Role::Assistant, text));
        let mut message = choice.get("message").and_then(assistant).or_else(text)?;
        message.finish_reason = message.finish_reason.or_else(|| turn::finish_reason(choice));
        Some(message)
    };
    let choices = list(value, "choices");
    let whole: Vec<_> = choices.iter().filter_map(choice).collect();
    if whole.is_empty() && !choices.is_empty() { stream::join(std::slice::from_ref(value)) } else { whole }
}

/// A message, which needs no role where only the model can speak.
fn assistant(value: &Value) -> Option<Message> {
    turn::message(value).or_else(|| {
        let parts = turn::parts(value);
        (!parts.is_empty()).then(|| Message::new(Role::Assistant, parts))
    })
}

/// A message, one under `message` (Ollama, Cohere, Bedrock's `output`), or a reply that is one but for its role (the
/// genai crate): content beside usage.
fn message(value: &Value) -> Vec<Message> {
    let found = turn::message(value).or_else(|| object(value, &["message"]).and_then(assistant));
    let reply = || object(value, &["usage"]).and_then(|_| assistant(value));
    found.or_else(reply).into_iter().collect()
}

/// Gemini: `candidates`, each with a `content`.
fn candidates(value: &Value) -> Vec<Message> {
    let candidate = |candidate: &Value| {
        let parts = content::parts(candidate.get("content")?.get("parts")?);
        Some(Message { finish_reason: turn::finish_reason(candidate), ..Message::new(Role::Assistant, parts) })
    };
    list(value, "candidates").iter().filter_map(candidate).collect()
}

/// `LangChain`'s callbacks: `generations`, a list of lists.
fn generations(value: &Value) -> Vec<Message> {
    let generation = |one: &Value| {
        let text = || string(one, &["text"]).map(|text| Message::with_text(Role::Assistant, text));
        one.get("message").and_then(turn::message).or_else(text)
    };
    let lists = list(value, "generations").iter().filter_map(Value::as_array);
    lists.flatten().filter_map(generation).collect()
}

/// Agents that answer with the whole conversation.
fn messages(value: &Value) -> Vec<Message> {
    turn::turns(list(value, "messages"))
}

/// Ollama's `/api/generate`: a text under `response`.
fn generated(value: &Value) -> Vec<Message> {
    let Some(text) = string(value, &["response"]) else { return Vec::new() };
    let mut message = Message::with_text(Role::Assistant, text);
    message.parts.splice(0..0, turn::thoughts(value));
    vec![message]
}
