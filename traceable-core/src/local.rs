//! The thread's own part: the stack of open runs and the log that they are written to.
//!
//! No code of the user runs while the thread's part is borrowed, so a traced function may be called from anywhere, also
//! from a `Serialize` implementation that is being captured.

use std::cell::RefCell;

use crate::{
    around, attachments, clock,
    context::Parent,
    frame::{FAILED, FOREIGN, Frame, GONE, MUTED, OPENING, SCOPE, TENTATIVE},
    log::{Full, Need, Producer},
    model::{OtelContext, RunId, Status},
    origin::{self, Origin},
    record::{self, Key, SaidKind, item},
    runtime::{self, Waiting, counters::Reason, gate},
    scope::{Carried, Next},
    site::Site,
    sync::Arc,
    tape,
};

/// A buffer for a record's body. Boxed, so that handing it around moves one word: a vector is written field by field and
/// then moved whole, which no processor forwards from its store buffer, and that would cost more than all else here.
pub(crate) type Body = Box<Vec<u8>>;

/// Keys are taken from the process in ranges, so that most runs touch nothing that threads share.
const KEYS_AT_ONCE: u64 = 1024;

struct Local {
    stack: Vec<Frame>,
    /// What stands beside frames with the flag `SCOPE`, by their places. Where there is no such frame, it is a leftover.
    beside: Vec<(usize, Arc<Carried>)>,
    /// There are frames with the flag `GONE`.
    has_gone: bool,
    /// A buffer to write bodies in, kept for its capacity.
    scratch: Option<Body>,
    log: Option<Producer>,
    /// The gate's value when this was last looked at.
    epoch: u32,
    /// The process that `log` belongs to.
    generation: usize,
    next_key: u64,
    end_key: u64,
    /// The client of roots that begin on this thread.
    client: u16,
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local::new()) };
}

/// Capacity that the scratch buffer keeps between runs.
const SCRATCH_KEPT: usize = 256 << 10;

/// Gives the thread's part to `f`. `None` while the thread is ending.
#[inline]
fn with<T>(f: impl FnOnce(&mut Local) -> T) -> Option<T> {
    LOCAL.try_with(|local| local.try_borrow_mut().ok().map(|mut local| f(&mut local))).ok().flatten()
}

/// What the attribute says of a run's place.
#[derive(Debug, Default)]
pub struct Options {
    pub(crate) parent: Option<Parent>,
    pub(crate) client: Option<u16>,
    pub(crate) enabled: Option<bool>,
    /// The id that the caller has chosen.
    pub(crate) id: Option<RunId>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Record it.
    Record,
    /// Record neither it nor what is below; the frame says so to what is below.
    Mute,
    /// Nothing is to be done: it is muted already.
    Muted,
    /// Nothing is to be done: nobody listens here.
    Unheard,
}

/// A run that is about to begin. Handed around by reference, for the reason that [`Body`] gives, and small, for every call
/// makes one.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) body: Option<Body>,
    rare: Option<Box<Rare>>,
    /// No run of this process is above it.
    is_first: bool,
}

/// What only few runs begin with.
#[derive(Debug, Default)]
struct Rare {
    /// Key, ticks and start of a root, where sampling had to know them.
    root: Option<(Key, u64, i64)>,
    /// The trace is only kept if one of its runs fails.
    tentative: bool,
    /// What a scope says of this run behind what the run says itself.
    items: Vec<u8>,
    /// The id that the caller has chosen.
    id: Option<RunId>,
    /// The trace of another tracer that this one is a part of.
    otel: Option<Arc<OtelContext>>,
}

impl Opening {
    /// Asks the tracer that may be around which trace of its own this one is a part of. Not while the thread's part is
    /// borrowed: that code is not ours.
    #[cold]
    fn ask_around(&mut self) {
        if let Some(otel) = around::ask() {
            self.rare.get_or_insert_default().otel = Some(Arc::new(otel));
        }
    }
}

impl Drop for Opening {
    /// A body is still here when its capture panicked.
    #[inline]
    fn drop(&mut self) {
        if let Some(body) = &self.body {
            attachments::forget_items(body);
        }
    }
}

