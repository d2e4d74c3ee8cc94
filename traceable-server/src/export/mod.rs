//! Runs in the forms of other programs: a file a form.
//!
//! An export is made in pieces of about a megabyte, whoever takes them: a file, a terminal, a browser. Little but the piece
//! is in memory: of one trace the rows, without bodies, while it begins, and then the ids. The order is fixed, the oldest first, so an export that broke off goes on
//! behind the last run that it has.

pub(crate) mod chat;
mod chrome;
mod csv;
mod dataset;
mod html;
mod jsonl;
mod markdown;
pub(crate) mod openai;
mod otlp;
mod tree;

use std::collections::VecDeque;

use traceable_core::model::{Run, RunId};
use traceable_store::{Cursor, List, Listed, Of, Order, Query, Result, Row, Store, Trace};

/// Bytes of a piece, unless one run has more.
const PIECE: usize = 1 << 20;

/// Rows that are read at once.
const ROWS: usize = 200;

/// A form in which runs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// JSON Lines: a run a line in LangSmith's fields, whole; `import` reads it
    Jsonl,
    /// OTLP in JSON: a request a line, as the collector's file exporter writes it; `import` reads it
    Otlp,
    /// Markdown: the tree of each trace and what was said, to paste into a chat or an issue
    Markdown,
    /// One page of HTML with all in it, to attach or to keep
    Html,
    /// CSV: a run a row, without bodies
    Csv,
    /// OpenAI's form for fine-tuning: {"messages", "tools"} of each call of a model that was answered
    Openai,
    /// JSON Lines: {"inputs", "outputs", "metadata"} of each run, for a dataset
    Dataset,
    /// Chrome's trace events, for Perfetto
    Chrome,
}

impl Format {
    /// The name.
    pub(crate) fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The end of a file's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Openai | Self::Dataset => "jsonl",
            Self::Otlp => "otlp.jsonl",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Chrome => "json",
        }
    }

    /// The media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Otlp | Self::Openai | Self::Dataset => "application/x-ndjson",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Chrome => "application/json",
        }
    }

    /// What the form is made of where nothing is said.
    pub(crate) fn usual(self) -> Of {
        match self {
            Self::Markdown | Self::Html | Self::Chrome => Of::Traces,
            _ => Of::Runs,
        }
    }
}

/// What is exported.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The runs that fit, or all runs of the traces whose head does.
    Fitting(Query, Of),
    /// A run and all runs below it.
    Below(RunId),
}

/// An export on its way.
#[derive(Debug)]
pub(crate) struct Export {
    format: Format,
    list: List,
    /// Read and not written yet: runs, or heads of traces.
    rows: VecDeque<Row>,
    is_last_page: bool,
    /// Of the trace that is being written.
    runs: VecDeque<tree::Place>,
    /// Read, and written with the piece.
    batch: Vec<Run>,
    /// A run whose subtree is still to be written.
    below: Option<RunId>,
    state: State,
    read: Option<Cursor>,
    safe: Safe,
    /// Bytes of all pieces so far.
    bytes: u64,
    /// Runs or traces that were read.
    count: u64,
    left: u64,
}

/// Up to where an export is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Safe {
    /// The last run, or trace, that is whole; `None` before the first.
    pub(crate) after: Option<Cursor>,
    /// Where its bytes end, from where the export began.
    pub(crate) bytes: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    New,
    Begun,
    Over,
}

impl Export {
    /// From the beginning, or behind `after`, where an export of the same broke off; `limit` runs or traces at most.
    pub(crate) fn new(format: Format, what: What, after: Option<Cursor>, limit: Option<u64>) -> Self {
        let (query, of, below) = match what {
            What::Fitting(query, of) => (query, of, None),
            What::Below(run) => (Query::Or(Vec::new()), Of::Runs, Some(run)),
        };
        Self {
            format,
            list: List { query, of, order: Order::Oldest, limit: ROWS, after },
            rows: VecDeque::new(),
            is_last_page: false,
            runs: VecDeque::new(),
            batch: Vec::new(),
            below,
            state: if after.is_some() { State::Begun } else { State::New },
            read: after,
            safe: Safe { after, bytes: 0 },
            bytes: 0,
            count: 0,
            left: limit.unwrap_or(u64::MAX),
        }
    }

    /// Up to where it is whole, with all pieces so far.
    pub(crate) fn safe(&self) -> Safe {
        self.safe
    }

