//! `Content-Encoding`: bodies made smaller, and made large again within a bound.

use std::io::{self, Read};

#[cfg(feature = "zstd")]
thread_local! {
    // A new one for each body of 100 runs took a sixth of the rate.
    static ZSTD: std::cell::RefCell<Option<zstd::bulk::Compressor<'static>>> = const { std::cell::RefCell::new(None) };
}

/// How a body is encoded, by its name in `Content-Encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// As it is.
    #[default]
    Identity,
    /// gzip.
    #[cfg(feature = "gzip")]
    Gzip,
    /// Zstandard.
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    /// The encoding of this name, such as `gzip`; `None` when it is not known or its feature is off.
    ///
    /// ```
    /// use traceable_wire::encoding::Encoding;
    ///
    /// assert_eq!(Encoding::from_name("identity"), Some(Encoding::Identity));
    /// assert_eq!(Encoding::from_name("br"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match () {
            () if name.is_empty() || is("identity") => Some(Self::Identity),
            #[cfg(feature = "gzip")]
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            #[cfg(feature = "zstd")]
            () if is("zstd") => Some(Self::Zstd),
            () => None,
        }
    }

    /// The name as it stands in `Content-Encoding`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// Encodes a body, fast rather than small.
    ///
    /// # Errors
    ///
    /// When the encoder fails, as for want of memory.
    pub fn compress(self, body: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(body),
            #[cfg(feature = "gzip")]
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                io::Write::write_all(&mut encoder, &body)?;
                encoder.finish()
            }
            #[cfg(feature = "zstd")]
            Self::Zstd => ZSTD.with_borrow_mut(|compressor| match compressor {
                Some(compressor) => compressor.compress(&body),
                none => none.insert(zstd::bulk::Compressor::new(1)?).compress(&body),
            }),
        }
    }

    /// Decodes a body of at most `max_bytes` when decoded. No more than that is ever made of it, whatever it claims.
    ///
    /// # Errors
    ///
    /// `FileTooLarge` when it is longer; any other kind when it is broken or stops too early.
    pub fn decompress(self, body: &[u8], max_bytes: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => bounded(body, max_bytes),
            #[cfg(feature = "gzip")]
            Self::Gzip => bounded(flate2::read::MultiGzDecoder::new(body), max_bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                let mut decoder = zstd::stream::Decoder::with_buffer(body)?;
                // A frame may ask for a window of this many bits at most, which is what decoders must have: 8 MiB.
                decoder.window_log_max(23)?;
                bounded(decoder, max_bytes)
            }
        }
    }
}

fn bounded(body: impl Read, max_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    body.take((max_bytes as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {max_bytes} bytes")));
    }
    Ok(bytes)
}
