use traceable::traceable;

#[traceable]
#[track_caller]
fn value() -> u8 {
    1
}

#[traceable]
#[track_caller]
fn future() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {}
