//! Who asks: its current run goes along with the request, as headers.

use std::error::Error;

use reqwest::Client;
use traceable::traceable;

/// Asks the server, and makes one text of its events.
#[traceable(run_type = "agent", skip(address))]
pub(crate) async fn ask(address: &str, about: &str) -> Result<String, Box<dyn Error>> {
    // An error says that there is a provider already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut request = Client::builder().no_proxy().build()?.get(format!("http://{address}/stories/{about}"));
    // Only for services of one's own: headers name runs. A tower client has `PassTraceLayer`, which is told their hosts.
    for (name, value) in traceable::current().headers() {
        request = request.header(name, value);
    }
    let events = request.send().await?.error_for_status()?.text().await?;
    Ok(events.lines().filter_map(|line| line.strip_prefix("data: ")).collect())
}
