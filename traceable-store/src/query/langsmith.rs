//! LangSmith's filters: `and(eq(run_type, "llm"), gt(latency, "5s"))`, as its SDKs 0.14 send them.
//!
//! Of its metadata and feedback, a name and a value stand side by side in an `and`: `and(eq(metadata_key, "a"),
//! eq(metadata_value, "b"))` is one test. `like` knows `%` and no `_`.

use serde_json::Value as Json;

use super::{Field, Kind, Op, Place, Query, QueryError, Value, Words, text::known, units};
use crate::ingest::label_text;

const MAX_BYTES: usize = 64 << 10;
const MAX_DEPTH: usize = 48;

const OPERATORS: [&str; 14] =
    ["and", "or", "not", "eq", "neq", "gt", "gte", "lt", "lte", "has", "exists", "in", "like", "search"];

/// Metadata that is a field of its own in the store.
const FIELDS: [(&str, Field); 7] = [
    ("thread_id", Field::Thread),
    ("conversation_id", Field::Thread),
    ("session_id", Field::Thread),
    ("ls_provider", Field::Provider),
    ("ls_model_name", Field::Model),
    ("ls_user_id", Field::User),
    ("revision_id", Field::Release),
];

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError::new(MAX_BYTES, "…", "the filter is too long"));
    }
    if text.trim().is_empty() {
        return Ok(Query::default());
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let term = parser.term()?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.wrong("expected the end of the filter"));
    }
    together(vec![term]).map(one)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// A name of a field, or a value, and where it stands.
struct Argument {
    at: usize,
    what: What,
}

enum What {
    Name(String),
    Value(Json),
    List(Vec<Json>),
    Term(Term),
}

/// A test, or a half of one.
enum Term {
    Whole(Query),
    /// Names of metadata or keys of scores.
    Names {
        of: Half,
        names: Vec<String>,
        is_not: bool,
    },
    /// What their value must be.
    Value {
        of: Half,
        op: Op,
        value: Json,
        is_not: bool,
        at: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Metadata,
    Score,
}

impl Half {
    fn field(self, name: &str) -> Field {
        match self {
            Self::Metadata => Field::Metadata(name.to_owned()),
            Self::Score => Field::Score(name.to_owned()),
        }
    }
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.blanks();
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn expect(&mut self, wanted: char) -> Result<(), QueryError> {
        if self.take(wanted) { Ok(()) } else { Err(self.wrong(format!("expected `{wanted}`"))) }
    }

    fn wrong(&self, problem: impl Into<String>) -> QueryError {
        let found: String = self.rest().chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        QueryError::new(self.at, found, problem)
    }

    fn name(&mut self) -> &'a str {
        self.blanks();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        self.blanks();
        let (at, operator) = (self.at, self.name());
        self.operator(at, operator)
    }

    fn operator(&mut self, at: usize, operator: &str) -> Result<Term, QueryError> {
        if !OPERATORS.contains(&operator) {
            return Err(QueryError::new(at, operator, "there is no such operator").or_meant(OPERATORS));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("too many levels"));
        }
        self.expect('(')?;
        let mut arguments = Vec::new();
        while !self.take(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.argument()?);
        }
        self.depth -= 1;
        apply(at, operator, arguments)
    }

    fn argument(&mut self) -> Result<Argument, QueryError> {
        self.blanks();
        let at = self.at;
        let what = match self.rest().chars().next() {
            Some('[') => {
                self.at += 1;
                let mut list = Vec::new();
                while !self.take(']') {
                    if !list.is_empty() {
                        self.expect(',')?;
                    }
                    self.blanks();
                    list.push(self.value()?);
                }
                What::List(list)
            }
            Some(c) if c.is_ascii_alphabetic() => match self.name() {
                "true" | "True" => What::Value(true.into()),
                "false" | "False" => What::Value(false.into()),
                "null" | "None" => What::Value(Json::Null),
                name if self.take_back('(') => What::Term(self.operator(at, name)?),
                name => What::Name(name.to_owned()),
            },
            _ => What::Value(self.value()?),
        };
        Ok(Argument { at, what })
    }

    /// Whether this stands next; it is not taken.
    fn take_back(&mut self, wanted: char) -> bool {
        self.blanks();
        self.rest().starts_with(wanted)
    }

    /// A text in quotes of either kind, or a number.
    fn value(&mut self) -> Result<Json, QueryError> {
        let rest = self.rest();
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote).map(Json::from),
            Some(c) if c.is_ascii_digit() || c == '-' => {
                let length =
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
                let number = serde_json::from_str(&rest[..length]).map_err(|_| self.wrong("expected a number"))?;
                self.at += length;
                Ok(number)
            }
            _ => {
                let at = self.at;
                match self.name() {
                    "true" | "True" => Ok(true.into()),
                    "false" | "False" => Ok(false.into()),
                    "null" | "None" => Ok(Json::Null),
                    _ => {
                        self.at = at;
                        Err(self.wrong("expected a value"))
                    }
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let (open, rest) = (self.at, self.rest());
        let mut end = None;
        let mut is_escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                c if c == quote => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else {
            return Err(QueryError::new(self.text.len(), "", format!("the quote at byte {open} is not closed")));
        };
        self.at += end + 1;
        let inner = &rest[1..end];
        // Python and JavaScript write such texts by their JSON encoders, or as they are.
        let json = if quote == '"' { serde_json::from_str(&rest[..=end]).ok() } else { None };
        Ok(json.unwrap_or_else(|| unescape(inner)))
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|next| "\\\"'".contains(*next)) {
            plain.extend(chars.next());
        } else {
            plain.push(c);
        }
    }
    plain
}

