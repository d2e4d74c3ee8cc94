//! Who asks: its client sends the current run along, as headers of the request.

use std::error::Error;

use reqwest::Client;
use traceable::{integrations::reqwest_middleware::client, traceable};

/// Asks the server, and makes one text of its events.
#[traceable(run_type = "agent", skip(address))]
pub(crate) async fn ask(address: &str, about: &str) -> Result<String, Box<dyn Error>> {
    // An error says that there is a provider already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Headers name runs, so they are for services of one's own: these hosts are told, and nobody else.
    let http = client(Client::builder().no_proxy(), "localhost".parse()?)?;
    let events = http.get(format!("http://{address}/stories/{about}")).send().await?.error_for_status()?.text().await?;
    Ok(events.lines().filter_map(|line| line.strip_prefix("data: ")).collect())
}
