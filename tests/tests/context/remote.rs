//! Traces that cross processes: what comes in and what goes out.

use serde_json::json;
use traceable::{
    Context, DottedOrder, InRunExt as _, Run, RunId, model::OtelContext, run, scope, testing::Recorder, traceable,
};

pub(crate) type Headers = Vec<(&'static str, String)>;

#[traceable]
fn call() -> Headers {
    traceable::current().headers()
}

pub(crate) fn value<'a>(headers: &'a Headers, name: &str) -> &'a str {
    headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

pub(crate) fn order_of(headers: &Headers) -> DottedOrder {
    value(headers, "langsmith-trace").parse().unwrap()
}

#[test]
fn a_trace_goes_on_in_another_process_and_comes_back() {
    let (here, there) = (Recorder::new(), Recorder::new());
    let out = here.scope(|| run("root").call(|_| call()));
    let back = there.scope(|| Context::from_headers(out.clone()).scope(|| run("served").call(|_| call())));
    here.scope(|| Context::from_headers(back.clone()).scope(call));
    let (root, caller) = (here.run("root"), here.runs().into_iter().find(|run| run.name == "call").unwrap());
    assert_eq!(order_of(&out), caller.dotted_order);
    let (served, inner) = (there.run("served"), there.run("call"));
    assert_eq!((served.parent_id, served.trace_id), (Some(caller.id), root.id));
    assert_eq!(served.dotted_order, caller.dotted_order.child(served.start_time, served.id));
    assert_eq!(order_of(&back), inner.dotted_order);
    let last = here.runs().into_iter().next_back().unwrap();
    assert_eq!((last.parent_id, last.trace_id), (Some(inner.id), root.id));
    assert_eq!(last.dotted_order.depth(), 5);
}

#[test]
fn a_child_is_not_before_a_caller_whose_clock_is_ahead() {
    let recorder = Recorder::new();
    let ahead = now() + 60_000_000_000;
    let caller = DottedOrder::root(ahead, RunId::from_u128(7));
    recorder.scope(|| scope().parent(&caller).call(call));
    let run = recorder.run("call");
    assert_eq!(run.parent_id, Some(RunId::from_u128(7)));
    assert!(run.start_time >= caller.start_time().unwrap());
    // A stranger does not date our runs.
    let far = DottedOrder::root(now() + 86_400_000_000_000 * 400, RunId::from_u128(8));
    recorder.scope(|| scope().parent(&far).call(call));
    let run = recorder.runs().into_iter().min_by_key(|run| run.start_time).unwrap();
    assert_eq!(run.parent_id, None);
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_nanos()).unwrap()
}

#[test]
fn opentelemetry_calls() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let recorder = Recorder::new();
    let context = recorder.scope(|| Context::from_headers([("traceparent", PARENT), ("tracestate", "vendor=1")]));
    let out = recorder.scope(|| context.scope(|| run("served").call(|_| call())));
    let (served, inner) = (recorder.run("served"), recorder.run("call"));
    let otel = |parent_span_id| OtelContext {
        trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
        parent_span_id,
        tracestate: Some("vendor=1".to_owned()),
        sampled: true,
    };
    // A root for LangSmith, whose ids are not OpenTelemetry's.
    assert_eq!((served.parent_id, served.trace_id, served.dotted_order.depth()), (None, served.id, 1));
    assert_eq!(served.otel, Some(otel(Some(0x00f0_67aa_0ba9_02b7))));
    assert_eq!((inner.parent_id, inner.otel.clone()), (Some(served.id), Some(otel(None))));
    let span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{:016x}-01", inner.id.span_id());
    assert_eq!(value(&out, "traceparent"), span);
    assert_eq!(value(&out, "tracestate"), "vendor=1");
    assert_eq!(order_of(&out), inner.dotted_order);
    // One context, two requests: two traces for LangSmith.
    recorder.scope(|| context.scope(|| run("again").call(|_| ())));
    assert_ne!(recorder.run("again").trace_id, served.trace_id);
}

#[test]
fn both_kinds_of_headers_at_once() {
    let recorder = Recorder::new();
    let caller = DottedOrder::root(1_717_171_717_123_456_000, RunId::from_u128(7));
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let headers = [("langsmith-trace", caller.as_str()), ("TraceParent", parent)];
    recorder.scope(|| Context::from_headers(headers).scope(call));
    let run = recorder.run("call");
    assert_eq!((run.parent_id, run.trace_id), (Some(RunId::from_u128(7)), RunId::from_u128(7)));
    assert_eq!(run.otel.unwrap().parent_span_id, Some(0x00f0_67aa_0ba9_02b7));
}

