//! The run model: plain data that the runtime writes and every exporter, wire format and store reads.

mod attachment;
mod change;
mod dotted_order;
mod id;
mod json;
mod merge;
mod people;
mod run;
mod score;
mod time;
mod usage;

pub use attachment::{Attachment, AttachmentData, Bytes};
pub use change::{AttachmentFor, Progress, Report, RunChange};
pub use dotted_order::{DottedOrder, ParseDottedOrderError};
pub use id::{ParseRunIdError, RunId};
pub use json::Json;
pub use merge::Assembler;
pub use people::{Thread, User};
pub use run::{Event, OtelContext, Run, RunType, SourceLocation, Status, StreamInfo};
pub use score::{Score, ScoreSource, ScoreTarget};
pub use time::{format_time, parse_time};
pub use usage::Usage;
