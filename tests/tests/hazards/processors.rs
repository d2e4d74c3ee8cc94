//! Functions of the user's between a value and its record.

use traceable::traceable;

use crate::support::{lines, lines_of};

#[derive(Clone)]
struct Reply {
    text: String,
}

fn text(reply: &Reply) -> &str {
    &reply.text
}

fn length(text: &str) -> usize {
    text.len()
}

fn broken(_: &Reply) -> u8 {
    panic!("expected")
}

#[traceable(process_outputs = text)]
fn by_path() -> Reply {
    Reply { text: "t".into() }
}

#[traceable(process_outputs = |reply| &reply.text)]
async fn by_closure() -> Result<Reply, String> {
    Ok(Reply { text: "t".into() })
}

#[traceable(process_outputs = length)]
fn by_coercion() -> String {
    "abc".into()
}

#[traceable(process_outputs = broken)]
fn by_accident() -> Reply {
    Reply { text: "secret".into() }
}

#[traceable(process_outputs = <[u8]>::len)]
fn by_qualified_path() -> Vec<u8> {
    vec![1, 2]
}

fn without_key(mut inputs: serde_json::Map<String, serde_json::Value>) -> serde_json::Map<String, serde_json::Value> {
    inputs.remove("key");
    inputs.insert("seen".into(), true.into());
    inputs
}

#[traceable(process_inputs = without_key)]
fn filtered(key: &str, n: u8) -> usize {
    key.len() + usize::from(n)
}

#[traceable(process_inputs = |_| -> serde_json::Map<String, serde_json::Value> { panic!("expected") })]
fn filtered_by_accident(key: &str) -> usize {
    key.len()
}

#[traceable(usage = |text| (!text.is_empty()).then(|| traceable::Usage::new(1, text.len() as u64)))]
fn counted() -> String {
    "abc".into()
}

#[traceable(usage = |_| -> traceable::Usage { panic!("expected") })]
async fn counted_by_accident() -> u8 {
    1
}

#[test]
fn inputs_are_processed() {
    assert_eq!(lines(|| filtered("k", 1)), ["chain filtered", "in n=1", "in seen=true", "out 2"]);
    let seen = lines(|| filtered_by_accident("secret"));
    assert!(seen.last().unwrap() == "out 6" && !seen.iter().any(|line| line.contains("secret")), "{seen:?}");
}

#[test]
fn usage_is_read_from_the_output() {
    let recorder = traceable::testing::Recorder::new();
    recorder.scope(counted);
    assert_eq!(recorder.run("counted").usage, Some(traceable::Usage::new(1, 3)));
    assert_eq!(lines_of(counted_by_accident), ["chain counted_by_accident", "out 1"]);
}

#[test]
fn outputs_are_processed() {
    assert_eq!(lines(by_path), ["chain by_path", r#"out "t""#]);
    assert_eq!(lines_of(by_closure), ["chain by_closure", r#"out "t""#]);
    assert_eq!(lines(by_coercion), ["chain by_coercion", "out 3"]);
    assert_eq!(lines(by_qualified_path), ["chain by_qualified_path", "out 2"]);
}

#[test]
fn a_panic_keeps_the_secret() {
    let seen = lines(by_accident);
    assert!(!seen.iter().any(|line| line.contains("secret")), "{seen:?}");
}