/// Decides on a call before anything of it is captured.
pub(crate) fn decide(options: Option<&Options>, place: Place, opening: &mut Opening) -> Decision {
    with(|local| {
        local.follow_epoch();
        let top = local.stack.last();
        // Without the frame that the adapter prepares, nobody would take the run away again.
        if place == Place::Replace && !top.is_some_and(|top| top.is(OPENING)) {
            return Decision::Unheard;
        }
        if options.is_none() && top.is_some_and(|top| top.depth != 0 && top.flags & (MUTED | SCOPE) == 0) {
            opening.body = Some(local.take_scratch());
            return Decision::Record;
        }
        local.decide_slowly(options, opening)
    })
    .unwrap_or(Decision::Unheard)
}

/// Where a new frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On top of the stack.
    Push,
    /// In place of the frame that an adapter prepared.
    Replace,
}

/// Writes the start of a run and makes it the current one. `None` when the record found no room: then the run and its
/// payload are dropped and counted, and what it calls belongs to its parent.
pub(crate) fn commit(
    site: &'static Site,
    opening: &mut Opening,
    options: Option<&Options>,
    place: Place,
) -> Option<usize> {
    let number = site.number();
    if opening.is_first {
        opening.ask_around();
    }
    with(|local| local.begin(number, opening, options, place)).flatten()
}

/// There is more to be asked before a run may begin.
#[derive(Debug)]
pub(crate) struct NotSimple;

/// [`decide`] and [`commit`] in one, for a run that begins below another and of which nothing is captured: then no code of
/// the user's stands between the two, and the thread's part is borrowed once.
#[inline]
pub(crate) fn begin_bare(site: &'static Site, place: Place) -> Result<Option<usize>, NotSimple> {
    let number = site.number();
    with(|local| {
        local.follow_epoch();
        let key = local.next_key();
        let top = local.stack.last().ok_or(NotSimple)?;
        let simple = top.depth != 0 && top.flags & (MUTED | SCOPE) == 0;
        if !simple || (place == Place::Replace && !top.is(OPENING)) {
            return Err(NotSimple);
        }
        let (parent, frame) = (top.key, top.child(key, clock::ticks()));
        let head = record::start_head(key, parent, frame.start, number, frame.client, &[]);
        if local.append(head, &[], Need::Begin).is_err() {
            runtime::counters::dropped(Reason::QueueFull);
            return Ok(None);
        }
        Ok(Some(local.place(frame, place)))
    })
    .unwrap_or(Err(NotSimple))
}

/// As [`commit`], for a run that is on no stack. A frame that is muted, or none, where nothing is recorded.
pub(crate) fn begin_apart(site: &'static Site, opening: &mut Opening, options: &Options) -> Frame {
    let number = site.number();
    if opening.is_first {
        opening.ask_around();
    }
    with(|local| {
        local.begin(number, opening, Some(options), Place::Push)?;
        local.stack.pop()
    })
    .flatten()
    .unwrap_or(Frame::NONE)
}

/// Writes down where a trace goes on from that began in another process. Answers the place that its runs begin at.
pub(crate) fn open_remote(body: &[u8], start: i64, origin: Origin) -> Frame {
    with(|local| {
        local.follow_epoch();
        let (key, client) = (local.next_key(), client_of(local.stack.last(), local.client));
        if local.append(record::remote_head(key, client, body), body, Need::Begin).is_err() {
            runtime::counters::dropped(Reason::NoteQueueFull);
            // What begins below is dropped with it, and does not become a trace of its own.
            return Frame { flags: MUTED, ..Frame::NONE };
        }
        origin::remember(key, origin);
        Frame { key, start, root_key: key, root_start: start, client, flags: FOREIGN, ..Frame::NONE }
    })
    .unwrap_or(Frame::NONE)
}

/// What is needed to write the end of a run, and the buffer for its body. Handed around by reference, for the reason that
/// [`Body`] gives.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    key: Key,
    end: i64,
    pub(crate) failed: bool,
    pub(crate) body: Option<Body>,
}

impl Ending {
    /// The end of a run, now. Answers whether it is recorded.
    #[inline]
    fn set(&mut self, frame: &Frame) -> bool {
        if frame.is_recorded() {
            self.key = frame.key;
            self.end = frame.now();
            self.failed = frame.is(FAILED);
        }
        self.key != 0
    }
}

