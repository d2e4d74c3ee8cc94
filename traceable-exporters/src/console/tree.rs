//! Makes a page of a trace: a line a run, its children below it, a summary at the end.

use anstyle::Style;
use traceable_core::{
    model::{RunId, Usage},
    show,
};

use super::{
    entry::Entry,
    forest::{Forest, Row, add},
    style::{self, BOLD, DIM, Line, Look, PLAIN, RED},
    text,
    traces::Rest,
};

/// A preview of fewer columns than this says nothing.
const LEAST_PREVIEW: usize = 8;

/// Between the question and the answer.
const ARROW: &str = " → ";

/// Before what is said of the whole trace.
const INDENT: &str = "   ";

/// Between facts.
const DOT: &str = " · ";

/// What is put on a page.
pub(super) struct Scene<'a> {
    pub(super) trace_id: RunId,
    /// The runs, in any order.
    pub(super) entries: Vec<&'a Entry>,
    /// The line above them, where it is not the root's own.
    pub(super) label: Option<String>,
    /// Runs that were not kept.
    pub(super) rest: Rest,
    /// Whether the trace goes on.
    pub(super) open: bool,
}

impl Scene<'_> {
    /// Adds the page's lines.
    pub(super) fn print(mut self, look: Look, page: &mut String) {
        self.entries.sort_by_key(|entry| (entry.start, entry.id));
        let forest = Forest::of(&self.entries, self.label.is_none());
        let rows = forest.rows(look.width / 4);
        let columns = Columns::of(&self.entries, &rows, look);
        if let Some(label) = &self.label {
            let mut line = Line::new(look);
            line.push(DIM, &text::fit(label, look.width));
            line.finish(page);
        }
        for row in &rows {
            let entry = self.entries[row.entry];
            print_run(entry, row, columns, look, page);
            if !forest.error_is_below(&self.entries, row.entry) {
                print_error(entry, row, look, page);
            }
        }
        self.print_rest(look, page);
        self.print_summary(&forest, look, page);
    }

    fn print_rest(&self, look: Look, page: &mut String) {
        if self.rest.runs == 0 {
            return;
        }
        let mut line = Line::new(look);
        line.push(DIM, &format!("{INDENT}… {} more", show::count(self.rest.runs)));
        if self.rest.errors > 0 {
            line.push(RED, &format!(", {}", show::counted(self.rest.errors, "error")));
        }
        line.finish(page);
    }

    fn print_summary(&self, forest: &Forest, look: Look, page: &mut String) {
        let mut line = Line::new(look);
        for (i, (style, fact)) in self.facts(forest).into_iter().enumerate() {
            line.push(DIM, if i == 0 { INDENT } else { DOT });
            line.push(style, &fact);
        }
        let id = self.trace_id;
        let name = look.server.map_or_else(|| id.to_string(), |server| format!("http://{server}/t/{id}"));
        // It is there to be copied, so it is never cut.
        if line.width() + text::width(DOT) + text::width(&name) > look.width {
            line.finish(page);
            line = Line::new(look);
            line.push(PLAIN, INDENT);
        } else {
            line.push(DIM, DOT);
        }
        line.push(DIM, &name);
        line.finish(page);
    }

    fn facts(&self, forest: &Forest) -> Vec<(Style, String)> {
        let runs = show::counted(self.entries.len() as u64 + self.rest.runs, "run");
        let mut facts = vec![(DIM, if self.open { format!("{runs} so far") } else { runs })];
        let took = forest.head.and_then(|head| self.entries[head].duration());
        facts.extend(took.map(|nanos| (DIM, show::duration(nanos))));
        let (tokens, cost) = forest.spent(&self.entries);
        let tokens = tokens.saturating_add(self.rest.tokens);
        if tokens > 0 {
            facts.push((DIM, format!("{} tok", show::tokens(tokens))));
        }
        if let Some(cost) = add(cost, self.rest.cost) {
            facts.push((DIM, show::dollars(cost)));
        }
        let errors = self.entries.iter().filter(|entry| entry.failed()).count() as u64 + self.rest.errors;
        if errors > 0 {
            facts.push((RED, show::counted(errors, "error")));
        }
        if self.open {
            facts.push((DIM, "still open".into()));
        }
        facts
    }
}

/// Where the columns of a page begin.
#[derive(Clone, Copy)]
struct Columns {
    /// The end of marks, names and kinds.
    names: usize,
    /// The width of the durations.
    durations: usize,
}

