//! Where calls happen: other tasks, other threads, other runtimes, streams that outlive their function.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt as _, future::BoxFuture, stream};
use rayon::prelude::*;
use traceable::{
    Context, Current, InRunExt as _, Run, RunType, Status, model::RunChange, testing::Recorder, traceable,
};

#[traceable]
fn leaf(n: u32) -> u32 {
    n
}

#[traceable]
async fn later(n: u32) -> u32 {
    tokio::task::yield_now().await;
    leaf(n)
}

fn named<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| run.name == name).collect()
}

#[traceable]
fn in_rayon() -> u32 {
    let context = Context::current();
    (0..64_u32).into_par_iter().map(|n| context.scope(|| leaf(n))).sum()
}

#[test]
fn rayon_by_a_context() {
    let recorder = Recorder::new();
    recorder.scope(in_rayon);
    let runs = recorder.runs();
    let root = named(&runs, "in_rayon")[0];
    let leaves = named(&runs, "leaf");
    assert_eq!(leaves.len(), 64);
    assert!(leaves.iter().all(|leaf| leaf.parent_id == Some(root.id)));
}

#[traceable]
async fn join_set() {
    let mut set = tokio::task::JoinSet::new();
    for n in 0..4 {
        set.spawn(later(n).in_current_run());
    }
    while set.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_set_by_the_extension() {
    let recorder = Recorder::new();
    recorder.scope_future(join_set()).await;
    assert_eq!(
        recorder.tree(),
        "join_set\n  later\n    leaf\n  later\n    leaf\n  later\n    leaf\n  later\n    leaf\n"
    );
}

#[traceable]
fn outer_runtime() {
    leaf(1);
    // A thread of its own, for a runtime inside of a runtime blocks.
    let context = Context::current();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        context.scope(|| runtime.block_on(later(2)));
    })
    .join()
    .unwrap();
    leaf(3);
}

#[test]
fn runtimes_inside_of_runtimes_and_side_by_side() {
    let recorder = Recorder::new();
    let runtimes: Vec<_> =
        (0..3).map(|_| tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()).collect();
    for runtime in &runtimes {
        runtime.block_on(recorder.scope_future(async { outer_runtime() }));
    }
    drop(runtimes);
    assert_eq!(recorder.tree(), "outer_runtime\n  leaf\n  later\n    leaf\n  leaf\n".repeat(3));
}

#[traceable]
async fn handler() -> impl Stream<Item = u32> + Send + Unpin {
    leaf(0);
    Box::pin(stream::iter(0..3).then(later))
}

#[traceable]
async fn handler_of_a_traced_stream() -> std::pin::Pin<Box<dyn Stream<Item = u32> + Send>> {
    Box::pin(stream::iter(0..2).then(later))
}

#[tokio::test]
async fn a_handler_returns_a_stream_that_is_polled_elsewhere() {
    let recorder = Recorder::new();
    let stream = recorder.scope_future(handler()).await;
    // No run is current here, and the server polls on a task of its own.
    assert!(traceable::current().id().is_none());
    let chunks = tokio::spawn(stream.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(chunks, [0, 1, 2]);
    let boxed = recorder.scope_future(handler_of_a_traced_stream()).await;
    std::thread::spawn(|| futures::executor::block_on(boxed.collect::<Vec<_>>())).join().unwrap();
    assert_eq!(
        recorder.tree(),
        "handler\n  leaf\n  later\n    leaf\n  later\n    leaf\n  later\n    leaf\n\
         handler_of_a_traced_stream\n  later\n    leaf\n  later\n    leaf\n"
    );
}

#[traceable]
fn boxed(n: u32) -> BoxFuture<'static, u32> {
    Box::pin(later(n))
}

/// A future that has begun may go on anywhere, also after the run that it began in.
#[tokio::test(flavor = "multi_thread")]
async fn a_future_that_leaves_its_root() {
    #[traceable]
    async fn begins(sender: mpsc::Sender<BoxFuture<'static, u32>>) {
        let mut future = boxed(1);
        // One poll here, the rest elsewhere.
        assert!(futures::poll!(&mut future).is_pending());
        sender.send(future).unwrap();
    }
    let recorder = Recorder::new();
    let (sender, receiver) = mpsc::channel();
    recorder.scope_future(begins(sender)).await;
    let future = receiver.recv().unwrap();
    tokio::spawn(future).await.unwrap();
    assert_eq!(recorder.tree(), "begins\n  boxed\n    later\n      leaf\n");
    let runs = recorder.runs();
    assert!(named(&runs, "boxed")[0].end_time > named(&runs, "begins")[0].end_time);
}

#[test]
fn another_thread_speaks_of_an_open_run() {
    #[traceable]
    fn open() {
        let run: Current = traceable::current();
        std::thread::spawn(move || run.add_metadata("from", "elsewhere")).join().unwrap();
    }
    let recorder = Recorder::new();
    recorder.scope(open);
    assert_eq!(recorder.run("open").metadata["from"], "elsewhere");
}

#[test]
fn a_context_outlives_its_run() {
    #[traceable]
    fn short() -> Context {
        Context::current()
    }
    let recorder = Recorder::new();
    let context = recorder.scope(short);
    // Enough other runs that the writer would have forgotten it, were there no handle.
    recorder.scope(|| (0..40_000).for_each(|n| assert_eq!(leaf(n), n)));
    recorder.flush();
    context.scope(|| leaf(7));
    let runs = recorder.runs();
    let late = runs.iter().rfind(|run| run.name == "leaf").unwrap();
    assert_eq!(late.parent_id, Some(named(&runs, "short")[0].id));
    assert_eq!(late.dotted_order.depth(), 2);
}

