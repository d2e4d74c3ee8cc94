//! `traceable import`.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{Cli, Failure, change::take, open, progress::Progress};
use crate::{
    import,
    print::{counted, line},
};

/// Changes, and bytes of their lines, that are written at once.
const CHANGES: usize = 500;
const BYTES: usize = 8 << 20;

/// Bytes of a line.
const MAX_LINE: u64 = 512 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// JSON Lines in LangSmith's fields or in OTLP, as `export` or a collector writes them, or traces that LangSmith's SDKs
    /// could not send (LANGSMITH_FAILED_TRACES_DIR). Of a folder, all such files; `-` reads standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(cli: &mut Cli, arguments: &Arguments) -> Result<(), Failure> {
    let store = open::store(cli)?;
    for path in files(&arguments.files)? {
        let said = line(&path.display().to_string());
        let failed = |error: io::Error| Failure(format!("{said}: {error}"));
        let (reader, size): (Box<dyn BufRead>, u64) = if path.as_os_str() == "-" {
            (Box::new(BufReader::new(io::stdin())), 0)
        } else {
            let file = File::open(&path).map_err(failed)?;
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            (Box::new(BufReader::new(file)), size)
        };
        let mut lines = Lines { reader, number: 0, bytes: 0 };
        let mut progress = Progress::of_bytes(size);
        let (mut changes, mut from, mut taken) = (Vec::new(), 0, 0);
        let mut problems: Vec<String> = Vec::new();
        while let Some(text) = lines.next().map_err(failed)? {
            let number = lines.number;
            let read = match import::line(&text) {
                Ok(read) => read,
                Err(why) => {
                    take(cli, &store, &changes)?;
                    return Err(format!("{said}, line {number}: {why}; what stands before it is imported").into());
                }
            };
            problems.extend(read.problems.into_iter().map(|problem| format!("line {number}: {problem}")));
            changes.extend(read.changes);
            if changes.len() >= CHANGES || lines.bytes - from >= BYTES as u64 {
                take(cli, &store, &changes)?;
                taken += std::mem::take(&mut changes).len();
                from = lines.bytes;
            }
            progress.at(lines.bytes);
        }
        take(cli, &store, &changes)?;
        taken += changes.len();
        drop(progress);
        if cli.is_json {
            cli.json(&serde_json::json!({ "file": path, "records": taken, "problems": problems }))?;
            continue;
        }
        cli.line(format_args!("{said}: {}", counted(taken as u64, "record")))?;
        if let Some(first) = problems.first() {
            let many = counted(problems.len() as u64, "part");
            cli.line(format_args!("{said}: {many} could not be read; {}", line(first)))?;
        }
    }
    Ok(())
}

/// The files, and those in folders by their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", line(&path.display().to_string())))?;
        let paths: Result<Vec<PathBuf>, io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
        let is_ours =
            |path: &Path| path.extension().is_some_and(|end| end == "json" || end == "jsonl") && path.is_file();
        let mut paths: Vec<PathBuf> = paths?.into_iter().filter(|path| is_ours(path)).collect();
        paths.sort_unstable();
        files.extend(paths);
    }
    Ok(files)
}

/// Lines that are not empty, one at a time.
struct Lines {
    reader: Box<dyn BufRead>,
    number: u64,
    bytes: u64,
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let mut text = Vec::new();
            let length = self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)? as u64;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.bytes += length;
            let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {why}", self.number));
            if length == MAX_LINE && !text.ends_with(b"\n") {
                return Err(wrong("longer than 512 MiB"));
            }
            let text = String::from_utf8(text).map_err(|_| wrong("not UTF-8"))?;
            let text = text.trim_start_matches('\u{feff}');
            if !text.trim().is_empty() {
                return Ok(Some(text.to_owned()));
            }
        }
    }
}
