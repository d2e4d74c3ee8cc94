//! Random programs of scopes, runs by hand, contexts and callers of other processes, against a model that says where every
//! run stands, what is said of it, and what its requests tell.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context as Waking, Poll, Waker},
};

use proptest::prelude::*;
use traceable::{
    ActiveRun, Context, DottedOrder, Run, RunId, Scope, Status, propagation::Remote, run, scope, testing::Recorder,
    traceable,
};

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

#[derive(Debug, Clone)]
enum Node {
    /// A traced function.
    Call(u32, Vec<Node>),
    /// A run by hand.
    Hand(u32, Way, Vec<Node>),
    /// A run by hand that is started and kept; ends with the program.
    Start(u32),
    /// A run below one that was started, which may have ended.
    Child(u32, usize, Way, Vec<Node>),
    /// Ends a run that was started, on another thread; the second end does not count.
    End(usize, bool),
    Scope(u32, Said, Over, Way, Vec<Node>),
    /// Keeps the context.
    Capture,
    /// Attaches a context that was kept.
    Attach(usize, Vec<Node>),
    /// Attaches the caller of another process.
    Serve(u32, Caller, Vec<Node>),
    /// Another thread, with the context.
    Thread(Vec<Node>),
    /// A request.
    Ask(u32),
}

/// How something is entered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Closure,
    Guard,
    /// A future that is polled to its end here.
    Future,
    /// A future whose second poll is on another thread, which knows nothing.
    Moved,
    /// A handle that is started and entered; for a scope, a closure.
    Handle,
    /// A closure that answers an error; for a scope, a closure.
    Fails,
}

/// What a scope says.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is said or not")]
struct Said {
    thread: bool,
    user: bool,
    tag: bool,
    metadata: bool,
    name: bool,
    id: bool,
    off: bool,
}

/// The parent that a scope sets.
#[derive(Debug, Clone, Copy)]
enum Over {
    Nothing,
    Kept(usize),
    Started(usize),
    Caller(Caller),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    Ours,
    W3c,
    Both,
    NotSampled,
}

fn caller_order(n: u32) -> DottedOrder {
    DottedOrder::root(1_717_171_717_123_456_000, RunId::from_u128(u128::from(n) + 1))
        .child(1_717_171_717_123_457_000, RunId::from_u128(u128::from(n) + (1 << 64)))
}

fn caller(n: u32, caller: Caller) -> Context {
    let order = caller_order(n).to_string();
    let flag = u8::from(caller != Caller::NotSampled);
    let parent = format!("00-{TRACE:032x}-{:016x}-{flag:02x}", u64::from(n) + 1);
    let mut headers = Vec::new();
    if matches!(caller, Caller::Ours | Caller::Both) {
        headers.push(("langsmith-trace", order));
    }
    if caller != Caller::Ours {
        headers.push(("traceparent", parent));
    }
    Context::from_headers(headers)
}

fn chosen(n: u32) -> RunId {
    RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0000 | u128::from(n))
}

// The program.

#[derive(Clone)]
struct World {
    recorder: Arc<Recorder>,
    kept: Arc<Mutex<Vec<Context>>>,
    started: Arc<Mutex<Vec<Arc<ActiveRun>>>>,
    /// What requests told, by the number of the request.
    told: Arc<Mutex<BTreeMap<u32, Vec<Told>>>>,
    /// The ids that runs read of themselves and of their trace.
    ids: Arc<Mutex<HashMap<u32, Ids>>>,
}

/// The caller's place and the user, as a request tells them.
type Told = (String, Option<String>);

/// The id of a run and of its trace.
type Ids = (Option<RunId>, Option<RunId>);

type Task = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Pending once.
fn yields() -> impl Future<Output = ()> {
    let mut polled = false;
    std::future::poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
}

fn poll(task: &mut Task) -> bool {
    task.as_mut().poll(&mut Waking::from_waker(Waker::noop())).is_ready()
}

