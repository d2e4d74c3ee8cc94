//! A traced future keeps each argument once, as it did before.

use traceable::traceable;

async fn plain(bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    bytes.len()
}

#[traceable]
async fn traced(bytes: [u8; 1024]) -> usize {
    std::future::ready(()).await;
    bytes.len()
}

#[test]
fn arguments_are_not_kept_twice() {
    let (plain, traced) = (size_of_val(&plain([0; 1024])), size_of_val(&traced([0; 1024])));
    assert!(traced <= plain + 64, "{traced} bytes, without the attribute {plain}");
}
