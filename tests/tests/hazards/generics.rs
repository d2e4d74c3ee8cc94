//! Generic functions: the probes choose by the bounds that are written.

use std::fmt::{Debug, Display};

use futures::{Stream, StreamExt};
use serde::Serialize;
use traceable::traceable;

use crate::support::{lines, lines_of, ready};

#[traceable]
fn by_bounds<A, B, C>(a: A, b: B, c: C) -> usize
where
    A: Serialize,
    B: Debug,
{
    let _ = (a, b);
    size_of_val(&c)
}

#[traceable]
fn opaque(text: impl Into<String>, shown: impl Display + Serialize) -> String {
    format!("{}{shown}", text.into())
}

#[traceable]
async fn called<F>(f: F, n: u8) -> u8
where
    F: AsyncFn(u8) -> u8,
{
    f(n).await
}

#[traceable]
fn sized<const N: usize>(all: [u8; N]) -> [u8; N] {
    all
}

#[traceable]
fn same<T>(value: T) -> T {
    value
}

#[traceable]
async fn fallible<T: Serialize + Clone, E>(value: &T, error: Option<E>) -> Result<T, E> {
    match error {
        Some(error) => Err(error),
        None => Ok(value.clone()),
    }
}

#[traceable]
fn passed<S>(items: S) -> impl Stream<Item = S::Item>
where
    S: Stream<Item: Serialize>,
{
    items
}

#[traceable]
fn dynamic(f: &dyn Fn(u8) -> u8, g: Box<dyn FnOnce() -> u8>) -> u8 {
    f(g())
}

#[test]
fn choose_by_bounds() {
    let seen = lines(|| by_bounds("a", "b", "c"));
    assert_eq!(seen[..2], ["chain by_bounds", r#"in a="a""#]);
    assert_eq!(seen[2], r#"in b={"$debug":"\"b\""}"#);
    assert_eq!(seen[3], r#"in c={"$type":"&str"}"#, "no bound, no value");
    assert_eq!(lines(|| opaque("a", 1))[2], "in shown=1");
    assert_eq!(lines(|| sized([1, 2]))[1], r#"in all={"$debug":"[1, 2]"}"#);
}

#[test]
fn go_on_working() {
    assert_eq!(ready(called(async |n| n + 1, 1)), 2);
    assert_eq!(same("a"), "a");
    assert_eq!(lines_of(|| fallible::<u8, &str>(&1, None)).last().unwrap(), "out 1");
    assert_eq!(lines_of(|| passed(futures::stream::iter([1])).count()).last().unwrap(), "out [1]");
    assert_eq!(dynamic(&|n| n + 1, Box::new(|| 1)), 2);
}