/// Makes ready to write the end of a run, now. Answers whether it is recorded.
pub(crate) fn prepare_end(frame: &Frame, ending: &mut Ending) -> bool {
    let recorded = ending.set(frame);
    if recorded {
        ending.body = Some(take_scratch());
    }
    recorded
}

/// Takes a run from its place and makes ready to write its end, now. Answers whether it is recorded.
#[inline]
pub(crate) fn pop_end(place: usize, ending: &mut Ending) -> bool {
    with(|local| {
        let recorded = local.stack.get(place).is_some_and(|frame| ending.set(frame));
        local.cut(place);
        ending.body = local.scratch.take();
        recorded
    })
    .unwrap_or(false)
}

/// Makes a frame the current one. Answers its place on the stack.
#[inline]
pub(crate) fn push(frame: &Frame) -> Option<usize> {
    with(|local| {
        local.stack.push(*frame);
        local.stack.len() - 1
    })
}

/// Makes ready for the body of an async function: a frame that stands for the parent until the body opens the run.
pub(crate) fn push_opening() -> Option<usize> {
    with(|local| {
        let mut frame = local.stack.last().copied().unwrap_or(Frame::NONE);
        frame.set(OPENING);
        local.place(frame, Place::Push)
    })
}

/// Takes a frame from its place as [`pop`] does, and answers what may have changed of it.
#[inline]
pub(crate) fn pop_flags(place: usize) -> u8 {
    with(|local| {
        let flags = local.stack.get(place).map_or(0, |frame| frame.flags);
        local.cut(place);
        flags
    })
    .unwrap_or(0)
}

/// Puts a frame where `place` says.
pub(crate) fn place(frame: Frame, place: Place) -> Option<usize> {
    with(|local| local.place(frame, place))
}

/// Takes a frame from its place, and with it whatever was left above by mistake.
pub(crate) fn pop(place: usize) -> Frame {
    let mut frame = Frame::NONE;
    pop_into(place, &mut frame);
    frame
}

/// As [`pop`], to where the frame lies between two polls.
#[inline]
pub(crate) fn pop_into(place: usize, frame: &mut Frame) {
    with(|local| {
        *frame = local.stack.get(place).copied().unwrap_or(Frame::NONE);
        local.cut(place);
    });
}

/// Where a guard has put a frame, and how the frame is known. A guard can be moved: it may be dropped out of turn, inside
/// of a call that is still open, or when its place has long been somebody else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    place: usize,
    key: Key,
    is_scope: bool,
}

/// Makes a frame the current one for a guard.
pub(crate) fn sit(frame: &Frame) -> Option<Seat> {
    push(frame).map(|place| Seat { place, key: frame.key, is_scope: false })
}

/// As [`sit`], with what is said there; nothing that the scopes around say.
pub(crate) fn sit_apart(frame: &Frame, said: Option<&Arc<Carried>>) -> Option<Seat> {
    let mut frame = *frame;
    if frame.depth == 0 {
        // Which client a root belongs to is decided where it begins.
        frame.client = client_of_roots(&top());
    }
    if said.is_none() && with(|local| local.beside.is_empty()) == Some(true) {
        return sit(&frame);
    }
    sit_in_scope(&frame, &said.map_or_else(Arc::default, Arc::clone))
}

/// Puts a scope on the stack for a guard.
pub(crate) fn sit_in_scope(frame: &Frame, said: &Arc<Carried>) -> Option<Seat> {
    with(|local| {
        let place = local.stack.len();
        local.stack.push(Frame { flags: frame.flags | SCOPE, ..*frame });
        local.drop_beside(place);
        local.beside.push((place, Arc::clone(said)));
        Seat { place, key: frame.key, is_scope: true }
    })
}

/// Takes away what a guard has put on the stack, and nothing else.
pub(crate) fn leave(seat: Seat) {
    let dropped = with(|local| {
        let Seat { place, key, is_scope } = seat;
        let top = local.stack.len();
        let frame = local.stack.get_mut(place).filter(|frame| frame.key == key && frame.is(SCOPE) == is_scope)?;
        if place + 1 < top {
            *frame = Frame { flags: GONE, ..Frame::NONE };
            local.has_gone = true;
        } else {
            local.cut(place);
        }
        let beside = local.beside.iter().position(|(known, _)| *known == place).filter(|_| is_scope)?;
        Some(local.beside.remove(beside))
    });
    drop(dropped);
}

