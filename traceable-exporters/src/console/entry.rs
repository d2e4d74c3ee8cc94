//! What the console keeps of a run: enough for its line, never its whole inputs and outputs.

use traceable_core::model::{Run, RunId, RunType, Status, Usage};

use super::{
    preview::{self, Preview},
    text,
};

/// The most columns that are kept of a name.
const KEPT_NAME: usize = 120;

/// The most bytes that are kept of an error's text. The rest is counted in its last line.
const KEPT_ERROR: usize = 8 << 10;

/// A run, cut down to its line.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: RunId,
    pub(super) parent: Option<RunId>,
    pub(super) name: String,
    /// The run type, where it is worth a word.
    pub(super) kind: Option<String>,
    pub(super) start: i64,
    pub(super) end: Option<i64>,
    /// Whether its end was reported.
    pub(super) ended: bool,
    pub(super) status: Status,
    pub(super) first_chunk: Option<i64>,
    pub(super) usage: Option<Usage>,
    pub(super) input: Option<Preview>,
    pub(super) output: Option<Preview>,
    /// The lines of the error's text.
    pub(super) error: Vec<String>,
}

impl Entry {
    pub(super) fn new(run: &Run) -> Self {
        let mut entry = Self {
            id: run.id,
            parent: run.parent_id,
            name: String::new(),
            kind: None,
            start: run.start_time,
            end: None,
            ended: false,
            status: Status::Pending,
            first_chunk: None,
            usage: None,
            input: None,
            output: None,
            error: Vec::new(),
        };
        entry.absorb(run);
        entry
    }

    /// Takes over what another record of the run says, by the rules of [`Run::absorb`].
    pub(super) fn absorb(&mut self, run: &Run) {
        fn newer<T>(slot: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *slot = later;
            }
        }
        if !run.name.is_empty() {
            self.name = text::clean(&run.name, KEPT_NAME);
        }
        self.kind = (run.run_type != RunType::Chain).then(|| text::clean(run.run_type.as_str(), KEPT_NAME));
        if run.status != Status::Pending {
            self.status = run.status;
        }
        if let Some(error) = &run.error {
            self.error = error_lines(error);
        }
        newer(&mut self.end, run.end_time);
        newer(&mut self.first_chunk, run.time_to_first_chunk());
        newer(&mut self.usage, run.usage.clone());
        newer(&mut self.input, run.inputs.as_ref().and_then(preview::of_inputs));
        newer(&mut self.output, run.outputs.as_ref().and_then(preview::of_outputs));
    }

    pub(super) fn duration(&self) -> Option<i64> {
        self.end.map(|end| end.saturating_sub(self.start))
    }

    pub(super) fn failed(&self) -> bool {
        failed(self.status)
    }

    /// Input and output tokens, or what is known of them.
    pub(super) fn total_tokens(&self) -> u64 {
        self.usage.as_ref().map_or(0, tokens_of)
    }

    pub(super) fn cost(&self) -> Option<f64> {
        cost_of(self.usage.as_ref()?)
    }
}

pub(super) fn failed(status: Status) -> bool {
    matches!(status, Status::Error | Status::Aborted)
}

pub(super) fn tokens_of(usage: &Usage) -> u64 {
    let parts = usage.input_tokens.unwrap_or(0).saturating_add(usage.output_tokens.unwrap_or(0));
    usage.total_tokens.unwrap_or(parts)
}

/// The cost of the call; its parts are added up where the whole was not given.
pub(super) fn cost_of(usage: &Usage) -> Option<f64> {
    let parts = || match (usage.input_cost, usage.output_cost) {
        (None, None) => None,
        (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
    };
    usage.total_cost.or_else(parts).filter(|cost| cost.is_finite() && *cost >= 0.0)
}

/// The lines of an error that say something, safe to print; what is beyond the limit is counted.
fn error_lines(error: &str) -> Vec<String> {
    let end = (0..=KEPT_ERROR.min(error.len())).rev().find(|end| error.is_char_boundary(*end));
    let kept = &error[..end.unwrap_or(0)];
    let mut lines: Vec<String> = kept
        .lines()
        .filter(|line| !line.trim().is_empty())
        // Indentation means something in error texts, such as a chain of causes.
        .map(|line| {
            let indent = line.len() - line.trim_start().len();
            " ".repeat(indent.min(12)) + &text::clean(line, usize::MAX / 8)
        })
        .collect();
    let rest = error.len() - kept.len();
    if rest > 0 {
        lines.push(format!("… {} more", traceable_core::show::counted(rest as u64, "byte")));
    }
    lines
}
