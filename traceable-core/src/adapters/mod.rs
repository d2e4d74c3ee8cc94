//! The adapters that expansions of the attribute call: for values, futures, streams and iterators.

pub(crate) mod call;
pub(crate) mod future;
pub(crate) mod reduce;
pub(crate) mod stream;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Serialize;
use serde_json::Value;

pub use self::reduce::{Fold, Reduce, fold};
use crate::{
    attachments, clock,
    frame::{FAILED, FRESH, Frame, MUTED, OPENING},
    local::{self, Ending, Opening},
    model::{Status, Usage},
    probe::{Slot, Text},
    record::item,
    redact::{self, Content},
    runtime::{exit, gate},
    site::Site,
    tape,
};

/// A JSON object.
pub type Map = serde_json::Map<String, Value>;

/// Calls what the user gave to look at a payload; a panic there is not the traced function's.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

/// What a run begins with: written by the attribute's capture.
pub struct Start<'a> {
    body: &'a mut Vec<u8>,
    /// Where what the run says itself begins; before it stands what the scopes around say.
    base: usize,
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start").finish_non_exhaustive()
    }
}

impl Start<'_> {
    /// A place for an argument.
    pub fn input(&mut self, key: &'static str) -> Slot<'_> {
        named(self.body, item::INPUT, key)
    }

    /// Leaves a mark in place of an argument, which is not looked at.
    pub fn redacted(&mut self, key: &'static str) {
        text(self.body, item::INPUT, key);
        tape::write_str(self.body, redact::MARK);
    }

    /// Says how much of the run and all below it may be sent.
    pub fn content(&mut self, content: Content) {
        self.body.extend_from_slice(&[item::CONTENT, content.code()]);
    }

    /// A place for a metadata value.
    pub fn metadata(&mut self, key: &'static str) -> Slot<'_> {
        named(self.body, item::METADATA, key)
    }

    /// Adds a tag.
    pub fn tag(&mut self, tag: impl AsRef<str>) {
        text(self.body, item::TAG, tag.as_ref());
    }

    /// Sets the name.
    pub fn name(&mut self, name: impl AsRef<str>) {
        text(self.body, item::NAME, name.as_ref());
    }

    /// Sets the project.
    pub fn project(&mut self, project: impl AsRef<str>) {
        text(self.body, item::PROJECT, project.as_ref());
    }

    /// Lets `process` change the arguments. Should it panic, none of them is kept.
    pub fn process_inputs<M: Into<Map>>(&mut self, process: impl FnOnce(Map) -> M) {
        let inputs = take_inputs(self.body, self.base);
        let body = &mut *self.body;
        body.push(item::INPUTS);
        match guarded(|| process(inputs).into()) {
            Some(inputs) => tape::write_serialize(body, &inputs),
            None => withheld(body, "process_inputs"),
        }
    }
}

/// Takes the arguments out of a body as an object.
fn take_inputs(body: &mut Vec<u8>, base: usize) -> Map {
    use crate::record::{Item, Items};

    let mut inputs = Map::new();
    for item in Items::new(&body[base..]) {
        if let Item::Input(name, mut value) = item {
            let value = value.json().ok().and_then(|json| serde_json::from_str(&json).ok());
            inputs.insert(name.to_owned(), value.unwrap_or_default());
        }
    }
    // The attribute writes the arguments first, so nothing else that it says is in the body yet. Files among them are
    // not kept.
    attachments::forget_items(&body[base..]);
    body.truncate(base);
    inputs
}

fn named<'a>(body: &'a mut Vec<u8>, item: u8, key: &str) -> Slot<'a> {
    text(body, item, key);
    Slot::new(body)
}

pub(crate) fn text(body: &mut Vec<u8>, item: u8, text: &str) {
    body.push(item);
    body.extend_from_slice(&(text.len() as u32).to_le_bytes());
    body.extend_from_slice(text.as_bytes());
}

/// The mark in place of a payload that could not be processed: better none than one that was to be hidden.
fn withheld(body: &mut Vec<u8>, key: &str) {
    tape::write_mark(body, "$withheld", &format!("`{key}` panicked, so the payload is not recorded"));
}

/// What a run ends with: written by the attribute's outcome.
#[derive(Debug)]
pub struct Outcome<'a> {
    body: &'a mut Vec<u8>,
    failed: &'a mut bool,
}

impl Outcome<'_> {
    /// The place for the output.
    pub fn output(&mut self) -> Slot<'_> {
        self.body.push(item::OUTPUT);
        Slot::new(self.body)
    }

    /// The place for the error's text.
    pub fn error(&mut self) -> Text<'_> {
        *self.failed = true;
        self.body.push(item::ERROR);
        Text::new(Some(self.body))
    }

    /// Sets the output as by hand.
    pub(crate) fn set_output<T: Serialize + ?Sized>(&mut self, output: &T) {
        self.body.push(item::SET_OUTPUT);
        tape::write_serialize(self.body, output);
    }

    /// Sets the error.
    pub(crate) fn failure(&mut self, error: &dyn fmt::Display) {
        *self.failed = true;
        self.body.push(item::ERROR);
        tape::write_error_text(self.body, |out| write!(out, "{error:#}"));
    }

    /// Sets the usage.
    pub fn usage(&mut self, usage: impl Into<Option<Usage>>) {
        if let Some(usage) = usage.into() {
            self.body.push(item::USAGE);
            tape::write_serialize(self.body, &usage);
        }
    }

    /// Leaves a mark in place of an output that could not be processed.
    pub fn withhold(&mut self, key: &'static str) {
        self.body.push(item::OUTPUT);
        withheld(self.body, key);
    }
}

