//! Runs by hand, for what no function stands for: a stretch of code, a message, an agent's turn.
//!
//! One builder and one handle; the shapes that other libraries give to manual tracing are thin views of them.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    ops::Deref,
    panic::Location,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use crate::{
    adapters::{self, OpenRun, Outcome, future::Traced},
    attachments,
    context::{Attached, Context, InRun, InRunExt, Parent},
    current::Current,
    frame::{Frame, MUTED},
    local::{self, Decision, Opening, Options, Place, Seat},
    model::{RunId, RunType, Status},
    record::item,
    runtime::{Client, decide_off, gate},
    site::Site,
    tape,
};

/// Stands for all runs that are begun by hand.
static BY_HAND: Site = Site::new("run", "chain", "", "", 0, decide_off);

/// A run of this name, to be begun by hand.
///
/// ```
/// use traceable_core::run;
///
/// let answer = run("guess").run_type("llm").input("question", "which film?").call(|guess| {
///     guess.add_metadata("attempt", &1);
///     "The Godfather"
/// });
/// # assert_eq!(answer, "The Godfather");
/// ```
#[track_caller]
pub fn run(name: impl AsRef<str>) -> RunBuilder {
    // Outside of the closure, which would be a caller of its own.
    let place = Location::caller();
    let building = gate::is_open(&BY_HAND).then(|| {
        let mut building = Box::<Building>::default();
        adapters::text(&mut building.body, item::NAME, name.as_ref());
        adapters::text(&mut building.body, item::PLACE, place.file());
        building.body.extend_from_slice(&u64::from(place.line()).to_le_bytes());
        building
    });
    RunBuilder { building }
}

/// A run that has not begun yet. Made by [`run`].
#[derive(Debug)]
#[must_use = "the run begins with `start`, `enter`, `call` or `future`"]
pub struct RunBuilder {
    /// `None` where tracing is off.
    building: Option<Box<Building>>,
}

#[derive(Debug, Default)]
struct Building {
    body: Vec<u8>,
    options: Options,
}

impl Drop for Building {
    /// Files that no run was given.
    fn drop(&mut self) {
        attachments::forget_items(&self.body);
    }
}

