//! Reducers, chunk processors and what they are given.

use futures::{Stream, StreamExt, stream};
use traceable::traceable;

use crate::support::{lines, lines_of};

#[derive(Clone)]
struct Chunk(&'static str);

type ChunkResult = Result<Chunk, String>;

fn join(chunks: Vec<Chunk>) -> String {
    chunks.iter().map(|chunk| chunk.0).collect()
}

fn chunks() -> Vec<ChunkResult> {
    vec![Ok(Chunk("a")), Err("b".into()), Ok(Chunk("c"))]
}

#[traceable(run_type = "llm", reduce_fn = join)]
fn by_path() -> impl Stream<Item = Result<Chunk, String>> {
    stream::iter(chunks())
}

#[traceable(reduce_fn = join)]
fn aliased() -> impl Stream<Item = ChunkResult> {
    stream::iter(chunks())
}

#[traceable(reduce_fn = |chunks| chunks.iter().map(|chunk| chunk.0.len()).sum::<usize>())]
fn by_closure() -> impl Stream<Item = Result<Chunk, String>> {
    stream::iter(chunks())
}

#[traceable(process_chunk = |chunk| chunk.0)]
fn processed() -> impl Stream<Item = Result<Chunk, String>> {
    stream::iter(chunks())
}

#[traceable(process_chunk = |chunk: &Chunk| chunk.0, reduce_fn = |texts: Vec<&str>| texts.concat(), process_outputs = |text| text.len() + 1, raw_chunks)]
async fn everything() -> Result<impl Stream<Item = Result<Chunk, String>>, String> {
    Ok(stream::iter(chunks()))
}

#[traceable(stream, reduce_fn = <[u8]>::concat_all)]
fn iterated() -> Box<dyn Iterator<Item = u8>> {
    Box::new([1, 2].into_iter())
}

trait ConcatAll {
    fn concat_all(all: Vec<u8>) -> usize;
}

impl ConcatAll for [u8] {
    fn concat_all(all: Vec<u8>) -> usize {
        all.len()
    }
}

#[traceable(reduce_fn = traceable::fold(0, |sum: &mut u8, n: &u8| *sum += n))]
fn folded() -> impl Stream<Item = u8> {
    stream::iter([1, 2])
}

#[traceable(run_type = "llm", reduce_fn = join, usage = |text| traceable::Usage::new(1, text.len() as u64))]
fn counted() -> impl Stream<Item = Result<Chunk, String>> {
    stream::iter(chunks())
}

#[traceable(reduce_fn = |_: Vec<u8>| -> u8 { panic!("expected") })]
fn broken() -> impl Stream<Item = u8> {
    stream::iter([1, 2])
}

#[traceable(outputs = off)]
fn unrecorded() -> impl Stream<Item = u8> {
    stream::iter([1, 2])
}

#[test]
fn chunks_are_reduced() {
    assert_eq!(lines_of(|| by_path().count()), ["llm by_path", r#"out "ac""#, "err b"]);
    assert_eq!(lines_of(|| aliased().count()), ["chain aliased", r#"out "ac""#, "err b"]);
    assert_eq!(lines_of(|| by_closure().count()), ["chain by_closure", "out 2", "err b"]);
    assert_eq!(lines_of(|| folded().count()), ["chain folded", "out 3"]);
    assert_eq!(lines(|| iterated().sum::<u8>()), ["chain iterated", "out 2"]);
    assert_eq!(lines_of(|| async { broken().count().await }).len(), 2, "the chunks are kept when the reducer panics");
}

#[test]
fn chunks_are_processed() {
    assert_eq!(lines_of(|| processed().count()), ["chain processed", r#"out ["a","c"]"#, "err b"]);
    let seen = lines_of(|| async { everything().await.unwrap().count().await });
    assert_eq!(seen, ["chain everything", "out 3", "err b"]);
    assert_eq!(lines_of(|| unrecorded().count())[0], "chain unrecorded");
    assert!(!lines_of(|| unrecorded().count()).iter().any(|line| line.contains('2')));
}

#[test]
fn usage_is_read_from_the_answer() {
    let recorder = traceable::testing::Recorder::new();
    assert_eq!(recorder.scope(|| crate::support::ready(counted().count())), 3);
    assert_eq!(recorder.run("counted").usage, Some(traceable::Usage::new(1, 2)));
}
