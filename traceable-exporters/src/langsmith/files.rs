//! Files that a run names by their paths: read when they are sent, within a bound, and redacted as all else.

use std::borrow::Cow;

use traceable_core::{
    model::{Attachment, AttachmentData, RunChange},
    redact::redact_file,
};

/// Says in a file's metadata why it is not read.
const UNREAD: &str = "traceable.unread";

/// The change with the bytes of its files. What cannot be read stays a path, with a word on why.
pub(super) async fn load(change: &RunChange, max_bytes: usize) -> Cow<'_, RunChange> {
    if files(change).iter().all(is_here) {
        return Cow::Borrowed(change);
    }
    let mut change = change.clone();
    let mut left = max_bytes;
    for file in files_mut(&mut change) {
        if !is_here(file) {
            *file = read(std::mem::take(file), left).await;
        }
        if let AttachmentData::Bytes(bytes) = &file.data {
            left = left.saturating_sub(bytes.0.len());
        }
    }
    Cow::Owned(change)
}

fn files(change: &RunChange) -> &[Attachment] {
    match change {
        RunChange::Attachment(of) => std::slice::from_ref(&of.attachment),
        change => change.run().map_or(&[], |run| &run.attachments),
    }
}

fn files_mut(change: &mut RunChange) -> &mut [Attachment] {
    match change {
        RunChange::Attachment(of) => std::slice::from_mut(&mut of.attachment),
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => &mut run.attachments,
        _ => &mut [],
    }
}

fn is_here(file: &Attachment) -> bool {
    !matches!(file.data, AttachmentData::Path(_)) || file.metadata.contains_key(UNREAD)
}

async fn read(file: Attachment, max_bytes: usize) -> Attachment {
    let named = file.clone();
    // A disk may be a network, and other deliveries go on.
    let reading = tokio::task::spawn_blocking(move || {
        let bytes = file.read(max_bytes)?;
        Ok(redact_file(Attachment { data: AttachmentData::Bytes(bytes), ..file }))
    });
    let why = match reading.await {
        Ok(Ok(Some(file))) => return file,
        Ok(Ok(None)) => "withheld".to_owned(),
        Ok(Err(error)) => std::io::Error::to_string(&error),
        Err(error) => error.to_string(),
    };
    let mut named = named;
    named.metadata.insert(UNREAD.to_owned(), why.into());
    named
}
