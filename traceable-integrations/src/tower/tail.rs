//! A body that knows when it has ended.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// How a body ended.
#[derive(Debug)]
pub enum BodyEnd<'a, E> {
    /// It was read to its end, with these trailers.
    Complete(Option<&'a HeaderMap>),
    /// It failed.
    Failed(&'a E),
    /// It was dropped before its end: whoever reads it has gone.
    Dropped,
}

/// What waits for the end of a body that fails with an `E`. A closure that takes a [`BodyEnd`] is one.
pub trait AtEnd<E> {
    /// Called once, when the body has ended in this way; not at all when it panics.
    fn at_end(self, end: BodyEnd<'_, E>);
}

impl<E, F: FnOnce(BodyEnd<'_, E>)> AtEnd<E> for F {
    fn at_end(self, end: BodyEnd<'_, E>) {
        self(end);
    }
}

pin_project! {
    /// A body with something that waits for its end. What passes through it is not touched.
    #[derive(Debug)]
    pub struct Tail<B, T>
    where
        B: Body,
        T: AtEnd<B::Error>,
    {
        #[pin]
        body: B,
        waiting: Option<T>,
        // Bytes to come, where that is known.
        left: Option<u64>,
    }

    impl<B, T> PinnedDrop for Tail<B, T>
    where
        B: Body,
        T: AtEnd<B::Error>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // A server does not ask for what it knows is not there.
            let is_whole = *this.left == Some(0) || this.body.is_end_stream();
            tell(this.waiting, if is_whole { BodyEnd::Complete(None) } else { BodyEnd::Dropped });
        }
    }
}

impl<B: Body, T: AtEnd<B::Error>> Tail<B, T> {
    /// Lets `waiting` wait for the end of `body`.
    pub fn new(body: B, waiting: T) -> Self {
        let left = body.size_hint().exact();
        Self { body, waiting: Some(waiting), left }
    }

    /// As [`Tail::new`], for a body of which so many bytes are wanted: the `Content-Length` of its answer, or none where
    /// the answer is to a `HEAD`. Whoever reads it stops there.
    pub fn with_length(body: B, length: u64, waiting: T) -> Self {
        Self { body, waiting: Some(waiting), left: Some(length) }
    }
}

fn tell<E>(waiting: &mut Option<impl AtEnd<E>>, end: BodyEnd<'_, E>) {
    if let Some(waiting) = waiting.take() {
        waiting.at_end(end);
    }
}

/// While this lives, a panic drops what waits at once: whoever holds the body may keep it for long.
pub(super) struct Unwinding<'a, T>(pub(super) &'a mut Option<T>);

impl<T> Drop for Unwinding<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 = None;
        }
    }
}

impl<B: Body, T: AtEnd<B::Error>> Body for Tail<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let unwinding = Unwinding(this.waiting);
        let polled = this.body.as_mut().poll_frame(cx);
        drop(unwinding);
        match &polled {
            Poll::Ready(None) => tell(this.waiting, BodyEnd::Complete(None)),
            Poll::Ready(Some(Err(error))) => tell(this.waiting, BodyEnd::Failed(error)),
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(left), Some(data)) = (&mut *this.left, frame.data_ref()) {
                    *left = left.saturating_sub(data.remaining() as u64);
                }
                // Nobody asks for more behind the last frame.
                if frame.is_trailers() || *this.left == Some(0) || this.body.is_end_stream() {
                    tell(this.waiting, BodyEnd::Complete(frame.trailers_ref()));
                }
            }
            Poll::Pending => {}
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

    /// How it ended, in a word that can be kept.
    type Told = Rc<Cell<Option<&'static str>>>;

    struct Waiting(Told);

    impl<E> AtEnd<E> for Waiting {
        fn at_end(self, end: BodyEnd<'_, E>) {
            let word = match end {
                BodyEnd::Complete(None) => "complete",
                BodyEnd::Complete(Some(_)) => "complete, with trailers",
                BodyEnd::Failed(_) => "failed",
                BodyEnd::Dropped => "dropped",
            };
            assert_eq!(self.0.replace(Some(word)), None, "told twice");
        }
    }

    fn waiting() -> (Told, Waiting) {
        let told = Told::default();
        (Rc::clone(&told), Waiting(told))
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
        assert_eq!(told.get(), Some("complete"));
        drop(tail);
        assert_eq!(told.get(), Some("complete"));
    }

    #[test]
    fn nothing_is_told_while_it_waits_and_what_is_dropped_is_dropped() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()), waiting);
        assert!(tail.frame().now_or_never().is_none());
        assert_eq!(told.get(), None);
        drop(tail);
        assert_eq!(told.get(), Some("dropped"));
    }

    #[test]
    fn an_error_is_passed_on_and_told() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(StreamBody::new(stream::iter([Ok(data("a")), Err("lost")])), waiting);
        block_on(tail.frame()).unwrap().unwrap();
        assert_eq!(block_on(tail.frame()).unwrap().unwrap_err(), "lost");
        assert_eq!(told.get(), Some("failed"));
        assert!(block_on(tail.frame()).is_none());
        drop(tail);
        assert_eq!(told.get(), Some("failed"));
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
        assert_eq!(told.get(), Some("complete, with trailers"));
    }

    #[test]
    fn a_body_of_a_known_length_is_complete_behind_its_last_byte() {
        let (told, waiting) = waiting();
        let mut tail = Tail::new(Full::new(Bytes::from([1, 2, 3])), waiting);
        assert_eq!(tail.size_hint().exact(), Some(3));
        assert!(!tail.is_end_stream());
        block_on(tail.frame()).unwrap().unwrap();
        assert!(tail.is_end_stream());
        assert_eq!(told.get(), Some("complete"));
    }

    #[test]
    fn an_empty_body_is_complete_though_nobody_reads_it() {
        let (told, waiting) = waiting();
        let tail = Tail::new(Empty::<Bytes>::new(), waiting);
        assert!(tail.is_end_stream());
        drop(tail);
        assert_eq!(told.get(), Some("complete"));
    }
    #[test]
    fn who_has_read_as_much_as_was_promised_reads_no_more() {
        let frames = || StreamBody::new(stream::iter([data("ab"), data("c")].map(Ok::<_, Infallible>)));
        let (told, waiting) = self::waiting();
        let mut tail = Tail::with_length(frames(), 3, waiting);
        block_on(tail.frame()).unwrap().unwrap();
        assert_eq!(told.get(), None);
        block_on(tail.frame()).unwrap().unwrap();
        assert_eq!(told.get(), Some("complete"));
        // Half of it is not the whole.
        let (told, waiting) = self::waiting();
        let mut tail = Tail::with_length(frames(), 3, waiting);
        block_on(tail.frame()).unwrap().unwrap();
        drop(tail);
        assert_eq!(told.get(), Some("dropped"));
        // What `HEAD` asks for.
        let (told, waiting) = self::waiting();
        drop(Tail::with_length(frames(), 0, waiting));
        assert_eq!(told.get(), Some("complete"));
    }
}
