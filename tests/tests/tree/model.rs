//! Random programs on a runtime of four workers, against a model that says what their trees must be: every run's parent,
//! status, order, inherited metadata and id.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{
    FutureExt as _, Stream, StreamExt as _,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use proptest::prelude::*;
use tokio::task::JoinHandle;
use traceable::{Context, InRunExt as _, Run, RunId, Status, testing::Recorder, traceable};

/// What a run does. A number is the run's own; the lists are what is called inside.
#[derive(Debug, Clone)]
enum Node {
    /// A sync function.
    Sync(u32, Vec<Node>),
    /// An async function that calls one after the other.
    Seq(u32, Vec<Node>),
    /// An async function that calls all at once.
    Join(u32, Vec<Node>),
    /// The same, by `FuturesUnordered`.
    Unordered(u32, Vec<Node>),
    /// Calls it on another task, with the run carried along.
    Spawn(u32, Box<Node>),
    /// The same, and ends before it.
    Detach(u32, Box<Node>),
    /// Calls it on another task, without the run: a root.
    Lose(u32, Box<Node>),
    /// Calls sync functions on the pool for blocking work.
    Blocking(u32, Vec<Node>),
    /// Calls sync functions on a thread of its own, by a context.
    Thread(u32, Vec<Node>),
    /// Calls both; the first never ends and is dropped.
    Select(u32, u32, Vec<Node>, Box<Node>),
    /// A stream of so many chunks, of which so many are read here or on another task; each chunk calls a sync function.
    Stream { id: u32, chunk: u32, chunks: u8, read: u8, elsewhere: bool },
    /// An async function that panics after its calls.
    Panic(u32, Vec<Node>),
    /// An async function that answers an error.
    Fail(u32, Vec<Node>),
}

/// What is expected of a run, and what the run said of itself.
#[derive(Debug, Clone, PartialEq)]
struct Expected {
    parent: Option<u32>,
    status: Status,
    /// Ancestors, whose metadata the run must have.
    inherits: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct Model {
    runs: BTreeMap<u32, Vec<Expected>>,
    /// Runs that follow each other.
    in_order: Vec<(u32, u32)>,
}

impl Model {
    fn run(&mut self, id: u32, above: &[u32], status: Status) {
        let expected = Expected { parent: above.last().copied(), status, inherits: above.iter().copied().collect() };
        self.runs.entry(id).or_default().push(expected);
    }

    fn all(&mut self, nodes: &[Node], above: &[u32], in_order: bool) {
        for node in nodes {
            self.node(node, above);
        }
        if in_order {
            self.in_order.extend(nodes.windows(2).map(|pair| (pair[0].id(), pair[1].id())));
        }
    }

