//! Records beside the runs of a trace: scores, conversations and users, traces kept for their failures, attachments.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod attachments;
mod feedback;
