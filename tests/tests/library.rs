//! What a library may call compiles without the feature `enable` too. That it does so with it is what building the tests
//! says.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::Command;

#[test]
fn a_library_compiles_without_tracing_and_without_a_warning() {
    // In a folder of its own: another cargo may hold the lock of the one that all share.
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/library");
    let mut check = Command::new(env!("CARGO"));
    check.args(["check", "--quiet", "-p", "traceable-tests-library", "--offline", "--target-dir", target]);
    let output = check.env("RUSTFLAGS", "-D warnings").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
