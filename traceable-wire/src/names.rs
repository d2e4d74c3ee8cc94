//! Names of our own in what others keep: the keys of metadata, and of attributes, under which travels what a protocol has
//! no word for.

/// What all of them begin with. What begins so is not the user's.
pub const PREFIX: &str = "traceable.";

/// All that has no name elsewhere.
pub const REST: &str = "traceable.rest";

/// A kind that LangSmith does not know; the run is a `chain` there.
pub const RUN_TYPE: &str = "traceable.run_type";

/// What LangSmith's SDKs say of a run and no field is for.
pub const LANGSMITH: &str = "traceable.langsmith";
