//! Names, types, tags and metadata, from constants and from arguments.

use traceable::traceable;

use crate::support::{lines, lines_of};

const KIND: &str = "planner";

mod traceable_like {
    pub struct RunType;
}

#[traceable(run_type = "llm", name = "fixed", tags = ["a", "b"], metadata(one = 1, two.three = "x", "four five" = [6]))]
fn constant() {}

#[traceable(run_type = KIND, name = format!("to {model}"), tags = [model, format!("n{n}")], metadata(ls_model_name = model, next = n + 1))]
async fn computed(model: String, n: u8) -> String {
    model
}

#[traceable(run_type = traceable_like::RunType::Retriever)]
fn by_variant() -> Option<traceable_like::RunType> {
    None
}

#[traceable(name = model)]
fn by_argument(model: &str) -> usize {
    model.len()
}

#[traceable(skip(key))]
fn skipped(key: &str, n: u8) -> usize {
    key.len() + usize::from(n)
}

#[traceable(inputs(n, length = key.len()))]
fn chosen(key: String, n: u8) -> String {
    key + &n.to_string()
}

#[traceable(outputs = off)]
fn secret(n: u8) -> Result<u8, String> {
    if n == 0 { Err("zero".into()) } else { Ok(n) }
}

#[test]
fn constants() {
    let seen = lines(constant);
    assert_eq!(
        seen,
        ["llm fixed", "tag a", "tag b", "meta four five=[6]", "meta one=1", r#"meta two.three="x""#, "out null"]
    );
    assert_eq!(lines(by_variant)[0], "retriever by_variant");
}

#[test]
fn arguments_are_in_scope() {
    let seen = lines_of(|| computed("gpt".into(), 1));
    assert_eq!(seen[..4], ["planner to gpt", "tag gpt", "tag n1", r#"in model="gpt""#]);
    assert_eq!(seen[4..], ["in n=1", r#"meta ls_model_name="gpt""#, "meta next=2", r#"out "gpt""#]);
    assert_eq!(lines(|| by_argument("gpt"))[0], "chain gpt");
}

#[test]
fn inputs_and_outputs_can_be_left_out() {
    assert_eq!(lines(|| skipped("k", 1)), ["chain skipped", "in n=1", "out 2"]);
    assert_eq!(lines(|| chosen("k".into(), 1)), ["chain chosen", "in n=1", "in length=1", r#"out "k1""#]);
    assert_eq!(lines(|| secret(1)), ["chain secret", "in n=1"]);
    assert_eq!(lines(|| secret(0)), ["chain secret", "in n=0", "err zero"]);
}

#[traceable(enabled = on)]
fn switched(on: bool) -> bool {
    on
}

#[traceable(client = client, project_name = "elsewhere", inputs())]
async fn sent(client: traceable::Client) {}

#[traceable(parent = parent.clone(), inputs())]
fn child(parent: traceable::Context) {}

#[traceable]
fn parent() -> traceable::Context {
    traceable::current().context()
}

#[test]
fn runs_can_be_switched_off() {
    assert!(lines(|| switched(false)).is_empty());
    assert_eq!(lines(|| switched(true)), ["chain switched", "in on=true", "out true"]);
}

#[test]
fn runs_go_where_they_are_sent() {
    let recorder = traceable::testing::Recorder::new();
    crate::support::ready(sent(recorder.client()));
    assert_eq!(recorder.run("sent").project.as_deref(), Some("elsewhere"));
}

#[test]
fn parents_can_be_given() {
    let recorder = traceable::testing::Recorder::new();
    let context = recorder.scope(parent);
    child(context);
    assert_eq!(recorder.run("child").parent_id, Some(recorder.run("parent").id));
}
