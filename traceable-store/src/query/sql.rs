//! Queries as SQL: columns from a table, values bound, nothing of the query's text in it.

use rusqlite::{Connection, types::Value as Bound};

use super::{Field, Kind, Op, Query, Scope, Value};
use crate::{Result, ingest::blob, row::to_nanos, words};

/// What fits at most so many runs is looked up, and the runs are sorted; what fits more is tested run by run, for then the
/// newest that fit are found soon.
const FEW: i64 = 2_000;

/// What the text index finds in so many runs is asked of it run by run, at a tenth of a millisecond each; of what it finds in
/// fewer, all is taken at once.
const MANY_TEXTS: i64 = 50_000;

/// A condition on the run `r0`, and its values in order.
pub(crate) struct Asked {
    pub(crate) condition: String,
    pub(crate) values: Vec<Bound>,
}

/// Makes a condition of a query. The connection is asked how much some parts of it fit.
pub(crate) fn compile(query: &Query, connection: &Connection) -> Result<Asked> {
    let mut compiler = Compiler { sql: String::new(), values: Vec::new(), aliases: 0, connection };
    compiler.query(query, "r0", true)?;
    Ok(Asked { condition: compiler.sql, values: compiler.values })
}

/// What a field of one text is of the run `r0`; `None` of others.
pub(crate) fn text_column(field: &Field) -> Option<String> {
    match field {
        Field::Project => Some("(SELECT name FROM projects WHERE id = r0.project)".to_owned()),
        Field::Tag => None,
        other if other.info().kind == Kind::Text => Some(format!("r0.{}", other.column())),
        _ => None,
    }
}

struct Compiler<'a> {
    sql: String,
    values: Vec<Bound>,
    aliases: usize,
    connection: &'a Connection,
}

