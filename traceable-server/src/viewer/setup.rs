//! How programs send their traces here. It is also what an empty store shows, and turns into a link to the first trace.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::{HeaderMap, header::HOST},
    response::IntoResponse,
};
use maud::{Markup, html};
use traceable_store::List;

use super::{App, Place, Tab, Trouble, frame};

pub(super) async fn page(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Trouble> {
    let first = app.ask(|store| store.list(&List { limit: 1, ..List::default() })).await?;
    let body = content(&headers, first.rows.is_empty());
    Ok(frame::page("Setup · traceable", Some(Tab::Setup), &place, &["setup.js"], &body))
}

/// Where the browser has reached this server.
fn address(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST.as_str()).unwrap_or("127.0.0.1:4318");
    // Of a proxy in front; whoever can set it sees nothing but their own page.
    let scheme = text("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    format!("{scheme}://{host}")
}

/// A way to send traces.
struct Way {
    id: &'static str,
    name: &'static str,
    about: &'static str,
    steps: Vec<(&'static str, String)>,
}

fn ways(url: &str) -> Vec<Way> {
    let way = |id, name, about, steps| Way { id, name, about, steps };
    vec![
        way(
            "rust",
            "Rust",
            "A program on this machine needs no address: what it records lies in a folder that is read here.",
            vec![
                ("In the program's folder", "cargo add traceable".into()),
                (
                    "src/main.rs",
                    "use traceable::traceable;\n\n#[traceable(run_type = \"llm\")]\nfn answer(question: &str) -> String {\n    \
                     format!(\"You asked: {question}\")\n}\n\nfn main() {\n    traceable::init();\n    \
                     answer(\"Where is my order?\");\n}\n"
                        .into(),
                ),
                ("From another machine", format!(
                    "cargo add traceable --features remote\nexport TRACEABLE_EXPORT=traceable\nexport TRACEABLE_ENDPOINT={url}"
                )),
            ],
        ),
        way(
            "python",
            "LangSmith, Python",
            "The SDK as it is, told of this address. The key may be any text, or this server's token if it has one.",
            vec![
                ("Shell", format!(
                    "pip install langsmith\nexport LANGSMITH_TRACING=true\nexport LANGSMITH_ENDPOINT={url}\nexport LANGSMITH_API_KEY=any"
                )),
                (
                    "app.py",
                    "from langsmith import traceable\n\n@traceable(run_type=\"llm\")\ndef answer(question: str) -> str:\n    \
                     return f\"You asked: {question}\"\n\nanswer(\"Where is my order?\")\n"
                        .into(),
                ),
            ],
        ),
        way(
            "javascript",
            "LangSmith, JavaScript",
            "The SDK as it is, told of this address. The key may be any text, or this server's token if it has one.",
            vec![
                ("Shell", format!(
                    "npm install langsmith\nexport LANGSMITH_TRACING=true\nexport LANGSMITH_ENDPOINT={url}\nexport LANGSMITH_API_KEY=any"
                )),
                (
                    "app.mjs",
                    "import { Client } from \"langsmith\";\nimport { traceable } from \"langsmith/traceable\";\n\n\
                     const client = new Client();\nconst answer = traceable(\n  async (question) => `You asked: ${question}`,\n  \
                     { name: \"answer\", run_type: \"llm\", client },\n);\n\nawait answer(\"Where is my order?\");\n\
                     await client.awaitPendingTraceBatches();\n"
                        .into(),
                ),
            ],
        ),
        way(
            "otlp",
            "OpenTelemetry",
            "Any SDK or collector that speaks OTLP over HTTP, as protobuf or JSON. At http://127.0.0.1:4318, where SDKs look by \
             themselves, no address need be set.",
            vec![("Shell", format!(
                "export OTEL_EXPORTER_OTLP_ENDPOINT={url}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n\
                 export OTEL_SERVICE_NAME=my-app"
            ))],
        ),
        way(
            "openlit",
            "OpenLIT",
            "Traces of the libraries that OpenLIT knows, without a change of the calls.",
            vec![
                ("Shell", "pip install openlit".into()),
                ("app.py", format!("import openlit\n\nopenlit.init(otlp_endpoint=\"{url}\")\n")),
            ],
        ),
    ]
}

/// The page without its frame. `is_empty` when there is no trace yet.
pub(super) fn content(headers: &HeaderMap, is_empty: bool) -> Markup {
    let url = address(headers);
    html! {
        main #main.setup {
            h1 { @if is_empty { "Waiting for the first trace" } @else { "Send traces here" } }
            p #waiting.expects role="status" data-live="setup" {
                span.pulse aria-hidden="true" {}
                @if is_empty { "Nothing is recorded yet. The next trace shows here by itself." }
                @else { "Waiting for the next trace. It shows here by itself." }
            }
            p { "This server listens at " code { (url) } "." }
            nav.kinds aria-label="Ways" { @for way in ways(&url) { a href={ "#" (way.id) } { (way.name) } } }
            @for way in ways(&url) {
                section id=(way.id) {
                    h2 { (way.name) }
                    p { (way.about) }
                    @for (title, text) in &way.steps {
                        figure.snippet {
                            figcaption { (title) button.copy type="button" hidden { "Copy" } }
                            pre tabindex="0" { code { (text) } }
                        }
                    }
                }
            }
        }
    }
}
