//! The run model: plain data that the runtime writes and every exporter, wire format and store reads.

mod change;
mod id;
mod json;
mod merge;
mod run;
mod usage;

pub use change::{Progress, Report, RunChange};
pub use id::{DottedOrder, ParseRunIdError, RunId, format_time};
pub use json::Json;
pub use merge::Assembler;
pub use run::{Event, Run, RunType, SourceLocation, Status, StreamInfo};
pub use usage::Usage;
