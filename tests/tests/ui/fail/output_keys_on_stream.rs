use futures::{Stream, stream};
use traceable::traceable;

#[traceable(process_outputs = f, usage = g)]
fn items() -> impl Stream<Item = u8> {
    stream::iter([1])
}

fn main() {}