fn apply(at: usize, operator: &str, arguments: Vec<Argument>) -> Result<Term, QueryError> {
    let count = arguments.len();
    let wrong = |problem: &str| QueryError::new(at, operator, problem);
    let mut arguments = arguments.into_iter();
    match operator {
        "and" | "or" => {
            let mut terms = Vec::new();
            for argument in arguments {
                let What::Term(term) = argument.what else {
                    return Err(QueryError::new(argument.at, operator, "expected tests inside"));
                };
                terms.push(term);
            }
            if operator == "and" {
                return Ok(Term::Whole(one(together(terms)?)));
            }
            let any = terms.into_iter().map(|term| together(vec![term]).map(one));
            Ok(Term::Whole(flat(any.collect::<Result<_, _>>()?)))
        }
        "not" => match (arguments.next().map(|argument| argument.what), count) {
            (Some(What::Term(term)), 1) => Ok(Term::Whole(one(together(vec![term])?).negated())),
            _ => Err(wrong("expected one test inside")),
        },
        "search" => match (arguments.next().map(|argument| argument.what), count) {
            (Some(What::Value(Json::String(text))), 1) => {
                Ok(Term::Whole(Query::Text(Place::Any, Words { text, is_prefix: false })))
            }
            _ => Err(wrong("expected one text inside")),
        },
        _ => {
            let (Some(field), Some(value), None) = (arguments.next(), arguments.next(), arguments.next()) else {
                return Err(wrong("expected a field and a value inside"));
            };
            let What::Name(name) = field.what else {
                return Err(QueryError::new(field.at, operator, "expected the name of a field first"));
            };
            compare(at, operator, (&name, field.at), value)
        }
    }
}

fn compare(at: usize, operator: &str, (name, name_at): (&str, usize), value: Argument) -> Result<Term, QueryError> {
    let is_not = operator == "neq";
    let op = match operator {
        "gt" => Op::Gt,
        "gte" => Op::Ge,
        "lt" => Op::Lt,
        "lte" => Op::Le,
        _ => Op::Eq,
    };
    let values = match value.what {
        What::Value(value) => vec![value],
        What::List(values) if operator == "in" => values,
        _ => return Err(QueryError::new(value.at, operator, "expected a value behind the field")),
    };
    let half = match name {
        "metadata_key" | "metadata_value" => Some(Half::Metadata),
        "feedback_key" | "feedback_score" | "feedback_value" => Some(Half::Score),
        _ => None,
    };
    if let Some(of) = half {
        if name.ends_with("_key") {
            let names: Vec<_> = values.iter().filter_map(label_text).filter(|name| !name.is_empty()).collect();
            if names.is_empty() || names.len() < values.len() {
                return Err(QueryError::new(value.at, name, NO_NAME));
            }
            return Ok(Term::Names { of, names, is_not });
        }
        let [value] = <[Json; 1]>::try_from(values)
            .map_err(|_| QueryError::new(name_at, name, "expected one value, not a list"))?;
        return Ok(Term::Value { of, op, value, is_not, at: name_at });
    }
    if name == "metadata" {
        return metadata(at, operator, values.into_iter().next().unwrap_or_default()).map(Term::Whole);
    }
    let field = known(name, name_at)?;
    let mut any = Vec::new();
    for json in values {
        any.push(match operator {
            "like" => match json {
                _ if !matches!(field.info().kind, Kind::Text | Kind::Any) => {
                    return Err(QueryError::new(name_at, name, format!("`{}` is no text", field.info().name)));
                }
                Json::String(pattern) => Query::Like(field.clone(), pattern.replace('%', "*")),
                _ => return Err(QueryError::new(value.at, operator, "expected a text")),
            },
            "exists" => Query::Exists(field.clone()),
            _ => test(&field, op, &json, value.at)?,
        });
    }
    let query = flat(any);
    Ok(Term::Whole(if is_not { query.negated() } else { query }))
}

