//! What a process lets out, as its environment or its builder says.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::ends::{file, program, runs};

/// What a program wrote that records what must not be seen.
struct Written {
    text: String,
    answers: Value,
    fails: Value,
}

impl Written {
    fn has(&self, part: &str) -> bool {
        self.text.contains(part)
    }
}

fn read(file: &PathBuf) -> Written {
    let text = std::fs::read_to_string(file).unwrap();
    let runs = runs(file);
    let named = |name: &str| runs.iter().find(|run| run["name"] == name).unwrap().clone();
    let (answers, fails) = (named("answers"), named("fails"));
    // What is no content stays, however little is let out.
    assert_eq!(answers["extra"]["metadata"]["usage_metadata"]["total_tokens"], 7, "{text}");
    assert_eq!(answers["extra"]["metadata"]["ls_model_name"], "gpt-4o-mini", "{text}");
    assert_eq!((&answers["status"], &fails["status"]), (&json!("success"), &json!("error")));
    assert_eq!(fails["parent_run_id"], answers["id"]);
    assert!(fails["error"].as_str().unwrap().starts_with("no answer to 46 letters"), "{text}");
    Written { text, answers, fails }
}

/// The program in which nobody calls `init`, under these variables.
fn under(env: &[(&str, &str)]) -> Written {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let file = file(&format!("content-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let export = format!("jsonl:{}", file.display());
    let mut all = vec![("TRACEABLE", "on"), ("TRACEABLE_EXPORT", export.as_str())];
    all.extend_from_slice(env);
    let output = program("secrets", &file, &[], &all);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    read(&file)
}

#[track_caller]
fn is_redacted(written: &Written) {
    assert!(written.has("tulip") && written.has("password=[redacted]") && !written.has("hunter2"), "{}", written.text);
}

#[track_caller]
fn is_withheld(written: &Written) {
    assert!(written.answers["inputs"].is_null() && written.answers["outputs"].is_null(), "{}", written.text);
    assert!(written.fails["inputs"].is_null(), "{}", written.text);
    assert!(!written.has("hunter2"), "{}", written.text);
    // Metadata is no content.
    assert_eq!(written.text.matches("tulip").count(), written.text.matches("\"told\":\"the tulip").count());
    assert_eq!(written.fails["error"], "no answer to 46 letters, password=[redacted]");
}

#[test]
fn the_environment_says_how_much_is_let_out() {
    is_redacted(&under(&[]));
    is_redacted(&under(&[("TRACEABLE_CAPTURE_CONTENT", "Redacted")]));
    let full = under(&[("TRACEABLE_CAPTURE_CONTENT", "full")]);
    assert_eq!(full.fails["error"], "no answer to 46 letters, password=hunter2");
    assert!(full.answers["inputs"]["secret"].as_str().unwrap().ends_with("hunter2"));
    assert!(!full.has("[redacted"));
    is_withheld(&under(&[("TRACEABLE_CAPTURE_CONTENT", "none")]));
}

#[test]
fn the_switch_of_opentelemetry_is_heard_too() {
    const SWITCH: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
    is_withheld(&under(&[(SWITCH, "false")]));
    is_withheld(&under(&[(SWITCH, "NO_CONTENT")]));
    // It asks for content, not for its secrets; and our own switch is heard first.
    is_redacted(&under(&[(SWITCH, "true")]));
    is_redacted(&under(&[(SWITCH, "SPAN_AND_EVENT")]));
    is_redacted(&under(&[(SWITCH, "false"), ("TRACEABLE_CAPTURE_CONTENT", "redacted")]));
}

#[test]
fn parts_are_hidden_as_in_langsmith() {
    let parts = |written: &Written| {
        let Written { answers, fails, .. } = written;
        assert!(!written.has("hunter2"));
        let told = &answers["extra"]["metadata"]["told"];
        [&answers["inputs"], &answers["outputs"], told, &fails["inputs"]].map(Value::is_null)
    };
    assert_eq!(parts(&under(&[])), [false, false, false, false]);
    assert_eq!(parts(&under(&[("LANGSMITH_HIDE_INPUTS", "true")])), [true, false, false, true]);
    assert_eq!(parts(&under(&[("LANGSMITH_HIDE_OUTPUTS", "true")])), [false, true, false, false]);
    assert_eq!(parts(&under(&[("LANGSMITH_HIDE_METADATA", "true")])), [false, false, true, false]);
    assert_eq!(parts(&under(&[("LANGSMITH_HIDE_INPUTS", "false")])), [false, false, false, false]);
}

#[test]
fn a_switch_that_cannot_be_read_keeps_tracing_off() {
    for (name, value, form) in [
        ("TRACEABLE_CAPTURE_CONTENT", "some", "`full`, `redacted` or `none`"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "some", "`true` or `false`"),
        ("LANGSMITH_HIDE_INPUTS", "perhaps", "`true` or `false`"),
        ("LANGSMITH_HIDE_OUTPUTS", "perhaps", "`true` or `false`"),
        ("LANGSMITH_HIDE_METADATA", "perhaps", "`true` or `false`"),
    ] {
        let file = file(&format!("content-wrong-{name}"));
        let export = format!("jsonl:{}", file.display());
        let env = [("TRACEABLE", "on"), ("TRACEABLE_EXPORT", export.as_str()), (name, value)];
        let output = program("secrets", &file, &[], &env);
        assert!(output.status.success() && !file.exists(), "{name}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            format!(
                "traceable: tracing stays off: the environment variable {name} is \"{value}\", but it must be {form}\n"
            )
        );
    }
}

#[test]
fn a_builder_says_how_much_is_let_out() {
    let built = |way: &str, env: &[(&str, &str)]| {
        let file = file(&format!("content-{way}-{}", env.len()));
        let output = program(way, &file, &[], env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read(&file)
    };
    assert!(built("secrets-full", &[]).has("password=hunter2"));
    is_withheld(&built("secrets-none", &[]));
    let own = built("secrets-own", &[]);
    assert!(own.has("the [redacted] of [redacted: email], password=[redacted]"), "{}", own.text);
    assert!(!own.has("tulip") && !own.has("hunter2") && !own.has("ann@example.com"), "{}", own.text);
    // What the program says holds, not what its environment says.
    is_withheld(&built("secrets-none", &[("TRACEABLE_CAPTURE_CONTENT", "full")]));
}

#[test]
fn nothing_of_the_environment_is_written() {
    let marked = [
        ("LANGSMITH_API_KEY", "marker-langsmith"),
        ("LITERAL_API_KEY", "marker-literal"),
        ("OPENAI_API_KEY", "marker-openai"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=marker-otlp"),
        ("SOME_VARIABLE", "marker-some"),
        ("USER", "marker-user"),
        ("HOME", "/marker-home"),
        ("HOSTNAME", "marker-host"),
    ];
    for content in ["full", "redacted"] {
        let file = file(&format!("environment-{content}"));
        let export = format!("jsonl:{}", file.display());
        let mut env = vec![("TRACEABLE", "on"), ("TRACEABLE_EXPORT", &export), ("TRACEABLE_CAPTURE_CONTENT", content)];
        env.extend(marked);
        let output = program("secrets", &file, &[], &env);
        let mut bytes = std::fs::read(&file).unwrap();
        assert_eq!(read(&file).answers["name"], "answers");
        bytes.extend(output.stdout.into_iter().chain(output.stderr));
        assert!(!String::from_utf8_lossy(&bytes).contains("marker"), "{content}");
    }
}