impl World {
    fn drive(&self, mut task: Task, way: Way) {
        if way == Way::Moved {
            assert!(!poll(&mut task));
            self.elsewhere(move || while !poll(&mut task) {});
        } else {
            while !poll(&mut task) {}
        }
    }

    fn elsewhere(&self, f: impl FnOnce() + Send) {
        let recorder = &self.recorder;
        std::thread::scope(|threads| threads.spawn(|| recorder.scope(f)).join()).unwrap();
    }

    fn note(&self, n: u32) {
        let run = traceable::current();
        self.ids.lock().unwrap().insert(n, (run.id(), run.trace_id()));
    }

    fn all(&self, nodes: &[Node]) {
        nodes.iter().for_each(|node| self.exec(node));
    }

    fn later(&self, n: Option<u32>, nodes: &[Node]) -> Task {
        let (world, nodes) = (self.clone(), nodes.to_vec());
        Box::pin(async move {
            yields().await;
            if let Some(n) = n {
                world.note(n);
            }
            world.all(&nodes);
            Ok(())
        })
    }

    fn hand(&self, n: u32, builder: traceable::RunBuilder, way: Way, inner: &[Node]) {
        let builder = builder.input("n", &n);
        let inside = || {
            self.note(n);
            self.all(inner);
        };
        match way {
            Way::Closure => builder.call(|_| inside()),
            Way::Guard => {
                let _entered = builder.enter();
                inside();
            }
            Way::Future | Way::Moved => self.drive(Box::pin(builder.future(self.later(Some(n), inner))), way),
            Way::Handle => builder.start().scope(inside),
            Way::Fails => {
                let failed: Result<(), &str> = builder.try_call(|_| {
                    inside();
                    Err("no luck")
                });
                failed.unwrap_err();
            }
        }
    }

    fn scope(&self, n: u32, said: Said, over: Over) -> Scope {
        let mut scope = scope();
        if said.thread {
            scope = scope.thread(format!("t{n}"));
        }
        if said.user {
            scope = scope.user(format!("u{n}"));
        }
        if said.tag {
            scope = scope.tag(format!("tag{n}"));
        }
        if said.metadata {
            scope = scope.metadata("m", &n);
        }
        if said.name {
            scope = scope.run_name(format!("name{n}"));
        }
        if said.id {
            scope = scope.run_id(chosen(n));
        }
        if said.off {
            scope = scope.enabled(false);
        }
        match over {
            Over::Nothing => {}
            Over::Kept(at) => {
                let kept = self.kept.lock().unwrap();
                if let Some(context) = pick(&kept, at) {
                    scope = scope.parent(context);
                }
            }
            Over::Started(at) => {
                let started = self.started.lock().unwrap();
                if let Some(run) = pick(&started, at) {
                    scope = scope.parent(&**run);
                }
            }
            Over::Caller(kind) => scope = scope.parent(caller(n, kind)),
        }
        scope
    }

