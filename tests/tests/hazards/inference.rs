//! Bodies whose types are only known through the return type.

use std::io;

use async_stream::{stream, try_stream};
use futures::{Stream, StreamExt};
use traceable::traceable;

use crate::support::{lines, lines_of, ready};

#[derive(Debug, PartialEq)]
struct Broken;

#[traceable]
fn yielded(n: u8) -> impl Stream<Item = Result<u8, Broken>> {
    stream! {
        for i in 0..n {
            yield Ok(i);
        }
        yield Err(Broken);
    }
}

#[traceable]
fn tried(texts: Vec<String>) -> impl Stream<Item = Result<u8, io::Error>> {
    try_stream! {
        for text in texts {
            let number: u8 = text.parse().map_err(io::Error::other)?;
            yield number;
        }
    }
}

#[traceable]
async fn tried_later(text: &str) -> anyhow::Result<impl Stream<Item = anyhow::Result<u8>>> {
    let number: u8 = text.parse()?;
    Ok(try_stream! {
        yield number;
        let other: u8 = "x".parse()?;
        yield other;
    })
}

#[traceable]
fn only_ok(n: u8) -> impl Future<Output = Result<u8, Box<dyn std::error::Error + Send + Sync>>> {
    async move {
        if n == 0 {
            Err("zero")?;
        }
        Ok(n)
    }
}

#[traceable]
async fn unfinished(n: u8) -> Result<Vec<u8>, Broken> {
    if n == 0 {
        todo!()
    }
    Ok(Vec::new())
}

#[traceable]
async fn never_written() {
    todo!()
}

#[traceable]
async fn coerced(n: u8) -> Box<dyn Fn(u8) -> u8> {
    if n == 0 {
        return Box::new(|a| a);
    }
    Box::new(move |a| a + n)
}

#[traceable]
fn coerced_now(n: u8) -> Option<Box<dyn Fn(u8) -> u8>> {
    if n == 0 {
        return Some(Box::new(|a| a));
    }
    Some(Box::new(move |a| a + n))
}

#[traceable]
fn closure(n: usize) -> impl Fn(&str) -> usize {
    move |text| text.len() + n
}

#[traceable]
async fn collected(n: u8) -> Result<Vec<u8>, Broken> {
    (0..n).map(|i| if i > 3 { Err(Broken) } else { Ok(i) }).collect()
}

#[traceable]
async fn parsed(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

#[traceable]
async fn defaulted() -> (u8, String) {
    Default::default()
}

#[test]
fn streams_know_their_items() {
    assert_eq!(lines_of(|| yielded(1).collect::<Vec<_>>()), ["chain yielded", "in n=1", "out [0]", "err Broken"]);
    let seen = lines_of(|| tried(vec!["1".into(), "x".into()]).collect::<Vec<_>>());
    assert_eq!(seen, ["chain tried", r#"in texts=["1","x"]"#, "out [1]", "err invalid digit found in string"]);
    let seen = lines_of(|| async { tried_later("7").await.unwrap().collect::<Vec<_>>().await });
    assert_eq!(seen, ["chain tried_later", r#"in text="7""#, "out [7]", "err invalid digit found in string"]);
}

#[test]
fn outputs_know_their_types() {
    assert_eq!(lines_of(|| only_ok(0)), ["chain only_ok", "in n=0", "err zero"]);
    assert_eq!(ready(unfinished(1)), Ok(vec![]));
    assert_eq!(ready(coerced(1))(2), 3);
    assert_eq!(coerced_now(1).unwrap()(2), 3);
    assert_eq!(closure(1)("ab"), 3);
    assert_eq!(lines(|| closure(1)), ["chain closure", "in n=1"]);
    assert_eq!(lines_of(|| collected(5)), ["chain collected", "in n=5", "err Broken"]);
    assert_eq!(ready(parsed("5")), Ok(5));
    assert_eq!(lines(|| ready(defaulted())), ["chain defaulted", r#"out [0,""]"#]);
    drop(never_written());
}