/// The current run, and what the scopes around it say.
pub(crate) fn top_with_scope() -> (Frame, Option<Arc<Carried>>) {
    with(|local| (local.stack.last().copied().unwrap_or(Frame::NONE), local.scope())).unwrap_or((Frame::NONE, None))
}

/// The client of roots that would begin here.
pub(crate) fn client_of_roots(top: &Frame) -> u16 {
    with(|local| client_of(Some(top), local.client)).unwrap_or(0)
}

/// A scope outside of any run, and a place where a trace goes on, knows the client of the roots in it.
fn client_of(top: Option<&Frame>, of_thread: u16) -> u16 {
    top.filter(|top| top.depth == 0 && top.flags & (SCOPE | FOREIGN) != 0).map_or(of_thread, |top| top.client)
}

/// Starts and keys from the first run of this process to this one, as far as this thread knows them.
pub(crate) fn lineage(frame: &Frame) -> Vec<(i64, Key)> {
    with(|local| local.lineage(frame)).unwrap_or_default()
}

/// The current run.
pub(crate) fn top() -> Frame {
    with(|local| local.stack.last().copied()).flatten().unwrap_or(Frame::NONE)
}

/// Sets the client of roots that begin on this thread; answers the one before.
#[cfg(feature = "testing")]
pub(crate) fn swap_client(client: u16) -> u16 {
    with(|local| std::mem::replace(&mut local.client, client)).unwrap_or(0)
}

/// Ends all runs of this thread as panicked: a panic is about to abort the process.
pub(crate) fn end_all_as_panicked() {
    let frames = with(|local| std::mem::take(&mut local.stack)).unwrap_or_default();
    let mut body = Box::new(vec![record::item::ERROR]);
    tape::write_str(&mut body, &runtime::exit::last_panic().0);
    for frame in frames.into_iter().rev() {
        let mut ending = Ending::default();
        if prepare_end(&frame, &mut ending) {
            ending.body = Some(body.clone());
            write_end(&mut ending, Status::Error);
        }
    }
}

/// The buffer for a body. Empty, and with the capacity of earlier ones.
pub(crate) fn take_scratch() -> Body {
    with(Local::take_scratch).unwrap_or_default()
}

/// Gives the buffer back.
pub(crate) fn give_scratch(body: Body) {
    with(|local| local.give_scratch(body));
}

/// Writes the end of a run and gives the buffer back.
pub(crate) fn write_end(ending: &mut Ending, status: Status) {
    must(|local| {
        let Ending { key, end, .. } = *ending;
        let body = ending.body.take().unwrap_or_default();
        let need = if body.is_empty() { Need::Must } else { Need::Optional };
        if local.append(record::end_head(key, end, status, &body), &body, need).is_err() {
            // Without its payload, so that a run that was announced never stays open.
            runtime::counters::dropped(Reason::OutputQueueFull);
            let _ = local.append(record::end_head(key, end, status, &[]), &[], Need::Must);
        }
        local.give_scratch(body);
    });
}

/// Writes a chunk of a stream. Answers whether there was room.
pub(crate) fn write_chunk(key: Key, time: i64, body: &[u8]) -> bool {
    with(|local| local.append(record::chunk_head(key, time, body), body, Need::Optional).is_ok()).unwrap_or(false)
}

/// Writes something that was said of an open run.
pub(crate) fn write_note(key: Key, time: i64, body: &[u8]) {
    let written = with(|local| local.append(record::note_head(key, time, body), body, Need::Optional));
    if written != Some(Ok(())) {
        runtime::counters::dropped(Reason::NoteQueueFull);
    }
}

/// Writes something that is no run.
pub(crate) fn write_said(kind: SaidKind, client: u16, root: Key, body: &[u8]) -> bool {
    let head = record::said_head(kind, client, root, body);
    let written = with(|local| local.append(head, body, Need::Optional)) == Some(Ok(()));
    if !written {
        runtime::counters::dropped(Reason::SaidQueueFull);
    }
    written
}

