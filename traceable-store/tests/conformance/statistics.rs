//! Statistics are those of a plain count.

use std::time::Duration;

use traceable_core::model::{Run, RunType, Status, StreamInfo, Usage};
use traceable_store::{Field, Of, Query, Stats, StatsBy, Store};

use crate::support::{NOW, child, end, run};

/// A hundred calls of 1 to 100 ms, every tenth of which failed, and one that is open.
fn fill(store: &Store) {
    let call = |n: u128| {
        let mut call = run(n, n as i64 * 1_000_000_000);
        call.end_time = Some(call.start_time + n as i64 * 1_000_000);
        call.run_type = RunType::Llm;
        call.model = Some(if n % 4 == 0 { "large" } else { "small" }.into());
        call.usage = Some(Usage::new(n as u64, 1).with_total_cost(0.01));
        call.stream = Some(StreamInfo { first_chunk: call.start_time + 500, ..StreamInfo::default() });
        call.error = (n % 10 == 0).then(|| "boom".into());
        call.tags = if n % 2 == 0 { vec!["even".into(), "any".into()] } else { vec!["any".into()] };
        end(call)
    };
    let mut changes: Vec<_> = (1..=100).map(call).collect();
    changes.push(end(Run { end_time: None, status: Status::Pending, ..run(200, 500) }));
    store.ingest(&changes).unwrap();
}

pub(crate) fn they_are_those_of_a_plain_count(store: &Store) {
    assert_eq!(store.stats(&Query::default(), &StatsBy::default()).unwrap(), []);
    fill(store);
    let [all] = &store.stats(&Query::default(), &StatsBy::default()).unwrap()[..] else { panic!() };
    assert_eq!((all.count, all.errors, all.open), (101, 10, 1));
    let millis = |of: Option<i64>| of.map(|nanos| nanos / 1_000_000);
    assert_eq!([all.latency.p50, all.latency.p95, all.latency.p99].map(millis), [Some(50), Some(95), Some(99)]);
    assert_eq!(all.first_token.p99, Some(500));
    assert_eq!((all.input_tokens, all.output_tokens, all.total_tokens), (5_050, 100, 5_150));
    assert!((all.cost - 1.0).abs() < 1e-9);
    let [few] = &store.stats(&Query::parse("latency:<=3ms", 0).unwrap(), &StatsBy::default()).unwrap()[..] else {
        panic!()
    };
    assert_eq!((few.count, few.latency.p50, few.latency.p95), (3, Some(2_000_000), Some(3_000_000)));
}

pub(crate) fn they_split_by_time_and_value(store: &Store) {
    fill(store);
    let by = |bucket: Option<u64>, field: Option<Field>| {
        let by = StatsBy { of: Of::Runs, bucket: bucket.map(Duration::from_secs), field };
        let stats = store.stats(&Query::parse("type:llm", 0).unwrap(), &by).unwrap();
        stats.into_iter().map(|Stats { time, value, count, .. }| (time, value, count)).collect::<Vec<_>>()
    };
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(by(None, Some(Field::Model)), [(None, some("large"), 25), (None, some("small"), 75)]);
    assert_eq!(by(None, Some(Field::Tag)), [(None, some("any"), 100), (None, some("even"), 50)]);
    assert_eq!(by(None, Some(Field::User)), [(None, None, 100)]);
    let buckets = by(Some(40), None);
    assert_eq!(buckets.iter().map(|(_, _, count)| count).sum::<u64>(), 100);
    assert!(
        buckets.iter().all(|(time, ..)| time.unwrap() % 40_000_000_000 == 0 && time.unwrap() <= NOW + 100_000_000_000)
    );
    assert!(buckets.len() >= 3 && buckets.is_sorted());
    assert_eq!(by(Some(40), Some(Field::Model)).len(), 2 * buckets.len());
    assert!(store.stats(&Query::default(), &StatsBy { field: Some(Field::Latency), ..StatsBy::default() }).is_err());

    // Of traces: those of all their runs.
    let mut call = child(301, 300, 300, 10);
    call.run_type = RunType::Llm;
    call.usage = Some(Usage::new(7, 1));
    store.ingest(&[end(Run { name: "agent".into(), ..run(300, 0) }), end(call)]).unwrap();
    let by = StatsBy { of: Of::Traces, bucket: None, field: Some(Field::Name) };
    let traces = store.stats(&Query::parse("name:agent", 0).unwrap(), &by).unwrap();
    assert_eq!((traces.len(), traces[0].count, traces[0].total_tokens), (1, 1, 8));
}
