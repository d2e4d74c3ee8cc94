//! Single terms of a query's text, which links add and take away. The rest of the text stays as it was typed.

use traceable_store::{Field, Op, Query, Scope, Value};

use crate::print::now;

/// Whether a field has this value.
pub(super) fn is(field: &Field, value: &str) -> Query {
    Query::Compare(field.clone(), Op::Eq, Value::Text(value.to_owned()))
}

/// Whether any run of the trace has it.
pub(super) fn is_in_tree(field: &Field, value: &str) -> Query {
    is(field, value).within(Scope::Tree)
}

/// Runs that began in a stretch of time.
pub(super) fn between(from: i64, to: i64) -> Query {
    let time = |op, time| Query::Compare(Field::Start, op, Value::Time(time));
    time(Op::Ge, from).and(time(Op::Lt, to))
}

/// Whether a term stands in the text so that it narrows all of it.
pub(super) fn has(q: &str, term: &str) -> bool {
    !is_choice(q) && split(q).any(|other| other == term)
}

/// The text with one more term.
pub(super) fn with(q: &str, term: &str) -> String {
    match q.trim() {
        "" => term.to_owned(),
        q if is_choice(q) => format!("({q}) {term}"),
        q => format!("{q} {term}"),
    }
}

/// The text without a term.
pub(super) fn without(q: &str, term: &str) -> String {
    split(q).filter(|other| *other != term).collect::<Vec<_>>().join(" ")
}

/// Whether its terms are a choice, so that what is put behind it would belong to the last of them only.
fn is_choice(q: &str) -> bool {
    matches!(Query::parse(q, now()), Ok(Query::Or(_)))
}

/// The terms as they stand there: blanks in quotes and parentheses are a part of them.
fn split(q: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    let terms = q.split(move |c: char| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        c.is_whitespace() && !is_quoted && depth == 0
    });
    terms.filter(|term| !term.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_that_was_added_can_be_taken_away_and_the_rest_stays() {
        let term = is(&Field::Tag, "two words").to_string();
        for q in ["", "since:1h", r#"name:"a \" b" (x OR y)"#, "-env:dev refund*"] {
            let more = with(q, &term);
            assert!(has(&more, &term) && !has(q, &term), "{more}");
            assert_eq!(without(&more, &term), q);
            assert!(Query::parse(&more, 0).is_ok(), "{more}");
        }
    }

    #[test]
    fn a_term_narrows_all_of_a_choice() {
        let term = is(&Field::Name, "a").to_string();
        assert_eq!(with("x OR y", &term), "(x OR y) name:a");
        assert!(!has("name:a OR y", &term));
    }
}
