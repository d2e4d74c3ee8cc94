use traceable::traceable;

#[traceable(crate = traceable)]
fn relative() {}

#[traceable(crate = self::traceable)]
fn to_self() {}

#[traceable(crate = super::observability)]
fn to_parent() {}

fn main() {}
