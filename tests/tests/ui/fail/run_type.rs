use traceable::traceable;

#[traceable(run_type = "lmm")]
fn typo() {}

#[traceable(run_type = "LLM")]
fn case() {}

#[traceable(run_type = "")]
fn empty() {}

#[traceable(run_type = 7)]
fn number() {}

#[traceable(run_type = "planner")]
fn own() {}

fn main() {
    own();
}
