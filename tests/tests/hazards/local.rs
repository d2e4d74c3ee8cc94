//! Futures that stay on their thread, and arguments that are nothing but a type.

use std::{cell::Cell, rc::Rc};

use traceable::traceable;

use crate::support::{lines, lines_of};

struct Bare;

#[traceable]
async fn shared(count: Rc<Cell<u8>>) -> u8 {
    std::future::ready(()).await;
    count.set(count.get() + 1);
    count.get()
}

#[traceable]
fn shared_now(count: &Rc<Cell<u8>>, bare: Bare) -> Bare {
    count.set(1);
    bare
}

#[test]
fn need_nothing() {
    assert_eq!(lines_of(|| shared(Rc::default())).last().unwrap(), "out 1");
    let seen = lines(|| shared_now(&Rc::default(), Bare));
    assert!(seen[2].starts_with("in bare=") && seen[2].contains("Bare"), "{seen:?}");
}
