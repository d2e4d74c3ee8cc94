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
}

impl<'a> Batch<'a> {
    pub(super) fn new(project: Option<&'a str>) -> Self {
        Self { project, posts: Vec::new(), patches: Vec::new() }
    }
}

/// What stands around the records.
const FRAME: usize = r#"{"post":[],"patch":[]}"#.len();

impl Body for Batch<'_> {
    fn write(&mut self, sent: &Sent<'_>, out: &mut Vec<u8>) -> serde_json::Result<bool> {
        let record = match sent {
            Sent::Post(run) => Record::post(run).or_project(self.project),
            Sent::Patch(run) => Record::patch(run),
            Sent::Attachment(_) | Sent::Score(_) | Sent::Other(_) | Sent::Nothing => return Ok(false),
        };
        serde_json::to_writer(&mut *out, &record)?;
        Ok(true)
    }

    fn keep(&mut self, sent: &Sent<'_>, bytes: &[u8]) {
        let list = if matches!(sent, Sent::Post(_)) { &mut self.posts } else { &mut self.patches };
        if !list.is_empty() {
            list.push(b',');
        }
        list.extend_from_slice(bytes);
    }

    fn len_with(&self, more: usize) -> usize {
        self.posts.len() + self.patches.len() + FRAME + more + 1
    }

    fn finish(self) -> Vec<u8> {
        if self.posts.is_empty() && self.patches.is_empty() {
            return Vec::new();
        }
        [b"{\"post\":[", &*self.posts, b"],\"patch\":[", &*self.patches, b"]}"].concat()
    }
}
