//! Private by default: what leaves the process, and what is replaced by a mark before it does.
//!
//! A stage on the writer's thread between the assembly and the destinations; pure. One pass over the JSON text as it is
//! looks for the beginnings of credentials and for names of secrets (`finder`); only a text that is suspected is read
//! token by token (`tokens`, `json`), and its texts are searched by format (`formats`), by name (`keys`, `text`) and by
//! what was asked for (`extras`). `change` knows every text of a change, `chunks` the secrets that streams split.

mod change;
#[cfg(feature = "redaction")]
mod chunks;
mod content;
#[cfg(feature = "redaction")]
mod extras;
#[cfg(feature = "redaction")]
mod finder;
#[cfg(feature = "redaction")]
mod formats;
#[cfg(feature = "redaction")]
mod json;
#[cfg(feature = "redaction")]
mod keys;
#[cfg(feature = "redaction")]
mod settings;
#[cfg(all(test, feature = "redaction"))]
mod tests;
#[cfg(feature = "redaction")]
mod text;
#[cfg(feature = "redaction")]
mod tokens;
#[cfg(feature = "redaction")]
mod work;
mod written;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::change::{Withhold, drop_content, hide_parts, scrub};
pub use self::content::Content;
pub(crate) use self::content::Hidden;
#[cfg(feature = "redaction")]
pub use self::settings::{PatternError, Redaction, Redactor};
pub use self::written::Written;
use crate::model::RunChange;
#[cfg(feature = "spool")]
use crate::model::{Attachment, AttachmentFor, RunId};
#[cfg(feature = "redaction")]
use crate::sync::Arc;

/// What stands in place of an argument that is never captured.
pub(crate) const MARK: &str = "[redacted]";

/// What a client lets out.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "redaction"), derive(Default))]
pub(crate) struct Privacy {
    pub(crate) content: Content,
    pub(crate) hidden: Hidden,
    #[cfg(feature = "redaction")]
    pub(crate) redactor: Arc<Redactor>,
}

#[cfg(feature = "redaction")]
impl Default for Privacy {
    fn default() -> Self {
        Self { content: Content::default(), hidden: Hidden::default(), redactor: Redactor::shared() }
    }
}

impl Privacy {
    /// Takes out of a change what must not leave the process; `content` is what its run allows. Answers whether anything
    /// is left.
    pub(crate) fn apply(&self, content: Content, change: &mut RunChange) -> bool {
        // A fault here must not let anything out.
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply_rules(content.max(self.content), change)));
        applied.unwrap_or_else(|_| {
            crate::notice::say(format_args!("redaction failed on a run, so its content is not recorded"));
            scrub(&Withhold("redaction failed"), change);
            drop_content(change)
        })
    }

    fn apply_rules(&self, content: Content, change: &mut RunChange) -> bool {
        hide_parts(self.hidden, change);
        if content == Content::None && !drop_content(change) {
            return false;
        }
        #[cfg(feature = "redaction")]
        {
            if content != Content::Full {
                scrub(&*self.redactor, change);
            }
            self.redactor.call_back(change);
            true
        }
        #[cfg(not(feature = "redaction"))]
        {
            if content == Content::Full {
                return true;
            }
            scrub(&Withhold("built without redaction"), change);
            drop_content(change)
        }
    }
}

/// A file that is read only when it is sent, by the rules of this process. `None` where none may leave it.
#[cfg(feature = "spool")]
#[must_use]
pub fn redact_file(file: Attachment) -> Option<Attachment> {
    let set = crate::runtime::Pipeline::get().and_then(|pipeline| pipeline.clients.get(0));
    let mut change = RunChange::Attachment(AttachmentFor { run_id: RunId::default(), attachment: file });
    let is_left = match &set {
        Some(set) => set.privacy.apply(Content::Full, &mut change),
        None => Privacy::default().apply(Content::Full, &mut change),
    };
    match change {
        RunChange::Attachment(of) if is_left => Some(of.attachment),
        _ => None,
    }
}

#[cfg(all(test, not(feature = "redaction")))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::{Json, Run};

    /// Nothing here knows what is secret: only content that was asked for in full goes out.
    #[test]
    fn without_redaction_content_is_withheld() {
        let apply = |process: Content, attribute: Content| {
            let json = || Some(Json::parse(r#"{"a":"tulip"}"#).unwrap());
            let tags = vec!["tulip".to_owned()];
            let error = Some("tulip".to_owned());
            let run = Run { name: "tulip".into(), inputs: json(), outputs: json(), error, tags, ..Run::default() };
            let mut change = RunChange::End(Box::new(run));
            assert!(Privacy { content: process, ..Privacy::default() }.apply(attribute, &mut change));
            serde_json::to_string(&change).unwrap()
        };
        assert_eq!(apply(Content::Full, Content::Full).matches("tulip").count(), 5);
        for strict in [Content::Redacted, Content::None] {
            for (process, attribute) in [(strict, Content::Full), (Content::Full, strict), (strict, strict)] {
                let text = apply(process, attribute);
                assert!(!text.contains("tulip") && text.contains("\"error\":\"[redacted]\""), "{text}");
            }
        }
    }
}