    fn node(&mut self, node: &Node, above: &[u32]) {
        let id = node.id();
        let inside: Vec<u32> = above.iter().copied().chain([id]).collect();
        let mut status = Status::Ok;
        match node {
            Node::Sync(_, inner) | Node::Seq(_, inner) | Node::Blocking(_, inner) | Node::Thread(_, inner) => {
                self.all(inner, &inside, true);
            }
            Node::Join(_, inner) | Node::Unordered(_, inner) => self.all(inner, &inside, false),
            Node::Spawn(_, inner) | Node::Detach(_, inner) => self.node(inner, &inside),
            Node::Lose(_, inner) => self.node(inner, &[]),
            Node::Select(_, loser, lost, winner) => {
                self.run(*loser, &inside, Status::Cancelled);
                let inside_loser: Vec<u32> = inside.iter().copied().chain([*loser]).collect();
                self.all(lost, &inside_loser, true);
                self.node(winner, &inside);
            }
            Node::Stream { chunk, chunks, read, .. } => {
                for _ in 0..(*read).min(*chunks) {
                    self.run(*chunk, &inside, Status::Ok);
                }
                if read <= chunks {
                    status = Status::Cancelled;
                }
            }
            Node::Panic(_, inner) | Node::Fail(_, inner) => {
                self.all(inner, &inside, true);
                status = Status::Error;
            }
        }
        self.run(id, above, status);
    }
}

/// What a running program shares.
#[derive(Clone)]
struct World {
    recorder: Arc<Recorder>,
    /// The ids that runs read of themselves.
    ids: Arc<Mutex<HashMap<u32, Vec<RunId>>>>,
    detached: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl World {
    fn note(&self, id: u32) {
        let run = traceable::current();
        run.add_metadata(&format!("m{id}"), &id);
        self.ids.lock().unwrap().entry(id).or_default().push(run.id().unwrap());
    }
}

type Task = BoxFuture<'static, ()>;

#[traceable(name = format!("{id}"), inputs())]
fn sync(world: &World, id: u32, inner: &[Node]) {
    world.note(id);
    sync_all(world, inner);
}

fn sync_all(world: &World, inner: &[Node]) {
    for node in inner {
        match node {
            Node::Sync(id, inner) => sync(world, *id, inner),
            other => unreachable!("only sync nodes stand in sync ones: {other:?}"),
        }
    }
}

#[traceable(name = format!("{id}"), inputs())]
async fn seq(world: World, id: u32, inner: Vec<Node>) {
    world.note(id);
    for node in inner {
        tokio::task::yield_now().await;
        exec(world.clone(), node).await;
    }
}

#[traceable(name = format!("{id}"), inputs())]
async fn join(world: World, id: u32, inner: Vec<Node>) {
    world.note(id);
    join_all(inner.into_iter().map(|node| exec(world.clone(), node))).await;
}

#[traceable(name = format!("{id}"), inputs())]
fn unordered(world: World, id: u32, inner: Vec<Node>) -> BoxFuture<'static, ()> {
    world.note(id);
    async move {
        let mut all: FuturesUnordered<_> = inner.into_iter().map(|node| exec(world.clone(), node)).collect();
        while all.next().await.is_some() {}
    }
    .boxed()
}

#[traceable(name = format!("{id}"), inputs())]
async fn spawn(world: World, id: u32, inner: Node) {
    world.note(id);
    tokio::spawn(exec(world, inner).in_current_run()).await.unwrap();
}

#[traceable(name = format!("{id}"), inputs())]
async fn detach(world: World, id: u32, inner: Node) {
    world.note(id);
    let task = tokio::spawn(exec(world.clone(), inner).in_current_run());
    world.detached.lock().unwrap().push(task);
}

#[traceable(name = format!("{id}"), inputs())]
async fn lose(world: World, id: u32, inner: Node) {
    world.note(id);
    let recorder = Arc::clone(&world.recorder);
    tokio::spawn(async move { recorder.scope_future(exec(world, inner)).await }).await.unwrap();
}

#[traceable(name = format!("{id}"), inputs())]
async fn blocking(world: World, id: u32, inner: Vec<Node>) {
    world.note(id);
    tokio::task::spawn_blocking(traceable::wrap(move || sync_all(&world, &inner))).await.unwrap();
}

#[traceable(name = format!("{id}"), inputs())]
fn thread(world: World, id: u32, inner: Vec<Node>) {
    world.note(id);
    let context = Context::current();
    std::thread::spawn(move || {
        let _attached = context.attach();
        sync_all(&world, &inner);
    })
    .join()
    .unwrap();
}

#[traceable(name = format!("{id}"), inputs())]
async fn loser(world: World, id: u32, inner: Vec<Node>) {
    world.note(id);
    sync_all(&world, &inner);
    std::future::pending().await
}

#[traceable(name = format!("{id}"), inputs())]
async fn select(world: World, id: u32, lost: (u32, Vec<Node>), winner: Node) {
    world.note(id);
    tokio::select! {
        biased;
        () = loser(world.clone(), lost.0, lost.1) => unreachable!(),
        () = exec(world.clone(), winner) => {}
    }
}

#[traceable(name = format!("{id}"), inputs())]
fn chunks(world: World, id: u32, chunk: u32, count: u8) -> impl Stream<Item = u8> + Send + 'static {
    world.note(id);
    futures::stream::iter(0..count).then(move |n| {
        let world = world.clone();
        async move {
            tokio::task::yield_now().await;
            sync(&world, chunk, &[]);
            n
        }
    })
}

async fn read(mut stream: Pin<Box<dyn Stream<Item = u8> + Send>>, count: u8) {
    for _ in 0..count {
        stream.next().await;
    }
}

