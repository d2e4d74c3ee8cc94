//! What fuzzing begins with, and what it has found, goes through its targets in every test run.
#![allow(missing_docs, clippy::unwrap_used)]

mod targets;

use std::{fs, path::Path};

/// A fuzz target.
type Target = fn(&[u8]);

const TARGETS: &[(&str, Target)] = &[
    ("body", targets::body::run),
    ("langsmith_batch", targets::langsmith::batch),
    ("langsmith_multipart", targets::langsmith::multipart),
    #[cfg(feature = "otlp-decode")]
    ("otlp", targets::otlp::run),
];

#[test]
fn the_corpus_does_no_harm() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 6, "{name}");
        for file in files {
            target(&fs::read(file).unwrap());
        }
    }
}
