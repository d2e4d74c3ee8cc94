//! Traces that the sample leaves out are kept, whole and in order, if one of their runs fails, and otherwise not at all.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
    time::Duration,
};

use proptest::prelude::*;
use serde_json::json;
use traceable::{
    Builder, Context, RunId, Status, current, feedback,
    model::{Run, RunChange},
    testing::Memory,
    traceable,
};

/// What the process records: nothing, but for what fails.
fn memory() -> &'static Memory {
    static MEMORY: OnceLock<Memory> = OnceLock::new();
    MEMORY.get_or_init(|| {
        let memory = Memory::new();
        Builder::new().exporter(memory.clone()).sample_rate(0.0).keep_errors(true).init().unwrap();
        memory
    })
}

fn flush() {
    assert!(traceable::flush_blocking(Duration::from_secs(30)).delivered);
}

/// The changes of a trace that have arrived.
fn changes(trace: RunId) -> Vec<RunChange> {
    flush();
    let is_of = |change: &RunChange| match change {
        RunChange::Score(score) => score.target == traceable::ScoreTarget::Run(trace),
        RunChange::Progress(progress) => progress.trace_id == trace,
        change => change.run().is_some_and(|run| run.trace_id == trace),
    };
    memory().changes().into_iter().filter(is_of).collect()
}

/// The runs of a trace of which anything has arrived, open ones too.
fn known(trace: RunId) -> usize {
    changes(trace).iter().filter_map(RunChange::run).map(|run| run.id).collect::<HashSet<_>>().len()
}

/// The runs of a trace that have arrived and ended.
fn runs(trace: RunId) -> Vec<Run> {
    flush();
    memory().runs().into_iter().filter(|run| run.trace_id == trace).collect()
}

#[derive(Debug, Clone)]
enum Node {
    Call(bool, Vec<Node>),
    /// On a thread of its own, which is joined.
    Thread(Box<Node>),
    /// On a thread of its own, which is joined when the root has ended.
    Late(Box<Node>),
    /// Panics, and is caught.
    Panic,
    /// Everything so far is read, and what is open is announced.
    Flush,
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        12 => Just(Node::Call(false, Vec::new())),
        1 => Just(Node::Call(true, Vec::new())),
        1 => Just(Node::Panic),
        2 => Just(Node::Flush),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            6 => (prop::bool::weighted(0.05), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(fails, inside)| Node::Call(fails, inside)),
            2 => inner.clone().prop_map(|inner| Node::Thread(Box::new(inner))),
            1 => inner.prop_map(|inner| Node::Late(Box::new(inner))),
        ]
    })
}

/// How many runs there are, and whether one fails before the root has ended; what is late comes in the second pair.
fn expect(node: &Node) -> [(usize, bool); 2] {
    match node {
        Node::Call(fails, inside) => inside.iter().map(expect).fold([(1, *fails), (0, false)], |sum, inside| {
            [0, 1].map(|at| (sum[at].0 + inside[at].0, sum[at].1 | inside[at].1))
        }),
        Node::Thread(inner) => expect(inner),
        Node::Late(inner) => {
            let [now, late] = expect(inner);
            [(0, false), (now.0 + late.0, now.1 | late.1)]
        }
        Node::Panic => [(1, true), (0, false)],
        Node::Flush => [(0, false); 2],
    }
}

type Late = Arc<std::sync::Mutex<Vec<Box<dyn FnOnce() + Send>>>>;

fn run(node: &Node, late: &Late) {
    match node {
        Node::Call(fails, inside) => drop(call(*fails, inside, late)),
        Node::Thread(inner) => {
            let context = Context::current();
            std::thread::scope(|threads| {
                threads.spawn(|| context.scope(|| run(inner, late)));
            });
        }
        Node::Late(inner) => {
            let (context, inner, inside) = (Context::current(), inner.clone(), Late::default());
            late.lock().unwrap().push(Box::new(move || {
                context.scope(|| run(&inner, &inside));
                finish(&inside);
            }));
        }
        Node::Panic => drop(std::panic::catch_unwind(panics)),
        Node::Flush => flush(),
    }
}

/// Runs what was left for later, each on a thread of its own.
fn finish(late: &Late) {
    for later in std::mem::take(&mut *late.lock().unwrap()) {
        std::thread::spawn(later).join().unwrap();
    }
}

