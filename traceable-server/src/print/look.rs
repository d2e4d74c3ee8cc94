//! How the output looks: colours on a terminal alone, lines as wide as it is.

use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use traceable_core::model::Status;

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// How the output looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) is_colored: bool,
    /// Columns of a line. What is not read on a terminal is never cut for its width.
    pub(crate) width: usize,
}

impl Look {
    /// The look of standard output.
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_colored = match (env("NO_COLOR"), env("CLICOLOR_FORCE")) {
            (Some(_), _) => false,
            (None, Some(forced)) if forced != "0" => true,
            _ => is_terminal && env("CLICOLOR").as_deref() != Some("0") && env("TERM").as_deref() != Some("dumb"),
        };
        let columns = is_terminal.then(terminal_size::terminal_size).flatten();
        Self { is_colored, width: columns.map_or(200, |(columns, _)| usize::from(columns.0)).max(40) }
    }

    /// A piece of a line.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.is_colored && style != PLAIN && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// The mark of a run and its style.
pub(crate) fn mark(status: Status) -> (&'static str, Style) {
    match status {
        Status::Pending => ("…", DIM),
        Status::Ok => ("✓", DIM),
        Status::Error => ("✗", RED),
        Status::Cancelled => ("⊘", YELLOW),
        Status::Aborted => ("⊘", RED),
        _ => ("?", YELLOW),
    }
}
