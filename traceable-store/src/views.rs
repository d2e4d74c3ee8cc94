//! What other programs may read of the database, with SQL.
//!
//! The file is an `SQLite` database in WAL mode; open it for reading (`sqlite3 -readonly`). The tables may change in any
//! release; these views do not. Times are text in UTC with milliseconds, durations are seconds, costs US dollars, ids UUIDs.
//!
//! - `view_runs`: a row for each run: `id`, `trace_id`, `parent_id`, `project`, `name`, `run_type`, `status`, `start_time`,
//!   `end_time`, `latency`, `first_token`, `error`, `provider`, `model`, `thread_id`, `session_id`, `user`, `environment`,
//!   `release`, `input_tokens`, `output_tokens`, `total_tokens`, `cost`, `tags` (a JSON list), `attachments`,
//!   `input_preview`, `output_preview`.
//! - `view_traces`: the same columns of the run that stands for each trace, and `runs`, `open`, `errors`,
//!   `trace_input_tokens`, `trace_output_tokens`, `trace_total_tokens`, `trace_cost`, `trace_first_token` of all of it.
//! - `view_metadata`: `run_id`, `key`, `value` (text), `number`: a row for each single value.
//! - `view_scores`: `run_id` or `thread_id`, `key`, `number`, `label`, `source`, `user`, `time`, `comment`.
//!
//! Inputs and outputs are compressed; [`Store::run`](crate::Store::run) reads them.
