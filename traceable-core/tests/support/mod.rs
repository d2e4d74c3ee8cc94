//! A backend in this process, behind a spool.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use traceable_core::{
    delivery::{Delivery, Entry, Identity, Remote, Step},
    export::{Ack, ExportError},
    model::RunChange,
};

/// What a backend has taken.
pub type Taken = Arc<Mutex<Vec<RunChange>>>;

/// A backend in this process.
pub struct Backend {
    pub project: &'static str,
    pub taken: Taken,
    pub answer: fn(&[Entry]) -> Result<Ack, ExportError>,
}

impl Remote for Backend {
    fn identity(&self) -> Identity {
        to(self.project)
    }

    fn drive(self: Arc<Self>, mut delivery: Delivery) -> io::Result<()> {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let deliver = move || {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            loop {
                match delivery.next(Instant::now()) {
                    Step::Send(parcel) => {
                        let answer = (self.answer)(&parcel.entries);
                        if answer.is_ok() {
                            let changes = parcel.entries.iter().map(|entry| entry.change.clone());
                            self.taken.lock().unwrap().extend(changes);
                        }
                        delivery.answered(parcel, answer, Instant::now());
                    }
                    Step::Done => return,
                    Step::Wait(until) if delivery.poll_news(&mut Context::from_waker(&waker)).is_pending() => {
                        let wait = until.map_or(Duration::from_secs(60), |until| until - Instant::now());
                        thread::park_timeout(wait);
                    }
                    _ => {}
                }
            }
        };
        thread::Builder::new().spawn(deliver).map(drop)
    }
}

pub fn to(project: &str) -> Identity {
    Identity::new("test", "https://test.example", project)
}
