//! A body that knows when it has ended.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It was read to its end.
    Complete,
    /// It failed.
    Failed,
    /// It was dropped before its end: whoever reads it has gone.
    Dropped,
}

/// What waits for the end of a body. A closure that takes a [`BodyEnd`] is one.
pub trait AtEnd {
    /// Called once, when the body has ended in this way.
    fn at_end(self, end: BodyEnd);
}

impl<F: FnOnce(BodyEnd)> AtEnd for F {
    fn at_end(self, end: BodyEnd) {
        self(end);
    }
}

pin_project! {
    /// A body with something that waits for its end. What passes through it is not touched.
    #[derive(Debug)]
    pub struct Tail<B, T>
    where
        B: Body,
        T: AtEnd,
    {
        #[pin]
        body: B,
        waiting: Option<T>,
    }

    impl<B, T> PinnedDrop for Tail<B, T>
    where
        B: Body,
        T: AtEnd,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // A server does not ask for what it knows is not there.
            let end = if this.body.is_end_stream() { BodyEnd::Complete } else { BodyEnd::Dropped };
            tell(this.waiting, end);
        }
    }
}

impl<B: Body, T: AtEnd> Tail<B, T> {
    /// Lets `waiting` wait for the end of `body`.
    pub fn new(body: B, waiting: T) -> Self {
        Self { body, waiting: Some(waiting) }
    }
}

fn tell(waiting: &mut Option<impl AtEnd>, end: BodyEnd) {
    if let Some(waiting) = waiting.take() {
        waiting.at_end(end);
    }
}

impl<B: Body, T: AtEnd> Body for Tail<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let polled = this.body.as_mut().poll_frame(cx);
        match &polled {
            Poll::Ready(None) => tell(this.waiting, BodyEnd::Complete),
            Poll::Ready(Some(Err(_))) => tell(this.waiting, BodyEnd::Failed),
            // Nobody asks for more behind the last frame.
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() || this.body.is_end_stream() => {
                tell(this.waiting, BodyEnd::Complete);
            }
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible, rc::Rc};

    use futures::{FutureExt as _, executor::block_on, stream};
    use http::HeaderMap;
    use http_body_util::{BodyExt as _, Empty, Full, StreamBody};

    use super::*;

    type Bytes = std::collections::VecDeque<u8>;

    fn waiting() -> (Rc<Cell<Option<BodyEnd>>>, impl AtEnd) {
        let told = Rc::new(Cell::new(None));
        let tell = Rc::clone(&told);
        (told, move |end| assert_eq!(tell.replace(Some(end)), None, "told twice"))
    }

    fn data(text: &str) -> Frame<Bytes> {
        Frame::data(text.bytes().collect())
    }

    #[test]
    fn a_stream_is_complete_when_it_has_been_read() {
        let (told, waiting) = waiting();
        let mut tail =
            Tail::new(StreamBody::new(stream::iter([data("a"), data("b")].map(Ok::<_, Infallible>))), waiting);
        for text in ["a", "b"] {
            let frame = block_on(tail.frame()).unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), Bytes::from(text.as_bytes().to_vec()));
            assert_eq!(told.get(), None);
        }
        assert!(block_on(tail.frame()).is_none());
        assert_eq!(told.get(), Some(BodyEnd::Complete));
        drop(tail);
        assert_eq!(told.get(), Some(BodyEnd::Complete));
    }

    #[test]
    fn nothing_is_told_while_it_waits_and_what_is_dropped_is_dropped() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()), waiting);
        assert!(tail.frame().now_or_never().is_none());
        assert_eq!(told.get(), None);
        drop(tail);
        assert_eq!(told.get(), Some(BodyEnd::Dropped));
    }

    #[test]
    fn an_error_is_passed_on_and_told() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(StreamBody::new(stream::iter([Ok(data("a")), Err("lost")])), waiting);
        block_on(tail.frame()).unwrap().unwrap();
        assert_eq!(block_on(tail.frame()).unwrap().unwrap_err(), "lost");
        assert_eq!(told.get(), Some(BodyEnd::Failed));
        assert!(block_on(tail.frame()).is_none());
        drop(tail);
        assert_eq!(told.get(), Some(BodyEnd::Failed));
    }

    #[test]
    fn trailers_are_the_end() {
        let (told, waiting) = waiting();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [data("a"), Frame::trailers(trailers.clone())].map(Ok::<_, Infallible>);
        let mut tail = Tail::new(StreamBody::new(stream::iter(frames)), waiting);
        block_on(tail.frame()).unwrap().unwrap();
        assert_eq!(told.get(), None);
        assert_eq!(block_on(tail.frame()).unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert_eq!(told.get(), Some(BodyEnd::Complete));
    }

    #[test]
    fn a_body_of_a_known_length_is_complete_behind_its_last_byte() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(Full::new(Bytes::from([1, 2, 3])), waiting);
        assert_eq!(tail.size_hint().exact(), Some(3));
        assert!(!tail.is_end_stream());
        block_on(tail.frame()).unwrap().unwrap();
        assert!(tail.is_end_stream());
        assert_eq!(told.get(), Some(BodyEnd::Complete));
    }

    #[test]
    fn an_empty_body_is_complete_though_nobody_reads_it() {
        let (told, waiting) = waiting();
        let tail = Tail::new(Empty::<Bytes>::new(), waiting);
        assert!(tail.is_end_stream());
        drop(tail);
        assert_eq!(told.get(), Some(BodyEnd::Complete));
    }
}