impl Compiler<'_> {
    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind(&mut self, value: impl Into<Bound>) {
        self.values.push(value.into());
    }

    /// Writes the condition. Without negations around, null counts as not fitting, as it does in a `WHERE`. `is_must`: every
    /// run that is wanted fits it.
    fn query(&mut self, query: &Query, run: &str, is_must: bool) -> Result<()> {
        match query {
            Query::And(all) => {
                // Texts that must all fit are asked for at once: which runs have all of them is for the index to find out.
                let (texts, rest): (Vec<_>, Vec<_>) = all.iter().partition(|part| matches!(part, Query::Text(..)));
                if texts.len() < 2 {
                    return self.joined(all, run, " AND ", "1", is_must);
                }
                let matching = texts.iter().map(|text| match text {
                    Query::Text(place, words) => words::matching(*place, words),
                    _ => None,
                });
                self.push("(");
                match matching.collect::<Option<Vec<_>>>() {
                    Some(all) => self.text(&format!("({})", all.join(") AND (")), run, is_must)?,
                    None => self.push("0"),
                }
                for part in rest {
                    self.push(" AND ");
                    self.query(part, run, is_must)?;
                }
                self.push(")");
                Ok(())
            }
            Query::Or(any) => self.joined(any, run, " OR ", "0", is_must && any.len() == 1),
            Query::Not(inner) => {
                self.push("NOT ifnull((");
                self.query(inner, run, false)?;
                self.push("), 0)");
                Ok(())
            }
            Query::In(scope, inner) => {
                self.aliases += 1;
                let other = format!("r{}", self.aliases);
                let column = match scope {
                    Scope::Root => "id",
                    Scope::Tree => "trace_id",
                };
                self.push(&format!("EXISTS (SELECT 1 FROM runs {other} WHERE {other}.{column} = {run}.trace_id AND ("));
                self.query(inner, &other, false)?;
                self.push(&format!(") AND {other}.start_time IS NOT NULL)"));
                Ok(())
            }
            Query::Compare(field, op, value) => self.compare(field, *op, value, run, is_must),
            Query::Like(field, pattern) => {
                self.like(field, pattern, run);
                Ok(())
            }
            Query::Exists(field) => {
                self.exists(field, run);
                Ok(())
            }
            Query::Text(place, words) => match words::matching(*place, words) {
                Some(matching) => self.text(&matching, run, is_must),
                None => {
                    self.push("0");
                    Ok(())
                }
            },
        }
    }

    fn joined(&mut self, parts: &[Query], run: &str, between: &str, none: &str, is_must: bool) -> Result<()> {
        if parts.is_empty() {
            self.push(none);
            return Ok(());
        }
        for (at, part) in parts.iter().enumerate() {
            self.push(if at == 0 { "(" } else { between });
            self.query(part, run, is_must)?;
        }
        self.push(")");
        Ok(())
    }

    fn compare(&mut self, field: &Field, op: Op, value: &Value, run: &str, is_must: bool) -> Result<()> {
        if !field.takes(value) {
            self.push("0");
            return Ok(());
        }
        let sign = match op {
            Op::Eq => "=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::Lt => "<",
            Op::Le => "<=",
        };
        match (field, value) {
            (Field::Root, Value::Flag(flag)) => {
                self.push(&format!("({run}.parent_id IS NULL) {sign} {}", i32::from(*flag)));
            }
            (Field::Project, Value::Text(name)) => {
                self.push(&format!("{run}.project {sign} (SELECT id FROM projects WHERE name = ?)"));
                self.bind(name.clone());
            }
            (Field::Tag, Value::Text(tag)) => return self.label("", tag, run, is_must),
            (Field::Metadata(key), Value::Text(text)) => return self.label(key, text, run, is_must),
            (Field::Metadata(key), Value::Number(number)) => {
                self.push(&format!(
                    "{run}.n IN (SELECT x.n FROM labels l JOIN run_labels x ON x.label = l.id
                        WHERE l.key = ? AND l.number {sign} ?)"
                ));
                self.bind(key.clone());
                self.bind(*number);
            }
            (Field::Score(key), value) => {
                let (column, value) = match value {
                    Value::Number(number) => ("number", Bound::from(*number)),
                    Value::Text(text) => ("label", Bound::from(text.clone())),
                    _ => ("number", Bound::Null),
                };
                self.push(&format!(
                    "EXISTS (SELECT 1 FROM scores s WHERE s.run_id = {run}.id AND s.key = ? AND s.{column} {sign} ?)"
                ));
                self.bind(key.clone());
                self.bind(value);
            }
            _ => {
                self.push(&format!("{run}.{} {sign} ?", field.column()));
                match value {
                    Value::Text(text) => self.bind(text.clone()),
                    Value::Number(number) if field.info().kind == Kind::Money => self.bind(to_nanos(*number)),
                    Value::Number(number) => self.bind(*number),
                    Value::Duration(nanos) | Value::Time(nanos) => self.bind(*nanos),
                    Value::Flag(flag) => self.bind(*flag),
                    Value::Id(id) => self.bind(blob(*id).to_vec()),
                }
            }
        }
        Ok(())
    }

    /// A tag, or one value of metadata.
    fn label(&mut self, key: &str, value: &str, run: &str, is_must: bool) -> Result<()> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM run_labels
            WHERE label = (SELECT id FROM labels WHERE key = ? AND value = ?) LIMIT ?)";
        let few = is_must
            && self
                .connection
                .prepare_cached(sql)?
                .query_row(rusqlite::params![key, value, FEW], |row| row.get::<_, i64>(0))?
                < FEW;
        let label = "x.label = (SELECT id FROM labels WHERE key = ? AND value = ?)";
        self.push(&if few {
            format!("{run}.n IN (SELECT x.n FROM run_labels x WHERE {label})")
        } else {
            format!("EXISTS (SELECT 1 FROM run_labels x WHERE {label} AND x.n = {run}.n)")
        });
        self.bind(key.to_owned());
        self.bind(value.to_owned());
        Ok(())
    }

    fn like(&mut self, field: &Field, pattern: &str, run: &str) {
        let pattern: String = pattern.chars().fold(String::new(), |mut sql, c| {
            match c {
                '*' => sql.push('%'),
                '%' | '_' | '\\' => sql.extend(['\\', c]),
                // SQLite's LIKE ends there.
                '\0' => sql.push('_'),
                c => sql.push(c),
            }
            sql
        });
        let like = "LIKE ? ESCAPE '\\'";
        match field {
            Field::Tag | Field::Metadata(_) => {
                let key = if let Field::Metadata(key) = field { key.clone() } else { String::new() };
                self.push(&format!(
                    "{run}.n IN (SELECT x.n FROM labels l JOIN run_labels x ON x.label = l.id
                        WHERE l.key = ? AND l.value {like})"
                ));
                self.bind(key);
            }
            Field::Score(key) => {
                self.push(&format!(
                    "EXISTS (SELECT 1 FROM scores s WHERE s.run_id = {run}.id AND s.key = ? AND s.label {like})"
                ));
                self.bind(key.clone());
            }
            Field::Project => {
                self.push(&format!("{run}.project IN (SELECT id FROM projects WHERE name {like})"));
            }
            field if field.info().kind == Kind::Text => self.push(&format!("{run}.{} {like}", field.column())),
            _ => {
                self.push("0");
                return;
            }
        }
        self.bind(pattern);
    }

    fn exists(&mut self, field: &Field, run: &str) {
        match field {
            Field::Root | Field::Project | Field::Id | Field::Trace | Field::Attachments => self.push("1"),
            Field::Tag => self.push(&format!("{run}.tags <> '[]'")),
            Field::Metadata(key) => {
                self.push(&format!(
                    "{run}.n IN (SELECT x.n FROM labels l JOIN run_labels x ON x.label = l.id WHERE l.key = ?)"
                ));
                self.bind(key.clone());
            }
            Field::Score(key) => {
                self.push(&format!("EXISTS (SELECT 1 FROM scores s WHERE s.run_id = {run}.id AND s.key = ?)"));
                self.bind(key.clone());
            }
            field => self.push(&format!("{run}.{} IS NOT NULL", field.column())),
        }
    }

    /// What the text index finds.
    fn text(&mut self, matching: &str, run: &str, is_must: bool) -> Result<()> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM texts WHERE texts MATCH ? LIMIT ?)";
        let mut found = 0;
        if is_must {
            let values = rusqlite::params![matching, MANY_TEXTS];
            found = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0))?;
        }
        // With a plus, SQLite does not begin with these runs, but goes through all in the order of the list.
        let plus = if found < FEW { "" } else { "+" };
        self.push(&if found < MANY_TEXTS {
            format!("{plus}{run}.n IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
        } else {
            format!("EXISTS (SELECT 1 FROM texts WHERE texts MATCH ? AND texts.rowid = {run}.n)")
        });
        self.bind(matching.to_owned());
        Ok(())
    }
}
