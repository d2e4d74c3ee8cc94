//! What of a trace is handed on: without secrets, and as much as is asked for.

use std::fs;

use crate::support::{Page, example};

#[test]
fn redaction() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    let page = Page::of(example("redaction").env("TRACEABLE_EXPORT", format!("jsonl:{}", file.display())));
    let recorded = fs::read_to_string(file).unwrap();

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(
        page.tree(),
        [
            "✓ handle agent",
            "├─ ✓ sign_in tool",
            "├─ ✗ look_up tool",
            "├─ ✓ explain llm",
            "├─ ✓ file tool",
            "└─ ✓ advise llm",
        ],
        "{}",
        page.err
    );
    let planted = [
        "oolong-7-sencha-3",
        "471108",
        "b3BlbiBzZXNhbWU5MQ",
        "IOSFODNN7",
        "ann.lee",
        "204817",
        "a cold that would not go",
        "linden tea",
    ];
    for left in [&page.out, &page.err, &recorded] {
        for secret in planted {
            assert!(!left.contains(secret), "{secret} is in\n{left}");
        }
    }
    // What is no secret is there, and of each secret that there was one.
    assert!(
        page.run("sign_in").contains(r#"{"api_key":"[redacted]","pin":"[redacted]","user":"desk"}"#),
        "{}",
        page.err
    );
    assert!(page.run("sign_in").ends_with("postgres://desk:[redacted: password]@localhost/cases\""), "{}", page.err);
    assert!(page.err.contains("answered 401, to `Authorization: Bearer [redacted: bearer]`\n"), "{}", page.err);
    assert!(page.run("explain").ends_with("to [redacted: aws-key-id], and try again.\""), "{}", page.err);
    assert!(page.run("file").ends_with(r#"{"case":"[redacted]","illness":"[redacted]"} → 24"#), "{}", page.err);
    assert!(page.run("advise").ends_with("31→9 tok"), "{}", page.err);
    assert!(page.run("handle").contains("\"Ann Lee <[redacted: email]> asks about [redacted].\""), "{}", page.err);
}

#[test]
fn sampling() {
    let page = Page::of(&mut example("sampling"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(page.tree(), ["✗ order agent", "├─ ✓ find tool", "└─ ✗ weigh tool"], "{}", page.err);
    assert!(page.err.contains("     the scales are empty\n"), "{}", page.err);
}
