//! A record of a run as it lies in the store: its JSON, compressed, with files and pictures taken out.

use std::{cell::RefCell, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use traceable_core::model::{Attachment, AttachmentData, Json, Run, RunChange};
use zstd::bulk::{Compressor, Decompressor};

use crate::{
    Error, Result,
    lift::{self, BlobHash},
    merge::{self, Rank},
};

/// Bodies of this length and more are compressed.
const MIN_COMPRESSED: usize = 256;

/// A body that is longer when it is unpacked is damaged: no request may be that long.
const MAX_BODY: usize = 1 << 30;

/// Says how a body is packed.
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// A file of a run, and where its bytes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct File {
    /// Its name in the run.
    pub name: String,
    /// The media type.
    pub mime: String,
    /// Where its bytes are.
    pub place: FilePlace,
    /// More about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FilePlace {
    /// In the store: see [`Store::blob`](crate::Store::blob).
    Blob {
        /// By this hash.
        hash: BlobHash,
        /// So many bytes.
        size: u64,
    },
    /// In a file of the machine that recorded the run. The store never reads it.
    Path(PathBuf),
    /// On the web.
    Url(String),
}

impl File {
    fn of(attachment: Attachment, blobs: &mut Vec<(BlobHash, Vec<u8>)>) -> Self {
        let Attachment { name, mime, data, metadata } = attachment;
        let place = match data {
            AttachmentData::Bytes(bytes) => {
                let hash = BlobHash::of(&bytes.0);
                blobs.push((hash, bytes.0.to_vec()));
                FilePlace::Blob { hash, size: bytes.0.len() as u64 }
            }
            AttachmentData::Path(path) => FilePlace::Path(path),
            AttachmentData::Url(url) => FilePlace::Url(url),
            _ => FilePlace::Url(String::new()),
        };
        Self { name, mime: mime.into_owned(), place, metadata }
    }

    /// The attachment that it was.
    pub(crate) fn restore(self, mut blob: impl FnMut(BlobHash) -> Option<Vec<u8>>) -> Attachment {
        let data = match self.place {
            FilePlace::Blob { hash, .. } => AttachmentData::Bytes(blob(hash).unwrap_or_default().into()),
            FilePlace::Path(path) => AttachmentData::Path(path),
            FilePlace::Url(url) => AttachmentData::Url(url),
        };
        Attachment { name: self.name, mime: self.mime.into(), data, metadata: self.metadata }
    }
}

/// One record. Its run has no attachments: they are `files`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) rank: Rank,
    pub(crate) run: Run,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<File>,
    /// What was lifted out of its bodies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lifted: Vec<BlobHash>,
}

/// A record on its way into the store, and what is written of it.
pub(crate) struct Packed {
    pub(crate) record: Record,
    pub(crate) parcel: Parcel,
}

/// What is written of a record.
pub(crate) struct Parcel {
    pub(crate) blobs: Vec<(BlobHash, Vec<u8>)>,
    /// Says whether a record is there already.
    pub(crate) hash: [u8; 16],
    pub(crate) body: Vec<u8>,
}

impl Record {
    /// The record that a change makes; `None` where it is none of a run.
    fn of(change: &RunChange, blobs: &mut Vec<(BlobHash, Vec<u8>)>) -> Option<Self> {
        let rank = Rank::of(change)?;
        let mut run = match change {
            RunChange::Attachment(of) => {
                Run { id: of.run_id, attachments: vec![of.attachment.clone()], ..Run::default() }
            }
            other => other.run()?.clone(),
        };
        let from = blobs.len();
        for body in [&mut run.inputs, &mut run.outputs, &mut run.expected].into_iter().flatten() {
            if let Some(lifted) = lift::lift(body.as_str(), blobs)
                && let Ok(json) = Json::parse(lifted)
            {
                *body = json;
            }
        }
        let lifted = blobs[from..].iter().map(|(hash, _)| *hash).collect();
        let files = std::mem::take(&mut run.attachments).into_iter().map(|file| File::of(file, blobs)).collect();
        Some(Self { rank, run, files, lifted })
    }

