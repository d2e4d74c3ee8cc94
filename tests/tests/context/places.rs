//! Runs that begin elsewhere than where their scope, client or root is.

use futures::StreamExt as _;
use traceable::{Context, DottedOrder, RunId, run, scope, testing::Recorder, thread, traceable};

use super::remote::{Headers, order_of, value};

#[traceable]
fn call() -> Headers {
    traceable::current().headers()
}

#[traceable]
fn leaf() {}

#[traceable]
fn level(levels: u32) -> Context {
    if levels == 0 { Context::current() } else { level(levels - 1) }
}

#[test]
fn a_context_in_a_scope_of_another_tells_its_own_place() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let far = level(5);
        let near = run("near").start();
        let told = far.scope(|| scope().parent(near.context()).call(|| Context::current().headers()));
        let seen = far.scope(|| scope().parent(near.context()).call(|| traceable::current().headers()));
        let begun = far.scope(|| scope().parent(near.context()).call(|| run("begun").start().headers()));
        assert_eq!(order_of(&told).id(), near.id());
        assert_eq!(order_of(&told), order_of(&near.headers()));
        assert_eq!(order_of(&seen), order_of(&near.headers()));
        assert_eq!(order_of(&begun).depth(), 2);
    });
}

#[test]
fn a_context_is_not_in_the_scope_that_it_is_attached_in() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let other = run("other").start().context();
        let told = scope().user("bob").call(|| other.scope(call));
        assert_eq!(value(&told, "baggage"), "");
        let told = scope().user("bob").call(|| run("root").call(|_| scope().parent(&other).call(call)));
        assert_eq!(value(&told, "baggage"), "");
        let told = scope().user("bob").call(|| run("root").call(|_| run("below").parent(&other).call(|_| call())));
        assert_eq!(value(&told, "baggage"), "");
    });
    assert!(recorder.runs().iter().filter(|run| run.name == "call").all(|run| run.user.is_none()));
}

#[traceable]
fn chunks(levels: u32) -> impl futures::Stream<Item = Headers> + Send + 'static {
    let inner = (levels > 0).then(|| Box::pin(chunks(levels - 1)) as futures::stream::BoxStream<'static, Headers>);
    futures::stream::once(async move {
        match inner {
            Some(mut inner) => inner.next().await.unwrap(),
            None => call(),
        }
    })
}

/// A stream that was returned out of its parents and is polled elsewhere.
fn elsewhere(levels: u32) -> Headers {
    let stream = run("outer").call(|_| Box::pin(chunks(levels)) as futures::stream::BoxStream<'static, Headers>);
    let mut stream = stream;
    std::thread::spawn(move || futures::executor::block_on(stream.next()).unwrap()).join().unwrap()
}

#[test]
fn a_stream_that_is_polled_elsewhere_tells_its_root() {
    let recorder = Recorder::new();
    let id = RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0077);
    recorder.scope(|| {
        let root = run("root").start();
        let told = root.scope(|| elsewhere(0));
        assert_eq!(order_of(&told).trace_id(), root.id());
        // A root whose id was chosen is known by another way.
        let chosen = run("chosen").id(id).start();
        let told = chosen.scope(|| elsewhere(0));
        assert_eq!(order_of(&told).trace_id(), Some(id));
        // Directly below, the whole way is known.
        let told = std::thread::spawn({
            let mut stream = chosen.scope(|| Box::pin(chunks(0)) as futures::stream::BoxStream<'static, Headers>);
            move || futures::executor::block_on(stream.next()).unwrap()
        });
        let told = order_of(&told.join().unwrap());
        assert_eq!((told.trace_id(), told.depth()), (Some(id), 3));
        let caller = DottedOrder::root(1_717_171_717_123_456_000, RunId::from_u128(7));
        let told = scope().parent(&caller).call(|| run("served").call(|_| elsewhere(0)));
        let told = order_of(&told);
        assert_eq!(told.trace_id(), Some(RunId::from_u128(7)));
        let ids: Vec<_> = told.as_str().split('.').collect();
        assert_eq!(ids.iter().filter(|id| id.contains("00000007")).count(), 1, "{told}");
    });
}

#[test]
fn what_is_said_in_a_scope_goes_to_its_client() {
    let recorder = Recorder::new();
    scope().client(recorder.client()).call(|| thread("t-1").name("first").send());
    assert_eq!(recorder.threads().len(), 1);
}

#[test]
fn a_run_that_nobody_hears_does_not_silence_what_is_below() {
    let recorder = Recorder::new();
    run("unheard").call(|_| recorder.scope(leaf));
    let unheard = run("unheard").start();
    recorder.scope(|| unheard.scope(leaf));
    assert_eq!(recorder.tree(), "leaf\nleaf\n");
}