    fn exec(&self, node: &Node) {
        match node {
            Node::Call(n, inner) => call(self, *n, inner),
            Node::Hand(n, way, inner) => self.hand(*n, run("hand"), *way, inner),
            Node::Start(n) => {
                let run = run("start").input("n", n).start();
                self.ids.lock().unwrap().insert(*n, (run.id(), run.trace_id()));
                self.started.lock().unwrap().push(Arc::new(run));
            }
            Node::Child(n, at, way, inner) => {
                let parent = pick(&self.started.lock().unwrap(), *at).cloned();
                if let Some(parent) = parent {
                    self.hand(*n, parent.child("child"), *way, inner);
                }
            }
            Node::End(at, fails) => {
                let run = pick(&self.started.lock().unwrap(), *at).cloned();
                if let Some(run) = run {
                    self.elsewhere(|| if *fails { run.fail("no luck") } else { run.end() });
                }
            }
            Node::Scope(n, said, over, way, inner) => {
                let scope = self.scope(*n, *said, *over);
                match way {
                    Way::Future | Way::Moved => self.drive(Box::pin(scope.future(self.later(None, inner))), *way),
                    Way::Guard => {
                        let _entered = scope.enter();
                        self.all(inner);
                    }
                    _ => scope.call(|| self.all(inner)),
                }
            }
            Node::Capture => self.kept.lock().unwrap().push(Context::current()),
            Node::Attach(at, inner) => {
                let context = pick(&self.kept.lock().unwrap(), *at).cloned();
                if let Some(context) = context {
                    context.scope(|| self.all(inner));
                }
            }
            Node::Serve(n, kind, inner) => caller(*n, *kind).scope(|| self.all(inner)),
            Node::Thread(inner) => {
                let context = Context::current();
                self.elsewhere(|| {
                    let _attached = context.attach();
                    self.all(inner);
                });
            }
            Node::Ask(n) => {
                let told = [traceable::current().headers(), Context::current().headers()];
                let read = |headers: &Vec<(&str, String)>| {
                    let remote = Remote::from_headers(headers.iter().map(|(name, value)| (name, value)));
                    let order =
                        remote.as_ref().and_then(|remote| remote.dotted_order.as_ref()).map(ToString::to_string);
                    let user = remote.as_ref().and_then(|remote| remote.metadata.get("user_id")?.as_str());
                    (order.unwrap_or_default(), user.map(str::to_owned))
                };
                self.told.lock().unwrap().insert(*n, told.iter().map(read).collect());
            }
        }
    }
}

#[traceable(inputs(n))]
fn call(world: &World, n: u32, inner: &[Node]) {
    world.note(n);
    world.all(inner);
}

fn pick<T>(from: &[T], at: usize) -> Option<&T> {
    from.get(at.checked_rem(from.len())?)
}

// The model.

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Nowhere,
    Run(u32),
    /// The run of another process, and whether OpenTelemetry knows it.
    Caller(u32, bool),
    /// A foreign trace without a run of ours.
    Foreign(u32),
    Muted,
}

/// The name and id for one run.
type Next = Rc<RefCell<Option<(Option<String>, Option<RunId>)>>>;

#[derive(Debug, Clone, Default, PartialEq)]
struct Words {
    thread: Option<String>,
    user: Option<String>,
    tags: BTreeSet<String>,
    metadata: Option<u32>,
}

impl Words {
    fn add(&mut self, more: &Self) {
        self.thread = more.thread.clone().or(self.thread.take());
        self.user = more.user.clone().or(self.user.take());
        self.tags.extend(more.tags.iter().cloned());
        self.metadata = more.metadata.or(self.metadata);
    }
}

/// What a run begins in.
#[derive(Debug, Clone)]
struct Env {
    place: Place,
    /// What is said of runs that begin here, where it is a scope.
    words: Words,
    next: Option<Next>,
    is_scope: bool,
}

impl Env {
    fn bare(place: Place) -> Self {
        Self { place, words: Words::default(), next: None, is_scope: false }
    }

    fn caller(n: u32, kind: Caller) -> Self {
        Self::bare(match kind {
            Caller::Ours | Caller::Both => Place::Caller(n, kind == Caller::Both),
            Caller::W3c => Place::Foreign(n),
            Caller::NotSampled => Place::Muted,
        })
    }

    fn changes_nothing(&self) -> bool {
        self.place == Place::Nowhere && !self.is_scope
    }
}

#[derive(Debug, PartialEq)]
struct Expected {
    name: String,
    place: Place,
    root: u32,
    words: Words,
    status: Status,
    otel: bool,
    id: Option<RunId>,
    /// The whole way up is known. It is not known on another thread that a future was moved to.
    sure: bool,
}

#[derive(Debug, Default)]
struct Model {
    runs: BTreeMap<u32, Expected>,
    kept: Vec<Env>,
    /// The places of runs that were started, and whether they have ended.
    started: Vec<(Place, bool)>,
    /// Where requests were made, and the user that is said there.
    asked: BTreeMap<u32, (Place, Option<String>)>,
}

