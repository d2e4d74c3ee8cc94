//! A run as a span in plain data, for whoever sends spans by other means.
//!
//! It is read back from the bytes of the span, so that it says what a request says.

use traceable_core::model::{Run, Score};

use super::{
    conventions::Conventions,
    proto::{Bounds, Fields, Wire},
    span::{Ended, Scratch},
    view::{Bodies, View},
};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A list of texts.
    Texts(Vec<String>),
}

/// Attributes by their names, no name twice.
pub type Attributes = Vec<(String, AttributeValue)>;

/// Something that happened while a span was open.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct SpanEvent {
    /// What happened, such as `exception`.
    pub name: String,
    /// When, in nanoseconds since the epoch.
    pub time: i64,
    /// What is known of it.
    pub attributes: Attributes,
}

/// How a span ended, as far as OpenTelemetry has words for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanStatus {
    /// Nobody said.
    #[default]
    Unset,
    /// Well.
    Ok,
    /// With this error.
    Error(String),
}

/// What OpenTelemetry knows of a run.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The trace.
    pub trace_id: u128,
    /// The span.
    pub span_id: u64,
    /// The span above, of the run's parent or of a foreign one.
    pub parent_span_id: Option<u64>,
    /// What it is called.
    pub name: String,
    /// Whether it is a call of another service, such as that of a model.
    pub is_client: bool,
    /// When it began, in nanoseconds since the epoch.
    pub start_time: i64,
    /// When it ended; when it began, while it is open.
    pub end_time: i64,
    /// What is known of it, in the words of the conventions.
    pub attributes: Attributes,
    /// What happened meanwhile: the run's events, its error, and scores.
    pub events: Vec<SpanEvent>,
    /// How it ended.
    pub status: SpanStatus,
}

impl Span {
    /// The span of a run, with the scores that are known of it, in the words of these conventions: the same that
    /// [`Encoder`](super::Encoder) sends of it.
    ///
    /// ```
    /// use traceable_core::model::{Run, RunId};
    /// use traceable_wire::otlp::{AttributeValue, Conventions, Span};
    ///
    /// let run = Run { id: RunId::from_u128(1), name: "answer".into(), run_type: "llm".into(), ..Run::default() };
    /// let span = Span::of(&run, &[], Conventions::default());
    /// assert_eq!((&*span.name, span.is_client), ("answer", true));
    /// let operation = ("gen_ai.operation.name".to_owned(), AttributeValue::Text("chat".into()));
    /// assert!(span.attributes.contains(&operation));
    /// ```
    #[must_use]
    pub fn of(run: &Run, scores: &[&Score], conventions: Conventions) -> Self {
        let bodies = Bodies::of(run);
        let ended = Ended { view: View::new(run, &bodies), scores, conventions, service: None };
        let mut message = Vec::new();
        ended.write(Bounds::NONE, &mut Scratch::default(), &mut message);
        let mut span = Self::default();
        for (field, value) in fields(&message) {
            match field {
                1 => span.trace_id = value.bytes().try_into().map(u128::from_be_bytes).unwrap_or_default(),
                2 => span.span_id = value.bytes().try_into().map(u64::from_be_bytes).unwrap_or_default(),
                4 => span.parent_span_id = value.bytes().try_into().map(u64::from_be_bytes).ok(),
                5 => span.name = text(value),
                6 => span.is_client = value.number() == super::span::CLIENT,
                7 => span.start_time = value.number() as i64,
                8 => span.end_time = value.number() as i64,
                9 => span.attributes.push(pair(value)),
                11 => span.events.push(event(value)),
                15 => span.status = status(value),
                _ => {}
            }
        }
        span
    }
}

/// The fields of a message that was written here, and so is whole.
fn fields(message: &[u8]) -> impl Iterator<Item = (u64, Wire<'_>)> {
    Fields::of(message).filter_map(Result::ok)
}

fn text(value: Wire<'_>) -> String {
    String::from_utf8_lossy(value.bytes()).into_owned()
}

fn event(message: Wire<'_>) -> SpanEvent {
    let mut event = SpanEvent::default();
    for (field, value) in fields(message.bytes()) {
        match field {
            1 => event.time = value.number() as i64,
            2 => event.name = text(value),
            3 => event.attributes.push(pair(value)),
            _ => {}
        }
    }
    event
}

fn status(message: Wire<'_>) -> SpanStatus {
    let (mut said, mut code) = (String::new(), 0);
    for (field, value) in fields(message.bytes()) {
        match field {
            2 => said = text(value),
            3 => code = value.number(),
            _ => {}
        }
    }
    match code {
        1 => SpanStatus::Ok,
        2 => SpanStatus::Error(said),
        _ => SpanStatus::Unset,
    }
}

fn pair(message: Wire<'_>) -> (String, AttributeValue) {
    let (mut name, mut any) = (String::new(), AttributeValue::Texts(Vec::new()));
    for (field, value) in fields(message.bytes()) {
        match field {
            1 => name = text(value),
            2 => any = self::value(value),
            _ => {}
        }
    }
    (name, any)
}

fn value(any: Wire<'_>) -> AttributeValue {
    match fields(any.bytes()).next() {
        Some((1, value)) => AttributeValue::Text(text(value)),
        Some((2, value)) => AttributeValue::Bool(value.number() != 0),
        Some((3, value)) => AttributeValue::Int(value.number() as i64),
        Some((4, value)) => AttributeValue::Double(f64::from_bits(value.number())),
        Some((_, list)) => {
            let items = fields(list.bytes()).filter_map(|(_, item)| fields(item.bytes()).next());
            AttributeValue::Texts(items.map(|(_, value)| text(value)).collect())
        }
        None => AttributeValue::Texts(Vec::new()),
    }
}