#[traceable(name = format!("{id}"), inputs())]
async fn panics(world: World, id: u32, inner: Vec<Node>) {
    seq_inner(&world, id, inner).await;
    std::panic::resume_unwind(Box::new("on purpose, in a test"));
}

#[traceable(name = format!("{id}"), inputs())]
async fn fails(world: World, id: u32, inner: Vec<Node>) -> Result<(), String> {
    seq_inner(&world, id, inner).await;
    Err("no luck".to_owned())
}

async fn seq_inner(world: &World, id: u32, inner: Vec<Node>) {
    world.note(id);
    for node in inner {
        exec(world.clone(), node).await;
    }
}

fn exec(world: World, node: Node) -> Task {
    async move {
        match node {
            Node::Sync(id, inner) => sync(&world, id, &inner),
            Node::Seq(id, inner) => seq(world, id, inner).await,
            Node::Join(id, inner) => join(world, id, inner).await,
            Node::Unordered(id, inner) => unordered(world, id, inner).await,
            Node::Spawn(id, inner) => spawn(world, id, *inner).await,
            Node::Detach(id, inner) => detach(world, id, *inner).await,
            Node::Lose(id, inner) => lose(world, id, *inner).await,
            Node::Blocking(id, inner) => blocking(world, id, inner).await,
            Node::Thread(id, inner) => thread(world, id, inner),
            Node::Select(id, loser, lost, winner) => select(world, id, (loser, lost), *winner).await,
            Node::Stream { id, chunk, chunks: count, read: wanted, elsewhere } => {
                let stream = Box::pin(chunks(world, id, chunk, count));
                if elsewhere {
                    tokio::spawn(read(stream, wanted)).await.unwrap();
                } else {
                    read(stream, wanted).await;
                }
            }
            Node::Panic(id, inner) => {
                let caught = std::panic::AssertUnwindSafe(panics(world, id, inner)).catch_unwind().await;
                assert!(caught.is_err());
            }
            Node::Fail(id, inner) => {
                fails(world, id, inner).await.unwrap_err();
            }
        }
    }
    .boxed()
}

impl Node {
    fn id(&self) -> u32 {
        match self {
            Self::Sync(id, _)
            | Self::Seq(id, _)
            | Self::Join(id, _)
            | Self::Unordered(id, _)
            | Self::Spawn(id, _)
            | Self::Detach(id, _)
            | Self::Lose(id, _)
            | Self::Blocking(id, _)
            | Self::Thread(id, _)
            | Self::Select(id, ..)
            | Self::Stream { id, .. }
            | Self::Panic(id, _)
            | Self::Fail(id, _) => *id,
        }
    }

    /// Numbers all runs below, from 1.
    fn number(&mut self, next: &mut u32) {
        let mut take = || {
            *next += 1;
            *next
        };
        match self {
            Self::Sync(id, inner)
            | Self::Seq(id, inner)
            | Self::Join(id, inner)
            | Self::Unordered(id, inner)
            | Self::Blocking(id, inner)
            | Self::Thread(id, inner)
            | Self::Panic(id, inner)
            | Self::Fail(id, inner) => {
                *id = take();
                inner.iter_mut().for_each(|node| node.number(next));
            }
            Self::Spawn(id, inner) | Self::Detach(id, inner) | Self::Lose(id, inner) => {
                *id = take();
                inner.number(next);
            }
            Self::Select(id, loser, lost, winner) => {
                *id = take();
                *loser = take();
                lost.iter_mut().for_each(|node| node.number(next));
                winner.number(next);
            }
            Self::Stream { id, chunk, .. } => {
                *id = take();
                *chunk = take();
            }
        }
    }
}

fn sync_node() -> impl Strategy<Value = Node> {
    Just(Node::Sync(0, Vec::new()))
        .prop_recursive(3, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(|inner| Node::Sync(0, inner)))
}

