//! The language that people write: `model:gpt-4o latency:>2s -env:dev "refund"`.

use super::{Field, Kind, Op, Place, Query, QueryError, Scope, Value, Words, fields, units};

/// Bytes of a query, terms in it, and levels of parentheses at most.
const MAX_BYTES: usize = 64 << 10;
const MAX_TERMS: usize = 512;
const MAX_DEPTH: usize = 48;

/// What stands in the place of a field's name and is none.
const WORDS: [&str; 6] = ["has", "since", "until", "input", "output", "text"];

pub(super) fn parse(text: &str, now: i64) -> Result<Query, QueryError> {
    if text.len() > MAX_BYTES {
        return Err(QueryError::new(MAX_BYTES, "…", "the query is too long"));
    }
    let mut parser = Parser { text, at: 0, now, terms: 0, depth: 0 };
    let query = parser.or()?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.wrong("expected another term")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    now: i64,
    terms: usize,
    depth: usize,
}

/// A value as it stands in the text.
struct Operand<'a> {
    at: usize,
    text: std::borrow::Cow<'a, str>,
    is_quoted: bool,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: &str) -> bool {
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len() } else { 0 };
        is_there
    }

    /// A word such as `OR`, with nothing behind that would make it a longer one.
    fn keyword(&mut self, wanted: &str) -> bool {
        self.peek();
        let Some(rest) = self.rest().strip_prefix(wanted) else { return false };
        let is_there = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || "()".contains(c));
        self.at += if is_there { wanted.len() } else { 0 };
        is_there
    }

    fn wrong(&self, problem: impl Into<String>) -> QueryError {
        let found = self.rest().split(char::is_whitespace).next().unwrap_or_default();
        QueryError::new(self.at, found.chars().take(40).collect::<String>(), problem)
    }

    fn or(&mut self) -> Result<Query, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("too many levels"));
        }
        let mut any = vec![self.and()?];
        while self.keyword("OR") {
            any.push(self.and()?);
        }
        self.depth -= 1;
        let is_one = any.len() == 1;
        Ok(if is_one { any.remove(0) } else { Query::Or(any) })
    }

    fn and(&mut self) -> Result<Query, QueryError> {
        let mut all = Vec::new();
        loop {
            let at = self.at;
            match self.peek() {
                None | Some(')') => break,
                Some(_) if self.keyword("OR") => {
                    self.at = at;
                    break;
                }
                Some(_) if self.keyword("AND") && !all.is_empty() => {}
                Some(_) => {
                    self.at = at;
                    all.push(self.unary()?);
                }
            }
        }
        let is_one = all.len() == 1;
        Ok(if is_one { all.remove(0) } else { Query::And(all) })
    }

    fn unary(&mut self) -> Result<Query, QueryError> {
        self.peek();
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.wrong("too many terms"));
        }
        if self.keyword("NOT") || self.take("-") {
            if self.peek().is_none_or(|c| c == ')') {
                return Err(self.wrong("expected what is not wanted"));
            }
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.wrong("too many levels"));
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Query::Not(Box::new(inner)));
        }
        if self.take("(") {
            return self.group();
        }
        self.term()
    }

    /// What stands behind an opening parenthesis.
    fn group(&mut self) -> Result<Query, QueryError> {
        let inner = self.or()?;
        self.peek();
        if self.take(")") { Ok(inner) } else { Err(self.wrong("expected `)`")) }
    }

    fn term(&mut self) -> Result<Query, QueryError> {
        let at = self.at;
        if self.rest().starts_with('"') {
            return Ok(Query::Text(Place::Any, self.words()?));
        }
        let word = self.word_until(|c| c == ':');
        for (prefix, scope) in [("root.", Scope::Root), ("tree.", Scope::Tree)] {
            let Some(field) = word.strip_prefix(prefix) else { continue };
            if field.is_empty() && self.take("(") {
                return Ok(self.group()?.within(scope));
            }
            self.at = at + prefix.len();
            return Ok(self.term()?.within(scope));
        }
        self.at = at;
        match self.field_name()? {
            Some((name, at)) => self.field(&name, at),
            None => Ok(Query::Text(Place::Any, self.words()?)),
        }
    }

    /// The name of a field with the colon behind it, and where it stands.
    fn field_name(&mut self) -> Result<Option<(String, usize)>, QueryError> {
        let at = self.at;
        let name = self.path()?;
        if self.take(":") {
            return Ok(Some((name, at)));
        }
        self.at = at;
        Ok(None)
    }

    /// A name, also `metadata."with blanks"`.
    fn path(&mut self) -> Result<String, QueryError> {
        let mut name = self.word_until(|c| c == ':').to_owned();
        if name.ends_with('.') && self.rest().starts_with('"') {
            name.push_str(&self.quoted()?);
        }
        Ok(name)
    }

    fn word_until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| c.is_whitespace() || "()\"".contains(c) || end(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// What stands between quotes; a backslash takes the meaning from a quote and a backslash.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let open = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = open + at + 1;
                    return Ok(text);
                }
                '\\' if chars.peek().is_some_and(|(_, c)| "\"\\".contains(*c)) => {
                    text.extend(chars.next().map(|(_, c)| c));
                }
                other => text.push(other),
            }
        }
        Err(QueryError::new(self.text.len(), "", format!("the quote at byte {open} is not closed")))
    }

    /// Words to look for: quoted, or one; with a `*` the last is a beginning.
    fn words(&mut self) -> Result<Words, QueryError> {
        if self.rest().starts_with('"') {
            let text = self.quoted()?;
            return Ok(Words { text, is_prefix: self.take("*") });
        }
        let word = self.word_until(|_| false);
        if word.is_empty() {
            return Err(self.wrong("expected a word"));
        }
        let is_prefix = word.ends_with('*');
        Ok(Words { text: word.trim_end_matches('*').to_owned(), is_prefix })
    }

    fn operand(&mut self) -> Result<Operand<'a>, QueryError> {
        let at = self.at;
        if self.rest().starts_with('"') {
            return Ok(Operand { at, text: self.quoted()?.into(), is_quoted: true });
        }
        let text = self.word_until(|_| false);
        if text.is_empty() {
            return Err(self.wrong("expected a value"));
        }
        Ok(Operand { at, text: text.into(), is_quoted: false })
    }

    fn field(&mut self, name: &str, at: usize) -> Result<Query, QueryError> {
        match name {
            "has" => {
                let at = self.at;
                let name = self.path()?;
                return known(&name, at).map(Query::Exists);
            }
            "input" => return Ok(Query::Text(Place::Input, self.words()?)),
            "output" => return Ok(Query::Text(Place::Output, self.words()?)),
            "text" => return Ok(Query::Text(Place::Any, self.words()?)),
            "since" | "until" => {
                let operand = self.operand()?;
                let op = if name == "since" { Op::Ge } else { Op::Lt };
                let time = self.time(&operand)?.0;
                return Ok(Query::Compare(Field::Start, op, Value::Time(time)));
            }
            _ => {}
        }
        let field = known(name, at)?;
        if !self.take("(") {
            return self.value(&field);
        }
        let mut any = Vec::new();
        loop {
            self.peek();
            if !any.is_empty() {
                if self.take(")") {
                    break;
                }
                self.keyword("OR");
                self.peek();
            }
            self.terms += 1;
            if self.terms > MAX_TERMS {
                return Err(self.wrong("too many terms"));
            }
            any.push(self.value(&field)?);
        }
        let is_one = any.len() == 1;
        Ok(if is_one { any.remove(0) } else { Query::Or(any) })
    }

    fn value(&mut self, field: &Field) -> Result<Query, QueryError> {
        let at = self.at;
        let ops = [(">=", Op::Ge), ("<=", Op::Le), (">", Op::Gt), ("<", Op::Lt)];
        let op = ops.into_iter().find(|(sign, _)| self.take(sign));
        let is_exact = op.is_none() && self.take("=");
        let is_like = op.is_none() && !is_exact && self.take("~");
        let operand = self.operand()?;
        let text = &*operand.text;
        let kind = field.info().kind;
        let is_text = kind == Kind::Text || kind == Kind::Any && op.is_none();
        if is_like && !is_text {
            return Err(QueryError::new(at, "~", format!("`{}` is no text", field.info().name)));
        }
        if let Some((sign, _)) = op
            && kind == Kind::Text
        {
            return Err(QueryError::new(at, sign, format!("`{}` is a text and has no size", field.info().name)));
        }
        if is_text && !is_exact {
            match text {
                _ if is_like => return Ok(Query::Like(field.clone(), text.to_owned())),
                "*" if !operand.is_quoted => return Ok(Query::Exists(field.clone())),
                "true" if *field == Field::Error && !operand.is_quoted => return Ok(Query::Exists(Field::Error)),
                "false" if *field == Field::Error && !operand.is_quoted => {
                    return Ok(Query::Exists(Field::Error).negated());
                }
                _ if *field == Field::Error => return Ok(Query::Like(Field::Error, format!("*{text}*"))),
                _ if text.contains('*') && !operand.is_quoted => {
                    return Ok(Query::Like(field.clone(), text.to_owned()));
                }
                _ => {}
            }
        }
        // A range, where both ends are values.
        if op.is_none()
            && !is_exact
            && !operand.is_quoted
            && let Some((from, to)) = text.split_once("..")
            && let (Ok(from), Ok(to)) =
                (self.read(field, &part(&operand, from), true), self.read(field, &part(&operand, to), true))
            && kind != Kind::Id
            && !matches!(from, Value::Text(_) | Value::Flag(_))
        {
            let (from, to) = if number_of(&from) > number_of(&to) { (to, from) } else { (from, to) };
            let ends = [(Op::Ge, from), (Op::Le, to)].map(|(op, end)| Query::Compare(field.clone(), op, end));
            return Ok(Query::And(ends.into()));
        }
        if kind == Kind::Time {
            return self.when(field, op.map(|(_, op)| op), is_exact, &operand);
        }
        let value = self.read(field, &operand, op.is_some())?;
        Ok(Query::Compare(field.clone(), op.map_or(Op::Eq, |(_, op)| op), value))
    }

    /// A value of the field's kind.
    fn read(&self, field: &Field, operand: &Operand<'_>, is_sized: bool) -> Result<Value, QueryError> {
        let text = &*operand.text;
        let expected = |what: &str| QueryError::new(operand.at, text, format!("`{}` is {what}", field.info().name));
        let number = || units::number(text).map(Value::Number);
        match field.info().kind {
            Kind::Number => number().ok_or_else(|| expected("a number")),
            Kind::Money => units::number(text.trim_start_matches('$'))
                .map(Value::Number)
                .ok_or_else(|| expected("a number of dollars, such as 0.01")),
            Kind::Duration => {
                units::duration(text).map(Value::Duration).ok_or_else(|| expected("a duration, such as 500ms or 2s"))
            }
            Kind::Time => self.time(operand).map(|(time, ..)| Value::Time(time)),
            Kind::Flag => match text {
                "true" | "yes" => Ok(Value::Flag(true)),
                "false" | "no" => Ok(Value::Flag(false)),
                _ => Err(expected("`true` or `false`")),
            },
            Kind::Id => text.parse().map(Value::Id).map_err(|_| expected("a UUID")),
            Kind::Any if is_sized => number().ok_or_else(|| expected("compared by size with a number")),
            Kind::Any if matches!(field, Field::Score(_)) && !operand.is_quoted => {
                Ok(number().unwrap_or_else(|| Value::Text(text.to_owned())))
            }
            Kind::Any | Kind::Text => Ok(Value::Text(text.to_owned())),
        }
    }

    /// A moment; the end of the day where it is one; and whether it was said as how long ago it was.
    fn time(&self, operand: &Operand<'_>) -> Result<(i64, Option<i64>, bool), QueryError> {
        let text = &*operand.text;
        if let Some((time, end)) = units::moment(text) {
            return Ok((time, end, false));
        }
        // A number without a unit could be a year.
        let ago = units::duration(text).filter(|_| text.ends_with(|c: char| c.is_ascii_alphabetic()));
        ago.map(|ago| (self.now.saturating_sub(ago), None, true)).ok_or_else(|| {
            QueryError::new(
                operand.at,
                text,
                "expected a moment, such as 2026-06-01 or 2026-06-01T12:00:00Z, or 1h for an hour ago",
            )
        })
    }

    fn when(&self, field: &Field, op: Option<Op>, is_exact: bool, operand: &Operand<'_>) -> Result<Query, QueryError> {
        let (time, end, is_ago) = self.time(operand)?;
        let compare = |op, time| Query::Compare(field.clone(), op, Value::Time(time));
        Ok(match (op, end) {
            // `time:<1h` is how people say that less than an hour has passed.
            (Some(op), _) if is_ago => {
                let op = match op {
                    Op::Lt => Op::Gt,
                    Op::Le => Op::Ge,
                    Op::Gt => Op::Lt,
                    Op::Ge => Op::Le,
                    Op::Eq => Op::Eq,
                };
                compare(op, time)
            }
            (None, _) if is_ago => compare(Op::Ge, time),
            (None, Some(end)) if !is_exact => Query::And(vec![compare(Op::Ge, time), compare(Op::Lt, end)]),
            // Behind a day, and up to a day, with all of it.
            (Some(Op::Gt), Some(end)) => compare(Op::Ge, end),
            (Some(Op::Le), Some(end)) => compare(Op::Lt, end),
            (op, _) => compare(op.unwrap_or(Op::Eq), time),
        })
    }
}

/// One end of a range.
fn part<'a>(operand: &Operand<'_>, text: &'a str) -> Operand<'a> {
    Operand { at: operand.at, text: text.into(), is_quoted: false }
}

fn number_of(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Duration(nanos) | Value::Time(nanos) => *nanos as f64,
        _ => 0.0,
    }
}

/// The field of a name, or the name that was probably meant.
pub(super) fn known(name: &str, at: usize) -> Result<Field, QueryError> {
    Field::named(name).ok_or_else(|| {
        let known = fields().flat_map(|info| std::iter::once(info.name).chain(info.aliases.iter().copied()));
        QueryError::new(at, name, "there is no such field").or_meant(known.chain(WORDS))
    })
}
