//! Questions: what runs are wanted. One tree, and two languages that are read into it.

mod complaint;
mod field;
mod langsmith;
mod print;
mod sql;
mod text;
mod units;

use traceable_core::model::RunId;

pub(crate) use self::sql::{Asked, compile, text_column};
pub use self::{
    complaint::QueryError,
    field::{Field, FieldInfo, Kind, fields},
};

/// What runs are wanted.
///
/// It is read of text that people write by [`Query::parse`], and of LangSmith's filters by [`Query::parse_langsmith`]. A run
/// that does not have what is asked for does not fit, so it fits the [`Not`](Query::Not) of that.
///
/// Printed, it is text for [`Query::parse`] that says the same.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// All of these; without any, every run.
    And(Vec<Query>),
    /// At least one of these; without any, no run.
    Or(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
    /// This of another run of the trace.
    In(Scope, Box<Query>),
    /// A field, compared with a value of its kind.
    Compare(Field, Op, Value),
    /// A text in which `*` stands for anything. Letters are the same in upper and lower case, as far as they are ASCII.
    Like(Field, String),
    /// The run has the field.
    Exists(Field),
    /// These words, one behind the other, in a text.
    Text(Place, Words),
}

impl Default for Query {
    /// Every run.
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

/// Of which run something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The root of the run's trace.
    Root,
    /// Any run of its trace, also itself.
    Tree,
}

/// How a field compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Is equal to it.
    Eq,
    /// Is greater; later, of moments.
    Gt,
    /// Is greater or equal.
    Ge,
    /// Is less.
    Lt,
    /// Is less or equal.
    Le,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number, also of dollars.
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Nanoseconds since the epoch.
    Time(i64),
    /// Yes or no.
    Flag(bool),
    /// A run.
    Id(RunId),
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Anywhere: inputs, outputs, name, error, tags, metadata.
    Any,
    /// In the inputs.
    Input,
    /// In the outputs.
    Output,
}

/// Words to look for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    /// The words; what stands between them does not matter.
    pub text: String,
    /// Whether the last one may be the beginning of a longer word.
    pub is_prefix: bool,
}

impl Query {
    /// Reads what people write: `model:gpt-4o latency:>2s -env:dev "refund"`. `now`, in nanoseconds since the epoch, is what
    /// relative times count from.
    ///
    /// - `key:value` compares a field: see [`fields`]. Terms that follow each other must all fit; `OR`, `NOT` or `-`, and
    ///   parentheses are known, also for values: `status:(error OR cancelled)`.
    /// - `key:>2`, `>=`, `<`, `<=` and ranges `key:2..5` for numbers, durations (`500ms`, `2s`, `1h`) and moments
    ///   (`2026-06-01`, `2026-06-01T12:00:00Z`). `time:<1h` is less than one hour ago; `since:1h` and `until:2026-06-01`
    ///   say the same in words.
    /// - `name:chat*` with `*` for anything. `error:` looks for a part of the text.
    /// - `has:error` asks whether there is such a field.
    /// - Words and `"several words"` are looked for in all texts, `input:` and `output:` in these; `refun*` is a beginning.
    /// - `root.name:agent` asks the root of the run's trace, `tree.error:*` any run of it, `tree.(name:a has:error)` one
    ///   run of it for both.
    ///
    /// # Errors
    ///
    /// When a field or an operator is not known, a value is not of the field's kind, or the text breaks off. The error says
    /// where.
    ///
    /// ```
    /// use traceable_store::Query;
    ///
    /// let query = Query::parse("latency:>1500ms OR tag:slow", 0)?;
    /// assert_eq!(query.to_string(), "latency:>1500ms OR tag:slow");
    ///
    /// let error = Query::parse("name:a lateny:>2s", 0).unwrap_err();
    /// assert_eq!((error.at(), error.nearest()), (7, Some("latency")));
    /// # Ok::<(), traceable_store::QueryError>(())
    /// ```
    pub fn parse(text: &str, now: i64) -> Result<Self, QueryError> {
        text::parse(text, now)
    }

    /// Reads a filter as LangSmith's SDKs send it: `and(eq(run_type, "llm"), gt(latency, "5s"))`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    ///
    /// ```
    /// use traceable_store::Query;
    ///
    /// let query = Query::parse_langsmith(r#"and(eq(run_type, "llm"), gt(latency, "5s"), has(tags, "x"))"#)?;
    /// assert_eq!(query.to_string(), "type:llm latency:>5s tag:x");
    /// # Ok::<(), traceable_store::QueryError>(())
    /// ```
    pub fn parse_langsmith(filter: &str) -> Result<Self, QueryError> {
        langsmith::parse(filter)
    }

    /// This and another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(all), other) if all.is_empty() => other,
            (one, Self::And(none)) if none.is_empty() => one,
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// This, asked of another run of the trace.
    #[must_use]
    pub fn within(self, scope: Scope) -> Self {
        Self::In(scope, Box::new(self))
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}
