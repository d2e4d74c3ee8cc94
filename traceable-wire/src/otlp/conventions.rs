//! Which names a span's attributes are written in.

use std::{fmt, str::FromStr};

/// A set of names for what is known of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Convention {
    /// OpenTelemetry's GenAI conventions, as they are now.
    GenAi,
    /// The same with the names that they had up to v1.41, where those differ.
    GenAiOld,
    /// OpenInference: Phoenix, Arize and others.
    OpenInference,
    /// OpenLIT: its documented names, and what it has beside GenAI's today.
    OpenLit,
    /// What LangSmith reads in spans.
    LangSmith,
}

/// Every convention and its name, in the order in which they are written.
const ALL: [(Convention, &str); 5] = [
    (Convention::GenAi, "genai"),
    (Convention::GenAiOld, "genai-old"),
    (Convention::OpenInference, "openinference"),
    (Convention::LangSmith, "langsmith"),
    (Convention::OpenLit, "openlit"),
];

impl Convention {
    /// The name, as in `TRACEABLE_OTEL_CONVENTIONS`.
    pub fn name(self) -> &'static str {
        ALL.iter().find(|(convention, _)| *convention == self).map_or("", |(_, name)| name)
    }
}

/// The conventions whose names are written, all of them into each span.
///
/// An attribute that several of them have is written once. Where they mean different things by one name, the first of
/// `genai`, `genai-old`, `openinference`, `langsmith`, `openlit` wins.
///
/// ```
/// use traceable_wire::otlp::{Convention, Conventions};
///
/// let conventions: Conventions = "genai, langsmith".parse()?;
/// assert!(conventions.has(Convention::LangSmith) && !conventions.has(Convention::OpenInference));
/// assert_eq!(Conventions::default().to_string(), "genai,openinference");
///
/// let error = "genai,lit".parse::<Conventions>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown convention `lit`: known are genai, genai-old, openinference, langsmith, openlit");
/// # Ok::<(), traceable_wire::otlp::UnknownConvention>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conventions(u8);

impl Conventions {
    /// These conventions and no others.
    pub fn of(conventions: &[Convention]) -> Self {
        conventions.iter().fold(Self(0), |Self(set), convention| Self(set | 1 << *convention as u8))
    }

    /// Whether this one is among them.
    pub const fn has(self, convention: Convention) -> bool {
        self.0 & 1 << convention as u8 != 0
    }
}

impl Default for Conventions {
    /// GenAI and OpenInference: every receiver that was tried reads one of them.
    fn default() -> Self {
        Self::of(&[Convention::GenAi, Convention::OpenInference])
    }
}

impl fmt::Display for Conventions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = ALL.iter().filter(|(one, _)| self.has(*one)).map(|(_, name)| *name).collect();
        f.pad(&names.join(","))
    }
}

impl FromStr for Conventions {
    type Err = UnknownConvention;

    /// Reads names between commas. Spaces around them and empty ones are as if they were not there; without any name, it
    /// is the default.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = |name: &str| {
            let found = ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
            found.map(|(convention, _)| *convention).ok_or_else(|| UnknownConvention(name.to_owned()))
        };
        let chosen = names.map(known).collect::<Result<Vec<_>, _>>()?;
        Ok(if chosen.is_empty() { Self::default() } else { Self::of(&chosen) })
    }
}

/// A name that no convention has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownConvention(pub String);

impl fmt::Display for UnknownConvention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = ALL.map(|(_, name)| name).join(", ");
        write!(f, "unknown convention `{}`: known are {known}", self.0)
    }
}

impl std::error::Error for UnknownConvention {}