    /// The record that a change makes, packed.
    pub(crate) fn pack(change: &RunChange) -> Result<Option<Packed>> {
        let mut blobs = Vec::new();
        let Some(record) = Self::of(change, &mut blobs) else { return Ok(None) };
        let (hash, body) = record.encode()?;
        Ok(Some(Packed { record, parcel: Parcel { blobs, hash, body } }))
    }

    /// The record as bytes, and their hash.
    pub(crate) fn encode(&self) -> Result<([u8; 16], Vec<u8>)> {
        let json = serde_json::to_vec(self)?;
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(&json)[..16]);
        Ok((hash, compress(&json)))
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self> {
        Ok(serde_json::from_slice(&decompress(body)?)?)
    }
}

thread_local! {
    // Setting one up costs more than a body of 2 KB does.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(json: &[u8]) -> Vec<u8> {
    let mut body = vec![PLAIN];
    if json.len() >= MIN_COMPRESSED {
        let packed = COMPRESSOR.with_borrow_mut(|compressor| {
            if compressor.is_none() {
                *compressor = Compressor::new(1).ok();
            }
            compressor.as_mut().and_then(|compressor| compressor.compress(json).ok())
        });
        if let Some(packed) = packed.filter(|packed| packed.len() + 4 < json.len()) {
            body[0] = ZSTD;
            body.extend_from_slice(&(json.len() as u32).to_le_bytes());
            body.extend(packed);
            return body;
        }
    }
    body.extend_from_slice(json);
    body
}

fn decompress(body: &[u8]) -> Result<Vec<u8>> {
    let damaged = || Error::Damaged("a body cannot be unpacked".into());
    match body.split_first() {
        Some((&PLAIN, json)) => Ok(json.to_vec()),
        Some((&ZSTD, packed)) => {
            let (length, packed) = packed.split_first_chunk::<4>().ok_or_else(damaged)?;
            let length = u32::from_le_bytes(*length) as usize;
            if length > MAX_BODY {
                return Err(damaged());
            }
            let unpacked = DECOMPRESSOR.with_borrow_mut(|decompressor| {
                if decompressor.is_none() {
                    *decompressor = Decompressor::new().ok();
                }
                decompressor.as_mut().and_then(|decompressor| decompressor.decompress(packed, length).ok())
            });
            unpacked.ok_or_else(damaged)
        }
        _ => Err(damaged()),
    }
}

/// A run of its records.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    /// Without attachments.
    pub(crate) run: Run,
    /// Whether it is more than patches and files without a start.
    pub(crate) is_known: bool,
    pub(crate) files: Vec<File>,
    pub(crate) lifted: Vec<BlobHash>,
}

impl Merged {
    /// Puts records together; see [`merge`](crate::merge).
    pub(crate) fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut records: Vec<_> = records.into_iter().collect();
        // Stable, so that what is equal stays in the order of arrival.
        records.sort_by(|a, b| merge::order((a.rank, &a.run), (b.rank, &b.run)));
        let (mut files, mut lifted): (Vec<File>, Vec<BlobHash>) = (Vec::new(), Vec::new());
        let mut runs = Vec::with_capacity(records.len());
        for record in records {
            for file in record.files {
                match files.iter_mut().find(|known| known.name == file.name) {
                    Some(known) => *known = file,
                    None => files.push(file),
                }
            }
            lifted.extend(record.lifted);
            runs.push((record.rank, record.run));
        }
        lifted.sort_unstable();
        lifted.dedup();
        let (run, is_known) = merge::fold(runs);
        Self { run, is_known, files, lifted }
    }

    /// All blobs that it needs, each once.
    pub(crate) fn blobs(&self) -> Vec<BlobHash> {
        let of_files = self.files.iter().filter_map(|file| match &file.place {
            FilePlace::Blob { hash, .. } => Some(*hash),
            _ => None,
        });
        let mut all: Vec<_> = self.lifted.iter().copied().chain(of_files).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// One record in the place of several, which say the same together. Its rank is the lowest.
pub(crate) fn compact(records: Vec<Record>) -> Record {
    let rank = records.iter().map(|record| record.rank).min().unwrap_or(Rank::File);
    let Merged { run, files, lifted, .. } = Merged::of(records);
    Record { rank, run, files, lifted }
}
