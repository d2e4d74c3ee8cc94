//! A client is a set of destinations. The root of a trace fixes it, and all below inherit it.

use std::{borrow::Cow, collections::HashMap, sync::Mutex};

use super::{destination::Destination, lock, spooled::Spooled};
use crate::{delivery::Link, model::Run, redact::Privacy, restrict::Filters, sync::Arc};

/// Where the runs of some traces go.
///
/// Made by a scope of the `testing` module, or by the builder for the process. A client is a small number and can be
/// copied freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Client(pub(crate) u16);

/// What a client stands for.
#[derive(Default)]
pub(crate) struct ClientSet {
    pub(crate) destinations: Vec<Destination>,
    /// Where its changes are kept for backends over a network, and for whoever looks at this machine.
    pub(crate) spooled: Option<Spooled>,
    /// What runs say that do not say it themselves.
    pub(crate) defaults: Defaults,
    pub(crate) privacy: Privacy,
    /// Which runs its destinations are not given.
    pub(crate) filters: Option<std::sync::Arc<Filters>>,
}

impl ClientSet {
    /// What its spool and the backends behind that tell each other.
    pub(crate) fn links(&self) -> &[std::sync::Arc<Link>] {
        self.spooled.as_ref().map_or(&[], Spooled::links)
    }

    /// Changes that are not delivered yet, summed over all backends.
    pub(crate) fn pending(&self) -> usize {
        let direct: usize = self.destinations.iter().map(Destination::pending).sum();
        direct + self.links().iter().map(|link| link.pending() as usize).sum::<usize>()
    }

    /// Changes that end with the process: those that a console or a file has not taken, and what is in the spool's memory
    /// alone.
    pub(crate) fn at_risk(&self) -> usize {
        let direct: usize = self.destinations.iter().map(Destination::pending).sum();
        direct + self.spooled.as_ref().map_or(0, Spooled::waiting)
    }

    /// Whether what was handed over outlives the process, as far as that is a matter of the spool.
    pub(crate) fn is_safe(&self) -> bool {
        self.spooled.as_ref().is_none_or(|spooled| spooled.waiting() == 0)
    }
}

/// What runs say that do not say it themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) project: Option<Cow<'static, str>>,
    pub(crate) environment: Option<String>,
    pub(crate) release: Option<String>,
}

impl Defaults {
    /// Says it on a run.
    pub(crate) fn fill(&self, run: &mut Run) {
        run.project = run.project.take().or_else(|| self.project.clone());
        run.environment = run.environment.take().or_else(|| self.environment.clone());
        run.release = run.release.take().or_else(|| self.release.clone());
    }
}

/// All clients of the process; number 0 is the one that `init` sets up.
#[derive(Default)]
pub(crate) struct Clients {
    sets: Mutex<Vec<Option<Arc<ClientSet>>>>,
    /// Where the search for a free number begins. Numbers are given again as late as can be: a run that a dropped client
    /// left open must not end up with another one.
    #[cfg(feature = "testing")]
    next: std::sync::atomic::AtomicU16,
}

impl Clients {
    pub(crate) fn get(&self, client: u16) -> Option<Arc<ClientSet>> {
        lock(&self.sets).get(usize::from(client)).cloned().flatten()
    }

    pub(crate) fn set_default(&self, set: ClientSet) {
        let mut sets = lock(&self.sets);
        if sets.is_empty() {
            sets.push(None);
        }
        sets[0] = Some(Arc::new(set));
    }

    /// Registers another client. `None` when there are as many as there are numbers.
    #[cfg(feature = "testing")]
    pub(crate) fn add(&self, set: ClientSet) -> Option<Client> {
        let mut sets = lock(&self.sets);
        for _ in 0..=u16::MAX {
            let place = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let slot = usize::from(place);
            if slot >= sets.len() {
                sets.resize(slot + 1, None);
            }
            if place != 0 && sets[slot].is_none() {
                sets[slot] = Some(Arc::new(set));
                return Some(Client(place));
            }
        }
        None
    }

    #[cfg(feature = "testing")]
    pub(crate) fn remove(&self, client: u16) {
        if let Some(slot) = lock(&self.sets).get_mut(usize::from(client)) {
            *slot = None;
        }
    }

    /// The filters of all clients that have any.
    pub(crate) fn filters(&self) -> HashMap<u16, std::sync::Arc<Filters>> {
        let sets = lock(&self.sets);
        let filters =
            |(client, set): (usize, &Option<Arc<ClientSet>>)| Some((client as u16, set.as_ref()?.filters.clone()?));
        sets.iter().enumerate().filter_map(filters).collect()
    }

    /// Every client that has destinations.
    pub(crate) fn all(&self) -> Vec<Arc<ClientSet>> {
        lock(&self.sets).iter().flatten().cloned().collect()
    }

    /// The same destinations, with queues and threads of this process. What the parent was holding at the moment of the
    /// fork cannot be taken over.
    pub(crate) fn after_fork(&self) -> Self {
        let Ok(sets) = self.sets.try_lock() else { return Self::default() };
        let renew = |set: &Arc<ClientSet>| {
            Arc::new(ClientSet {
                destinations: set.destinations.iter().filter_map(Destination::after_fork).collect(),
                spooled: set.spooled.as_ref().and_then(Spooled::after_fork),
                defaults: set.defaults.clone(),
                privacy: set.privacy.clone(),
                filters: set.filters.clone(),
            })
        };
        let clients = Self::default();
        *lock(&clients.sets) = sets.iter().map(|set| set.as_ref().map(renew)).collect();
        clients
    }
}
