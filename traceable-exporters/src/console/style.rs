//! How the console looks: colours only where they are wanted, lines as wide as the terminal.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
    net::SocketAddr,
};

use anstyle::{AnsiColor, Style};
use traceable_core::model::Status;

use super::text;

/// The width where nothing says otherwise.
const FALLBACK_WIDTH: usize = 100;

/// A tree needs some room; below this, lines are longer than asked.
const LEAST_WIDTH: usize = 40;

pub(super) const PLAIN: Style = Style::new();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// When [`Console`](super::Console) prints in colour.
///
/// ```
/// use traceable_exporters::Color;
///
/// assert_eq!(Color::from(true), Color::Always);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere only when `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<bool> for Color {
    fn from(on: bool) -> Self {
        if on { Self::Always } else { Self::Never }
    }
}

impl Color {
    /// Whether to print in colour, with the environment given as a function.
    pub(super) fn wanted(self, terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") && env("CLICOLOR_FORCE").as_deref() != Some("0") => true,
            Self::Auto => terminal && env("CLICOLOR").as_deref() != Some("0") && env("TERM").as_deref() != Some("dumb"),
        }
    }
}

/// How one page is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) color: bool,
    pub(super) width: usize,
    /// The server that shows traces.
    pub(super) server: Option<SocketAddr>,
}

impl Look {
    /// The look for now: a terminal may have been resized since the page before.
    pub(super) fn now(color: Color, width: Option<usize>, stderr: bool) -> Self {
        let env = |name: &str| std::env::var(name).ok();
        let terminal = stderr && io::stderr().is_terminal();
        let measured = || terminal.then(|| terminal_size::terminal_size_of(io::stderr())).flatten();
        let width = width
            .or_else(|| measured().map(|(columns, _)| usize::from(columns.0)))
            .or_else(|| env("COLUMNS")?.trim().parse().ok())
            .filter(|width| *width > 0)
            .unwrap_or(FALLBACK_WIDTH);
        Self { color: color.wanted(terminal, env), width: width.max(LEAST_WIDTH), server: None }
    }
}

/// The mark of a run and its style.
pub(super) fn mark(status: Status, open: bool) -> (&'static str, Style) {
    match status {
        _ if open => ("…", DIM),
        Status::Ok => ("✓", DIM),
        Status::Error => ("✗", RED),
        Status::Cancelled => ("⊘", YELLOW),
        Status::Aborted => ("⊘", RED),
        _ => ("?", YELLOW),
    }
}

/// A line that is put together piece by piece and knows how many columns it takes.
pub(super) struct Line {
    text: String,
    width: usize,
    color: bool,
}

impl Line {
    pub(super) fn new(look: Look) -> Self {
        Self { text: String::new(), width: 0, color: look.color }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn push(&mut self, style: Style, piece: &str) {
        self.width += text::width(piece);
        if self.color && style != PLAIN && !piece.is_empty() {
            // Writing to a `String` cannot fail.
            let _ = write!(self.text, "{style}{piece}{style:#}");
        } else {
            self.text.push_str(piece);
        }
    }

    /// Goes on at a column, where the line is shorter.
    pub(super) fn pad_to(&mut self, column: usize) {
        let gap = column.saturating_sub(self.width);
        self.text.extend(std::iter::repeat_n(' ', gap));
        self.width += gap;
    }

    pub(super) fn finish(self, page: &mut String) {
        page.push_str(self.text.trim_end());
        page.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(terminal: bool, env: &[(&str, &str)]) -> bool {
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Color::Auto.wanted(terminal, lookup)
    }

    #[test]
    fn colours_follow_the_terminal_and_the_environment() {
        assert!(auto(true, &[]));
        assert!(!auto(false, &[]));
        assert!(!auto(true, &[("NO_COLOR", "1")]));
        assert!(auto(true, &[("NO_COLOR", "")]));
        assert!(auto(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!auto(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!auto(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!auto(true, &[("CLICOLOR", "0")]));
        assert!(!auto(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn what_the_program_says_wins_over_the_environment() {
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        assert!(Color::Always.wanted(false, no_color));
        assert!(!Color::Never.wanted(true, |_| None));
    }
}
