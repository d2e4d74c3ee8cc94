//! The crates may depend on each other, and on others, only as `DESIGN.md` says.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// A crate and all that it may use. A new edge is a decision: make it here and in `DESIGN.md`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("traceable-macros", &["proc-macro2", "quote", "syn"]),
    (
        "traceable-core",
        &[
            "aho-corasick",
            "base64",
            "crc32c",
            "futures-core",
            "getrandom",
            "libc",
            "loom",
            "once_cell",
            "pin-project-lite",
            "regex",
            "serde",
            "serde_json",
            "similar",
            "xxhash-rust",
        ],
    ),
    ("traceable-wire", &["traceable-core", "flate2", "opentelemetry-proto", "prost", "serde", "serde_json", "zstd"]),
    (
        "traceable-integrations",
        &[
            "traceable-core",
            "async-trait",
            "bytes",
            "http",
            "http-body",
            "opentelemetry",
            "pin-project-lite",
            "reqwest",
            "reqwest-middleware",
            "tower-layer",
            "tower-service",
            "tracing-core",
            "tracing-subscriber",
        ],
    ),
    (
        "traceable-exporters",
        &[
            "traceable-core",
            "traceable-wire",
            "anstyle",
            "getrandom",
            "httpdate",
            "opentelemetry",
            "percent-encoding",
            "reqwest",
            "rustls",
            "rustls-platform-verifier",
            "serde",
            "serde_json",
            "terminal_size",
            "tokio",
            "unicode-width",
        ],
    ),
    ("traceable-store", &["traceable-core", "base64", "rusqlite", "serde", "serde_json", "sha2", "zstd"]),
    (
        "traceable-server",
        &[
            "traceable-core",
            "traceable-exporters",
            "traceable-store",
            "traceable-wire",
            "anstyle",
            "axum",
            "base64",
            "clap",
            "clap_complete",
            "csv",
            "futures-util",
            "http-body-util",
            "hyper",
            "hyper-util",
            "indicatif",
            "maud",
            "percent-encoding",
            "pulldown-cmark",
            "serde",
            "serde_json",
            "similar",
            "terminal_size",
            "tokio",
            "tower-http",
            "unicode-width",
            "xxhash-rust",
        ],
    ),
    (
        "traceable",
        &[
            "traceable-core",
            "traceable-exporters",
            "traceable-integrations",
            "traceable-macros",
            "futures-core",
            "pin-project-lite",
        ],
    ),
];

/// Crates that the default features must never bring, however deep.
const NEVER_BY_DEFAULT: &[&str] = &["tokio", "reqwest", "hyper", "rustls", "ring", "cc", "cmake", "openssl-sys"];

fn cargo(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let output = command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn crates_use_only_what_the_design_allows() {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages.iter().filter(|package| package["publish"].is_null()) {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) =
            MAY_USE.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let used: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .collect();
        let wrong: Vec<_> = used.iter().filter(|used| !allowed.contains(used)).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

#[test]
fn the_default_features_bring_no_runtime_no_tls_and_no_c() {
    let tree = cargo(&["tree", "-p", "traceable", "-e", "normal,build", "--prefix", "none", "--offline"]);
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(!NEVER_BY_DEFAULT.contains(&name), "the default features bring {name}");
    }
    assert!(tree.contains("traceable-core"));
}

#[test]
fn without_features_there_is_no_serde() {
    let tree =
        cargo(&["tree", "-p", "traceable", "--no-default-features", "-e", "normal", "--prefix", "none", "--offline"]);
    let names: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect();
    let expected = [
        "futures-core",
        "pin-project-lite",
        "proc-macro2",
        "quote",
        "syn",
        "traceable",
        "traceable-macros",
        "unicode-ident",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
}
