//! What a backend does with the runs of all processes: in the order of one text they are a tree.

use std::{fs, io, path::PathBuf};

use serde_json::Value;

/// A line for each run, below that of the run that called it, whichever file they are in.
pub(crate) fn tree(files: &[PathBuf]) -> io::Result<String> {
    let mut runs: Vec<(String, String)> = Vec::new();
    for path in files {
        let process = path.file_stem().unwrap_or_default().display();
        for line in fs::read_to_string(path)?.lines() {
            let run: Value = serde_json::from_str(line)?;
            let text = |key: &str| run[key].as_str().unwrap_or_default();
            // From the root down to the run, each with its start and its id: so callers come before what they call.
            let order = text("dotted_order");
            let indent = "  ".repeat(order.matches('.').count());
            runs.push((order.to_owned(), format!("{indent}{} {} · {process}\n", text("name"), text("run_type"))));
        }
    }
    runs.sort();
    Ok(runs.into_iter().map(|(_, line)| line).collect())
}
