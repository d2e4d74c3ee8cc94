//! Reads bodies within bounds: how long one may be, and how much all of them together.
//!
//! What counts is the length when decoded: a few kilobytes may be a gigabyte of zeros.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_ENCODING},
};
use http_body_util::BodyExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use traceable_wire::encoding::Encoding;

use super::Refusal;

const MIB: usize = 1 << 20;

/// Bytes of one body as it comes.
const MAX_RAW: usize = 64 * MIB;

/// Bytes of one body when decoded.
const MAX_DECODED: usize = 200 * MIB;

/// What a body is first given when it is decoded. Few need more.
const USUAL: usize = 16 * MIB;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Room for bodies, in pages.
const PAGE: usize = 16 << 10;

/// The room that all bodies share.
#[derive(Debug)]
pub(crate) struct Bodies {
    raw: Arc<Semaphore>,
    decoded: Arc<Semaphore>,
}

/// A part of the room that all bodies share; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room(#[expect(dead_code, reason = "it is held")] Option<OwnedSemaphorePermit>);

impl Room {
    /// For what is small by itself.
    pub(crate) const fn none() -> Self {
        Self(None)
    }
}

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Room,
}

impl Default for Bodies {
    fn default() -> Self {
        let of = |bytes: usize| Arc::new(Semaphore::new(bytes / PAGE));
        Self { raw: of(96 * MIB), decoded: of(MAX_DECODED + 48 * MIB) }
    }
}

fn pages(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PAGE).max(1)).unwrap_or(u32::MAX)
}

impl Bodies {
    /// Reads a body, and decodes it as its header says.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
        let encoding = headers.get(CONTENT_ENCODING).map_or(Some(""), |name| name.to_str().ok());
        let encoding = encoding
            .and_then(Encoding::from_name)
            .ok_or_else(|| Refusal::Unsupported("bodies may be encoded by gzip or zstd, once, or not at all".into()))?;
        let (raw, held) = timeout(PATIENCE, self.collect(body)).await.map_err(|_| Refusal::Slow)??;
        if encoding == Encoding::Identity {
            return Ok(Taken { bytes: raw, room: Room(Some(held)) });
        }
        let raw = Arc::new(raw);
        match self.decode(encoding, &raw, USUAL.max(2 * raw.len()).min(MAX_DECODED)).await {
            Err(Refusal::TooLarge(tried)) if tried < MAX_DECODED => self.decode(encoding, &raw, MAX_DECODED).await,
            done => done,
        }
    }

    /// The body as it comes.
    async fn collect(&self, mut body: Body) -> Result<(Vec<u8>, OwnedSemaphorePermit), Refusal> {
        let mut held = self.more_raw(1)?;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::Wrong(format!("the body breaks off: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > MAX_RAW {
                return Err(Refusal::TooLarge(MAX_RAW));
            }
            bytes.extend_from_slice(&data);
            // Of what the vector has taken, which may be twice its length.
            let wanted = pages(bytes.capacity());
            let missing = wanted.saturating_sub(u32::try_from(held.num_permits()).unwrap_or(u32::MAX));
            if missing > 0 {
                held.merge(self.more_raw(missing)?);
            }
        }
        Ok((bytes, held))
    }

    fn more_raw(&self, pages: u32) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.raw).try_acquire_many_owned(pages).map_err(|_| Refusal::Busy)
    }

    async fn decode(&self, encoding: Encoding, raw: &Arc<Vec<u8>>, max: usize) -> Result<Taken, Refusal> {
        let held = Arc::clone(&self.decoded).acquire_many_owned(pages(max)).await;
        let mut held = held.map_err(|_| Refusal::Stopped)?;
        let raw = Arc::clone(raw);
        let decoded = tokio::task::spawn_blocking(move || encoding.decompress(&raw, max)).await;
        let bytes = decoded.map_err(|_| Refusal::Stopped)?.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Refusal::TooLarge(max),
            _ => Refusal::Wrong(format!("the body cannot be decoded: {error}")),
        })?;
        let spare = held.num_permits().saturating_sub(pages(bytes.len()) as usize);
        drop(held.split(spare));
        Ok(Taken { bytes, room: Room(Some(held)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().expect("a header"))])
    }

    #[tokio::test]
    async fn bodies_come_out_as_they_were_and_give_their_room_back() {
        let bodies = Bodies::default();
        let free = bodies.raw.available_permits() + bodies.decoded.available_permits();
        let long = vec![b'x'; 40 * MIB];
        for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd), ("identity", Encoding::Identity)] {
            let body = encoding.compress(long.clone()).expect("a body");
            let taken = bodies.read(&headers(name), Body::from(body)).await.expect("a body");
            assert_eq!(taken.bytes.len(), long.len(), "{name}");
        }
        assert_eq!(bodies.raw.available_permits() + bodies.decoded.available_permits(), free);
    }

    #[tokio::test]
    async fn a_bomb_is_refused() {
        let bodies = Bodies::default();
        let bomb = Encoding::Zstd.compress(vec![0; MAX_DECODED + 1]).expect("a body");
        let refused = bodies.read(&headers("zstd"), Body::from(bomb)).await.expect_err("a refusal");
        assert_eq!(refused, Refusal::TooLarge(MAX_DECODED));
        let refused = bodies.read(&headers("br"), Body::from("x")).await.expect_err("a refusal");
        assert!(matches!(refused, Refusal::Unsupported(_)), "{refused:?}");
        let refused = bodies.read(&headers("gzip"), Body::from("x")).await.expect_err("a refusal");
        assert!(matches!(refused, Refusal::Wrong(_)), "{refused:?}");
    }
}
