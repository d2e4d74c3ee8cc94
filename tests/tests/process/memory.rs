//! Memory is bounded, whatever the backend does and however long a root stays open.

use crate::ends::{file, program};

/// The numbers that follow names in a line such as `grown 12 dropped 3`.
fn number(text: &str, name: &str) -> u64 {
    let mut words = text.split_whitespace().skip_while(|word| *word != name);
    words.nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_dead_backend_costs_bounded_memory_and_counted_drops() {
    let output = program("slow", &file("slow"), &["1000000"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    // The bound is 16 MiB, and 16 MiB are allowed for what is around it.
    assert!(number(&text, "grown") <= 32 << 10, "{text}");
    assert!(number(&text, "dropped") > 100_000, "{text}");
}

#[test]
fn handles_cost_bounded_memory_while_the_backend_is_dead() {
    let output = program("handles", &file("handles"), &["4000000"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(number(&text, "grown") <= 16 << 10, "{text}");
}

#[test]
fn requests_of_other_processes_leave_nothing_behind() {
    let output = program("served", &file("served"), &["35000"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    // What is remembered of so many of them is all that ever is.
    assert!(number(&text, "grown") <= 8 << 10, "{text}");
}

#[test]
fn an_endless_root_keeps_nothing() {
    let file = file("endless");
    let output = program("endless", &file, &["100000"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(number(&text, "grown") <= 32 << 10, "{text}");
    assert!(text.contains("dropped {}"), "{text}");
    let lines = std::fs::read_to_string(&file).unwrap().lines().count();
    let _ = std::fs::remove_file(&file);
    assert_eq!(lines, 100_000 + 1_000 + 2);
}