#[traceable(skip(inside, late))]
fn call(fails: bool, inside: &[Node], late: &Late) -> Result<u32, String> {
    inside.iter().for_each(|node| run(node, late));
    if fails { Err("on purpose, in a test".into()) } else { Ok(7) }
}

#[traceable]
fn panics() {
    std::panic::resume_unwind(Box::new("on purpose, in a test"));
}

#[traceable(skip(inside, late))]
fn root(fails: bool, inside: &[Node], late: &Late) -> Result<RunId, String> {
    *ROOT.lock().unwrap() = current().id();
    inside.iter().for_each(|node| run(node, late));
    if fails { Err("on purpose, in a test".into()) } else { Ok(current().trace_id().unwrap()) }
}

static ROOT: std::sync::Mutex<Option<RunId>> = std::sync::Mutex::new(None);
/// One tree at a time, so that `ROOT` is its own.
static TREES: std::sync::Mutex<()> = std::sync::Mutex::new(());

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_trace_is_kept_whole_if_it_fails(fails in prop::bool::weighted(0.05), nodes in prop::collection::vec(node(), 0..4)) {
        let _one = TREES.lock();
        memory();
        let late = Late::default();
        let _ = root(fails, &nodes, &late);
        // Writes nothing more of a trace that is dropped.
        for _ in 0..4 {
            flush();
        }
        finish(&late);
        let trace = ROOT.lock().unwrap().take().unwrap();
        let [now, late] = expect(&Node::Call(fails, nodes));
        let runs = runs(trace);
        prop_assert_eq!(runs.len(), if now.1 { now.0 + late.0 } else { 0 });
        prop_assert!(runs.iter().all(|run| run.status == Status::Error || run.inputs.is_some() || run.name == "panics"));
        let changes = changes(trace);
        let mut seen: HashMap<RunId, bool> = HashMap::new();
        for change in &changes {
            let run = change.run().unwrap();
            match change {
                RunChange::Start(_) => prop_assert!(seen.insert(run.id, false).is_none()),
                _ => prop_assert!(seen.insert(run.id, true) != Some(true)),
            }
        }
        prop_assert!(seen.values().all(|ended| *ended));
    }
}

#[test]
fn what_fails_first_brings_what_was_before_and_what_comes_after() {
    memory();
    #[traceable]
    fn step(n: u32) -> Result<u32, String> {
        if n == 1 { Err("on purpose, in a test".into()) } else { Ok(n) }
    }
    #[traceable]
    fn steps() -> RunId {
        let id = current().id().unwrap();
        assert!(current().is_recording());
        let _ = step(0);
        assert_eq!(known(id), 0);
        let _ = step(1);
        // While the root is open: both steps, and the root that was announced.
        assert_eq!((known(id), runs(id).len()), (3, 2));
        let _ = step(2);
        assert_eq!((known(id), runs(id).len()), (4, 3));
        id
    }
    let runs = runs(steps());
    assert_eq!(runs.iter().map(|run| run.name.as_ref()).collect::<Vec<_>>(), ["steps", "step", "step", "step"]);
    assert_eq!(runs[1].inputs.as_ref().unwrap().to_value(), json!({ "n": 0 }));
    assert_eq!(runs[0].metadata["ls_tracing_sample_rate"], 0.0);
    assert!(!runs[1].metadata.contains_key("ls_tracing_sample_rate"));
}

#[test]
fn a_score_waits_with_its_trace() {
    memory();
    #[traceable]
    fn scored(fails: bool) -> Result<(), String> {
        feedback(current(), "grounded").score(1).send();
        *ROOT.lock().unwrap() = current().id();
        if fails { Err("on purpose, in a test".into()) } else { Ok(()) }
    }
    let _one = TREES.lock();
    for fails in [false, true] {
        let _ = scored(fails);
        let trace = ROOT.lock().unwrap().take().unwrap();
        let changes = changes(trace);
        let scores = changes.iter().filter(|change| matches!(change, RunChange::Score(_))).count();
        assert_eq!((scores, changes.is_empty()), (usize::from(fails), !fails));
    }
}

#[test]
fn another_process_is_not_asked_to_record_what_will_most_likely_be_dropped() {
    #[traceable]
    fn asks() -> Vec<(&'static str, String)> {
        current().headers()
    }
    memory();
    let headers = asks();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["traceparent"]);
    assert!(headers[0].1.ends_with("-00"), "{headers:?}");
    assert!(Context::from_headers(headers).is_none());
}
