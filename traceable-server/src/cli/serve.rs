//! `traceable serve`.

use std::{io::Write as _, net::SocketAddr};

use super::{Cli, Failure};
use crate::serve::{Config, Server};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen, such as 127.0.0.1:4319; may be repeated [default: 127.0.0.1:4318 and [::1]:4318]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// A name of this server beside `localhost`; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Let other machines read and write without a token (see TRACEABLE_TOKEN)
    #[arg(long)]
    insecure_no_auth: bool,
}

pub(super) fn run(cli: &mut Cli, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { listen, allow_host: names, insecure_no_auth: is_open } = arguments;
    // Not an argument: those can be read by every user of the machine.
    let token = std::env::var("TRACEABLE_TOKEN").ok().filter(|token| !token.is_empty());
    let config = Config { listen, names, token, is_open, ..Config::new(cli.home.clone()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("traceable").build()?;
    runtime.block_on(async {
        let has_token = config.token.is_some();
        let server = Server::bind(config).await?;
        greet(cli, server.addresses(), has_token)?;
        Ok(server.run(stopped()).await?)
    })
}

fn greet(cli: &mut Cli, addresses: &[SocketAddr], has_token: bool) -> Result<(), Failure> {
    let home = cli.home.path().display().to_string();
    if cli.is_json {
        let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
        cli.json(&serde_json::json!({ "urls": urls, "home": home }))?;
        return Ok(cli.out.flush()?);
    }
    let all: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    let url = all.first().cloned().unwrap_or_default();
    let key = if has_token { "$TRACEABLE_TOKEN" } else { "none" };
    let is_usual = addresses.iter().any(|address| address.port() == 4318);
    let otel = if is_usual { "nothing to set on this machine, or " } else { "" };
    cli.line(format_args!("traceable {} listens on {}", env!("CARGO_PKG_VERSION"), all.join(" and ")))?;
    cli.line(format_args!("Its data lies in {}", crate::print::line(&home)))?;
    cli.line("")?;
    cli.line("Rust           nothing to set on this machine; also what ran before is read")?;
    cli.line(format_args!("LangSmith      LANGSMITH_TRACING=true LANGSMITH_ENDPOINT={url} LANGSMITH_API_KEY={key}"))?;
    cli.line(format_args!(
        "OpenTelemetry  {otel}OTEL_EXPORTER_OTLP_ENDPOINT={url} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    ))?;
    if has_token {
        cli.line("               OTEL_EXPORTER_OTLP_HEADERS=x-api-key=$TRACEABLE_TOKEN")?;
    }
    cli.line("")?;
    cli.line("Look: traceable show last, traceable ls, traceable doctor. Stop: Ctrl-C.")?;
    Ok(cli.out.flush()?)
}

/// Done when the process is asked to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
