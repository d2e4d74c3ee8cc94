//! See the target, which tests replay the corpus through.
#![no_main]

#[path = "../../traceable-core/tests/targets/spool.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::ack(data));
