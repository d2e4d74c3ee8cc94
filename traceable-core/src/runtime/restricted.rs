//! What single destinations are given less, as the builder is told of it by their names.

#[cfg(feature = "redaction")]
use crate::redact::Redaction;
use crate::{
    model::Run,
    restrict::{Restrictions, Rules},
    runtime::{Builder, InitError},
};

impl Builder {
    /// Gives the destinations of this name (`langsmith`, `otlp`, `traceable`, `console`, …) only the runs for which `keep`
    /// says so, also where the environment names the destination. A run that is left out takes all below it along, so no
    /// tree is without its root.
    ///
    /// `keep` is asked once for each run, when it begins, and sees what is known then: name, kind, inputs, tags, metadata,
    /// project, before anything is redacted. It runs on the writer's thread and not on the caller's; should it panic, the run
    /// is left out. What is kept on this machine has all runs, and so has every other destination.
    /// [`Stats::filtered`](super::Stats::filtered) counts them. Of several filters, all must say so.
    ///
    /// Where no destination has the name, a line on standard error says so.
    pub fn filter_for(mut self, name: impl Into<String>, keep: impl Fn(&Run) -> bool + Send + Sync + 'static) -> Self {
        self.restrictions.push((name.into(), Restrictions::default().filter(keep)));
        self
    }

    /// Replaces more by marks for the destinations of this name, beside what is replaced for all. What is kept on this
    /// machine and what other destinations are given stays as it is.
    ///
    /// Files that are named by their paths are not read for such a destination, but for images, sound and films: attach
    /// their bytes. What a process leaves in the spool is redacted by the same rules whoever sends it later; where there is a
    /// [callback](Redaction::callback), only the same program does.
    #[cfg(feature = "redaction")]
    pub fn redaction_for(mut self, name: impl Into<String>, redaction: Redaction) -> Self {
        self.restrictions.push((name.into(), Restrictions::default().redact(redaction)));
        self
    }

    /// What the destination of this name is given less, with what it says itself.
    pub(super) fn restrictions_of(&self, name: &str, own: Restrictions) -> Restrictions {
        let named = self.restrictions.iter().filter(|(of, _)| of == name);
        named.fold(own, |all, (_, more)| all.with(more))
    }

    /// Says which names no destination has: whoever misspells one should not wait for the backend to show it.
    pub(super) fn say_unknown(&self, names: &[String]) {
        for (name, _) in &self.restrictions {
            if !names.contains(name) {
                crate::notice::say(format_args!(
                    "a filter or redaction is for `{name}`, which is no destination here; there are: {}",
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                ));
            }
        }
    }
}

/// What a destination replaces.
#[cfg(feature = "redaction")]
pub(super) fn rules(restrictions: &Restrictions) -> Result<Rules, InitError> {
    Rules::new(restrictions).map_err(InitError::pattern)
}

/// What a destination replaces: nothing.
#[cfg(not(feature = "redaction"))]
#[allow(clippy::unnecessary_wraps, reason = "patterns may be wrong")]
pub(super) fn rules(restrictions: &Restrictions) -> Result<Rules, InitError> {
    let Ok(rules) = Rules::new(restrictions);
    Ok(rules)
}