/// Where something that is said here goes: to the client of the current run, else to that of roots that begin here.
/// `None` where nobody listens.
pub(crate) fn listening_client(run: Option<&Frame>) -> Option<u16> {
    if !gate::is_on() {
        return None;
    }
    with(|local| {
        let run = run.or(local.stack.last());
        let client =
            run.filter(|frame| frame.is_recorded()).map_or_else(|| client_of(run, local.client), |run| run.client);
        (client != 0 || gate::default_client_listens()).then_some(client)
    })
    .flatten()
}

/// An id for something that is no run, made now.
pub(crate) fn new_id(now: i64) -> RunId {
    let key = with(|local| {
        local.follow_epoch();
        local.next_key()
    });
    runtime::run_id(now, key.unwrap_or_else(|| runtime::take_keys(1)))
}

/// Says that a handle to a run was made. Answers whether there was room; without, the run may be forgotten early.
pub(crate) fn retain(key: Key) -> bool {
    with(|local| local.append(record::retain_head(key), &[], Need::Begin)) == Some(Ok(()))
}

/// Says that a handle to a run, which was taken down, is gone.
pub(crate) fn release(key: Key) {
    must(|local| {
        let _ = local.append(record::release_head(key), &[], Need::Must);
    });
}

/// As [`with`], for what has to be written also when the thread is ending and its part is gone.
#[inline]
fn must(mut write: impl FnMut(&mut Local)) {
    /// Apart, so that what is written stays inline where it is hot.
    #[cold]
    #[inline(never)]
    fn apart(write: &mut dyn FnMut(&mut Local)) {
        if gate::is_on() {
            write(&mut Local::new());
        }
    }
    if with(|local| write(local)).is_none() {
        apart(&mut write);
    }
}

/// The first run of this process in a trace that began in another.
#[cold]
fn child_of_remote(parent: &Frame, key: Key, ticks: u64, client: u16) -> Frame {
    let start = clock::wall(ticks).max(parent.start);
    let mut frame = Frame { key, ticks, start, client, depth: 1, flags: FOREIGN, parent: parent.key as u32, ..*parent };
    let origin = origin::of(parent.key).unwrap_or_default();
    if origin.dotted_order.is_none() {
        // No run to be a child of, only a foreign trace to go on in: a root.
        (frame.root_key, frame.root_start, frame.parent) = (key, start, 0);
        let trace_id = Some(runtime::run_id(start, key));
        origin::remember(key, Origin { trace_id, ..origin });
    }
    frame
}

impl Local {
    const fn new() -> Self {
        Self {
            stack: Vec::new(),
            beside: Vec::new(),
            has_gone: false,
            scratch: None,
            log: None,
            epoch: 0,
            generation: 0,
            next_key: 0,
            end_key: 0,
            client: 0,
        }
    }

    #[inline]
    fn take_scratch(&mut self) -> Body {
        self.scratch.take().unwrap_or_default()
    }

    /// Takes the buffer back, unless it has grown too great to keep.
    #[inline]
    fn give_scratch(&mut self, mut body: Body) {
        if body.capacity() <= SCRATCH_KEPT {
            body.clear();
            self.scratch = Some(body);
        }
    }

    /// The run that a new one is a part of: the frame of an adapter that is opening stands for its parent.
    #[inline]
    fn parent<'a>(&'a self, options: Option<&'a Options>) -> &'a Frame {
        const NONE: &Frame = &Frame::NONE;
        options.and_then(|o| o.parent.as_ref()).map(|parent| &parent.frame).or(self.stack.last()).unwrap_or(NONE)
    }

    fn client_of_root(&self, options: Option<&Options>) -> u16 {
        options.and_then(|o| o.client).unwrap_or_else(|| client_of(self.stack.last(), self.client))
    }

    /// Writes the start of a run and puts it on the stack. `None` when the record found no room.
    #[inline]
    fn begin(&mut self, site: u32, opening: &mut Opening, options: Option<&Options>, place: Place) -> Option<usize> {
        let mut body = opening.body.take().unwrap_or_default();
        let mut mark = 0;
        let parent = self.parent(options).key;
        let frame = match &opening.rare {
            None => self.next_frame(options),
            Some(rare) => {
                mark = if rare.tentative { record::TENTATIVE } else { 0 };
                self.rare_frame(rare, options, &mut body)
            }
        };
        let mut head = record::start_head(frame.key, parent, frame.start, site, frame.client, &body);
        head[4] |= mark;
        let written = self.append(head, &body, Need::Begin);
        self.give_scratch(body);
        if written.is_err() {
            runtime::counters::dropped(Reason::QueueFull);
            return None;
        }
        Some(self.place(frame, place))
    }

