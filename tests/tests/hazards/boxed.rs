//! Futures, streams and iterators behind pointers.

use std::pin::Pin;

use futures::{
    Stream, StreamExt,
    future::{BoxFuture, FutureExt, LocalBoxFuture},
    stream::{self, BoxStream, LocalBoxStream},
};
use traceable::traceable;

use crate::support::lines_of;

type Fallible<'a, T> = BoxFuture<'a, Result<T, String>>;

#[traceable]
fn written_out<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<&'a str, String>> + Send + 'a>> {
    Box::pin(async move { Ok(text) })
}

#[traceable]
fn named(text: &str) -> BoxFuture<'_, Result<usize, String>> {
    async move { Err(text.to_owned()) }.boxed()
}

#[traceable]
fn local(n: u8) -> LocalBoxFuture<'static, u8> {
    let shared = std::rc::Rc::new(n);
    async move { *shared }.boxed_local()
}

#[traceable]
fn unpinned(n: u8) -> Box<dyn Future<Output = u8> + Unpin + Send> {
    Box::new(std::future::ready(n))
}

#[traceable]
fn aliased(n: u8) -> Fallible<'static, u8> {
    async move { Ok(n) }.boxed()
}

#[traceable]
fn items(n: u8) -> BoxStream<'static, u8> {
    stream::iter(0..n).boxed()
}

#[traceable]
fn local_items(n: u8) -> Option<LocalBoxStream<'static, u8>> {
    Some(stream::iter(0..n).boxed_local())
}

#[traceable]
fn items_written_out(n: u8) -> Pin<Box<dyn Stream<Item = u8> + Send>> {
    Box::pin(stream::iter(0..n))
}

#[traceable]
fn unpinned_items(n: u8) -> Box<dyn Stream<Item = u8> + Send + Unpin> {
    Box::new(stream::iter(0..n))
}

#[traceable]
async fn late_items(n: u8) -> Result<Pin<Box<dyn Stream<Item = Result<u8, std::io::Error>> + Send>>, std::io::Error> {
    if n > 100 {
        Err(std::io::Error::other("many"))?;
    }
    Ok(Box::pin(stream::iter((0..n).map(Ok))))
}

#[traceable]
fn later_items(n: u8) -> BoxFuture<'static, Result<BoxStream<'static, u8>, String>> {
    Box::pin(async move { Ok(stream::iter(0..n).boxed()) })
}

#[test]
fn futures() {
    assert_eq!(lines_of(|| written_out("a")), ["chain written_out", r#"in text="a""#, r#"out "a""#]);
    assert_eq!(lines_of(|| async { named("a").await }), ["chain named", r#"in text="a""#, "err a"]);
    assert_eq!(lines_of(|| async { local(1).await }), ["chain local", "in n=1", "out 1"]);
    assert_eq!(lines_of(|| async { unpinned(1).await }), ["chain unpinned", "in n=1", "out 1"]);
    // An alias hides what it is: only its construction is seen.
    assert_eq!(lines_of(|| async { aliased(1).await })[..2], ["chain aliased", "in n=1"]);
}

#[test]
fn streams() {
    let all = |name: &str| [format!("chain {name}"), "in n=1".into(), "out [0]".into()];
    assert_eq!(lines_of(|| async { items(1).count().await }), all("items"));
    assert_eq!(lines_of(|| async { local_items(1).unwrap().count().await }), all("local_items"));
    assert_eq!(lines_of(|| async { items_written_out(1).count().await }), all("items_written_out"));
    assert_eq!(lines_of(|| async { unpinned_items(1).count().await }), all("unpinned_items"));
    assert_eq!(lines_of(|| async { late_items(1).await.unwrap().count().await }), all("late_items"));
    assert_eq!(lines_of(|| async { later_items(1).await.unwrap().count().await }), all("later_items"));
}
