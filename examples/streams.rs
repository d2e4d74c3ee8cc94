//! Streams: a run lasts until its stream ends or is dropped, and its output is one answer instead of a list of pieces.
//!
//! `cargo run --example streams`

use std::{
    io::{self, Write as _},
    pin::pin,
    time::Duration,
};

use async_stream::stream;
use futures::{Stream, StreamExt as _};
use tokio::time::sleep;
use traceable::{fold, traceable};

const STORY: &str = "A crab crossed the sea by night, counting the waves, and remembered all but two.";

/// `fold` takes each piece as it passes, so that none is kept. A plain function of all pieces, `fn(Vec<String>) -> T`,
/// does as well. `raw_chunks` keeps the pieces too, each with its time: the viewer shows them on an axis.
#[traceable(run_type = "llm", raw_chunks, reduce_fn = fold(String::new(), |text, piece: &String| text.push_str(piece)))]
fn tell(prompt: &str) -> impl Stream<Item = String> {
    stream! {
        for word in STORY.split_inclusive(' ') {
            // The teller thinks before the second half.
            let pause = if word.starts_with("and") { 300 } else { 10 };
            sleep(Duration::from_millis(pause)).await;
            yield word.to_owned();
        }
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    traceable::init();

    let mut out = io::stdout();
    let mut story = pin!(tell("Tell me a story."));
    while let Some(word) = story.next().await {
        out.write_all(word.as_bytes())?;
        out.flush()?;
    }
    writeln!(out)?;

    // A listener who leaves: the run is cancelled, and shows what was told up to there.
    let beginning: String = tell("Tell me a story, quickly.").take(4).collect().await;
    writeln!(out, "{beginning}…")
}
