//! One backend's deliveries: batches, retries, pauses, and what to do with what is refused.
//!
//! - What the source gives out is done with exactly once, in order: taken, or buried and counted.
//! - Nothing is done with before everything below it is.
//! - At most `in_flight` parcels and their pieces are in memory, and one that is being filled.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    Entry, Identity, Limits, Link, Mark, Source, Standing,
    order::{Order, Piece},
    pace::{Jitter, Pace},
    shrink::shrink,
};
use crate::{
    clock,
    export::{Ack, ExportError, Remedy},
    notice,
    runtime::counters::{self, Reason},
};

/// How long a parcel waits to be filled.
const LINGER: Duration = Duration::from_millis(250);

/// How long a source that could not be read is left alone.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How often at least it is noted how the backend stands while it takes what it is sent.
const NOTE_EVERY: Duration = Duration::from_secs(5);

/// Changes that are to be sent as one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parcel {
    /// Names it in the answer.
    pub number: u64,
    /// What to send; never nothing.
    pub entries: Vec<Entry>,
    /// How often its only change was made smaller.
    cuts: u32,
}

/// What is to be done next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Send this, and tell the answer. Ask again at once: more may go at the same time.
    Send(Parcel),
    /// Nothing to do before an answer, before [`Delivery::poll_news`] is ready, or before this moment.
    Wait(Option<Instant>),
    /// Nothing more will come.
    Done,
}

