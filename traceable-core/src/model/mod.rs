//! The run model: plain data that the runtime writes and every exporter, wire format and store reads.

mod attachment;
mod change;
mod id;
mod json;
mod merge;
mod people;
mod run;
mod score;
mod usage;

pub use attachment::{Attachment, AttachmentData, Bytes};
pub use change::{AttachmentFor, Progress, Report, RunChange};
pub use id::{DottedOrder, ParseRunIdError, RunId, format_time};
pub use json::Json;
pub use merge::Assembler;
pub use people::{Thread, User};
pub use run::{Event, OtelContext, Run, RunType, SourceLocation, Status, StreamInfo};
pub use score::{Score, ScoreSource, ScoreTarget};
pub use usage::Usage;
