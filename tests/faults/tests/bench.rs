//! The bench itself: that it finds losses where there are some, and the short form of all of its rows.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

fn faults(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faults")).arg("--short").args(args).output().unwrap()
}

/// A bench that never finds a loss proves nothing: a pipeline without a spool must be caught.
#[test]
fn a_pipeline_that_keeps_nothing_is_caught() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("direct-{}.json", std::process::id()));
    let only = ["--only", "1,19i,21,K1", "--jobs", "4", "--patience", "1"];
    let output = faults(&[&only[..], &["--pipeline", "direct", "--json", file.to_str().unwrap()]].concat());
    let printed = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let _ = std::fs::remove_file(&file);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    let lost = |name: &str| rows.iter().find(|row| row["row"] == name).unwrap()["lost"].as_u64().unwrap();
    assert_eq!(lost("1"), 0, "{printed}");
    assert!(lost("19i") > 0 && lost("21") > 0, "{printed}");
    assert_eq!(lost("K1"), 1_000, "{printed}");
    assert!(printed.contains("row K1 (one program, two keys and two backends, one home) does not hold"), "{printed}");
    assert!(printed.contains("1 of 4 rows hold"), "{printed}");
}

/// The rows that a debug build on a busy machine is quick enough for; `scripts/check-faults` has all of them.
#[test]
fn nothing_is_lost() {
    let output = faults(&["--only", "1,2,12,19i,20,21i,K1,K2", "--jobs", "2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