    /// How many runs, or traces, have been read.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The next piece; `None` when all have been made.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. What was in this piece is not lost: another export goes on where this one is [`safe`](Self::safe).
    pub(crate) fn piece(&mut self, store: &Store) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        if self.state == State::New {
            out.extend_from_slice(self.head().as_bytes());
            self.state = State::Begun;
        }
        let mut waiting = 0;
        while self.state == State::Begun && out.len() + waiting < PIECE {
            if !self.step(store, &mut out)? {
                out.extend_from_slice(self.tail().as_bytes());
                self.state = State::Over;
            }
            waiting = self.batch.iter().map(weigh).sum();
        }
        otlp::write(std::mem::take(&mut self.batch), store, &mut out)?;
        self.mark(out.len());
        self.bytes += out.len() as u64;
        Ok(if self.state == State::Over && out.is_empty() { None } else { Some(out) })
    }

    /// Remembers that all is whole up to here.
    fn mark(&mut self, length: usize) {
        if self.runs.is_empty() && self.batch.is_empty() {
            self.safe = Safe { after: self.read, bytes: self.bytes + length as u64 };
        }
    }

    /// Writes a run, or the head of a trace. Answers whether there was any.
    fn step(&mut self, store: &Store, out: &mut Vec<u8>) -> Result<bool> {
        if let Some(place) = self.runs.pop_front() {
            self.run(store, place, out)?;
        } else if let Some(run) = self.below.take() {
            let trace = store.row(run)?.map_or(Ok(None), |row| store.trace(row.trace_id))?;
            if let Some(trace) = trace {
                self.begin(trace, Some(run), out)?;
            }
        } else if let Some(row) = self.row(store)? {
            self.read = Some(Cursor::of(&row));
            self.count += 1;
            match self.list.of {
                Of::Runs => self.run(store, tree::Place { id: row.id, depth: 0 }, out)?,
                Of::Traces => {
                    if let Some(trace) = store.trace(row.trace_id)? {
                        self.begin(trace, None, out)?;
                    }
                }
            }
        } else {
            return Ok(false);
        }
        self.mark(out.len());
        Ok(true)
    }

    /// The next run or head.
    fn row(&mut self, store: &Store) -> Result<Option<Row>> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.rows.is_empty() && !self.is_last_page {
            let page = store.list(&self.list)?;
            self.is_last_page = page.next.is_none();
            self.list.after = page.next;
            self.rows.extend(page.rows.into_iter().map(|Listed { row, .. }| row));
        }
        self.left -= 1;
        Ok(self.rows.pop_front())
    }

    /// Begins a trace, or the part of it below a run.
    fn begin(&mut self, mut trace: Trace, below: Option<RunId>, out: &mut Vec<u8>) -> Result<()> {
        let mut places = tree::places(&trace.runs);
        if let Some(top) = below {
            places = tree::below(&places, top);
            let kept: std::collections::HashSet<RunId> = places.iter().map(|place| place.id).collect();
            trace.runs.retain(|row| kept.contains(&row.id));
        }
        match self.format {
            Format::Markdown => markdown::head(&trace, below, out)?,
            Format::Html => html::trace(&trace, below, out),
            Format::Chrome => {
                let mut events = Vec::new();
                chrome::write(&trace, &mut events)?;
                let is_first = self.safe.after.is_none();
                out.extend_from_slice(if is_first { b"\n" } else { b",\n" });
                out.extend_from_slice(&events);
                return Ok(());
            }
            _ => {}
        }
        if !matches!(self.format, Format::Markdown | Format::Html) {
            // As in lists: what began first.
            places = trace.runs.iter().map(|row| tree::Place { id: row.id, depth: 0 }).collect();
        }
        self.runs = places.into();
        Ok(())
    }

    fn run(&mut self, store: &Store, place: tree::Place, out: &mut Vec<u8>) -> Result<()> {
        if self.format == Format::Csv {
            // Without bodies.
            return store.row(place.id)?.map_or(Ok(()), |row| csv::write(&row, out));
        }
        if self.format == Format::Markdown {
            return store.run(place.id)?.map_or(Ok(()), |run| markdown::write(store, &run, place.depth, out));
        }
        if self.format == Format::Html {
            return store.run(place.id)?.map_or(Ok(()), |run| html::run(store, &run, place.depth, out));
        }
        // `None` when it went in the meantime.
        let Some(run) = store.whole_run(place.id)? else { return Ok(()) };
        match self.format {
            Format::Jsonl => jsonl::write(store, &run, out)?,
            Format::Openai => openai::write(&run, out)?,
            Format::Dataset => dataset::write(&run, out)?,
            Format::Otlp => self.batch.push(run),
            Format::Chrome | Format::Csv | Format::Html | Format::Markdown => {}
        }
        Ok(())
    }

    fn head(&self) -> String {
        match self.format {
            Format::Csv => csv::head(),
            Format::Html => html::head(),
            Format::Chrome => "{\"traceEvents\":[".to_owned(),
            _ => String::new(),
        }
    }

    fn tail(&self) -> &'static str {
        if self.format == Format::Chrome { "\n]}\n" } else { "" }
    }
}

/// About how many bytes a run will take.
fn weigh(run: &Run) -> usize {
    let bodies = [&run.inputs, &run.outputs, &run.expected];
    bodies.into_iter().flatten().map(|body| body.as_str().len()).sum::<usize>() + 1_000
}

/// A line of JSON.
fn line(value: &impl serde::Serialize, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.push(b'\n');
    Ok(())
}
