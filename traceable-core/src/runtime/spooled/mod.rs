//! A client's spool: the writer appends to it, and its backends over a network are fed from it.

pub(crate) mod settings;

use std::{io, sync::Arc, time::Instant};

pub use self::settings::SpoolMode;
use self::settings::Wishes;
use crate::{
    delivery::{Delivery, Link},
    model::RunChange,
    restrict::Target,
    spool::{Settings, Spool, data_home},
};

/// See the module.
pub(crate) struct Spooled {
    spool: Spool,
    remotes: Vec<Target>,
    links: Vec<Arc<Link>>,
}

impl Spooled {
    /// Opens the spool and sets its backends to work. `None` where neither a backend nor this machine is to be served.
    ///
    /// # Errors
    ///
    /// When what delivers cannot be started. Files are no reason: what cannot be written waits in memory.
    pub(super) fn open(remotes: Vec<Target>, wishes: &Wishes) -> io::Result<Option<Self>> {
        if remotes.is_empty() && !wishes.is_local {
            return Ok(None);
        }
        let destinations = remotes.iter().map(|(remote, _)| remote.identity()).collect();
        let mut settings = Settings::new(data_home().ok(), destinations);
        settings.redactions = remotes.iter().map(|(_, rules)| rules.written()).collect();
        wishes.apply(&mut settings);
        Self::serve(remotes, settings).map(Some)
    }

    fn serve(remotes: Vec<Target>, settings: Settings) -> io::Result<Self> {
        let spool = Spool::new(settings);
        let mut links = Vec::with_capacity(remotes.len());
        for (remote, rules) in &remotes {
            let identity = remote.identity();
            let Some(source) = spool.source(&identity, remote.wants()) else { continue };
            let (source, link) = (rules.source(source), Arc::new(Link::default()));
            Arc::clone(remote).drive(Delivery::new(identity, remote.limits(), source, Arc::clone(&link)))?;
            links.push(link);
        }
        Ok(Self { spool, remotes, links })
    }

    pub(crate) fn links(&self) -> &[Arc<Link>] {
        &self.links
    }

    /// Takes changes for all backends but those that each is not for, a bit for each of them.
    pub(crate) fn append(&self, changes: &[RunChange], left_out: &[u64]) {
        self.spool.append_but(changes, |at| left_out.get(at).map_or(0, |left_out| *left_out as u32));
        for link in &self.links {
            link.appended(changes.len() as u64);
        }
    }

    /// Does what is due, and says when there is more.
    pub(crate) fn tend(&self) -> Option<Instant> {
        self.spool.tend_beside(Instant::now());
        self.spool.next_tend()
    }

    /// Changes that are in memory alone.
    pub(crate) fn waiting(&self) -> usize {
        self.spool.health().waiting
    }

    /// Whether its backends are sent what stands in a directory that another process left.
    pub(crate) fn has_adopted(&self, dir: &std::path::Path) -> bool {
        self.spool.has_adopted(dir)
    }

    /// What was dropped, by reason.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.spool.losses().into_iter().map(|loss| (loss.reason.as_str(), loss.changes))
    }

    /// Makes it as safe as can be: the process ends.
    pub(crate) fn close(&self) {
        self.spool.close();
    }

    /// The same backends and a spool of its own in the child of a fork.
    pub(crate) fn after_fork(&self) -> Option<Self> {
        Self::serve(self.remotes.clone(), self.spool.settings().clone()).ok()
    }
}

impl Drop for Spooled {
    /// What is on its way goes on its way; the rest stays in the spool.
    fn drop(&mut self) {
        self.close();
        self.links.iter().for_each(|link| link.close());
    }
}
