//! A question, in the language that people write and in LangSmith's.
#![allow(clippy::unwrap_used, dead_code, reason = "a target fails by panicking, and each fuzzer runs one of them")]

use traceable_store::{Query, QueryError};

/// 2026-06-01, from which relative times count.
const NOW: i64 = 1_780_272_000_000_000_000;

/// What people write.
pub(crate) fn people(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    judge(text, Query::parse(text, NOW));
}

/// What LangSmith's SDKs send.
pub(crate) fn langsmith(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    judge(text, Query::parse_langsmith(text));
}

/// What is read is printed as text that says the same; what is wrong is somewhere in the text, and is shown as one line.
fn judge(text: &str, read: Result<Query, QueryError>) {
    match read {
        Ok(query) => {
            let printed = query.to_string();
            match Query::parse(&printed, NOW) {
                // A filter may be larger than what people write.
                Err(error) if error.to_string().contains("too ") => {}
                again => assert_eq!(again, Ok(query), "{printed}"),
            }
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at()), "{error}");
            let said = error.to_string();
            assert!(said.len() < 1024 && !said.contains('\n'), "{said}");
        }
    }
}
