//! Every form of function, with what it records.

// Unsafe functions are one of the forms.
#![allow(unsafe_code)]

use std::fmt::Display;

use futures::{Stream, StreamExt, stream};
use traceable::traceable;

use crate::support::{lines, lines_of, ready};

#[traceable]
fn value(a: u8, b: &str) -> String {
    format!("{a}{b}")
}

#[traceable]
fn nothing() {}

#[traceable]
async fn asynchronous(a: u8) -> Result<u8, String> {
    if a == 0 {
        return Err("zero".into());
    }
    Ok(a)
}

#[traceable]
async fn asynchronous_nothing(flag: bool) {
    if flag {
        return;
    }
    std::future::ready(()).await;
}

#[traceable]
fn returned_future(a: u8) -> impl Future<Output = Result<u8, String>> {
    async move { if a == 0 { Err("zero".into()) } else { Ok(a) } }
}

#[traceable]
fn items(n: u8) -> impl Stream<Item = u8> {
    stream::iter(0..n)
}

#[traceable]
async fn late_items(n: u8) -> Result<impl Stream<Item = Result<u8, String>>, String> {
    if n == 0 {
        return Err("none".into());
    }
    Ok(stream::iter((0..n).map(Ok)))
}

#[traceable]
async fn only_items(n: u8) -> impl Stream<Item = u8> {
    stream::iter(0..n)
}

#[traceable]
fn maybe_items(n: u8) -> Option<impl Stream<Item = u8>> {
    (n > 0).then(|| stream::iter(0..n))
}

#[traceable]
fn future_of_items(n: u8) -> impl Future<Output = Result<impl Stream<Item = u8>, String>> {
    async move { Ok(stream::iter(0..n)) }
}

#[traceable(stream)]
fn iterated(n: u8) -> impl Iterator<Item = u8> {
    0..n
}

#[traceable]
fn iterator_as_data(n: u8) -> impl Iterator<Item = u8> {
    0..n
}

#[traceable]
fn opaque(a: u8) -> impl Display {
    a + 1
}

#[traceable]
fn closure(a: u8) -> impl Fn(u8) -> u8 {
    move |b: u8| a + b
}

#[traceable]
fn patterns((a, b): (u8, u8), [first, ..]: [u8; 2], &c: &u8) -> u8 {
    a + b + first + c
}

/// # Safety
///
/// None needed.
#[traceable]
unsafe fn raw(at: *const u8) -> u8 {
    unsafe { *at }
}

#[traceable]
extern "C" fn foreign(a: u8) -> u8 {
    a
}

#[traceable]
#[must_use = "a reason"]
#[doc(hidden)]
#[inline]
pub(crate) fn decorated() -> u8 {
    #![allow(clippy::let_and_return)]
    let a = 1;
    a
}

struct Machine {
    state: u8,
}

impl Machine {
    #[traceable]
    fn new() -> Self {
        Self { state: 1 }
    }

    #[traceable]
    fn by_ref(&self, a: u8) -> u8 {
        self.state + a
    }

    #[traceable]
    fn by_mut(&mut self, a: u8) -> &mut u8 {
        self.state += a;
        &mut self.state
    }

    #[traceable]
    async fn later(&mut self) -> Result<&Self, String> {
        self.state += 1;
        Ok(self)
    }

    #[traceable]
    fn into_state(self: Box<Self>) -> u8 {
        self.state
    }

    #[traceable(inputs(self.state))]
    fn seen(&self) -> u8 {
        self.state
    }

    #[traceable]
    fn items(&self) -> impl Stream<Item = &u8> {
        stream::iter([&self.state])
    }
}

trait Agent {
    #[traceable]
    fn answer(&self, question: &str) -> String {
        format!("{question}?")
    }
}

impl Agent for Machine {}

#[traceable]
fn outer(a: u8) -> u8 {
    #[traceable]
    fn inner(b: u8) -> u8 {
        b + 1
    }
    inner(a)
}

#[test]
fn values() {
    assert_eq!(lines(|| value(1, "b")), ["chain value", "in a=1", r#"in b="b""#, r#"out "1b""#]);
    assert_eq!(lines(nothing), ["chain nothing", "out null"]);
    assert_eq!(
        lines(|| patterns((1, 2), [3, 4], &5)),
        ["chain patterns", "in a=1", "in b=2", "in first=3", "in c=5", "out 11"]
    );
    assert_eq!(lines(|| foreign(1)), ["chain foreign", "in a=1", "out 1"]);
    assert_eq!(lines(decorated), ["chain decorated", "out 1"]);
    assert_eq!(opaque(1).to_string(), "2");
    assert_eq!(closure(1)(2), 3);
    let at: *const u8 = &7;
    assert_eq!(unsafe { raw(at) }, 7);
}

#[test]
fn futures_end_when_they_are_ready() {
    assert_eq!(lines_of(|| asynchronous(1)), ["chain asynchronous", "in a=1", "out 1"]);
    assert_eq!(lines_of(|| asynchronous(0)), ["chain asynchronous", "in a=0", "err zero"]);
    assert_eq!(lines_of(|| asynchronous_nothing(true)), ["chain asynchronous_nothing", "in flag=true", "out null"]);
    assert_eq!(lines_of(|| async { returned_future(0).await }), ["chain returned_future", "in a=0", "err zero"]);
    assert!(lines(|| drop(asynchronous(1))).is_empty(), "an async fn starts at the first poll");
}

#[test]
fn streams_end_when_they_are_exhausted() {
    let all = |name: &str| [format!("chain {name}"), "in n=2".into(), "out [0,1]".into()];
    assert_eq!(lines_of(|| items(2).collect::<Vec<_>>()), all("items"));
    assert_eq!(lines_of(|| async { late_items(2).await.unwrap().collect::<Vec<_>>().await }), all("late_items"));
    assert_eq!(lines_of(|| async { only_items(2).await.collect::<Vec<_>>().await }), all("only_items"));
    assert_eq!(lines_of(|| maybe_items(2).unwrap().collect::<Vec<_>>()), all("maybe_items"));
    assert_eq!(
        lines_of(|| async { future_of_items(2).await.unwrap().collect::<Vec<_>>().await }),
        all("future_of_items")
    );
    assert_eq!(lines(|| iterated(2).count()), all("iterated"));
    assert_eq!(lines_of(|| late_items(0)), ["chain late_items", "in n=0", "err none"]);
    assert_eq!(lines(|| maybe_items(0).is_none()), ["chain maybe_items", "in n=0", "out null"]);
    assert_eq!(iterator_as_data(3).count(), 3);
}

#[test]
fn methods_capture_self_only_when_asked() {
    let mut machine = Machine::new();
    assert_eq!(lines(|| machine.by_ref(1)), ["chain by_ref", "in a=1", "out 2"]);
    assert_eq!(lines(|| *machine.by_mut(1)), ["chain by_mut", "in a=1", "out 2"]);
    assert_eq!(lines(|| machine.seen()), ["chain seen", "in state=2", "out 2"]);
    assert_eq!(ready(machine.later()).map(|machine| machine.state), Ok(3));
    assert_eq!(ready(machine.items().count()), 1);
    assert_eq!(lines(|| machine.answer("why")), ["chain answer", r#"in question="why""#, r#"out "why?""#]);
    assert_eq!(lines(|| Box::new(machine).into_state()), ["chain into_state", "out 3"]);
}

#[test]
fn functions_in_functions() {
    let seen = lines(|| outer(1));
    assert!(seen.contains(&"chain outer".into()) && seen.contains(&"chain inner".into()), "{seen:?}");
}