/// Nothing has such a name, and it cannot be said in the language of people.
const NO_NAME: &str = "a name is a text that is not empty";

/// `has(metadata, '{"a": "b"}')` and `exists(metadata, "a")`.
fn metadata(at: usize, operator: &str, value: Json) -> Result<Query, QueryError> {
    let wrong = |problem: &str| QueryError::new(at, operator, problem);
    match (operator, value) {
        ("exists", Json::String(name)) if name.is_empty() => Err(wrong(NO_NAME)),
        ("exists", Json::String(name)) => Ok(named(Half::Metadata, &name, Query::Exists)),
        ("has", Json::String(text)) => {
            let Ok(Json::Object(members)) = serde_json::from_str(&text) else {
                return Err(wrong("expected a JSON object as text"));
            };
            let pairs = members.iter().map(|(name, value)| {
                if name.is_empty() {
                    return Err(wrong(NO_NAME));
                }
                let value = label_text(value).ok_or_else(|| wrong("only texts, numbers and flags can be asked for"))?;
                let equal = |field| Query::Compare(field, Op::Eq, Value::Text(value.clone()));
                Ok(named(Half::Metadata, name, equal))
            });
            Ok(one(pairs.collect::<Result<_, _>>()?))
        }
        _ => Err(wrong("metadata is asked for by `has`, `exists`, or metadata_key and metadata_value")),
    }
}

/// A test of one of LangSmith's fields.
fn test(field: &Field, op: Op, json: &Json, at: usize) -> Result<Query, QueryError> {
    let wrong = |what: &str| QueryError::new(at, json.to_string(), format!("`{}` is {what}", field.info().name));
    let compare = |value| Ok(Query::Compare(field.clone(), op, value));
    match (field, json) {
        (_, Json::Null) if op == Op::Eq => return Ok(Query::Exists(field.clone()).negated()),
        (Field::Error, Json::Bool(flag)) if op == Op::Eq => {
            let exists = Query::Exists(Field::Error);
            return Ok(if *flag { exists } else { exists.negated() });
        }
        // What LangSmith says of a run follows from its error and its end.
        (Field::Status, Json::String(status)) if op == Op::Eq => {
            let (failed, ended) = (Query::Exists(Field::Error), Query::Exists(Field::End));
            return match &*status.to_lowercase() {
                "error" => Ok(failed),
                "success" => Ok(ended.and(failed.negated())),
                "pending" => Ok(ended.negated().and(failed.negated())),
                _ => Ok(Query::Compare(Field::Status, op, Value::Text(status.clone()))),
            };
        }
        (Field::Type, Json::String(kind)) if op == Op::Eq => return compare(Value::Text(kind.to_lowercase())),
        _ => {}
    }
    match (field.info().kind, json) {
        (Kind::Text, _) if op != Op::Eq => Err(wrong("a text and has no size")),
        (Kind::Text, json) => compare(Value::Text(label_text(json).ok_or_else(|| wrong("a text"))?)),
        (Kind::Number | Kind::Money, json) => {
            let number = json.as_f64().or_else(|| units::number(json.as_str()?));
            compare(Value::Number(number.ok_or_else(|| wrong("a number"))?))
        }
        (Kind::Duration, json) => {
            let nanos = match json {
                Json::String(text) => units::duration(text),
                json => json.as_f64().filter(|s| s.abs() < 9e9).map(|seconds| (seconds * 1e9).round() as i64),
            };
            compare(Value::Duration(nanos.ok_or_else(|| wrong("a number of seconds, or a text such as \"5s\""))?))
        }
        (Kind::Time, json) => {
            let time = json.as_str().and_then(units::moment);
            compare(Value::Time(time.ok_or_else(|| wrong("a moment, such as \"2026-06-01T12:00:00Z\""))?.0))
        }
        (Kind::Flag, Json::Bool(flag)) => compare(Value::Flag(*flag)),
        (Kind::Flag, _) => Err(wrong("`true` or `false`")),
        (Kind::Id, json) => {
            let id = json.as_str().and_then(|id| id.parse().ok());
            compare(Value::Id(id.ok_or_else(|| wrong("a UUID"))?))
        }
        (Kind::Any, _) => any(field, op, json).ok_or_else(|| wrong("compared with a text or a number")),
    }
}

