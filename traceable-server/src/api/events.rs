//! `GET /events`: what has changed, as it is committed, as server-sent events.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};
use traceable_core::model::RunId;

use crate::{
    http::{App, Refusal},
    live::{News, Since},
};

/// The time between two events.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a connection is tried on which nothing is said.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// The number of the last commit that is known.
    since: Option<u64>,
    /// Only what is of this trace.
    trace: Option<RunId>,
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    Query(Wanted { since, trace }): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let place = app.live.place().ok_or(Refusal::Crowded)?;
    // A browser that connects again asks for the same address, and says the last number that it saw beside.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let reader = Reader {
        news: app.live.news(),
        seen: last.or(since).unwrap_or_else(|| app.live.n()),
        trace,
        next: None,
        _place: place,
        app,
    };
    let events = futures_util::stream::unfold(reader, |mut reader| async move {
        let event = reader.event().await?;
        Some((Ok::<_, std::convert::Infallible>(event), reader))
    });
    Ok(Sse::new(events.fuse()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// Who listens.
struct Reader {
    app: Arc<App>,
    news: watch::Receiver<News>,
    /// The last commit that it was told of.
    seen: u64,
    trace: Option<RunId>,
    /// When it may be told more; before the first event, nothing.
    next: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next event; `None` when the server stops.
    async fn event(&mut self) -> Option<Event> {
        let Some(next) = self.next.replace(Instant::now()) else {
            return self.say("ready", self.seen, &json!({ "n": self.seen }));
        };
        sleep_until(next).await;
        loop {
            if self.news.borrow_and_update().is_over {
                return None;
            }
            match self.app.live.since(self.seen, self.trace) {
                Since::Nothing(n) => self.seen = n,
                Since::Changed(changed) => return self.say("changed", changed.n, &changed),
                Since::Lost(n) => return self.say("reset", n, &json!({ "n": n })),
            }
            self.news.changed().await.ok()?;
        }
    }

    fn say(&mut self, name: &str, n: u64, data: &impl serde::Serialize) -> Option<Event> {
        self.seen = n;
        self.next = Some(Instant::now() + PAUSE);
        Event::default().event(name).id(n.to_string()).json_data(data).ok()
    }
}