#[test]
fn what_a_caller_does_not_sample_is_not_recorded() {
    let recorder = Recorder::new();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    recorder.scope(|| Context::from_headers([("traceparent", parent)]).scope(call));
    assert_eq!(recorder.tree(), "");
}

#[test]
fn metadata_tags_and_people_go_along() {
    let (here, there) = (Recorder::new(), Recorder::new());
    let out = here.scope(|| {
        scope()
            .thread("t-1")
            .user("ada")
            .session("s")
            .tag("beta")
            .metadata("region", "eu")
            .project("p")
            .call(|| run("root").call(|_| call()))
    });
    assert!(value(&out, "baggage").contains("langsmith-project=p"), "{out:?}");
    let back = there.scope(|| Context::from_headers(out).scope(|| run("served").call(|_| call())));
    for run in there.runs() {
        assert_eq!(
            (run.thread_id.as_deref(), run.user.as_deref(), run.session_id.as_deref()),
            (Some("t-1"), Some("ada"), Some("s"))
        );
        assert_eq!((&run.tags, &run.metadata["region"]), (&vec!["beta".to_owned()], &json!("eu")));
        // Where runs are filed is not for a stranger to say.
        assert_eq!(run.project, None);
    }
    assert!(value(&back, "baggage").contains("beta") && value(&back, "baggage").contains("t-1"), "{back:?}");
}

#[test]
fn no_secret_goes_along() {
    let recorder = Recorder::new();
    let key = format!("sk-proj-{}", "Zx9".repeat(16));
    let out = recorder.scope(|| scope().metadata("note", &format!("use {key}")).tag(&key).user("ada").call(call));
    let baggage = value(&out, "baggage");
    assert!(baggage.contains("ada") && baggage.contains("note") && !baggage.contains("Zx9"), "{baggage}");
}

#[traceable]
async fn deep(levels: u32) -> Headers {
    tokio::task::yield_now().await;
    if levels == 0 {
        return tokio::spawn(async { call() }.in_current_run()).await.unwrap();
    }
    Box::pin(deep(levels - 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_up_is_known_on_other_tasks_too() {
    let recorder = Recorder::new();
    let out = recorder.scope_future(deep(5)).await;
    let run = recorder.run("call");
    assert_eq!(run.dotted_order.depth(), 7);
    assert_eq!(order_of(&out), run.dotted_order);
    // Also below a run of another process.
    let again = recorder.scope_future(scope().parent(&run.dotted_order).future(deep(3))).await;
    let calls: Vec<Run> = recorder.runs().into_iter().filter(|run| run.name == "call").collect();
    assert_eq!(calls[1].dotted_order.depth(), 12);
    assert_eq!(order_of(&again), calls[1].dotted_order);
}

#[test]
fn a_handle_tells_its_way_up() {
    let recorder = Recorder::new();
    let (told, seen) = recorder.scope(|| {
        let root = run("root").start();
        let middle = root.child("middle").start();
        let low = middle.child("low").start();
        let lowest = low.child("lowest").start();
        (lowest.context().headers(), lowest.scope(call))
    });
    assert_eq!(order_of(&told), recorder.run("lowest").dotted_order);
    assert_eq!(order_of(&seen), recorder.run("call").dotted_order);
}

#[test]
fn a_handle_tells_what_the_scopes_say_that_it_was_begun_in() {
    let recorder = Recorder::new();
    let said = |headers: &Headers| {
        let baggage = value(headers, "baggage");
        (baggage.contains("t-1"), baggage.contains("bob"))
    };
    recorder.scope(|| {
        let outer = scope().thread("t-1").call(|| run("outer").start());
        let inner = scope().user("bob").call(|| outer.child("inner").start());
        let innermost = inner.child("innermost").start();
        let seen = [&outer, &inner, &innermost].map(|handle| (said(&handle.headers()), said(&handle.scope(call))));
        assert_eq!(seen, [((true, false), (true, false)), ((true, true), (true, true)), ((true, true), (true, true))]);
        assert_eq!(order_of(&innermost.headers()).depth(), 3);
        assert_eq!(said(&run("alone").start().headers()), (false, false));
    });
}

#[test]
fn a_trace_goes_on_at_the_client_of_the_scope() {
    let recorder = Recorder::new();
    let caller = DottedOrder::root(1_717_171_717_123_456_000, RunId::from_u128(7));
    scope().client(recorder.client()).call(|| {
        Context::from_headers([("langsmith-trace", caller.as_str())]).scope(call);
    });
    assert_eq!(recorder.run("call").parent_id, Some(RunId::from_u128(7)));
}

#[test]
fn nothing_is_told_where_nothing_is_recorded() {
    assert_eq!(traceable::current().headers(), []);
    let recorder = Recorder::new();
    recorder.scope(|| assert_eq!(scope().enabled(false).call(call), []));
}