    #[cold]
    fn rare_frame(&mut self, rare: &Rare, options: Option<&Options>, body: &mut Vec<u8>) -> Frame {
        let mut frame = match rare.root {
            Some((key, ticks, start)) => {
                gate::write_sample_rate(body);
                Frame::root(key, ticks, start, self.client_of_root(options))
            }
            None => self.next_frame(options),
        };
        if rare.tentative {
            frame.set(TENTATIVE);
        }
        body.extend_from_slice(&rare.items);
        if let Some(otel) = &rare.otel
            && origin::share_trace(&mut frame, otel)
        {
            body.push(item::OTEL);
            tape::write_serialize(body, &**otel);
        }
        if let Some(id) = rare.id {
            body.push(item::ID);
            body.extend_from_slice(&id.as_u128().to_le_bytes());
            origin::choose_id(&mut frame, id);
        }
        frame
    }

    /// Takes the frames from this place on, and what guards have left behind below.
    #[inline]
    fn cut(&mut self, place: usize) {
        self.stack.truncate(place);
        if self.has_gone {
            self.cut_gone();
        }
    }

    #[cold]
    fn cut_gone(&mut self) {
        while self.stack.last().is_some_and(|top| top.is(GONE)) {
            self.stack.pop();
        }
        self.has_gone = self.stack.iter().any(|frame| frame.is(GONE));
    }

    /// What the scopes around say. A run between has taken it over, so only requests ask for it then.
    fn scope(&self) -> Option<Arc<Carried>> {
        let is_scope = |place: usize| self.stack.get(place).is_some_and(|frame| frame.is(SCOPE));
        self.beside.iter().rev().find(|(place, _)| is_scope(*place)).map(|(_, carried)| Arc::clone(carried))
    }

    /// Takes away what stands beside frames from this place on.
    fn drop_beside(&mut self, place: usize) -> Vec<(usize, Arc<Carried>)> {
        let keep = self.beside.iter().take_while(|(known, _)| *known < place).count();
        self.beside.split_off(keep)
    }

    fn lineage(&self, frame: &Frame) -> Vec<(i64, Key)> {
        let mut up = vec![(frame.start, frame.key)];
        let mut parent = frame.parent;
        for below in self.stack.iter().rev() {
            if below.depth != 0 && below.root_key == frame.root_key && below.key as u32 == parent && parent != 0 {
                up.push((below.start, below.key));
                parent = below.parent;
            }
        }
        let mut lineage = Vec::new();
        if parent != 0 {
            let end = |carried: &Carried| carried.lineage.iter().position(|(_, key)| *key as u32 == parent);
            let known = self.beside.iter().rev().find_map(|(_, carried)| Some((carried, end(carried)?)));
            match known {
                Some((carried, end)) => lineage.extend_from_slice(&carried.lineage[..=end]),
                // The way begins below the run of another process.
                None if frame.is(FOREIGN) && origin::is_remote(frame.root_key) => {}
                None => lineage.push((frame.root_start, frame.root_key)),
            }
        }
        lineage.extend(up.into_iter().rev());
        lineage
    }

    #[inline]
    fn next_frame(&mut self, options: Option<&Options>) -> Frame {
        let key = self.next_key();
        let ticks = clock::ticks();
        let parent = self.parent(options);
        if parent.depth != 0 {
            return parent.child(key, ticks);
        }
        if parent.key == 0 {
            return Frame::root(key, ticks, clock::wall(ticks), self.client_of_root(options));
        }
        child_of_remote(parent, key, ticks, self.client_of_root(options))
    }