/// A value of metadata or of a score.
fn any(field: &Field, op: Op, json: &Json) -> Option<Query> {
    let is_number = op != Op::Eq || matches!(field, Field::Score(_)) && json.is_number();
    let value = if is_number {
        Value::Number(json.as_f64().or_else(|| units::number(json.as_str()?))?)
    } else {
        Value::Text(label_text(json)?)
    };
    Some(Query::Compare(field.clone(), op, value))
}

/// A test of metadata, which is a field of its own for some names.
fn named(of: Half, name: &str, test: impl Fn(Field) -> Query) -> Query {
    let plain = test(of.field(name));
    let field = FIELDS.iter().find(|(known, _)| of == Half::Metadata && *known == name);
    match field {
        Some((_, field)) => Query::Or(vec![test(field.clone()), plain]),
        None => plain,
    }
}

/// Tests that must all hold; halves are put together.
fn together(terms: Vec<Term>) -> Result<Vec<Query>, QueryError> {
    let mut all = Vec::new();
    let mut names: Vec<(Half, Vec<String>, bool, bool)> = Vec::new();
    let mut values = Vec::new();
    for term in terms {
        match term {
            Term::Whole(Query::And(inner)) => all.extend(inner),
            Term::Whole(query) => all.push(query),
            Term::Names { of, names: some, is_not } => names.push((of, some, is_not, false)),
            Term::Value { of, op, value, is_not, at } => values.push((of, op, value, is_not, at)),
        }
    }
    let mut seen = [0, 0];
    for (of, op, value, is_not, at) in values {
        let place = &mut seen[usize::from(of == Half::Score)];
        let mut fitting: Vec<_> = names.iter_mut().filter(|(half, _, is_not, _)| *half == of && !is_not).collect();
        let last = fitting.len().saturating_sub(1);
        let Some((_, names, _, is_used)) = fitting.get_mut((*place).min(last)) else {
            return Err(QueryError::new(at, value.to_string(), "a value needs the test of its name beside it"));
        };
        *place += 1;
        *is_used = true;
        let mut tests = Vec::new();
        for name in names.iter() {
            let wrong = || QueryError::new(at, value.to_string(), "expected a text or a number");
            any(&of.field(name), op, &value).ok_or_else(wrong)?;
            let test = |field: Field| match (&field, any(&of.field(name), op, &value)) {
                (Field::Metadata(_) | Field::Score(_), Some(test)) => test,
                _ => Query::Compare(field, Op::Eq, Value::Text(label_text(&value).unwrap_or_default())),
            };
            tests.push(named(of, name, test));
        }
        let query = flat(tests);
        all.push(if is_not { query.negated() } else { query });
    }
    for (of, names, is_not, is_used) in names {
        if !is_used {
            let query = flat(names.iter().map(|name| named(of, name, Query::Exists)).collect());
            all.push(if is_not { query.negated() } else { query });
        }
    }
    Ok(all)
}

/// One of these; of none, nothing.
fn flat(mut any: Vec<Query>) -> Query {
    match any.len() {
        0 => Query::And(any).negated(),
        1 => any.remove(0),
        _ => Query::Or(any),
    }
}

fn one(mut all: Vec<Query>) -> Query {
    if all.len() == 1 { all.remove(0) } else { Query::And(all) }
}
