//! What Adaline takes, and the error for what it does not.

use std::fmt;

/// Something that Adaline would refuse. Nothing of the call that had it is recorded.
///
/// ```
/// use traceable::adaline::Adaline;
///
/// let error = Adaline::new().init_monitor("").unwrap_err();
/// assert_eq!(error.to_string(), "`project_id` takes at least 1 character, and was given 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitError {
    field: &'static str,
    limit: String,
    given: String,
}

impl LimitError {
    /// The field, such as `provider`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What it takes, such as `1 to 512 characters`.
    #[must_use]
    pub fn limit(&self) -> &str {
        &self.limit
    }

    /// What it was given: a number, or how many characters.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` takes {}, and was given {}", self.field, self.limit, self.given)
    }
}

impl std::error::Error for LimitError {}

pub(super) type Checked = Result<(), LimitError>;

/// A text of 1 to `max` characters.
pub(super) fn text(field: &'static str, text: &str, max: usize) -> Checked {
    let given = text.chars().count();
    if (1..=max).contains(&given) {
        return Ok(());
    }
    Err(LimitError { field, limit: format!("1 to {max} characters"), given: given.to_string() })
}

/// As [`text`], where there is one.
pub(super) fn maybe(field: &'static str, said: Option<&String>, max: usize) -> Checked {
    said.map_or(Ok(()), |said| text(field, said, max))
}

/// A text that is not empty.
pub(super) fn some_text(field: &'static str, text: &str) -> Checked {
    if text.is_empty() {
        return Err(LimitError { field, limit: "at least 1 character".to_owned(), given: "0".to_owned() });
    }
    Ok(())
}

/// A finite number.
pub(super) fn finite(field: &'static str, number: f64) -> Checked {
    if number.is_finite() {
        return Ok(());
    }
    Err(LimitError { field, limit: "finite numbers".to_owned(), given: number.to_string() })
}

/// An amount of money.
pub(super) fn dollars(field: &'static str, amount: f64) -> Checked {
    if amount.is_finite() && amount >= 0.0 {
        return Ok(());
    }
    Err(LimitError { field, limit: "a finite amount from 0 up".to_owned(), given: amount.to_string() })
}
