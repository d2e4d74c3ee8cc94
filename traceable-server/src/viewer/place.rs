//! Where the user is: what lists, and the pages that they lead to, carry along in their address, so that they can be sent to
//! somebody else. A page of one thing alone, such as a comparison or a piece of a body, needs none of it.

use std::fmt::Write as _;

use serde::Deserialize;
use traceable_store::{Field, Op, Query, QueryError, Value};

use crate::print::now;

/// The selection that goes with the user from list to list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// What is looked for, in the words of `traceable ls`.
    pub(super) q: String,
    /// The project; empty for all.
    pub(super) project: String,
    /// The environment; empty for all.
    pub(super) env: String,
}

impl Place {
    /// The runs that the selection means.
    pub(super) fn query(&self) -> Result<Query, QueryError> {
        let asked = Query::parse(&self.q, now())?;
        Ok(asked.and(self.ground()))
    }

    /// Project and environment alone.
    pub(super) fn ground(&self) -> Query {
        let is = |field, value: &str| Query::Compare(field, Op::Eq, Value::Text(value.to_owned()));
        let mut all = Query::default();
        if !self.project.is_empty() {
            all = all.and(is(Field::Project, &self.project));
        }
        if !self.env.is_empty() {
            all = all.and(is(Field::Environment, &self.env));
        }
        all
    }

    /// An address below which the selection stays, with more parameters; empty values are left out.
    pub(super) fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        let own = [("q", self.q.as_str()), ("project", &self.project), ("env", &self.env)];
        let own = own.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        address(path, own.chain(more.iter().copied()))
    }
}

/// An address with parameters; those without a value are left out.
pub(super) fn address<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = path.to_owned();
    let mut sign = '?';
    for (name, value) in parameters {
        if !value.is_empty() {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            let _ = write!(text, "{sign}{name}={value}");
            sign = '&';
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_the_selection_along_and_escape_it() {
        let place = Place { q: "a b&c=\"d\"".into(), env: "prod".into(), ..Place::default() };
        assert_eq!(place.link("/t/1", &[("run", "2"), ("view", "")]), "/t/1?q=a%20b%26c%3D%22d%22&env=prod&run=2");
        assert_eq!(place.link("/", &[("q", "")]), "/?env=prod");
    }
}
