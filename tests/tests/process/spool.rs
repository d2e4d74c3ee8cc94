//! What is recorded stays on this machine, for whoever looks here.

use std::{collections::HashSet, path::Path};

use traceable::{
    RunId, Status,
    model::RunChange,
    spool::{Position, Reader},
};

use super::ends::{file, program};

/// The runs that ended, as they lie in the spools of a data home.
fn kept(home: &Path) -> HashSet<RunId> {
    let mut kept = HashSet::new();
    for spool in std::fs::read_dir(home.join("spool")).unwrap() {
        let mut reader = Reader::new(spool.unwrap().path(), Position::default());
        while let Some(record) = reader.next().unwrap() {
            if let RunChange::End(run) = record.change().unwrap() {
                assert_eq!(run.status, Status::Ok);
                assert!(kept.insert(run.id), "{} lies here twice", run.id);
            }
        }
    }
    kept
}

#[test]
fn with_nothing_named_runs_lie_on_this_machine() {
    let home = file("home");
    let folder = home.to_str().unwrap();
    let output = program("env", &home, &[], &[("TRACEABLE", "on"), ("TRACEABLE_HOME", folder)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(kept(&home).len(), 1_000);
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn what_lies_in_the_spool_is_not_said_to_be_lost() {
    let home = file("stuck");
    let output = program("stuck", &home, &["10"], &[("TRACEABLE_HOME", home.to_str().unwrap())]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && kept(&home).len() == 10, "{said}");
    let spool = std::fs::read_dir(home.join("spool")).unwrap().next().unwrap().unwrap().path();
    let mut reader = Reader::new(spool, Position::default());
    let mut changes = 0;
    while reader.next().unwrap().is_some() {
        changes += 1;
    }
    assert!(said.contains(&format!("{changes} changes were not delivered")), "{changes}: {said}");
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn a_place_that_cannot_be_written_keeps_nobody_from_working() {
    let home = file("no-home");
    std::fs::write(&home, "a file, not a folder").unwrap();
    let folder = home.to_str().unwrap();
    let env = [("TRACEABLE", "on"), ("TRACEABLE_EXPORT", "local"), ("TRACEABLE_HOME", folder)];
    let output = program("env", &home, &[], &env);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the spool cannot be written"), "{said}");
    std::fs::remove_file(&home).unwrap();
}