    #[cold]
    fn decide_slowly(&mut self, options: Option<&Options>, opening: &mut Opening) -> Decision {
        let top_is_muted = self.stack.last().is_some_and(|top| top.is(MUTED));
        if options.is_some_and(|o| o.enabled == Some(false)) {
            return if top_is_muted { Decision::Muted } else { Decision::Mute };
        }
        let parent = *self.parent(options);
        if parent.is(MUTED) {
            return Decision::Muted;
        }
        let client = self.client_of_root(options);
        let (said, mut rare) = self.said_of(options);
        // A run of another process does not say where ours go.
        if parent.depth == 0 && client == 0 && !gate::default_client_listens() {
            return Decision::Unheard;
        }
        if parent.key == 0
            && let Some(sampler) = gate::sampler(client)
        {
            let ticks = clock::ticks();
            let root = (self.next_key(), ticks, clock::wall(ticks));
            let chosen = rare.as_ref().and_then(|rare| rare.id);
            let tentative = !sampler.keeps(chosen.unwrap_or_else(|| runtime::run_id(root.2, root.0)));
            if tentative && !sampler.keeps_errors() {
                return Decision::Mute;
            }
            let rare = rare.get_or_insert_default();
            (rare.root, rare.tentative) = (Some(root), tentative);
        }
        opening.is_first = parent.depth == 0;
        let mut body = self.take_scratch();
        for carried in said.iter().flatten() {
            body.extend_from_slice(&carried.items);
        }
        (opening.body, opening.rare) = (Some(body), rare);
        Decision::Record
    }

    /// What the scopes say that a run begins in directly: that of its parent, and that of the code around it.
    fn said_of(&self, options: Option<&Options>) -> ([Option<Arc<Carried>>; 2], Option<Box<Rare>>) {
        let of_parent = options.and_then(|o| o.parent.as_ref()).and_then(|parent| parent.carried.clone());
        let around = self.stack.last().filter(|top| top.is(SCOPE)).and_then(|_| self.scope());
        let said = [of_parent, around];
        let mut rare = Rare::default();
        for carried in said.iter().flatten() {
            rare.items.extend_from_slice(&carried.last_items);
            if let Some(Next { items, id }) = carried.take_next() {
                rare.items.extend_from_slice(&items);
                rare.id = id.or(rare.id);
            }
        }
        rare.id = rare.id.or(options.and_then(|o| o.id));
        let rare = (rare.id.is_some() || !rare.items.is_empty()).then(|| Box::new(rare));
        (said, rare)
    }

    fn next_key(&mut self) -> Key {
        if self.next_key == self.end_key {
            self.next_key = runtime::take_keys(KEYS_AT_ONCE);
            self.end_key = self.next_key + KEYS_AT_ONCE;
        }
        self.next_key += 1;
        self.next_key - 1
    }

    #[inline]
    fn place(&mut self, frame: Frame, place: Place) -> usize {
        if place == Place::Replace
            && let Some(top) = self.stack.last_mut()
        {
            *top = frame;
        } else {
            self.stack.push(frame);
        }
        self.stack.len() - 1
    }

    #[inline]
    fn append<const N: usize>(&mut self, head: [u64; N], body: &[u8], need: Need) -> Result<(), Full> {
        self.follow_epoch();
        let Some(log) = &mut self.log else { return Err(Full) };
        let mut appended = log.append(&head, body, need);
        let mut waiting = Waiting::default();
        while appended.is_err() && runtime::wait_for_room(&mut waiting) {
            appended = log.append(&head, body, need);
        }
        match appended {
            Ok(block_begun) => runtime::wake_writer(block_begun),
            Err(Full) => {
                attachments::forget_body(head[0], body);
                return Err(Full);
            }
        }
        Ok(())
    }

    #[inline]
    fn follow_epoch(&mut self) {
        let epoch = gate::epoch();
        if epoch != self.epoch {
            self.renew(epoch);
        }
    }

    /// Opens a log, where there is none or where its reader is in another process.
    #[cold]
    fn renew(&mut self, epoch: u32) {
        let forked = runtime::generation() != self.generation;
        self.epoch = epoch;
        if !forked && self.log.is_some() {
            return;
        }
        if self.log.is_some() {
            // The parent of the fork owns what was open.
            self.stack.clear();
            self.beside.clear();
        }
        self.generation = runtime::generation();
        self.log = runtime::open_log();
        self.next_key = 0;
        self.end_key = 0;
    }
}
