//! See the target, which tests replay the corpus through.
#![no_main]

#[path = "../../traceable-store/tests/targets/query.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::langsmith(data));