impl Columns {
    fn of(entries: &[&Entry], rows: &[Row], look: Look) -> Self {
        let name = |row: &Row| {
            let entry = entries[row.entry];
            let kind = entry.kind.as_ref().map_or(0, |kind| 1 + text::width(kind));
            text::width(&row.before) + 2 + text::width(&entry.name) + kind
        };
        let widest = rows.iter().map(name).max().unwrap_or(0);
        let durations = rows.iter().map(|row| text::width(&duration(entries[row.entry]))).max().unwrap_or(0);
        Self { names: widest.min(look.width * 9 / 20), durations }
    }
}

fn duration(entry: &Entry) -> String {
    entry.duration().map_or_else(|| "open".into(), show::duration)
}

fn print_run(entry: &Entry, row: &Row, columns: Columns, look: Look, page: &mut String) {
    let mut line = Line::new(look);
    line.push(DIM, &row.before);
    let (mark, mark_style) = style::mark(entry.status, !entry.ended);
    line.push(mark_style, mark);
    line.push(PLAIN, " ");
    push_name(&mut line, entry, columns.names);
    let took = duration(entry);
    line.pad_to(columns.names + 2 + columns.durations.saturating_sub(text::width(&took)));
    line.push(DIM, &took);
    push_facts(&mut line, entry, look.width);
    push_previews(&mut line, entry, look.width);
    line.finish(page);
}

/// The name and, where it leaves the name readable, the kind.
fn push_name(line: &mut Line, entry: &Entry, end: usize) {
    let room = end.saturating_sub(line.width());
    let style = if entry.failed() { RED.bold() } else { BOLD };
    let kind = entry.kind.as_deref().unwrap_or_default();
    let kind_room = if kind.is_empty() { 0 } else { text::width(kind) + 1 };
    if kind_room == 0 || (text::width(&entry.name).min(LEAST_PREVIEW) + kind_room) > room {
        line.push(style, &text::fit(&entry.name, room));
        return;
    }
    line.push(style, &text::fit(&entry.name, room - kind_room));
    line.push(PLAIN, " ");
    line.push(DIM, kind);
}

/// Tokens, cost, time to the first chunk: as many as fit.
fn push_facts(line: &mut Line, entry: &Entry, width: usize) {
    let first = entry.first_chunk.map(|nanos| format!("first {}", show::duration(nanos)));
    let known = [entry.usage.as_ref().and_then(tokens), entry.cost().map(show::dollars), first];
    for (i, fact) in known.into_iter().flatten().enumerate() {
        let gap = if i == 0 { "  " } else { DOT };
        if line.width() + text::width(gap) + text::width(&fact) > width {
            return;
        }
        line.push(DIM, gap);
        line.push(PLAIN, &fact);
    }
}

fn tokens(usage: &Usage) -> Option<String> {
    let shown = |n: Option<u64>| n.map_or_else(|| "?".into(), show::tokens);
    match (usage.input_tokens, usage.output_tokens) {
        (None, None) => usage.total_tokens.map(|total| format!("{} tok", show::tokens(total))),
        (input, output) => Some(format!("{}→{} tok", shown(input), shown(output))),
    }
}

/// The question and the answer in what is left of the line; each may use what the other leaves.
fn push_previews(line: &mut Line, entry: &Entry, width: usize) {
    let room = width.saturating_sub(line.width() + 2);
    if room < LEAST_PREVIEW {
        return;
    }
    let arrow = text::width(ARROW);
    let (input, output) = match (&entry.input, &entry.output) {
        (None, None) => return,
        (Some(input), None) => (input.fit(room), None),
        (None, Some(output)) => (String::new(), Some(output.fit(room.saturating_sub(arrow - 1)))),
        (Some(input), Some(_)) if room < 2 * LEAST_PREVIEW + arrow => (input.fit(room), None),
        (Some(input), Some(output)) => {
            let both = room - arrow;
            let left = (both / 2).max(both.saturating_sub(output.width())).min(input.width());
            (input.fit(left), Some(output.fit(both - left)))
        }
    };
    line.push(PLAIN, "  ");
    line.push(DIM, &input);
    if let Some(output) = output {
        line.push(DIM, if input.is_empty() { ARROW.trim_start() } else { ARROW });
        line.push(PLAIN, &output);
    }
}

fn print_error(entry: &Entry, row: &Row, look: Look, page: &mut String) {
    let room = look.width.saturating_sub(text::width(&row.under)).max(20);
    for text in &entry.error {
        let indent = text.len() - text.trim_start().len();
        for piece in text::wrap(text.trim_start(), room - indent.min(room / 2)) {
            let mut line = Line::new(look);
            line.push(DIM, &row.under);
            line.push(RED, &" ".repeat(indent.min(room / 2)));
            line.push(RED, piece);
            line.finish(page);
        }
    }
}
