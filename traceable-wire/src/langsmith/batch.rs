//! Batches of JSON, for servers without multipart: `{"post": […], "patch": […]}`.

use serde::Deserialize;
use traceable_core::model::Json;

use super::{
    Record,
    decode::{Decoded, MAX_PARTS, Operation, Problem, change, fields, id},
    encode::{Body, Sent},
};

/// Reads a batch. The caller bounds its length.
pub fn decode_batch(body: &[u8]) -> Decoded {
    #[derive(Deserialize)]
    struct Batch {
        #[serde(default)]
        post: Option<Vec<Json>>,
        #[serde(default)]
        patch: Option<Vec<Json>>,
    }
    let mut decoded = Decoded::default();
    let Ok(Batch { post, patch }) = serde_json::from_slice(body) else {
        decoded.refuse("", Problem::NotABody);
        return decoded;
    };
    let posts = post.unwrap_or_default().into_iter().enumerate().map(|record| (Operation::Post, record));
    let patches = patch.unwrap_or_default().into_iter().enumerate().map(|record| (Operation::Patch, record));
    for (read, (operation, (at, record))) in posts.chain(patches).enumerate() {
        if read == MAX_PARTS {
            decoded.refuse("", Problem::TooManyParts);
            break;
        }
        let record = fields(record.as_str().as_bytes());
        match record.and_then(|record| Ok((id(&record, "id").ok_or(Problem::Id)?, record))) {
            Ok((id, record)) => decoded.changes.push(change(operation, id, record, Vec::new())),
            Err(problem) => {
                let list = if operation == Operation::Post { "post" } else { "patch" };
                decoded.refuse(format!("{list}[{at}]"), problem);
            }
        }
    }
    decoded
}

/// A batch that is being written.
pub(super) struct Batch<'a> {
    project: Option<&'a str>,
    posts: Vec<u8>,
    patches: Vec<u8>,
    /// How long both were before what was written last.
    before: (usize, usize),
}

impl<'a> Batch<'a> {
    pub(super) fn new(project: Option<&'a str>) -> Self {
        Self { project, posts: Vec::new(), patches: Vec::new(), before: (0, 0) }
    }
}

/// What stands around the records.
const FRAME: usize = r#"{"post":[],"patch":[]}"#.len();

impl Body for Batch<'_> {
    fn write(&mut self, sent: &Sent<'_>) -> serde_json::Result<bool> {
        self.before = (self.posts.len(), self.patches.len());
        let (list, record) = match sent {
            Sent::Post(run) => (&mut self.posts, Record::post(run).or_project(self.project)),
            Sent::Patch(run) => (&mut self.patches, Record::patch(run)),
            Sent::Attachment(_) | Sent::Score(_) | Sent::Other(_) | Sent::Nothing => return Ok(false),
        };
        if !list.is_empty() {
            list.push(b',');
        }
        serde_json::to_writer(list, &record)?;
        Ok(true)
    }

    fn undo(&mut self) {
        self.posts.truncate(self.before.0);
        self.patches.truncate(self.before.1);
    }

    fn len(&self) -> usize {
        self.posts.len() + self.patches.len() + FRAME
    }

    fn finish(self) -> Vec<u8> {
        if self.posts.is_empty() && self.patches.is_empty() {
            return Vec::new();
        }
        [b"{\"post\":[", &*self.posts, b"],\"patch\":[", &*self.patches, b"]}"].concat()
    }
}
