//! Who answers: a layer goes on with the caller's trace, and each request is a run that lasts as long as its stream.

use std::{
    convert::Infallible,
    io::{self, Write as _},
    time::Duration,
};

use async_stream::stream;
use axum::{
    Router,
    extract::{MatchedPath, Path},
    response::sse::{Event, Sse},
    routing::get,
};
use futures::{Stream, StreamExt as _};
use tokio::{net::TcpListener, task::spawn_blocking, time::sleep};
use traceable::{fold, integrations::tower::ContinueTraceLayer, traceable};

/// Serves at a free port, which it prints, until its input is closed.
pub(crate) async fn serve() -> io::Result<()> {
    let layer = ContinueTraceLayer::new()
        .with_run()
        .route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let app = Router::new().route("/stories/{about}", get(story)).layer(layer);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let closed = spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    axum::serve(listener, app).with_graceful_shutdown(async { drop(closed.await) }).await
}

async fn story(Path(about): Path<String>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The function returns at once; its run, and that of the request, end with the last event.
    Sse::new(tell(about).map(|word| Ok(Event::default().data(word))))
}

#[traceable(run_type = "llm", reduce_fn = fold(String::new(), |text, word: &String| text.push_str(word)))]
fn tell(about: String) -> impl Stream<Item = String> {
    stream! {
        for word in format!("All that the {about} remembers is the rain.").split_inclusive(' ') {
            sleep(Duration::from_millis(5)).await;
            yield word.to_owned();
        }
    }
}