/// Opens a run at `place`. Answers its place on the stack; a muted frame has one too.
pub(crate) fn open_run(
    site: &'static Site,
    options: Option<&local::Options>,
    place: local::Place,
    capture: impl FnOnce(&mut Start<'_>),
) -> Option<usize> {
    let mut opening = Opening::default();
    match local::decide(options, place, &mut opening) {
        local::Decision::Record => {
            let body = opening.body.get_or_insert_default();
            let base = body.len();
            capture(&mut Start { body, base });
            local::commit(site, &mut opening, options, place)
        }
        local::Decision::Mute => {
            let mut frame = Frame::NONE;
            frame.set(MUTED);
            local::place(frame, place)
        }
        local::Decision::Muted | local::Decision::Unheard => None,
    }
}

/// Writes the end of a run that is no longer on any stack.
pub(crate) fn end_run(frame: &Frame, status: Status, outcome: impl FnOnce(&mut Outcome<'_>)) {
    let mut ending = Ending::default();
    if local::prepare_end(frame, &mut ending) {
        end_with(&mut ending, status, outcome);
    }
}

/// Writes the end of a run that has been made ready.
#[inline]
fn end_with(ending: &mut Ending, status: Status, outcome: impl FnOnce(&mut Outcome<'_>)) {
    let body = ending.body.get_or_insert_default();
    outcome(&mut Outcome { body, failed: &mut ending.failed });
    let status = if ending.failed { Status::Error } else { status };
    local::write_end(ending, status);
    crate::runtime::settle();
}

/// Notes on the run itself that its code is unwinding.
///
/// Noted at the time of the panic, where the writer takes the end of a failed run from.
pub(crate) fn note_panic(frame: &mut Frame) {
    if frame.is_recorded() && !frame.is(FAILED) {
        frame.set(FAILED);
        let (text, ticks) = exit::last_panic();
        let mut body = local::take_scratch();
        body.push(item::PANIC);
        tape::write_str(&mut body, &text);
        local::write_note(frame.key, time_of(frame, ticks), &body);
        local::give_scratch(body);
    }
}

/// An open run that its future, stream or iterator holds. Dropped, it is cancelled.
#[derive(Debug)]
pub struct OpenRun {
    frame: Frame,
}

impl OpenRun {
    const fn off() -> Self {
        Self { frame: Frame::NONE }
    }

    pub(crate) const fn of(frame: Frame) -> Self {
        Self { frame }
    }

    const fn fresh() -> Self {
        let mut frame = Frame::NONE;
        frame.flags = FRESH;
        Self { frame }
    }

    /// Whether nothing is to be done for this run.
    #[inline]
    fn is_off(&self) -> bool {
        self.frame.key == 0 && self.frame.flags == 0
    }

    /// Ends the run.
    pub fn end(mut self, outcome: impl FnOnce(&mut Outcome<'_>)) {
        self.end_as(Status::Ok, outcome);
    }

    /// Ends the run where it lies.
    #[inline]
    fn end_as(&mut self, status: Status, outcome: impl FnOnce(&mut Outcome<'_>)) {
        let mut ending = Ending::default();
        let recorded = local::prepare_end(&self.frame, &mut ending);
        // Before the outcome, which may panic: there is only one end.
        (self.frame.key, self.frame.flags) = (0, 0);
        if recorded {
            end_with(&mut ending, status, outcome);
        }
    }

    /// Ends the run before its code has.
    #[cold]
    fn cancel(&mut self) {
        self.end_as(Status::Cancelled, |_| {});
    }

    fn take(&mut self) -> Frame {
        std::mem::take(&mut self.frame)
    }

    /// Makes the run the current one while its code is polled.
    #[inline]
    fn enter(&mut self) -> Entered<'_> {
        let place = if self.is_off() { None } else { self.enter_on() };
        Entered { run: self, place }
    }

    /// Answers the run's place on the stack.
    #[inline]
    fn enter_on(&mut self) -> Option<usize> {
        if !self.frame.is(FRESH) {
            return local::push(&self.frame);
        }
        // It was made in this state, so there is nothing else in it to take back.
        self.frame.flags = 0;
        // The body may be the first traced call of the process, which decides whether it traces.
        if gate::may_open() { local::push_opening() } else { None }
    }
}

impl Drop for OpenRun {
    #[inline]
    fn drop(&mut self) {
        if self.frame.key != 0 {
            self.cancel();
        }
    }
}

/// While this lives, the run is on the thread's stack. `None` when there is nothing to do, which is so from the first poll
/// on where tracing is off.
struct Entered<'a> {
    run: &'a mut OpenRun,
    place: Option<usize>,
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        if self.run.frame.key == 0 {
            local::pop_into(place, &mut self.run.frame);
            if self.run.frame.is(OPENING) {
                // The body opened no run: nobody listens.
                self.run.frame = Frame::NONE;
            }
        } else {
            self.run.frame.flags = local::pop_flags(place);
        }
        if std::thread::panicking() {
            note_panic(&mut self.run.frame);
        }
    }
}

/// Ticks to nanoseconds of a run's trace.
#[inline]
fn time_of(frame: &Frame, ticks: u64) -> i64 {
    frame.start + clock::nanos_between(frame.ticks, ticks)
}
