//! Arguments and items with the names that an expansion uses itself.

use futures::{Stream, StreamExt, stream};
use traceable::traceable;

use crate::support::{lines, lines_of, ready};

const SITE: u8 = 1;

#[traceable]
#[allow(clippy::many_single_char_names)]
fn names(run: u8, r: u8, o: u8, out: u8, __run: u8, _run: u8, v: u8, e: u8) -> u8 {
    run + r + o + out + __run + _run + v + e + SITE
}

#[traceable(metadata(site = SITE, sum = run + r))]
async fn names_later(run: u8, r: u8, o: u8, out: u8, item: u8, it: u8) -> u8 {
    run + r + o + out + item + it + SITE
}

#[traceable]
fn names_streamed(run: u8, out: u8, item: u8, it: u8, c: u8) -> impl Stream<Item = u8> {
    stream::iter([run + out + item + it + c])
}

/// The body cannot see the expansion's variables either.
#[traceable]
fn unseen() -> u8 {
    let run = 1;
    run
}

macro_rules! traced {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($arg:ident: $ty:ty) -> $out:ty $body:block) => {
        $(#[$attr])*
        #[traceable(metadata(twice = $arg * 2))]
        $vis fn $name($arg: $ty) -> $out $body
    };
}

traced! {
    #[must_use]
    pub fn from_a_macro(value: u8) -> Option<u8> { Some(value) }
}

macro_rules! traced_stream {
    ($name:ident, $out:ty) => {
        #[traceable]
        fn $name(n: u8) -> $out {
            let run = n;
            stream::iter(0..run).boxed()
        }
    };
}

traced_stream!(stream_from_a_macro, futures::stream::BoxStream<'static, u8>);

#[test]
fn names_do_not_meet() {
    assert_eq!(names(1, 1, 1, 1, 1, 1, 1, 1), 9);
    assert_eq!(ready(names_later(1, 1, 1, 1, 1, 1)), 7);
    assert_eq!(unseen(), 1);
    let seen = lines_of(|| names_streamed(1, 2, 3, 4, 5).collect::<Vec<_>>());
    assert_eq!(seen, ["chain names_streamed", "in run=1", "in out=2", "in item=3", "in it=4", "in c=5", "out [15]"]);
}

#[test]
fn fragments_of_macros_are_understood() {
    assert_eq!(lines(|| from_a_macro(1)), ["chain from_a_macro", "in value=1", "meta twice=2", "out 1"]);
    assert_eq!(lines_of(|| stream_from_a_macro(1).count()), ["chain stream_from_a_macro", "in n=1", "out [0]"]);
}
