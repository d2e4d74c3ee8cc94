//! How much of what runs carry leaves the process.

/// How much of the content of runs is handed to destinations: inputs, outputs, expected answers, variables, chunks, data
/// of events, and attachments.
///
/// What is derived from it (usage, model, parameters, status) is recorded in any case, and so are errors, metadata and
/// tags, without their secrets. Of the settings of the process and of the attribute the stricter one holds; it holds for
/// a run and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Content {
    /// As it was recorded. Nothing is searched for secrets.
    Full,
    /// With secrets replaced by marks.
    #[default]
    Redacted,
    /// Not at all.
    None,
}

/// Parts of the content that are left out by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// Inputs and variables.
    pub(crate) inputs: bool,
    /// Outputs, expected answers and chunks.
    pub(crate) outputs: bool,
    pub(crate) metadata: bool,
}

impl Content {
    /// As it stands in a record.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Full => 0,
            Self::Redacted => 1,
            Self::None => 2,
        }
    }

    /// From a record. What is not known is taken for the strictest.
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Full,
            1 => Self::Redacted,
            _ => Self::None,
        }
    }
}
