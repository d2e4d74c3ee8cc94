//! LangSmith's protocol: run records in multipart bodies and in batches of JSON, feedback, attachments.
//!
//! Out: [`Encoder`] says which change is a `post` and which a `patch`, [`Record`] what a run is, `multipart` and `batch` how
//! that is laid out. In: [`decode_multipart`] and [`decode_batch`] take a body apart, `read` makes runs of records.

mod attachment;
mod batch;
mod decode;
mod encode;
mod feedback;
mod multipart;
mod normalise;
mod read;
mod record;
mod replica;

pub use batch::decode_batch;
pub use decode::{Decoded, MAX_PARTS, PartError, Problem, decode_patch, decode_post};
pub use encode::{Encoded, Encoder};
pub use feedback::{Feedback, decode_feedback, normalise_score};
pub use multipart::{boundary_of, decode_multipart};
pub use normalise::normalise;
pub use record::Record;
pub use replica::replica;