fn program() -> impl Strategy<Value = Node> {
    let syncs = || prop::collection::vec(sync_node(), 0..3);
    let leaf = prop_oneof![
        sync_node(),
        syncs().prop_map(|inner| Node::Blocking(0, inner)),
        syncs().prop_map(|inner| Node::Thread(0, inner)),
        (0..4_u8, 0..6_u8, any::<bool>()).prop_map(|(chunks, read, elsewhere)| Node::Stream {
            id: 0,
            chunk: 0,
            chunks,
            read,
            elsewhere
        }),
    ];
    let tree = leaf.prop_recursive(5, 40, 4, move |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            some().prop_map(|inner| Node::Seq(0, inner)),
            some().prop_map(|inner| Node::Join(0, inner)),
            some().prop_map(|inner| Node::Unordered(0, inner)),
            some().prop_map(|inner| Node::Panic(0, inner)),
            some().prop_map(|inner| Node::Fail(0, inner)),
            inner.clone().prop_map(|inner| Node::Spawn(0, Box::new(inner))),
            inner.clone().prop_map(|inner| Node::Detach(0, Box::new(inner))),
            inner.clone().prop_map(|inner| Node::Lose(0, Box::new(inner))),
            (prop::collection::vec(sync_node(), 0..3), inner.clone()).prop_map(|(lost, winner)| Node::Select(
                0,
                0,
                lost,
                Box::new(winner)
            )),
        ]
    });
    tree.prop_map(|mut node| {
        node.number(&mut 0);
        node
    })
}

/// Runs a program and answers what was recorded and what the runs said of themselves.
fn run(runtime: &tokio::runtime::Runtime, program: Node) -> (Vec<Run>, HashMap<u32, Vec<RunId>>) {
    let world = World { recorder: Arc::new(Recorder::new()), ids: Arc::default(), detached: Arc::default() };
    runtime.block_on(async {
        let recorder = Arc::clone(&world.recorder);
        let inside = world.clone();
        tokio::spawn(async move { recorder.scope_future(exec(inside, program)).await }).await.unwrap();
        loop {
            let Some(task) = world.detached.lock().unwrap().pop() else { break };
            task.await.unwrap();
        }
    });
    let ids = world.ids.lock().unwrap().clone();
    (world.recorder.runs(), ids)
}

fn check(model: &Model, runs: &[Run], ids: &HashMap<u32, Vec<RunId>>) {
    let number = |run: &Run| run.name.parse::<u32>().unwrap();
    let by_id: HashMap<RunId, &Run> = runs.iter().map(|run| (run.id, run)).collect();
    assert_eq!(by_id.len(), runs.len(), "every id is given once");
    let mut seen: BTreeMap<u32, Vec<Expected>> = BTreeMap::new();
    let mut own_ids: HashMap<u32, Vec<RunId>> = HashMap::new();
    for run in runs {
        let parent = run.parent_id.map(|id| by_id[&id]);
        let inherits = run.metadata.keys().map(|key| key[1..].parse().unwrap()).filter(|&id| id != number(run));
        seen.entry(number(run)).or_default().push(Expected {
            parent: parent.map(number),
            status: run.status,
            inherits: inherits.collect(),
        });
        own_ids.entry(number(run)).or_default().push(run.id);
        let order = parent.map_or_else(
            || traceable::model::DottedOrder::root(run.start_time, run.id),
            |parent| parent.dotted_order.child(run.start_time, run.id),
        );
        assert_eq!(run.dotted_order, order);
        assert_eq!(run.trace_id, parent.map_or(run.id, |parent| parent.trace_id));
        assert!(parent.is_none_or(|parent| parent.start_time <= run.start_time));
        assert!(run.end_time.unwrap() >= run.start_time);
    }
    assert_eq!(seen, model.runs);
    let mut ids = ids.clone();
    ids.values_mut().chain(own_ids.values_mut()).for_each(|ids| ids.sort());
    assert_eq!(own_ids, ids, "the ids that runs read of themselves are those that are exported");
    let first = |id: u32| runs.iter().find(|run| number(run) == id).unwrap();
    for &(before, after) in &model.in_order {
        assert!(first(before).start_time <= first(after).start_time, "{before} begins before {after}");
    }
}

#[test]
fn random_programs_make_the_trees_that_the_model_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&program(), |program| {
        let mut model = Model::default();
        model.node(&program, &[]);
        let (runs, ids) = run(&runtime, program);
        check(&model, &runs, &ids);
        Ok(())
    });
    outcome.unwrap();
}
