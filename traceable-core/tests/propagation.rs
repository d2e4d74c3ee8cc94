//! Traces across processes: what other SDKs send is read, what is sent they read, and strangers can do no harm.
#![allow(missing_docs, clippy::unwrap_used)]

mod targets;

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use traceable_core::{
    model::{DottedOrder, OtelContext, RunId},
    propagation::{Outgoing, Remote},
};

const ROOT: &str = "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a";
const CHILD: &str = "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a.\
                     20240531T160838000000Z0190163d-8694-7000-8000-00000000002b";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn read(headers: &[(&str, &str)]) -> Option<Remote> {
    Remote::from_headers(headers.iter().copied())
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value}") };
    map
}

fn outgoing(metadata: Value, tags: &[&str]) -> Outgoing {
    Outgoing {
        dotted_order: Some(ROOT.parse().unwrap()),
        metadata: object(metadata),
        tags: tags.iter().map(ToString::to_string).collect(),
        project: Some("my proj/é".to_owned()),
        ..Outgoing::default()
    }
}

fn value<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.0 == name).map(|header| &*header.1)
}

/// What `RunTree.to_headers` of Python SDK 0.14.17 gave for these runs, names of metadata in order.
fn python() -> [(Value, &'static [&'static str], &'static str); 4] {
    [
        (
            json!({ "n": 3, "none": null, "ok": true, "path": "a/b c", "ratio": 0.5, "user_id": "u-1" }),
            &["beta", "a b", "naïve"],
            "langsmith-metadata=%7B%22n%22%3A3%2C%22none%22%3Anull%2C%22ok%22%3Atrue%2C%22path%22%3A%22a/b%20c%22%2C\
             %22ratio%22%3A0.5%2C%22user_id%22%3A%22u-1%22%7D,langsmith-tags=beta%2Ca%20b%2Cna%C3%AFve,\
             langsmith-project=my%20proj/%C3%A9",
        ),
        (
            json!({ "nested": { "a": [1, 2, { "b": "c" }] }, "q": "größe, 100% & \"x\"=1;~_.-" }),
            &[],
            "langsmith-metadata=%7B%22nested%22%3A%7B%22a%22%3A%5B1%2C2%2C%7B%22b%22%3A%22c%22%7D%5D%7D%2C\
             %22q%22%3A%22gr%C3%B6%C3%9Fe%2C%20100%25%20%26%20%5C%22x%5C%22%3D1%3B~_.-%22%7D,\
             langsmith-project=my%20proj/%C3%A9",
        ),
        (json!({}), &["x/y", "日本"], "langsmith-tags=x/y%2C%E6%97%A5%E6%9C%AC,langsmith-project=my%20proj/%C3%A9"),
        (json!({}), &[], "langsmith-project=my%20proj/%C3%A9"),
    ]
}

#[test]
fn python_and_this_write_the_same() {
    for (metadata, tags, baggage) in python() {
        let headers = outgoing(metadata, tags).headers();
        assert_eq!(headers, [("langsmith-trace", ROOT.to_owned()), ("baggage", baggage.to_owned())]);
    }
}

#[test]
fn what_python_writes_is_read_but_for_its_project() {
    for (metadata, tags, baggage) in python() {
        let remote = read(&[("langsmith-trace", CHILD), ("baggage", baggage)]).unwrap();
        let order = remote.dotted_order.unwrap();
        assert_eq!(order.as_str(), CHILD);
        assert_eq!(order.id(), "0190163d-8694-7000-8000-00000000002b".parse().ok());
        assert_eq!((remote.metadata, remote.tags), (object(metadata), tags.iter().map(ToString::to_string).collect()));
        assert!(remote.sampled && remote.otel.is_none());
    }
}

#[test]
fn what_javascript_writes_is_read() {
    // `encodeURIComponent` leaves `!'()*` as they are, and encodes the slash.
    let baggage = "langsmith-metadata=%7B%22q%22%3A%22it's%20(a%2Fb)!*%22%7D,langsmith-tags=a%2Cb";
    let remote = read(&[("langsmith-trace", ROOT), ("baggage", baggage)]).unwrap();
    assert_eq!(remote.metadata, object(json!({ "q": "it's (a/b)!*" })));
    assert_eq!(remote.tags, ["a", "b"]);
}

#[test]
fn a_trace_of_opentelemetry_is_joined() {
    let remote = read(&[("TraceParent", PARENT), ("tracestate", "a=1"), ("Tracestate", "b=2")]).unwrap();
    let expected = OtelContext {
        trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
        parent_span_id: Some(0x00f0_67aa_0ba9_02b7),
        tracestate: Some("a=1,b=2".to_owned()),
        sampled: true,
    };
    assert_eq!(remote, Remote::from(expected));
    assert!(!read(&[("traceparent", &PARENT.replace("-01", "-00"))]).unwrap().sampled);
    // What is wrong with the state does not cost the ids.
    let remote = read(&[("traceparent", PARENT), ("tracestate", "a")]).unwrap();
    assert_eq!(remote.otel.unwrap().tracestate, None);
}

