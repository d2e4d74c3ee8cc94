//! Queries as text that is read as the same query again.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Field, Op, Place, Query, Scope, Value, Words, units};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => joined(f, all, " "),
            Self::Or(any) if any.is_empty() => f.write_str("-()"),
            Self::Or(any) => joined(f, any, " OR "),
            Self::Not(inner) => {
                f.write_char('-')?;
                inner.inside(f)
            }
            Self::In(scope, inner) => {
                f.write_str(match scope {
                    Scope::Root => "root.",
                    Scope::Tree => "tree.",
                })?;
                match &**inner {
                    Self::Compare(..) | Self::Like(..) | Self::Exists(_) => inner.fmt(f),
                    _ => write!(f, "({inner})"),
                }
            }
            Self::Compare(field, op, value) => {
                let sign = match op {
                    // There, without a sign, any part of the text will do.
                    Op::Eq if *field == Field::Error => "=",
                    Op::Eq => "",
                    Op::Gt => ">",
                    Op::Ge => ">=",
                    Op::Lt => "<",
                    Op::Le => "<=",
                };
                write!(f, "{field}:{sign}{value}")
            }
            Self::Like(field, pattern) => {
                write!(f, "{field}:~")?;
                quote(f, pattern)
            }
            Self::Exists(field) => write!(f, "has:{field}"),
            Self::Text(place, Words { text, is_prefix }) => {
                f.write_str(match place {
                    Place::Any => "",
                    Place::Input => "input:",
                    Place::Output => "output:",
                })?;
                quote(f, text)?;
                f.write_str(if *is_prefix { "*" } else { "" })
            }
        }
    }
}

impl Query {
    /// As a part of another query.
    fn inside(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
            _ => self.fmt(f),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Query], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { between })?;
        part.inside(f)?;
    }
    Ok(())
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)?;
        match self {
            Self::Metadata(key) | Self::Score(key) => {
                let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
                if !key.is_empty() && key.chars().all(is_plain) { f.write_str(key) } else { quote(f, key) }
            }
            _ => Ok(()),
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if is_plain(text) => f.write_str(text),
            Self::Text(text) => quote(f, text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Duration(nanos) => f.write_str(&units::print_duration(*nanos)),
            Self::Time(time) => f.write_str(&units::print_moment(*time)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

/// Whether a text means itself without quotes, whatever the field.
fn is_plain(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || "-_./@:+#".contains(c);
    text.starts_with(char::is_alphabetic)
        && text.chars().all(is_word)
        && !text.contains("..")
        && !["OR", "AND", "NOT", "true", "false"].contains(&text)
}

fn quote(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