impl Model {
    fn all(&mut self, nodes: &[Node], env: &Env) {
        nodes.iter().for_each(|node| self.node(node, env));
    }

    /// A run, and where what is called in it begins.
    fn begin(&mut self, n: u32, env: &Env, over: Option<&Env>, (name, way): (&str, Way)) -> Env {
        let place = over.map_or(env.place, |over| over.place);
        if place == Place::Muted {
            return Env::bare(Place::Muted);
        }
        let above = if let Place::Run(above) = place { self.runs.get(&above) } else { None };
        let mut expected = Expected {
            name: name.to_owned(),
            place,
            root: above.map_or(n, |above| above.root),
            words: above.map(|above| above.words.clone()).unwrap_or_default(),
            status: if way == Way::Fails { Status::Error } else { Status::Ok },
            otel: above.is_some_and(|above| above.otel) || matches!(place, Place::Foreign(_) | Place::Caller(_, true)),
            id: None,
            sure: above.is_none_or(|above| above.sure) && way != Way::Moved,
        };
        for env in over.into_iter().chain([env]).filter(|env| env.is_scope) {
            expected.words.add(&env.words);
            if let Some((name, id)) = env.next.as_ref().and_then(|next| next.borrow_mut().take()) {
                expected.name = name.unwrap_or(expected.name);
                expected.id = id.or(expected.id);
            }
        }
        self.runs.insert(n, expected);
        Env::bare(Place::Run(n))
    }

    fn scope(&self, n: u32, said: Said, over: Over, env: &Env) -> Env {
        let over = match over {
            Over::Nothing => None,
            Over::Kept(at) => pick(&self.kept, at).cloned(),
            Over::Started(at) => pick(&self.started, at).map(|(place, _)| Env::bare(*place)),
            Over::Caller(kind) => Some(Env::caller(n, kind)),
        };
        let mut inside = Env { is_scope: true, ..Env::bare(over.as_ref().map_or(env.place, |over| over.place)) };
        for around in over.iter().chain([env]).filter(|env| env.is_scope) {
            inside.words.add(&around.words);
            inside.next = around.next.clone().or(inside.next);
        }
        inside.words.add(&Words {
            thread: said.thread.then(|| format!("t{n}")),
            user: said.user.then(|| format!("u{n}")),
            tags: said.tag.then(|| format!("tag{n}")).into_iter().collect(),
            metadata: said.metadata.then_some(n),
        });
        if said.name || said.id {
            let next = (said.name.then(|| format!("name{n}")), said.id.then(|| chosen(n)));
            inside.next = Some(Rc::new(RefCell::new(Some(next))));
        }
        if said.off {
            inside.place = Place::Muted;
        }
        inside
    }

    fn node(&mut self, node: &Node, env: &Env) {
        match node {
            Node::Call(n, inner) => {
                let inside = self.begin(*n, env, None, ("call", Way::Closure));
                // Where nothing is recorded, the function leaves everything as it is.
                self.all(inner, if inside.place == Place::Muted { env } else { &inside });
            }
            Node::Hand(n, way, inner) => {
                let inside = self.begin(*n, env, None, ("hand", *way));
                self.all(inner, &inside);
            }
            Node::Start(n) => {
                let inside = self.begin(*n, env, None, ("start", Way::Closure));
                self.started.push((inside.place, false));
            }
            Node::Child(n, at, way, inner) => {
                if let Some(&(place, _)) = pick(&self.started, *at) {
                    let inside = self.begin(*n, env, Some(&Env::bare(place)), ("child", *way));
                    self.all(inner, &inside);
                }
            }
            Node::End(at, fails) => {
                let started = self.started.len();
                if started > 0 {
                    let (place, ended) = &mut self.started[at % started];
                    if let (Place::Run(n), false, true) = (*place, *ended, *fails) {
                        self.runs.get_mut(&n).unwrap().status = Status::Error;
                    }
                    *ended = true;
                }
            }
            Node::Scope(n, said, over, way, inner) => {
                let nowhere = Env::bare(Place::Nowhere);
                let inside = self.scope(*n, *said, *over, if *way == Way::Moved { &nowhere } else { env });
                self.all(inner, &inside);
            }
            Node::Capture => self.kept.push(env.clone()),
            Node::Attach(at, inner) => {
                if let Some(kept) = pick(&self.kept, *at).cloned() {
                    self.all(inner, if kept.changes_nothing() { env } else { &kept });
                }
            }
            Node::Serve(n, kind, inner) => self.all(inner, &Env::caller(*n, *kind)),
            Node::Thread(inner) => self.all(inner, env),
            Node::Ask(n) => {
                self.asked.insert(*n, (env.place, env.words.user.clone()));
            }
        }
    }
}

