//! Bodies are made smaller and large again, never larger than allowed.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::ErrorKind;

use traceable_wire::encoding::Encoding;

#[test]
fn a_body_comes_back_within_its_bound() {
    for name in ["identity", "gzip", "zstd"] {
        let Some(encoding) = Encoding::from_name(name) else { continue };
        assert_eq!(encoding.name(), name);
        let body = vec![b'a'; 1 << 20];
        let small = encoding.compress(body.clone()).unwrap();
        assert!(encoding == Encoding::Identity || small.len() < 10_000);
        assert_eq!(encoding.decompress(&small, body.len()).unwrap(), body);
        let error = encoding.decompress(&small, body.len() - 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{name}");
        if encoding != Encoding::Identity {
            assert!(encoding.decompress(&small[..small.len() - 5], body.len()).is_err(), "{name}: cut off");
            assert!(encoding.decompress(b"neither", 100).is_err());
        }
    }
}