impl RunBuilder {
    /// Gives the run another name.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        self.text(item::NAME, name.as_ref())
    }

    /// The kind of work, such as `llm`, `tool` or a word of your own. `chain` unless said otherwise.
    pub fn run_type(self, run_type: impl Into<RunType>) -> Self {
        self.text(item::RUN_TYPE, run_type.into().as_str())
    }

    /// Adds an input.
    pub fn input<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        self.named(item::INPUT, name, value)
    }

    /// Sets all inputs as one value; one that is no object stands under `input`.
    pub fn inputs<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.value(item::INPUTS, value)
    }

    /// Adds a metadata value. Runs below inherit it.
    pub fn metadata<T: Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.named(item::METADATA, key, value)
    }

    /// Adds a tag.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        self.text(item::TAG, tag.as_ref())
    }

    /// Adds tags.
    pub fn tags<T: AsRef<str>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        tags.into_iter().fold(self, RunBuilder::tag)
    }

    /// Names who serves the model, such as `openai`.
    pub fn provider(self, name: &str) -> Self {
        self.metadata("ls_provider", name)
    }

    /// Names the model, such as `gpt-4o`.
    pub fn model(self, name: &str) -> Self {
        self.metadata("ls_model_name", name)
    }

    /// Sets the answer that is wanted.
    pub fn expected<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.value(item::EXPECTED, value)
    }

    /// Says what a placeholder of the prompt was filled with.
    pub fn variable<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        self.named(item::VARIABLE, name, value)
    }

    /// Names the prompt, in the words of the platform that keeps it.
    pub fn prompt(self, reference: impl AsRef<str>) -> Self {
        self.text(item::PROMPT_REF, reference.as_ref())
    }

    /// Names the deployed version of the prompt.
    pub fn deployment(self, reference: impl AsRef<str>) -> Self {
        self.text(item::DEPLOYMENT_REF, reference.as_ref())
    }

    /// Files the trace under a project.
    pub fn project(self, name: impl AsRef<str>) -> Self {
        self.text(item::PROJECT, name.as_ref())
    }

    /// Makes the run and all below it a part of a conversation.
    pub fn thread(self, id: impl AsRef<str>) -> Self {
        self.text(item::THREAD, id.as_ref())
    }

    /// Makes the run and all below it a part of a session.
    pub fn session(self, id: impl AsRef<str>) -> Self {
        self.text(item::SESSION, id.as_ref())
    }

    /// Names the user of the run and of all below it, by id or by identifier.
    pub fn user(self, id: impl AsRef<str>) -> Self {
        self.text(item::USER, id.as_ref())
    }

    /// Names the environment of the run and of all below it, such as `production`.
    pub fn environment(self, name: impl AsRef<str>) -> Self {
        self.text(item::ENVIRONMENT, name.as_ref())
    }

    /// Names the version of the deployed code.
    pub fn release(self, version: impl AsRef<str>) -> Self {
        self.text(item::RELEASE, version.as_ref())
    }

    /// Makes the run a part of another one than the current one.
    pub fn parent(self, parent: impl Into<Parent>) -> Self {
        self.with(|building| building.options.parent(parent))
    }

    /// Sends the trace to the destinations of `client`, if the run is a root.
    pub fn client(self, client: Client) -> Self {
        self.with(|building| building.options.client(client))
    }

    /// Records the run or leaves it out, with all below it. Does not switch tracing on where it is off.
    pub fn enabled(self, enabled: bool) -> Self {
        self.with(|building| building.options.enabled(enabled))
    }

    /// Gives the run this id. To be used once: two runs of one id are one run to every backend.
    pub fn id(self, id: RunId) -> Self {
        self.with(|building| building.options.id = Some(id))
    }

    /// Begins the run. It is nobody's current run: children are given it as their parent, by [`Current::child`] or
    /// [`ActiveRun::enter`]. It may end on another thread.
    #[must_use = "dropped, the run ends"]
    pub fn start(self) -> ActiveRun {
        let (frame, parent) = self.begin();
        ActiveRun::of(frame, parent.as_ref())
    }

    /// Begins the run and makes it the current one on this thread until the answer is dropped, which ends it. For code
    /// without an `.await`.
    #[must_use = "dropped, the run ends"]
    pub fn enter(self) -> EnteredRun {
        let (frame, parent) = self.begin();
        let run = ActiveRun::of(frame, parent.as_ref());
        let seat = match parent {
            // The scopes around may not be those of the parent.
            Some(_) => local::sit_apart(&run.context.frame, run.context.carried.as_ref()),
            None => local::sit(&frame),
        };
        EnteredRun { run, seat, _thread: PhantomData }
    }

    /// Calls `f` in the run.
    pub fn call<T>(self, f: impl FnOnce(&ActiveRun) -> T) -> T {
        let entered = self.enter();
        f(&entered)
    }

    /// Calls `f` in the run, which has failed if `f` answers an error.
    ///
    /// # Errors
    ///
    /// That of `f`.
    pub fn try_call<T, E: fmt::Display>(self, f: impl FnOnce(&ActiveRun) -> Result<T, E>) -> Result<T, E> {
        self.call(|run| f(run).inspect_err(|error| run.set_error(error)))
    }

    /// Polls a future in the run, which begins now and ends with the future. Inside,
    /// [`current`](crate::current()) is the run.
    pub fn future<F: Future>(self, future: F) -> Traced<InRun<F>, impl FnOnce(&F::Output, &mut Outcome<'_>)> {
        let (run, context) = self.open();
        adapters::future::adopt(run, future.in_run(context), |_, _| {})
    }

    /// As [`RunBuilder::future`]; the run has failed if the future answers an error.
    pub fn try_future<T, E: fmt::Display, F: Future<Output = Result<T, E>>>(
        self,
        future: F,
    ) -> Traced<InRun<F>, impl FnOnce(&F::Output, &mut Outcome<'_>)> {
        let (run, context) = self.open();
        adapters::future::adopt(run, future.in_run(context), |output: &Result<T, E>, outcome| {
            if let Err(error) = output {
                outcome.failure(error);
            }
        })
    }

    /// Begins the run, for a future. With a parent, the way up to it is not on the stack, and goes along.
    fn open(self) -> (OpenRun, Context) {
        let (frame, parent) = self.begin();
        let context = parent.map_or_else(Context::none, |parent| Context::of_run(frame, Some(&parent)));
        (OpenRun::of(frame), context)
    }

    fn begin(self) -> (Frame, Option<Parent>) {
        let Some(mut building) = self.building else { return (Frame::NONE, None) };
        let options = std::mem::take(&mut building.options);
        let mut opening = Opening::default();
        let mut frame = Frame::NONE;
        let decision = local::decide(Some(&options), Place::Push, &mut opening);
        if decision == Decision::Record {
            opening.body.get_or_insert_default().append(&mut building.body);
            frame = local::begin_apart(&BY_HAND, &mut opening, &options);
        }
        if frame.key == 0 && decision != Decision::Unheard {
            // What is begun below a run that is not recorded is not recorded either.
            frame.set(MUTED);
        }
        (frame, options.parent)
    }

    fn text(self, item: u8, text: &str) -> Self {
        self.with(|building| adapters::text(&mut building.body, item, text))
    }

    fn value<T: Serialize + ?Sized>(self, item: u8, value: &T) -> Self {
        self.with(|building| {
            building.body.push(item);
            tape::write_serialize(&mut building.body, value);
        })
    }

    fn named<T: Serialize + ?Sized>(self, item: u8, name: &str, value: &T) -> Self {
        self.with(|building| {
            adapters::text(&mut building.body, item, name);
            tape::write_serialize(&mut building.body, value);
        })
    }

    fn with(mut self, say: impl FnOnce(&mut Building)) -> Self {
        if let Some(building) = &mut self.building {
            say(building);
        }
        self
    }
}

