//! The program `traceable`.

use std::process::ExitCode;

fn main() -> ExitCode {
    traceable_server::cli::run()
}
