use traceable::traceable;

#[traceable]
const fn f() -> u8 {
    1
}

const ONE: u8 = f();

fn main() {}
