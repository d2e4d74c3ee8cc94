//! What is fixed of a traced function: one static an attribute, numbered at its first run.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

/// A traced function.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) run_type: &'static str,
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// Decides whether this process traces, when nobody has said so yet.
    pub(crate) boot: fn(),
    /// 0 until the first run, then the place in [`SITES`] plus one.
    number: AtomicU32,
}

/// All sites that have made a run. A record names its site by its place here.
static SITES: Mutex<Vec<&'static Site>> = Mutex::new(Vec::new());

impl Site {
    /// A function of this name and kind, at this place in the source.
    #[must_use]
    pub const fn new(
        name: &'static str,
        run_type: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        boot: fn(),
    ) -> Self {
        Self { name, run_type, module, file, line, boot, number: AtomicU32::new(0) }
    }

    #[inline]
    pub(crate) fn number(&'static self) -> u32 {
        match self.number.load(Ordering::Relaxed) {
            0 => self.register(),
            number => number,
        }
    }

    #[cold]
    fn register(&'static self) -> u32 {
        let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
        // Two threads may come here at once; the second finds the first's number.
        let known = self.number.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        sites.push(self);
        let number = sites.len() as u32;
        self.number.store(number, Ordering::Relaxed);
        number
    }
}

/// The sites behind the `known` that the writer has already, in order of their numbers.
pub(crate) fn registered_after(known: usize) -> Vec<&'static Site> {
    let sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    sites.get(known..).unwrap_or_default().to_vec()
}
