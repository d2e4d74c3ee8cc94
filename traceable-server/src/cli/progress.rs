//! How far a command is that takes longer, on a terminal.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What is quicker is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that shows itself after a second.
pub(super) struct Progress {
    began: Instant,
    bar: Option<ProgressBar>,
    total: u64,
    is_bytes: bool,
}

impl Progress {
    pub(super) fn of(total: u64) -> Self {
        Self { began: Instant::now(), bar: None, total, is_bytes: false }
    }

    pub(super) fn of_bytes(total: u64) -> Self {
        let mut progress = Self::of(total);
        progress.is_bytes = true;
        progress
    }

    /// Shows that so much is done.
    pub(super) fn at(&mut self, done: u64) {
        if self.bar.is_none() && self.began.elapsed() > PATIENCE && io::stderr().is_terminal() {
            let bar = ProgressBar::new(self.total);
            let counts = if self.is_bytes { "{bytes} of {total_bytes}" } else { "{human_pos} of {human_len}" };
            let style = ProgressStyle::with_template(&format!("{{wide_bar}} {counts}, {{eta}} left"));
            self.bar = style.ok().map(|style| bar.with_style(style));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