fn check(model: &Model, runs: &[Run], world: &World) {
    let number = |run: &Run| u32::try_from(run.inputs.as_ref().unwrap().to_value()["n"].as_u64().unwrap()).unwrap();
    let by_number: BTreeMap<u32, &Run> = runs.iter().map(|run| (number(run), run)).collect();
    assert_eq!(by_number.len(), runs.len());
    // A run that is missing may have found no room, which is counted.
    let (seen, wanted): (Vec<_>, Vec<_>) = (by_number.keys().collect(), model.runs.keys().collect());
    assert_eq!(seen, wanted, "{:?}", traceable::stats());
    let ids = world.ids.lock().unwrap();
    for (n, expected) in &model.runs {
        let run = by_number[n];
        let (parent, trace, above) = match expected.place {
            Place::Run(above) => {
                let (above, root) = (by_number[&above], by_number[&expected.root]);
                (Some(above.id), root.trace_id, Some(above.dotted_order.clone()))
            }
            Place::Caller(n, _) => {
                let order = caller_order(n);
                (order.id(), order.trace_id().unwrap(), Some(order))
            }
            Place::Nowhere | Place::Foreign(_) | Place::Muted => (None, run.id, None),
        };
        assert_eq!((run.parent_id, run.trace_id), (parent, trace), "{n}");
        let order = above
            .map_or_else(|| DottedOrder::root(run.start_time, run.id), |above| above.child(run.start_time, run.id));
        assert_eq!(run.dotted_order, order, "{n}");
        let words = Words {
            thread: run.thread_id.clone(),
            user: run.user.clone(),
            tags: run.tags.iter().cloned().collect(),
            metadata: run.metadata.get("m").map(|m| u32::try_from(m.as_u64().unwrap()).unwrap()),
        };
        assert_eq!(words, expected.words, "{n}");
        assert_eq!((&*run.name, run.status), (&*expected.name, expected.status), "{n}");
        assert_eq!(run.otel.as_ref().map(|otel| otel.trace_id), expected.otel.then_some(TRACE), "{n}");
        assert!(expected.id.is_none_or(|id| id == run.id), "{n}");
        assert_eq!(ids[n], (Some(run.id), Some(run.trace_id)), "{n}");
    }
    assert!(ids.iter().all(|(n, ids)| model.runs.contains_key(n) || *ids == (None, None)));
    let told = world.told.lock().unwrap();
    for (n, (place, user)) in &model.asked {
        let expected = match place {
            Place::Run(run) => by_number[run].dotted_order.to_string(),
            Place::Caller(n, _) => caller_order(*n).to_string(),
            Place::Nowhere | Place::Foreign(_) | Place::Muted => String::new(),
        };
        for (told, told_user) in &told[n] {
            // No user but that of the run, and of the scopes in it.
            match place {
                Place::Run(run) if user.is_none() => {
                    assert!(told_user.is_none() || *told_user == model.runs[run].words.user, "{n}: {told_user:?}");
                }
                Place::Run(_) | Place::Caller(..) => assert_eq!(told_user, user, "{n}"),
                _ => {}
            }
            match place {
                Place::Run(run) if !model.runs[run].sure => {
                    let (told, expected): (DottedOrder, DottedOrder) =
                        (told.parse().unwrap(), expected.parse().unwrap());
                    assert_eq!((told.id(), told.trace_id()), (expected.id(), expected.trace_id()), "{n}");
                    assert!(told.depth() <= expected.depth());
                }
                _ => assert_eq!(*told, expected, "{n}"),
            }
        }
    }
}