/// A run that was begun by hand. Dropped, it ends; while unwinding, with the panic as its error.
///
/// It may be shared and sent; what is said of it, as of a [`Current`], may be said by any thread.
#[derive(Debug)]
pub struct ActiveRun {
    current: Current,
    context: Context,
    ended: AtomicBool,
}

impl Deref for ActiveRun {
    type Target = Current;

    fn deref(&self) -> &Current {
        &self.current
    }
}

impl ActiveRun {
    fn of(frame: Frame, parent: Option<&Parent>) -> Self {
        Self { current: Current::of(frame), context: Context::of_run(frame, parent), ended: AtomicBool::new(false) }
    }

    /// Ends the run. Only the first end counts.
    pub fn end(&self) {
        self.end_as(Status::Ok, |_| {});
    }

    /// Ends the run with its output. Only the first end counts.
    pub fn end_with<T: Serialize + ?Sized>(&self, output: &T) {
        self.end_as(Status::Ok, |outcome| outcome.set_output(output));
    }

    /// Ends the run with an error. Only the first end counts.
    pub fn fail(&self, error: impl fmt::Display) {
        self.end_as(Status::Error, |outcome| outcome.failure(&error));
    }

    /// Whether the run was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Makes the run the current one on this thread until the answer is dropped. For code without an `.await`.
    #[must_use = "the run is current only while the answer is kept"]
    pub fn enter(&self) -> Attached<'_> {
        self.context.attach()
    }

    /// Calls `f` with the run as the current one.
    pub fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.context.scope(f)
    }

    /// Polls a future or stream with the run as the current one.
    pub fn future<F>(&self, future: F) -> InRun<F> {
        future.in_run(self.context.clone())
    }

    /// The run, to be carried to other tasks and threads.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// What a request that is made in this run tells the process that it calls. See [`Context::headers`].
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        self.context.headers()
    }

    /// A run below this one, to be begun by hand.
    #[track_caller]
    pub fn child(&self, name: impl AsRef<str>) -> RunBuilder {
        run(name).parent(&self.context)
    }

    fn end_as(&self, status: Status, outcome: impl FnOnce(&mut Outcome<'_>)) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            adapters::end_run(&self.current.frame(), status, outcome);
        }
    }
}

impl From<&ActiveRun> for Parent {
    fn from(run: &ActiveRun) -> Self {
        Self::from(&run.context)
    }
}

impl Drop for ActiveRun {
    fn drop(&mut self) {
        if !*self.ended.get_mut() && std::thread::panicking() {
            adapters::note_panic(&mut self.current.frame());
        }
        self.end();
    }
}

/// A run that was begun by hand and is the current one on this thread. Dropped, it ends.
#[derive(Debug)]
pub struct EnteredRun {
    run: ActiveRun,
    seat: Option<Seat>,
    /// Stands for a place on one thread's stack.
    _thread: PhantomData<*const ()>,
}

impl Deref for EnteredRun {
    type Target = ActiveRun;

    fn deref(&self) -> &ActiveRun {
        &self.run
    }
}

impl Drop for EnteredRun {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            local::leave(seat);
        }
    }
}
