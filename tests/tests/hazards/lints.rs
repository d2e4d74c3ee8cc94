//! Expansions give no reason for any lint, however strict.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(unused, unused_braces, unused_parens, unused_qualifications, unreachable_code, clippy::needless_return)]
#![deny(rust_2018_idioms, elided_lifetimes_in_paths, single_use_lifetimes, let_underscore_drop, unit_bindings)]

use std::{future::Future, pin::Pin};

use futures::{Stream, StreamExt, stream};
use traceable::traceable;

use crate::support::ready;

#[traceable]
fn nothing() {}

#[traceable]
fn early(a: u8) -> u8 {
    if a == 1 {
        return 2;
    }
    a
}

#[traceable]
fn items_first(a: u8) -> u8 {
    use std::cmp::max;
    const LIMIT: u8 = 3;
    const fn helper(a: u8) -> u8 {
        a
    }
    helper(max(a, LIMIT))
}

#[traceable]
async fn items_first_later(a: u8) -> u8 {
    use std::cmp::max;
    const LIMIT: u8 = 3;
    std::future::ready(max(a, LIMIT)).await
}

#[traceable]
async fn nothing_later() {
    std::future::ready(()).await;
}

#[traceable]
async fn fallible(text: &str) -> Result<u8, std::num::ParseIntError> {
    std::future::ready(()).await;
    Ok(text.parse::<u8>()? + 1)
}

#[traceable(name = format!("named {a}"), tags = [format!("tag {a}"), "plain"], metadata(b = a + 1, c = [a], d = !a), project_name = format!("p{a}"))]
fn described(a: u8) -> u8 {
    a
}

#[traceable(process_outputs = |v| *v + 1, process_inputs = |map| map, inputs(a, double = a * 2))]
fn processed(a: u8) -> u8 {
    a
}

#[traceable(outputs = off)]
fn unrecorded(a: u8) -> u8 {
    a
}

#[traceable]
fn underscored(_a: u8, _b: &str) -> u8 {
    1
}

#[traceable(inputs())]
fn no_inputs(a: u8) -> u8 {
    a
}

#[traceable]
fn mutable(mut a: Vec<u8>) -> Vec<u8> {
    a.push(1);
    a
}

#[traceable]
fn returned(a: &str) -> impl Future<Output = Option<&str>> + Send {
    std::future::ready(Some(a))
}

#[traceable]
fn boxed(a: &str) -> Pin<Box<dyn Future<Output = &str> + Send + '_>> {
    Box::pin(std::future::ready(a))
}

#[traceable(reduce_fn = |chunks| chunks.len(), process_outputs = |n| *n, process_chunk = |c: &u8| *c)]
fn streamed(n: u8) -> impl Stream<Item = u8> {
    stream::iter(0..n)
}

#[traceable(raw_chunks, reduce_fn = total)]
async fn streamed_later(n: u8) -> Result<impl Stream<Item = Result<u8, String>>, String> {
    std::future::ready(()).await;
    Ok(stream::iter((0..n).map(Ok)))
}

#[allow(clippy::needless_pass_by_value)]
fn total(chunks: Vec<u8>) -> u8 {
    chunks.iter().sum()
}

#[traceable]
fn optional(n: Option<u8>) -> Option<impl Stream<Item = u8>> {
    Some(stream::iter(0..n?))
}

#[traceable(stream)]
fn iterated(n: u8) -> Box<dyn Iterator<Item = u8>> {
    Box::new(0..n)
}

struct Machine(u8);

impl Machine {
    #[must_use]
    #[traceable]
    fn new(state: u8) -> Self {
        Self(state)
    }

    #[traceable(inputs(self.0))]
    fn step(&mut self) -> &mut u8 {
        self.0 += 1;
        &mut self.0
    }
}

#[test]
fn all_are_called() {
    nothing();
    assert_eq!(*Machine::new(1).step(), 2);
    assert_eq!((early(1), items_first(1), described(1), processed(1), unrecorded(1)), (2, 3, 1, 1, 1));
    assert_eq!((underscored(1, "b"), no_inputs(1), mutable(vec![]).len(), iterated(2).count()), (1, 1, 1, 2));
    ready(async {
        nothing_later().await;
        assert_eq!((items_first_later(1).await, fallible("1").await), (3, Ok(2)));
        assert_eq!((returned("a").await, boxed("a").await), (Some("a"), "a"));
        assert_eq!((streamed(2).count().await, streamed_later(2).await.unwrap().count().await), (2, 2));
        assert_eq!(optional(Some(2)).unwrap().count().await, 2);
    });
}
