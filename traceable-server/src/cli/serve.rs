//! `traceable serve`.

use std::{io::Write as _, net::SocketAddr};

use traceable_store::Limits;

use super::{Cli, Failure, remote, stats::stretch};
use crate::serve::{Config, ServeError, Server};

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
    /// Remove traces that are older than this, such as 30d
    #[arg(long, value_name = "TIME")]
    keep: Option<String>,
    /// Remove the oldest traces when the store is larger than this, such as 50GB, or `none` [default: 10GB]
    #[arg(long, value_name = "BYTES", value_parser = size)]
    max_size: Option<u64>,
}

/// What a store may hold where nothing is said: about 2.5 million runs of 2 KB, with their words.
const MAX_SIZE: u64 = 10_000_000_000;

/// A number of bytes with a unit; as many as there are for `none`.
fn size(text: &str) -> Result<u64, String> {
    if text == "none" {
        return Ok(u64::MAX);
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        _ => None,
    };
    let bytes = factor.and_then(|factor| number.parse::<u64>().ok()?.checked_mul(factor));
    bytes.ok_or_else(|| "expected a number of bytes, such as 500MB or 10GB, or `none`".to_owned())
}

pub(super) fn run(cli: &mut Cli, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { listen, allow_host: names, insecure_no_auth: is_open, keep, max_size } = arguments;
    let mut limits = Limits::default();
    if let Some(age) = keep.as_deref().map(stretch).transpose()? {
        limits = limits.age(age);
    }
    let max_size = max_size.unwrap_or(MAX_SIZE);
    if max_size < u64::MAX {
        limits = limits.bytes(max_size);
    }
    // Not an argument: those can be read by every user of the machine.
    let token = std::env::var("TRACEABLE_TOKEN").ok().filter(|token| !token.is_empty());
    let config = Config { listen, names, token, is_open, limits, ..Config::new(cli.home.clone()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("traceable").build()?;
    runtime.block_on(async {
        let has_token = config.token.is_some();
        let server = match Server::bind(config).await {
            Err(error @ ServeError::Taken(address)) => {
                let holder = remote::holder(address);
                return Err(Failure(error.to_string().replacen("another program", &holder, 1)));
            }
            bound => bound?,
        };
        // Before anybody is told that it runs, and may ask it to end.
        let stopped = stopped();
        greet(cli, server.addresses(), has_token)?;
        Ok(server.run(stopped).await?)
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
        cli.line(format_args!("Browser        {url}/login asks for the token"))?;
    }
    cli.line("")?;
    cli.line("Look: traceable show last, traceable ls, traceable doctor. Stop: Ctrl-C.")?;
    Ok(cli.out.flush()?)
}

/// Done when the process is asked to end from now on.
fn stopped() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        #[cfg(unix)]
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
