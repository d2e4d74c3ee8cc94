//! Futures and streams can be moved between threads where they could without the attribute.

use futures::{Stream, stream};
use traceable::traceable;

#[traceable]
async fn future(text: String, list: &[u8]) -> Result<usize, String> {
    std::future::ready(()).await;
    Ok(text.len() + list.len())
}

#[traceable]
async fn method_like(pointer: std::sync::Arc<str>) -> impl Stream<Item = u8> {
    stream::iter(pointer.len()..3).map_to_bytes()
}

trait MapToBytes: Stream<Item = usize> + Sized {
    fn map_to_bytes(self) -> impl Stream<Item = u8> {
        futures::StreamExt::map(self, |n| n as u8)
    }
}

impl<S: Stream<Item = usize>> MapToBytes for S {}

#[traceable(reduce_fn = |chunks| chunks.len())]
fn items(n: u8) -> impl Stream<Item = Result<u8, String>> + Send {
    stream::iter((0..n).map(Ok))
}

const fn assert_send<T: Send>(_: &T) {}

#[test]
fn stay_send() {
    assert_send(&future(String::new(), &[]));
    assert_send(&items(1));
    assert_send(&method_like("a".into()));
}