#[test]
fn runs_that_are_left_out_leave_out_what_is_below() {
    #[traceable(enabled = wanted)]
    fn maybe(wanted: bool) {
        leaf(1);
        assert_eq!(traceable::current().is_recording(), wanted);
    }
    #[traceable(enabled = false)]
    async fn never() {
        later(1).await;
    }
    #[traceable]
    fn outer() {
        maybe(false);
        maybe(true);
        futures::executor::block_on(never());
    }
    let recorder = Recorder::new();
    recorder.scope(outer);
    assert_eq!(recorder.tree(), "outer\n  maybe\n    leaf\n");
}

#[test]
fn a_parent_by_hand() {
    #[traceable(parent = context)]
    fn adopted(context: &Context) {}
    #[traceable]
    fn mother() -> Context {
        Context::current()
    }
    #[traceable]
    fn elsewhere(context: &Context) {
        adopted(context);
    }
    let recorder = Recorder::new();
    recorder.scope(|| {
        let context = mother();
        elsewhere(&context);
        adopted(&context);
    });
    assert_eq!(recorder.tree(), "mother\n  adopted\n  adopted\nelsewhere\n");
}

/// Waits for what comes in by itself; the time is a bound against hanging, not a measure.
fn wait_for(recorder: &Recorder, what: impl Fn(&RunChange) -> bool) -> RunChange {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if let Some(change) = recorder.memory().changes().into_iter().find(&what) {
            return change;
        }
        std::thread::yield_now();
    }
    panic!("nothing came in");
}

#[test]
fn open_runs_are_announced_by_themselves() {
    #[traceable(run_type = "llm")]
    fn slow(prompt: &str, recorder: &Recorder) {
        leaf(1);
        let id = traceable::current().id().unwrap();
        let change = wait_for(recorder, |change| matches!(change, RunChange::Start(run) if run.id == id));
        let run = change.run().unwrap();
        assert_eq!((run.status, run.end_time, &run.run_type), (Status::Pending, None, &RunType::Llm));
        assert!(run.inputs.as_ref().unwrap().as_str().contains("are you there?"));
        // What ended inside of a root that is still open has come in, too.
        wait_for(recorder, |change| matches!(change, RunChange::End(run) if run.name == "leaf"));
    }
    let recorder = Recorder::new();
    recorder.scope(|| slow("are you there?", &recorder));
    let run = recorder.run("slow");
    assert!(run.inputs.is_some() && run.end_time.is_some());
}

#[tokio::test]
async fn a_stream_shows_its_text_while_it_runs() {
    #[traceable(run_type = "llm")]
    fn talks(receiver: tokio::sync::mpsc::Receiver<&'static str>) -> impl Stream<Item = &'static str> {
        stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|word| (word, receiver)) })
    }
    let recorder = Recorder::new();
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    let mut stream = recorder.scope(|| Box::pin(talks(receiver)));
    sender.send("Hello").await.unwrap();
    assert_eq!(stream.next().await, Some("Hello"));
    let progress = wait_for(&recorder, |change| matches!(change, RunChange::Progress(_)));
    let RunChange::Progress(progress) = progress else { unreachable!() };
    assert_eq!((progress.chunks, progress.outputs.unwrap().as_str()), (1, r#"["Hello"]"#));
    drop(sender);
    assert_eq!(stream.next().await, None);
    assert_eq!(recorder.run("talks").status, Status::Ok);
}

#[tokio::test]
async fn a_reducer_shows_its_answer_while_the_stream_runs() {
    type Words = tokio::sync::mpsc::Receiver<&'static str>;
    fn receive(receiver: Words) -> impl Stream<Item = &'static str> {
        stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|word| (word, receiver)) })
    }
    #[traceable(run_type = "llm", reduce_fn = |words: Vec<&'static str>| words.concat())]
    fn all(receiver: Words) -> impl Stream<Item = &'static str> {
        receive(receiver)
    }
    #[traceable(reduce_fn = traceable::fold(String::new(), |text, word: &&'static str| text.push_str(word)))]
    fn folded(receiver: Words) -> impl Stream<Item = &'static str> {
        receive(receiver)
    }
    let recorder = Recorder::new();
    for fold in [false, true] {
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        let mut stream: std::pin::Pin<Box<dyn Stream<Item = &'static str>>> =
            recorder.scope(|| if fold { Box::pin(folded(receiver)) as _ } else { Box::pin(all(receiver)) as _ });
        let id_of = |change: &RunChange| match change {
            RunChange::Progress(progress) => progress.outputs.as_ref().map(|json| json.as_str().to_owned()),
            _ => None,
        };
        // Words come until one of them is late enough to be shown.
        let before = recorder.memory().changes().iter().filter_map(id_of).count();
        let start = Instant::now();
        let mut sent = String::new();
        while recorder.memory().changes().iter().filter_map(id_of).count() == before {
            assert!(start.elapsed() < Duration::from_secs(30), "nothing was shown");
            sender.send("x").await.unwrap();
            sent.push_str(stream.next().await.unwrap());
        }
        let shown = recorder.memory().changes().iter().filter_map(id_of).next_back().unwrap();
        assert!(!shown.is_empty() && format!("\"{sent}\"").starts_with(shown.trim_end_matches('"')), "{shown}");
        drop(sender);
        assert_eq!(stream.next().await, None);
        let run = recorder.run(if fold { "folded" } else { "all" });
        assert_eq!(run.outputs.unwrap().to_value()["output"], sent);
    }
}
