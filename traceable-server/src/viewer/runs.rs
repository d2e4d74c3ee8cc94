//! The first page: runs, the newest first.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    response::IntoResponse,
};
use maud::html;
use traceable_store::{List, Of};

use super::{App, Place, Tab, Trouble, frame, show};
use crate::{http::Refusal, print};

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
) -> Result<impl IntoResponse, Trouble> {
    let query = place.query().map_err(Refusal::from)?;
    let list = List { query, of: Of::Traces, ..List::default() };
    let found = app.ask(move |store| store.list(&list)).await?;
    let body = html! {
        main id="main" {
            table.runs {
                thead { tr { th { "When" } th { "Name" } th { "Question" } th { "Answer" } th { "Latency" } } }
                tbody {
                    @for listed in &found.rows {
                        @let row = &listed.row;
                        tr {
                            td { (show::moment(row.start_time)) }
                            td {
                                (show::kind(&row.run_type)) " "
                                a href=(place.link(&format!("/t/{}", row.trace_id), &[])) { (row.name) }
                                (show::status(row.status))
                            }
                            td { (row.input_preview.as_deref().unwrap_or_default()) }
                            td { (row.output_preview.as_deref().unwrap_or_default()) }
                            td { (row.latency.map(print::duration).unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    };
    Ok(frame::page("Runs · traceable", Some(Tab::Runs), &place, &[], &body))
}
