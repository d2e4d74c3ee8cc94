//! To whom a run was sent, as the spools of this machine say it. Asked for when somebody wants to know: it reads files.

use std::{
    fs, io,
    path::Path as FilePath,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header::CACHE_CONTROL},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use traceable_core::{
    model::RunId,
    spool::{Backlog, Kind, Position, Reader, look},
};

use super::{App, MISSING, Place, Trouble, frame, show};
use crate::{http::Refusal, print::counted};

/// Segments of a directory in which a run is looked for: its own, and one beside, for clocks are coarse.
const SEGMENTS: usize = 2;

/// How a backend stands to a run.
struct Sent {
    backlog: Backlog,
    how: How,
}

enum How {
    /// It has it, or has refused it for good.
    Done,
    Waits,
    /// It is not for it: its filter says so.
    LeftOut,
}

/// The link, and what comes in its place.
pub(super) fn link(run: RunId) -> Markup {
    html! { a.more href={ "/sent/" (run) } data-part="more" { "look into the spools" } }
}

/// Answers with a line for each backend.
pub(super) async fn sent(
    State(app): State<Arc<App>>,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let row = app.ask(move |store| store.row(run)).await?.ok_or(MISSING)?;
    let home = app.home.clone();
    let looked = tokio::task::spawn_blocking(move || match home {
        Some(home) => find(FilePath::new(&home), run, row.end_time.unwrap_or(row.start_time)),
        None => Ok(Vec::new()),
    });
    let found = looked.await.map_err(|_| Refusal::Stopped)?.map_err(|error| Refusal::Broken(error.to_string()))?;
    let lines = lines(&found);
    if headers.contains_key("x-part") {
        return Ok(([(CACHE_CONTROL, "no-store")], lines).into_response());
    }
    let body = html! { main.narrow id="main" { h1 { "Sent to" } (lines) } };
    Ok(frame::page("Sent to · traceable", None, &Place::default(), &[], &body).into_response())
}

fn lines(found: &[Sent]) -> Markup {
    html! {
        @if found.is_empty() {
            p.note { "No spool of this machine has it for another place: it was kept here alone, came over HTTP, or is long done with." }
        }
        ul.sent {
            @for Sent { backlog, how } in found {
                li {
                    (show::text(&backlog.destination.to_string())) ": "
                    @match how {
                        How::Done => "done",
                        How::LeftOut => "left out by its filter",
                        How::Waits => {
                            span.wait { "waits" }
                            @if let Some(since) = backlog.standing.paused_since { "; it has taken nothing since " (show::moment(since)) }
                            @if !backlog.standing.last_answer.is_empty() {
                                "; it said last: " (show::text(&backlog.standing.last_answer))
                            }
                        }
                    }
                    @if backlog.dead_files > 0 {
                        " (" (counted(backlog.dead_files, "request")) " of this program it refused for good: see "
                        code { "traceable doctor" } ")"
                    }
                }
            }
        }
    }
}

/// Looks for a run in the spools of a home, by when its last record was made.
fn find(home: &FilePath, run: RunId, time: i64) -> io::Result<Vec<Sent>> {
    let mut found = Vec::new();
    for directory in look(home)?.into_iter().filter(|directory| !directory.backlogs.is_empty()) {
        // Who is done with a directory removes it at any moment.
        let Ok(Some((sequence, left_out))) = record(&directory.path, run, time) else { continue };
        let backlogs = directory.backlogs.into_iter().enumerate();
        found.extend(backlogs.map(|(at, backlog)| {
            let is_left_out =
                u32::try_from(at).ok().and_then(|at| left_out.checked_shr(at)).is_some_and(|bits| bits & 1 == 1);
            let is_done = backlog.ack.is_complete || backlog.ack.delivered >= sequence;
            let how = if is_left_out {
                How::LeftOut
            } else if is_done {
                How::Done
            } else {
                How::Waits
            };
            Sent { backlog, how }
        }));
    }
    Ok(found)
}

/// The number of a run's last record, and for which backends it is not.
fn record(directory: &FilePath, run: RunId, time: i64) -> io::Result<Option<(u64, u32)>> {
    let since = UNIX_EPOCH + Duration::from_nanos(time.unsigned_abs()).saturating_sub(Duration::from_secs(1));
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("seg-")?.parse::<u64>().ok());
        if let Some(number) = number
            && entry.metadata()?.modified()? >= since
        {
            segments.push(number);
        }
    }
    segments.sort_unstable();
    let mut last = None;
    for segment in segments.into_iter().take(SEGMENTS) {
        let mut reader = Reader::new(directory, Position { segment, offset: 0 });
        while let Some(record) = reader.next()? {
            if record.position.segment != segment {
                break;
            }
            if record.run_id == run && record.kind != Kind::Progress {
                last = Some((record.sequence, record.left_out));
            }
        }
    }
    Ok(last)
}