// Random programs.

impl Node {
    fn number(&mut self, next: &mut u32) {
        *next += 1;
        match self {
            Self::Start(n) | Self::Ask(n) => *n = *next,
            Self::Call(n, inner)
            | Self::Hand(n, _, inner)
            | Self::Child(n, _, _, inner)
            | Self::Scope(n, _, _, _, inner)
            | Self::Serve(n, _, inner) => {
                *n = *next;
                inner.iter_mut().for_each(|node| node.number(next));
            }
            Self::Attach(_, inner) | Self::Thread(inner) => inner.iter_mut().for_each(|node| node.number(next)),
            Self::End(..) | Self::Capture => {}
        }
    }
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![Way::Closure, Way::Guard, Way::Future, Way::Moved, Way::Handle, Way::Fails])
}

fn caller_kind() -> impl Strategy<Value = Caller> {
    prop::sample::select(vec![Caller::Ours, Caller::W3c, Caller::Both, Caller::NotSampled])
}

fn said() -> impl Strategy<Value = Said> {
    let rarely = || prop::bool::weighted(0.1);
    (any::<[bool; 4]>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2), rarely())
        .prop_map(|([thread, user, tag, metadata], name, id, off)| Said { thread, user, tag, metadata, name, id, off })
}

fn over() -> impl Strategy<Value = Over> {
    prop_oneof![
        4 => Just(Over::Nothing),
        1 => (0..8_usize).prop_map(Over::Kept),
        1 => (0..8_usize).prop_map(Over::Started),
        1 => caller_kind().prop_map(Over::Caller),
    ]
}

fn program() -> impl Strategy<Value = Vec<Node>> {
    let leaf = prop_oneof![
        2 => Just(Node::Call(0, Vec::new())),
        2 => Just(Node::Start(0)),
        1 => (0..8_usize, any::<bool>()).prop_map(|(at, fails)| Node::End(at, fails)),
        2 => Just(Node::Capture),
        3 => Just(Node::Ask(0)),
    ];
    let node = leaf.prop_recursive(6, 40, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            2 => some().prop_map(|inner| Node::Call(0, inner)),
            2 => (way(), some()).prop_map(|(way, inner)| Node::Hand(0, way, inner)),
            2 => (0..8_usize, way(), some()).prop_map(|(at, way, inner)| Node::Child(0, at, way, inner)),
            3 => (said(), over(), way(), some())
                .prop_map(|(said, over, way, inner)| Node::Scope(0, said, over, way, inner)),
            2 => (0..8_usize, some()).prop_map(|(at, inner)| Node::Attach(at, inner)),
            1 => (caller_kind(), some()).prop_map(|(kind, inner)| Node::Serve(0, kind, inner)),
            1 => some().prop_map(Node::Thread),
        ]
    });
    prop::collection::vec(node, 1..5).prop_map(|mut nodes| {
        let mut next = 0;
        nodes.iter_mut().for_each(|node| node.number(&mut next));
        nodes
    })
}

#[test]
fn random_programs_say_and_tell_what_the_model_says() {
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&program(), |program| {
        let mut model = Model::default();
        model.all(&program, &Env::bare(Place::Nowhere));
        let world = World {
            recorder: Arc::new(Recorder::new()),
            kept: Arc::default(),
            started: Arc::default(),
            told: Arc::default(),
            ids: Arc::default(),
        };
        world.recorder.scope(|| world.all(&program));
        world.started.lock().unwrap().clear();
        check(&model, &world.recorder.runs(), &world);
        Ok(())
    });
    outcome.unwrap();
}
