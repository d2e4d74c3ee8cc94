use traceable::traceable;

struct S;

#[traceable]
impl S {
    fn f(&self) {}
}

#[traceable]
struct T;

trait Agent {
    #[traceable]
    fn answer(&self) -> u8;
}

fn main() {
    S.f();
}
