//! Every mistake has its own sentence, at its own place, with what to do about it.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