#[test]
fn another_tracer_that_keeps_little_does_not_end_a_langsmith_trace() {
    let remote = read(&[("langsmith-trace", ROOT), ("traceparent", &PARENT.replace("-01", "-00"))]).unwrap();
    assert!(remote.sampled && !remote.otel.unwrap().sampled);
}

#[test]
fn a_caller_cannot_say_where_runs_go() {
    let baggage = "langsmith-replicas=%5B%7B%22api_url%22%3A%22http%3A%2F%2Fevil.example%22%7D%5D,langsmith-project=p,\
                   langsmith-address=lrn:agents/a/environments/e,langsmith-endpoint=e,langsmith-api-key=k,user=u";
    let remote = read(&[("langsmith-trace", ROOT), ("baggage", baggage), ("x-api-key", "k")]).unwrap();
    assert_eq!(remote, Remote::from(ROOT.parse::<DottedOrder>().unwrap()));
    // Nor can it through this process, to the next one.
    let next = outgoing(json!({}), &[]).headers_beside([baggage]);
    assert_eq!(value(&next, "baggage"), Some("langsmith-project=my%20proj/%C3%A9,user=u"));
}

#[test]
fn what_is_wrong_is_as_if_it_were_not_there() {
    for order in ["", "x", "20240531T160837123456Z", &format!("{ROOT},{ROOT}"), &format!("{ROOT}.")] {
        assert_eq!(read(&[("langsmith-trace", order), ("baggage", "langsmith-tags=a")]), None, "{order}");
    }
    assert_eq!(read(&[("langsmith-trace", ROOT), ("langsmith-trace", ROOT)]), None);
    assert_eq!(read(&[("baggage", "langsmith-tags=a"), ("tracestate", "a=1")]), None);
    assert_eq!(read(&[]), None);
    let alone = Remote::from(ROOT.parse::<DottedOrder>().unwrap());
    for baggage in [
        "",
        ",,=,;,langsmith-tags",
        "langsmith-metadata=%7B",
        "langsmith-metadata=%5B1%5D",
        "langsmith-metadata=%zz",
        "langsmith-metadata=%7B%22a%22%3A1e999%7D",
        "langsmith-tags=%ff",
        "langsmith-tags=,,",
    ] {
        assert_eq!(read(&[("langsmith-trace", ROOT), ("baggage", baggage)]).as_ref(), Some(&alone), "{baggage}");
    }
    // What is around it does not matter.
    let spaced = " a=1 , langsmith-tags = x;p=1 ,\tb";
    assert_eq!(read(&[("Langsmith-Trace", &format!(" {ROOT} ")), ("Baggage", spaced)]).unwrap().tags, ["x"]);
}

#[test]
fn a_baggage_is_bounded_over_all_of_its_lines() {
    let tags = |lines: &[String]| {
        let lines = lines.iter().map(|line| ("baggage", line.as_str()));
        Remote::from_headers([("langsmith-trace", ROOT), ("baggage", "langsmith-tags=t")].into_iter().chain(lines))
            .unwrap()
            .tags
            .len()
    };
    assert_eq!(tags(&[]), 1);
    assert_eq!(tags(&vec!["a=1".to_owned(); 63]), 1);
    assert_eq!(tags(&vec!["a=1".to_owned(); 64]), 0);
    assert_eq!(tags(&vec![format!("a={}", "x".repeat(2_000)); 4]), 1);
    assert_eq!(tags(&vec![format!("a={}", "x".repeat(2_100)); 4]), 0);
}

#[test]
fn long_values_and_tags_are_not_taken() {
    let text = |length: usize| "x".repeat(length);
    let sent = Outgoing {
        metadata: object(json!({ "fits": text(1024), "long": text(1025), "list": [text(1021)], text(257): 1 })),
        tags: vec![text(256), text(257)],
        ..outgoing(json!({}), &[])
    };
    let remote = Remote::from_headers(sent.headers()).unwrap();
    assert_eq!(remote.metadata, object(json!({ "fits": text(1024) })));
    assert_eq!(remote.tags, [text(256)]);
}

#[test]
fn ids_go_out_whatever_else_does_not_fit() {
    let mut order = DottedOrder::root(0, RunId::from_u128(1));
    for id in 2..=DottedOrder::MAX_LEVELS as u128 {
        order = order.child(0, RunId::from_u128(id));
    }
    let large: Map<String, Value> = (0..100).map(|n| (format!("k{n}"), json!("é".repeat(n)))).collect();
    let mut sent = Outgoing {
        dotted_order: Some(order.clone()),
        trace_id: 1,
        span_id: 1,
        tracestate: Some(format!("a={},b={}", "x".repeat(250), "x".repeat(250))),
        sampled: true,
        metadata: large,
        tags: vec!["t".repeat(100); 100],
        project: Some("p".repeat(600)),
    };
    let headers = sent.headers();
    assert!(headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= 8 * 1024);
    let remote = Remote::from_headers(headers).unwrap();
    assert_eq!(remote.dotted_order, Some(order.clone()));
    assert_eq!(remote.otel.unwrap().tracestate, sent.tracestate);

    // A root leaves room: for the small values, and for the project before them.
    sent.dotted_order = Some(ROOT.parse().unwrap());
    let headers = sent.headers();
    let baggage = value(&headers, "baggage").unwrap();
    assert!(baggage.ends_with(&format!("langsmith-project={}", "p".repeat(600))) && baggage.len() > 7_000);
    assert!(Remote::from_headers(headers).unwrap().metadata.len() > 40);

    // One level more than readers take: the trace goes on by W3C's header alone.
    sent.dotted_order = Some(order.child(0, RunId::from_u128(0)));
    let names: Vec<_> = sent.headers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["traceparent", "tracestate"]);
}

