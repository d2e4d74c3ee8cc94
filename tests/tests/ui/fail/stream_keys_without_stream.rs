use traceable::traceable;

#[traceable(reduce_fn = join)]
fn reduced() -> Vec<u8> {
    Vec::new()
}

#[traceable(process_chunk = join)]
async fn processed() -> Result<u8, ()> {
    Ok(1)
}

#[traceable(raw_chunks)]
fn kept() -> impl Iterator<Item = u8> {
    0..1
}

#[traceable(stream)]
fn told() -> Vec<u8> {
    Vec::new()
}

fn main() {}
