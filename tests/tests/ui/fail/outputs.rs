use traceable::traceable;

#[traceable(outputs = none)]
fn other() {}

#[traceable(outputs = off, process_outputs = f)]
fn excluded() -> u8 {
    1
}

#[traceable(process_outputs = f)]
fn never() -> ! {
    loop {}
}

fn main() {}
