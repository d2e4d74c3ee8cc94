//! One trace through two processes: a program asks a server, which is this program again, and the runs of both are one
//! tree.
//!
//! `cargo run --example distributed`

mod client;
mod join;
mod server;

use std::{
    env,
    error::Error,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("serve") {
        // Its destination is in the environment, as in most deployments.
        traceable::init();
        return Ok(server::serve().await?);
    }

    // Each process has a file of its own, as if they were on two machines.
    let folder = tempfile::tempdir()?.keep();
    let [ours, theirs] = ["client.jsonl", "server.jsonl"].map(|name| folder.join(name));
    traceable::builder()?.exporter(traceable::exporters::JsonLines::create(&ours)?).init()?;

    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .env("TRACEABLE_EXPORT", format!("jsonl:{}", theirs.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    if let Some(lines) = server.stdout.take() {
        BufReader::new(lines).read_line(&mut address)?;
    }

    let mut out = io::stdout();
    writeln!(out, "{}\n", client::ask(address.trim(), "tea").await?)?;

    // It ends when nobody holds its input any more.
    drop(server.stdin.take());
    server.wait()?;
    traceable::flush(Duration::from_secs(5)).await;
    write!(out, "{}", join::tree(&[ours, theirs])?)?;
    Ok(writeln!(out, "\nall that was recorded: {}", folder.display())?)
}