/// See the module of the same name's first lines: what is sent, when, and what its answer means.
///
/// ```
/// use std::time::Instant;
/// use traceable_core::{
///     delivery::{Delivery, Step},
///     export::{Ack, ExportError},
/// };
///
/// async fn drive(mut delivery: Delivery, send: impl AsyncFn(&[traceable_core::delivery::Entry]) -> Result<Ack, ExportError>) {
///     loop {
///         match delivery.next(Instant::now()) {
///             Step::Send(parcel) => {
///                 let answer = send(&parcel.entries).await;
///                 delivery.answered(parcel, answer, Instant::now());
///             }
///             Step::Done => return,
///             // With a timer: until that moment at most.
///             _ => std::future::poll_fn(|cx| delivery.poll_news(cx)).await,
///         }
///     }
/// }
/// ```
pub struct Delivery {
    identity: Identity,
    limits: Limits,
    source: Box<dyn Source>,
    link: Arc<Link>,
    pace: Pace,
    order: Order,
    /// What was read and is not full yet, and since when.
    filling: Piece,
    filling_since: Option<Instant>,
    read_again: Option<Instant>,
    /// Bytes of one request at most, once a larger one was too large.
    ceiling: usize,
    standing: Standing,
    noted: Option<Instant>,
    /// Whether it stands otherwise than was noted.
    is_news: bool,
    /// Whether it was said that nothing is delivered.
    is_said: bool,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Delivery {
    /// Deliveries of what a source gives out.
    pub fn new(identity: Identity, limits: Limits, source: Box<dyn Source>, link: Arc<Link>) -> Self {
        let jitter = || f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
        Self::with_jitter(identity, limits, source, link, Box::new(jitter))
    }

    /// As [`Delivery::new`], with numbers between 0 and 1 that are drawn elsewhere.
    pub(super) fn with_jitter(
        identity: Identity,
        limits: Limits,
        source: Box<dyn Source>,
        link: Arc<Link>,
        jitter: Jitter,
    ) -> Self {
        Self {
            identity,
            limits,
            source,
            link,
            pace: Pace::new(limits.in_flight, jitter),
            order: Order::default(),
            filling: Piece::default(),
            filling_since: None,
            read_again: None,
            ceiling: usize::MAX,
            standing: Standing::default(),
            noted: None,
            is_news: false,
            is_said: false,
        }
    }

    /// Which backend this is for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What to do now.
    pub fn next(&mut self, now: Instant) -> Step {
        let step = self.step(now);
        let Step::Wait(until) = step else { return step };
        let Some(noted) = self.noted.filter(|_| self.is_news) else { return step };
        if noted + NOTE_EVERY <= now {
            self.note(now, true);
            return step;
        }
        Step::Wait(Some(until.map_or(noted + NOTE_EVERY, |until| until.min(noted + NOTE_EVERY))))
    }

    fn step(&mut self, now: Instant) -> Step {
        if self.link.is_closed() {
            if self.order.in_flight() > 0 {
                return Step::Wait(None);
            }
            if self.is_news {
                self.note(now, true);
            }
            return Step::Done;
        }
        if !self.pace.may_send(self.order.in_flight(), now) {
            return Step::Wait(self.pace.hold().filter(|hold| *hold > now));
        }
        if let Some(piece) = self.order.send() {
            return Step::Send(parcel(piece));
        }
        match self.fill(now) {
            Ok(piece) => {
                self.order.put(piece);
                self.order.send().map_or(Step::Wait(None), |piece| Step::Send(parcel(piece)))
            }
            Err(until) => Step::Wait(until),
        }
    }

    /// Reads until a parcel is full, or has waited long enough; else says until when to wait.
    fn fill(&mut self, now: Instant) -> Result<Piece, Option<Instant>> {
        if let Some(again) = self.read_again.filter(|again| *again > now) {
            return Err(Some(again));
        }
        self.read_again = None;
        let max_changes = self.limits.changes.max(1);
        let max_bytes = self.limits.bytes.min(self.ceiling).max(1);
        loop {
            let bytes = self.filling.bytes();
            if self.filling.entries.len() >= max_changes || bytes >= max_bytes {
                return Ok(self.take_filling(now, Vec::new()));
            }
            match self.source.next(max_changes - self.filling.entries.len(), max_bytes - bytes) {
                Ok(more) if more.is_empty() => break,
                Ok(more) => {
                    let fits = more.iter().map(|entry| entry.bytes).sum::<usize>() <= max_bytes - bytes;
                    if !fits && !self.filling.entries.is_empty() {
                        return Ok(self.take_filling(now, more));
                    }
                    self.filling_since.get_or_insert(now);
                    self.filling.entries.extend(more);
                }
                Err(error) => {
                    notice::say(format_args!("{}: what was kept cannot be read: {error}", self.identity));
                    self.read_again = Some(now + READ_AGAIN);
                    break;
                }
            }
        }
        self.link.set_done(self.source.passed());
        match self.filling_since.map(|since| since + LINGER) {
            None => Err(self.read_again),
            Some(until) if until > now && !self.link.is_hurried() => Err(Some(until)),
            Some(_) => Ok(self.take_filling(now, Vec::new())),
        }
    }

    /// The parcel that is full; the next one begins with these changes.
    fn take_filling(&mut self, now: Instant, next: Vec<Entry>) -> Piece {
        self.filling_since = (!next.is_empty()).then_some(now);
        std::mem::replace(&mut self.filling, Piece { entries: next, cuts: 0 })
    }

    /// What became of a parcel.
    pub fn answered(&mut self, parcel: Parcel, answer: Result<Ack, ExportError>, now: Instant) {
        let Parcel { number, entries, cuts } = parcel;
        let first = Mark(number);
        if !self.order.returned(first) {
            return;
        }
        let piece = Piece { entries, cuts };
        let was = (self.pace.failing_since().is_some(), self.standing.passes_bytes);
        match answer {
            Ok(ack) => {
                "taken".clone_into(&mut self.standing.last_answer);
                self.pace.taken(now);
                self.taken(first, &piece, ack);
            }
            Err(error) => {
                self.standing.last_answer = notice::chain(&error);
                match error.remedy() {
                    Remedy::Retry(asked) => {
                        self.pace.failed(now, asked);
                        self.order.put(piece);
                    }
                    Remedy::Pause => {
                        self.pace.paused(now);
                        self.order.put(piece);
                    }
                    Remedy::TooLarge => {
                        self.pace.answered(now);
                        self.too_large(first, piece);
                    }
                    Remedy::Invalid if piece.entries.len() > 1 => {
                        self.pace.answered(now);
                        self.put_halves(piece.halves());
                    }
                    Remedy::Invalid | Remedy::Refuse => {
                        self.pace.answered(now);
                        self.bury(first, &piece);
                    }
                }
            }
        }
        self.standing.last_answer_at = clock::now();
        self.tell_how_it_stands(was.0);
        let is_other = was != (self.pace.failing_since().is_some(), self.standing.passes_bytes);
        self.note(now, is_other);
    }

    fn taken(&mut self, first: Mark, piece: &Piece, ack: Ack) {
        let changes = piece.entries.len() as u64;
        let refused = ack.refused.min(changes);
        counters::delivered(changes - refused);
        counters::dropped_many(Reason::Refused, refused);
        counters::dropped_many(Reason::Truncated, u64::from(piece.cuts > 0).max(ack.truncated).min(changes));
        self.standing.delivered += changes - refused;
        self.standing.refused += refused;
        if self.ceiling < usize::MAX {
            let bytes = piece.bytes().min(self.ceiling);
            self.standing.passes_bytes = self.standing.passes_bytes.max(Some(bytes));
        }
        self.done(first);
    }

    /// Sends less at once from now on; a change that is too large by itself is made smaller.
    fn too_large(&mut self, first: Mark, mut piece: Piece) {
        match &mut *piece.entries {
            [only] => {
                if shrink(only) {
                    piece.cuts += 1;
                    self.order.put(piece);
                } else {
                    self.bury(first, &piece);
                }
            }
            _ => {
                // What is larger than the backend's limit is, halved, no less than half of the limit.
                self.ceiling = self.ceiling.min(piece.bytes() / 2);
                self.standing.passes_bytes = self.standing.passes_bytes.filter(|bytes| *bytes <= self.ceiling);
                self.put_halves(piece.halves_by_bytes());
            }
        }
    }

    fn put_halves(&mut self, (one, other): (Piece, Piece)) {
        self.order.put(one);
        self.order.put(other);
    }

    fn bury(&mut self, first: Mark, piece: &Piece) {
        let changes = piece.entries.len() as u64;
        let answer = &self.standing.last_answer;
        counters::dropped_many(Reason::Refused, changes);
        self.standing.refused += changes;
        match self.source.bury(&piece.entries, answer) {
            Ok(()) => notice::say(format_args!(
                "{} refused {changes} changes for good, which are kept aside: {answer}",
                self.identity
            )),
            Err(error) => notice::say(format_args!(
                "{} refused {changes} changes for good, which could not be kept ({error}): {answer}",
                self.identity
            )),
        };
        self.done(first);
    }

    fn done(&mut self, first: Mark) {
        if let Some(mark) = self.order.done(first) {
            if let Err(error) = self.source.done(mark) {
                notice::say(format_args!("{}: it cannot be written down what was delivered: {error}", self.identity));
            }
            self.link.set_done(self.source.passed());
        }
    }

    fn tell_how_it_stands(&mut self, was_failing: bool) {
        let is_open = self.pace.is_open();
        self.link.set_open(is_open);
        let is_failing = self.pace.failing_since().is_some();
        match (was_failing, is_failing) {
            (false, true) => self.standing.paused_since = Some(self.standing.last_answer_at),
            (true, false) => {
                if self.is_said {
                    notice::say(format_args!("{} takes runs again", self.identity));
                }
                (self.standing.paused_since, self.is_said) = (None, false);
            }
            _ => {}
        }
        // Once is enough, but once it must have been.
        if is_open && !self.is_said {
            self.is_said = notice::say(format_args!(
                "{} takes no runs; they are kept, and tried again: {}",
                self.identity, self.standing.last_answer
            ));
        }
    }

    fn note(&mut self, now: Instant, is_other: bool) {
        self.is_news = true;
        if is_other || self.noted.is_none_or(|noted| now.saturating_duration_since(noted) >= NOTE_EVERY) {
            (self.noted, self.is_news) = (Some(now), false);
            if let Err(error) = self.source.note(&self.standing) {
                notice::say(format_args!("{}: it cannot be written down how it stands: {error}", self.identity));
            }
        }
    }

    /// Ready when [`Delivery::next`] may answer otherwise than before.
    pub fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.poll_news(cx)
    }
}

fn parcel(piece: Piece) -> Parcel {
    let number = piece.entries.first().map_or(0, |entry| entry.mark.0);
    Parcel { number, entries: piece.entries, cuts: piece.cuts }
}
