//! A spool on a disk that fails, against a model and against damage by hand.

mod damage;
mod life;
mod memory;
mod model;

use std::{path::Path, sync::Arc};

use serde_json::json;

use self::memory::MemoryDisk;
use super::{Disk, Durability, Settings, Spool};
use crate::{
    delivery::{Entry, Identity, Source, Wants},
    model::{Json, Progress, Run, RunChange, RunId, Status},
};

const HOME: &str = "/home";

fn early() -> Identity {
    Identity::new("early", "https://early.example", "project")
}

fn whole() -> Identity {
    Identity::new("whole", "https://whole.example", "project")
}

fn settings() -> Settings {
    Settings {
        executable: "program".to_owned(),
        durability: Durability::Process,
        ..Settings::new(Some(HOME.into()), vec![early(), whole()])
    }
}

fn spool(disk: &MemoryDisk, settings: &Settings) -> Spool {
    Spool::on(Arc::new(disk.clone()), settings.clone())
}

fn id(number: u128) -> RunId {
    RunId::from_u128(number)
}

fn start(number: u128) -> RunChange {
    let inputs = Some(Json::from_value(&json!({ "asked": number as u64 })));
    RunChange::Start(Box::new(Run { id: id(number), start_time: 5, inputs, ..Run::default() }))
}

fn end(number: u128) -> RunChange {
    let outputs = Some(Json::from_value(&json!({ "said": number as u64 })));
    let (end_time, status) = (Some(7), Status::Ok);
    RunChange::End(Box::new(Run { id: id(number), start_time: 5, end_time, status, outputs, ..Run::default() }))
}

fn patch(number: u128) -> RunChange {
    RunChange::Patch(Box::new(Run { id: id(number), ..Run::default() }))
}

fn progress(number: u128) -> RunChange {
    let (id, trace_id) = (id(number), id(number));
    RunChange::Progress(Progress { id, trace_id, time: 6, chunks: 1, outputs: None })
}

/// What a change is, in short: `S1`, `E1`, `P1`.
fn name(change: &RunChange) -> String {
    let of = |letter: &str, run: &Run| format!("{letter}{}", run.id.as_u128());
    match change {
        RunChange::Start(run) => of("S", run),
        RunChange::End(run) => of("E", run),
        RunChange::Patch(run) => of("P", run),
        other => format!("{other:?}"),
    }
}

fn names(entries: &[Entry]) -> String {
    entries.iter().map(|entry| name(&entry.change)).collect::<Vec<_>>().join(" ")
}

/// Everything there is, done with.
fn drain(source: &mut dyn Source) -> Vec<Entry> {
    let mut all = Vec::new();
    loop {
        let entries = source.next(7, 1 << 20).unwrap();
        let Some(last) = entries.last() else { return all };
        // On a disk that cannot be written it is not written down.
        let _ = source.done(last.mark);
        all.extend(entries);
    }
}

/// What a program that is started now would send to one backend, and write down as sent.
fn sent(disk: &MemoryDisk, identity: &Identity, wants: Wants) -> String {
    let disk = disk.of_another();
    let spool = spool(&disk, &settings());
    names(&drain(&mut *spool.source(identity, wants).unwrap()))
}

/// The only segment of a spool.
fn segment(disk: &MemoryDisk) -> std::path::PathBuf {
    disk.paths("/seg-").pop().unwrap()
}

fn sibling(path: &Path, name: &str) -> std::path::PathBuf {
    path.with_file_name(name)
}

/// Makes the fixture of a version; run once for each.
#[test]
#[ignore = "writes a file of the repository"]
fn write_the_fixture() {
    let disk = MemoryDisk::default();
    let redactions = vec![vec![], vec![crate::redact::Written { emails: true, ..Default::default() }]];
    let spool = spool(&disk, &Settings { redactions, ..settings() });
    // The end of version 1 is for both backends; what is of version 2 is not for the second.
    let changes = [start(1), progress(1), end(1), patch(1), RunChange::Report(crate::model::Report::default())];
    spool.append_but(&changes, |at| if at == 2 { 0 } else { 2 });
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/spool-v{}", super::record::VERSION));
    std::fs::create_dir_all(&folder).unwrap();
    for part in ["/seg-", "/meta"] {
        let path = disk.paths(part).pop().unwrap();
        std::fs::write(folder.join(path.file_name().unwrap()), disk.get(&path).unwrap()).unwrap();
    }
}
