//! Attachments without the feature `enable`: nothing is kept. They do not serialise, for there is no serde here.

use std::{borrow::Cow, path::PathBuf, sync::Arc};

use crate::RunId;

/// A file of a run, of which nothing is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attachment(());

impl Attachment {
    /// Keeps nothing.
    pub fn bytes(_mime: impl Into<Cow<'static, str>>, _bytes: impl Into<Bytes>) -> Self {
        Self(())
    }

    /// Keeps nothing.
    pub fn path(_mime: impl Into<Cow<'static, str>>, _path: impl Into<PathBuf>) -> Self {
        Self(())
    }

    /// Keeps nothing.
    pub fn url(_mime: impl Into<Cow<'static, str>>, _url: impl Into<String>) -> Self {
        Self(())
    }

    /// Keeps nothing.
    #[must_use]
    pub fn named(self, _name: impl Into<String>) -> Self {
        self
    }
}

/// Bytes that are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(());

impl From<Arc<[u8]>> for Bytes {
    fn from(_: Arc<[u8]>) -> Self {
        Self(())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(_: Vec<u8>) -> Self {
        Self(())
    }
}

impl From<&[u8]> for Bytes {
    fn from(_: &[u8]) -> Self {
        Self(())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(_: &[u8; N]) -> Self {
        Self(())
    }
}

/// Does nothing.
pub fn attach_to(_run: RunId, _attachment: &Attachment) {}
