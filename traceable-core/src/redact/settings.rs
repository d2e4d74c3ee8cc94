//! What is redacted: the settings, and the redactor that they make.

use std::{fmt, sync::LazyLock};

use super::{
    change::Scrub,
    extras::{Extras, Pattern},
    finder::Finder,
    keys,
    written::Written,
};
use crate::{model::RunChange, sync::Arc};

type Callback = Arc<dyn Fn(&mut RunChange) + Send + Sync>;

/// What is redacted beside credentials, which always are: API keys and tokens in their published formats, private keys,
/// passwords in addresses, and the texts under names such as `api_key`, `password`, `authorization`.
///
/// What is found is replaced by `[redacted: kind]`, such as `[redacted: openai-key]`, or by `[redacted]` where a name or a
/// pattern of yours says that it is secret.
///
/// ```
/// use traceable_core::redact::Redaction;
///
/// let redactor = Redaction::default().emails().key("employee_number").pattern(r"\bcase-[0-9]{6}\b").build()?;
/// assert_eq!(redactor.redact_text("ann@example.com wrote of case-123456"), "[redacted: email] wrote of [redacted]");
/// # Ok::<(), traceable_core::redact::PatternError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "settings do nothing by themselves"]
pub struct Redaction {
    rules: Written,
    callback: Option<Callback>,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redaction").field(&self.rules).finish()
    }
}

impl Redaction {
    /// E-mail addresses, too.
    pub fn emails(mut self) -> Self {
        self.rules.emails = true;
        self
    }

    /// Numbers of payment cards, too, with and without blanks or dashes between their groups.
    pub fn cards(mut self) -> Self {
        self.rules.cards = true;
        self
    }

    /// Numbers of the social security of the United States, too, such as `078-05-1120`.
    pub fn ssns(mut self) -> Self {
        self.rules.ssns = true;
        self
    }

    /// Whatever matches this regular expression, in the syntax of the `regex` crate, too.
    ///
    /// Texts of streams that are still open are shown without their last 128 bytes then: what is longer than that may be
    /// seen in part before it is whole.
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.rules.patterns.push(pattern.into());
        self
    }

    /// The texts under this name, too. It is compared in whole words from the end of a name: `case_id` also means
    /// `caseId` and `my-case-id`.
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.rules.keys.push(name.into());
        self
    }

    /// Calls `redact` with every change before it is handed to destinations, behind all other rules. It runs on the
    /// writer's thread. Should it panic, the content of the change is replaced by marks.
    pub fn callback(mut self, redact: impl Fn(&mut RunChange) + Send + Sync + 'static) -> Self {
        self.rules.has_callback = true;
        self.callback = Some(Arc::new(redact));
        self
    }

    /// The rules as text.
    #[cfg(feature = "spool")]
    pub(crate) fn written(&self) -> &Written {
        &self.rules
    }

    /// These rules, as far as they are text.
    #[cfg(feature = "spool")]
    pub(crate) fn from_written(rules: Written) -> Self {
        Self { rules, callback: None }
    }

    /// Makes the redactor.
    ///
    /// # Errors
    ///
    /// When a pattern is no regular expression; the error shows the pattern and the place in it.
    pub fn build(&self) -> Result<Redactor, PatternError> {
        let Written { emails, cards, ssns, patterns, keys, has_callback: _ } = &self.rules;
        let sets = [(*emails, Pattern::email()), (*cards, Pattern::card()), (*ssns, Pattern::ssn())];
        let sets = sets.into_iter().filter(|(wanted, _)| *wanted).map(|(_, pattern)| pattern);
        let own = patterns.iter().map(|pattern| Pattern::own(pattern));
        let patterns = sets.chain(own).collect::<Result<_, _>>().map_err(PatternError)?;
        let own_keys: Vec<_> = keys.iter().map(|key| keys::words(key)).filter(|words| !words.is_empty()).collect();
        let last_words: Vec<_> = own_keys.iter().filter_map(|words| words.last().cloned()).collect();
        let extras = Extras::new(patterns);
        Ok(Redactor { finder: Finder::new(&last_words), own_keys, extras, callback: self.callback.clone() })
    }
}

/// A pattern is no regular expression.
#[derive(Debug)]
pub struct PatternError(regex::Error);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pattern of the redaction cannot be used: {}", self.0)
    }
}

impl std::error::Error for PatternError {}

/// Finds secrets and replaces them by marks. Made by [`Redaction::build`]; the default one knows credentials.
pub struct Redactor {
    pub(super) finder: Finder,
    pub(super) own_keys: Vec<Vec<String>>,
    pub(super) extras: Extras,
    callback: Option<Callback>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("extras", &self.extras).finish_non_exhaustive()
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self { finder: Finder::new(&[]), own_keys: Vec::new(), extras: Extras::default(), callback: None }
    }
}

impl Redactor {
    /// The one for credentials alone, made once.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Redactor>> = LazyLock::new(Arc::default);
        Arc::clone(&SHARED)
    }

    /// The text without its secrets.
    pub fn redact_text(&self, text: &str) -> String {
        self.text(text).unwrap_or_else(|| text.to_owned())
    }

    /// The JSON document without its secrets. Everything but its texts stays as it is written.
    pub fn redact_json(&self, json: &crate::model::Json) -> crate::model::Json {
        self.json(json.as_str()).map_or_else(|| json.clone(), crate::model::Json::from_written)
    }

    /// Replaces the secrets of a change.
    pub fn redact(&self, change: &mut RunChange) {
        super::change::scrub(self, change);
    }

    pub(super) fn call_back(&self, change: &mut RunChange) {
        if let Some(callback) = &self.callback {
            callback(change);
        }
    }
}

impl Scrub for Redactor {
    fn text(&self, text: &str) -> Option<String> {
        self.text(text)
    }

    fn json(&self, json: &str) -> Option<String> {
        self.json(json)
    }

    fn streamed(&self, json: &str, depth: Option<usize>, live: bool) -> Option<String> {
        // First what is split: of a secret that is found in one chunk alone the rest may be in the next one.
        let joined = depth.and_then(|depth| self.chunk_list(json, depth, live));
        let text = joined.as_deref().unwrap_or(json);
        let whole = if live && depth.is_none() { self.json_slowly(text, true) } else { self.json(text) };
        whole.or(joined)
    }

    fn chunks(&self, chunks: &[&str]) -> Vec<(usize, String)> {
        let mut texts: Vec<(bool, std::borrow::Cow<'_, str>)> =
            chunks.iter().map(|chunk| (false, (*chunk).into())).collect();
        for (at, new) in self.split_chunks(chunks) {
            texts[at] = (true, new.into());
        }
        let redacted = texts.into_iter().enumerate().filter_map(|(at, (changed, text))| match self.json(&text) {
            Some(new) => Some((at, new)),
            None => changed.then(|| (at, text.into_owned())),
        });
        redacted.collect()
    }
}
