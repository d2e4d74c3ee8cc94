//! A compressed body: its first byte says how, the rest is the body.

use std::io::ErrorKind;

use traceable_wire::encoding::Encoding;

/// What bodies may become here. Small, so that a fuzzer finds what is longer.
const MAX: usize = 64 << 10;

/// What is made of it is bounded, and comes back when it is compressed again.
pub(crate) fn run(data: &[u8]) {
    let Some((how, body)) = data.split_first() else { return };
    let name = ["identity", "gzip", "zstd"][usize::from(*how) % 3];
    let Some(encoding) = Encoding::from_name(name) else { return };
    match encoding.decompress(body, MAX) {
        Ok(plain) => {
            assert!(plain.len() <= MAX);
            if let Some(less) = plain.len().checked_sub(1) {
                let error = encoding.decompress(body, less).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{error}");
            }
            let again = encoding.compress(plain.clone()).unwrap();
            assert_eq!(encoding.decompress(&again, MAX).unwrap(), plain);
        }
        Err(error) => assert!(encoding != Encoding::Identity || error.kind() == ErrorKind::FileTooLarge),
    }
}
