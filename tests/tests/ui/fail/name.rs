use traceable::traceable;

#[traceable(name = "")]
fn empty() {}

#[traceable(project_name = " ")]
fn blank() {}

#[traceable("name")]
fn without_key() {}

fn main() {}
