//! A question goes in; an agent plans, uses two tools, looks something up and streams its answer. The tree of its runs
//! appears below the answer, and a link that shows it in a browser; it stays for that until Ctrl-C, or leaves with `--exit`.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- "Where is order 9999?"
//! OPENAI_API_KEY=… cargo run --example quickstart
//! OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=llama3.2 cargo run --example quickstart
//! ```
//!
//! Without `OPENAI_API_KEY` and `OPENAI_BASE_URL` it asks a scripted model, which it starts itself on this machine and
//! which speaks the same protocol. `--wrong-key` shows what a refused call looks like.

#![allow(unreachable_pub, reason = "in a program, `pub` is for its other modules")]

mod agent;
mod error;
mod model;
mod notes;
mod scripted;
mod settings;
mod tools;
mod viewer;

use std::{
    cell::Cell,
    io::{self, Write as _},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use futures::StreamExt as _;
use traceable::RunId;

use self::{error::Error, model::Endpoint, settings::Settings};

#[tokio::main]
async fn main() -> ExitCode {
    // From here on, every call of an annotated function is a run.
    traceable::init();

    let outcome = run().await;

    // The tree comes before the error, so that the last line says what to do.
    traceable::flush(Duration::from_secs(5)).await;
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(trace)) => viewer::show(trace).await,
        // Whoever read the answer has seen enough: `| head`.
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers; says which trace is to be shown, if one is.
async fn run() -> Result<Option<RunId>, Error> {
    let Some(settings) = Settings::read()? else {
        settings::help()?;
        return Ok(None);
    };
    let base_url = match &settings.base_url {
        Some(url) => url.clone(),
        None => scripted::start().await?,
    };
    let _ = writeln!(io::stderr(), "asking {} at {base_url}: {}\n", settings.model, settings.question);

    let endpoint = Endpoint::new(&base_url, settings.key)?;
    let trace = Cell::new(None);
    let mut answer = pin!(agent::answer(&endpoint, &settings.model, &settings.question, |id| trace.set(id)).await?);
    let mut out = io::stdout();
    while let Some(piece) = answer.next().await {
        out.write_all(piece?.as_bytes())?;
        out.flush()?;
    }
    writeln!(out, "\n")?;
    Ok(trace.get().filter(|_| settings.stays))
}
