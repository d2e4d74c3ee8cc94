//! Shows a trace in a browser: by the server of this machine if one runs, else by one in this process.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use traceable::RunId;
use traceable_server::{Config, Home, ServeError, Server};

/// Prints the link to a trace, and answers the browser until Ctrl-C.
pub async fn show(trace: RunId) -> ExitCode {
    match serve(trace).await {
        Ok(()) => ExitCode::SUCCESS,
        // The question was answered and the trace is kept; only nobody shows it now.
        Err(error) => {
            let _ = writeln!(io::stderr(), "the trace cannot be shown here: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(trace: RunId) -> Result<(), Box<dyn std::error::Error>> {
    let home = Home::choose(None)?;
    if let Some(url) = traceable_server::running(&home) {
        writeln!(io::stderr(), "look at it: {url}/t/{trace}")?;
        return Ok(());
    }
    let server = match Server::bind(Config::new(home.clone())).await {
        // Its usual port is taken; any other does as well.
        Err(ServeError::Taken(_)) => {
            let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
            Server::bind(Config { listen, ..Config::new(home) }).await?
        }
        bound => bound?,
    };
    let address = server.addresses().first().ok_or("it listens nowhere")?;
    writeln!(io::stderr(), "look at it: http://{address}/t/{trace}   (Ctrl-C ends; `--exit` does not stay)")?;
    let ended = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(server.run(ended).await?)
}
