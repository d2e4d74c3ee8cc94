//! What is wrong with a query, and where.

use std::fmt;

/// Characters that are shown of what was found.
const SHOWN: usize = 60;

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    at: usize,
    found: String,
    problem: String,
    nearest: Option<&'static str>,
}

impl QueryError {
    pub(super) fn new(at: usize, found: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at, found: found.into(), problem: problem.into(), nearest: None }
    }

    /// With the one of the known names that was probably meant.
    pub(super) fn or_meant(mut self, known: impl IntoIterator<Item = &'static str>) -> Self {
        let near = known.into_iter().map(|name| (distance(&self.found.to_lowercase(), name), name));
        let allowed = 1 + self.found.chars().count() / 3;
        self.nearest = near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name);
        self
    }

    /// Where, in bytes from the beginning of the text.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What stands there; empty at the end of the text.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// The known name that was probably meant.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.at, self.problem)?;
        if self.found.is_empty() {
            f.write_str(", but the text ends")?;
        } else {
            let shown = self.found.char_indices().nth(SHOWN).map_or(&*self.found, |(end, _)| &self.found[..end]);
            let rest = if shown.len() < self.found.len() { "…" } else { "" };
            write!(f, ", found `{}{rest}`", shown.escape_debug())?;
        }
        match self.nearest {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}

/// How many letters must be changed, added or taken away to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // Long words are no typing errors, and comparing them would take long.
    for (i, a) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let next = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}
