//! What a caller finds when the queue is full, and what the library says of itself.

use crate::ends::{file, program};

#[test]
fn a_caller_that_blocks_loses_nothing() {
    let file = file("block");
    let output = program(
        "return",
        &file,
        &["60000"],
        &[
            ("TRACEABLE_MAX_BYTES", "2000000"),
            ("TRACEABLE_OVERFLOW", "block:600000"),
            ("TRACEABLE_EXIT_FLUSH", "600000"),
        ],
    );
    assert!(output.status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 60_000);
    let _ = std::fs::remove_file(&file);
}

#[test]
fn a_caller_that_does_not_block_drops_whole_runs_and_says_so() {
    let file = file("drop");
    let output =
        program("return", &file, &["60000"], &[("TRACEABLE_MAX_BYTES", "2000000"), ("TRACEABLE_EXIT_FLUSH", "600000")]);
    assert!(output.status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    let _ = std::fs::remove_file(&file);
    let kept = text.lines().count();
    assert!(kept < 60_000, "{kept}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("traceable: not recorded: {{\"queue_full\": {}}}\n", 60_000 - kept));
    // Every run that is there is whole.
    for line in text.lines() {
        let run: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(run["end_time"].is_string() && run["inputs"]["n"].is_u64() && run["outputs"]["output"].is_u64());
    }
}

#[test]
fn files_of_runs_that_find_no_room_are_let_go() {
    let output = program("crowded", &file("crowded"), &[], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "held 0\n", "{said}");
}

#[test]
fn a_root_by_accident_is_hinted_at_once() {
    let output = program("stray", &file("stray"), &[], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("hint: `work`").count(), usize::from(cfg!(debug_assertions)), "{said}");
}