#[test]
fn entries_of_others_stay() {
    let sent = outgoing(json!({ "a": 1 }), &[]);
    let headers = sent.headers_beside(["user=u;p=1, langsmith-tags=old", "flag"]);
    let expected = "langsmith-metadata=%7B%22a%22%3A1%7D,langsmith-project=my%20proj/%C3%A9,user=u;p=1,flag";
    assert_eq!(value(&headers, "baggage"), Some(expected));
    // Ours make room, not theirs.
    let theirs = format!("user={}", "u".repeat(8_100));
    assert_eq!(value(&sent.headers_beside([&theirs]), "baggage"), Some(&*theirs));
    // Nothing of LangSmith is said: what stands there stays by not being replaced.
    let otel = Outgoing { dotted_order: None, trace_id: 1, span_id: 2, ..sent };
    assert_eq!(value(&otel.headers_beside(["user=u"]), "baggage"), None);
    assert_eq!(value(&otel.headers(), "traceparent"), Some("00-00000000000000000000000000000001-0000000000000002-00"));
    // An empty value takes what a stranger left out of the request.
    let bare = Outgoing { dotted_order: Some(ROOT.parse().unwrap()), ..Outgoing::default() };
    assert_eq!(value(&bare.headers_beside(["langsmith-replicas=x"]), "baggage"), Some(""));
    assert_eq!(value(&bare.headers(), "baggage"), None);
}

#[test]
fn the_ids_of_opentelemetry_are_never_zero() {
    let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse().unwrap();
    assert_eq!((id.otel_trace_id(), id.span_id()), (id.as_u128(), 0x8000_0000_0000_002a));
    let nil = RunId::default();
    assert_eq!((nil.otel_trace_id(), nil.span_id()), (1, 1));
    let (one, two) = (RunId::new(1, 2, 3), RunId::new(1, 2, 4));
    assert_ne!(one.span_id(), two.span_id());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

proptest! {
    #[test]
    fn what_is_sent_arrives(
        runs in prop::collection::vec((0_i64.., any::<u128>()), 1..8),
        (trace_id, span_id, sampled) in (1_u128.., 1_u64.., any::<bool>()),
        metadata in prop::collection::btree_map("\\PC{1,8}", json_value(), 0..5),
        tags in prop::collection::vec("[^,]{1,8}", 0..5),
    ) {
        let mut order = DottedOrder::root(runs[0].0, RunId::from_u128(runs[0].1));
        for (time, id) in &runs[1..] {
            order = order.child(*time, RunId::from_u128(*id));
        }
        let metadata: Map<_, _> = metadata.into_iter().collect();
        let tracestate = Some("a=1".to_owned());
        let sent = Outgoing {
            dotted_order: Some(order.clone()),
            trace_id,
            span_id,
            tracestate: tracestate.clone(),
            sampled,
            metadata: metadata.clone(),
            tags: tags.clone(),
            project: Some("p".to_owned()),
        };
        let remote = Remote::from_headers(sent.headers()).unwrap();
        prop_assert_eq!(remote.dotted_order, Some(order));
        prop_assert_eq!(remote.otel, Some(OtelContext { trace_id, parent_span_id: Some(span_id), tracestate, sampled }));
        prop_assert_eq!(remote.metadata, metadata);
        prop_assert_eq!(remote.tags, tags);
    }

    #[test]
    fn any_bytes_do_no_harm(data: Vec<u8>) {
        targets::headers::run(&data);
        targets::dotted_order::run(&data);
    }

    #[test]
    fn headers_that_look_right_do_no_harm(
        baggage in prop::collection::vec(
            "(langsmith-(metadata|tags|project|replicas)|[a-z]{1,3}|.)[ ]?=(%7B%22[a-z]%22%3A([0-9]{1,3}|%22[a-z%]{0,9}%22)%7D|[!-~]{0,20})", 0..5),
        state in "([a-z]{1,2}=[a-z0-9 ]{1,3},?){0,40}",
        flags in "[0-9a-f]{2}",
    ) {
        let mut head = format!("langsmith-trace: {CHILD}\ntraceparent: {}{flags}\ntracestate: {state}\n", &PARENT[..53]);
        for line in baggage {
            writeln!(head, "Baggage: {line}").unwrap();
        }
        targets::headers::run(head.as_bytes());
    }
}
