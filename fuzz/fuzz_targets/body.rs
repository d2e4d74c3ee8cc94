//! See the target, which tests replay the corpus through.
#![no_main]

#[path = "../../traceable-wire/tests/targets/body.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
