//! Attachments on their way to the writer. Their bytes are shared and not copied: the tape carries a number, and what it
//! stands for waits in a table of the process until the writer takes it, or whoever drops the tape.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    model::{Attachment, AttachmentData},
    record,
    runtime::{
        Pipeline,
        counters::{self, Reason},
        lock,
    },
    tape::{
        self,
        json::{BrokenTape, TapeReader},
    },
};

/// The name under which an attachment serialises. Only the tape's serializer knows it.
pub(crate) const NAME: &str = "$traceable::private::Attachment";

/// About what an attachment takes beside its bytes.
const BESIDE: usize = 256;

thread_local! {
    /// The tape asks the attachment that is being serialised for its number.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Attachments that wait, by number.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    table: Mutex<Table>,
    /// How many wait. While none does, no tape has to be looked through.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Table {
    by_number: HashMap<u64, Attachment>,
    bytes: usize,
    last: u64,
}

fn weight(attachment: &Attachment) -> usize {
    let bytes = if let AttachmentData::Bytes(bytes) = &attachment.data { bytes.0.len() } else { 0 };
    bytes.saturating_add(BESIDE)
}

impl Attachments {
    /// Puts an attachment into the table. `None` where it finds no room.
    fn put(&self, attachment: &Attachment, max_bytes: usize) -> Option<u64> {
        let weight = weight(attachment);
        let mut table = lock(&self.table);
        if weight > max_bytes.saturating_sub(table.bytes) {
            return None;
        }
        table.bytes += weight;
        table.last += 1;
        let number = table.last;
        table.by_number.insert(number, attachment.clone());
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Some(number)
    }

    fn take(&self, number: u64) -> Option<Attachment> {
        let mut table = lock(&self.table);
        let attachment = table.by_number.remove(&number)?;
        table.bytes -= weight(&attachment);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(attachment)
    }
}

/// Serialises what may be an attachment so that it gives its number.
pub(crate) fn ask<T>(serialize: impl FnOnce() -> T) -> T {
    ASKED.set(true);
    let done = serialize();
    ASKED.set(false);
    done
}

/// Whether it is the tape that serialises this attachment.
pub(crate) fn is_asked() -> bool {
    ASKED.replace(false)
}

/// Puts an attachment into the table. `None` where it finds no room, which is counted.
pub(crate) fn put(attachment: &Attachment) -> Option<u64> {
    let pipeline = Pipeline::get()?;
    // The pool's bound is half of what may wait.
    let number = pipeline.attachments.put(attachment, pipeline.pool.max_bytes().saturating_mul(2));
    if number.is_none() {
        counters::dropped(Reason::AttachmentFull);
    }
    number
}

/// The table, where anything waits in it.
fn waiting() -> Option<&'static Attachments> {
    Pipeline::get().map(|pipeline| &pipeline.attachments).filter(|all| all.waiting.load(Ordering::Relaxed) > 0)
}

/// Takes the attachments out of a value; answers its tape with a reference, by the name that `keep` gives, in the place
/// of each. `None` where there is none.
pub(crate) fn take_out(value: TapeReader<'_>, mut keep: impl FnMut(Attachment) -> String) -> Option<Vec<u8>> {
    let all = waiting()?;
    let mut out = Vec::new();
    let mut found = false;
    let mut at = value;
    while !at.is_empty() {
        let token = at;
        match at.token().ok()?.and_then(|number| all.take(number)) {
            Some(attachment) => {
                found = true;
                tape::write_mark(&mut out, "$attachment", &keep(attachment));
            }
            None => out.extend_from_slice(token.until(at)),
        }
    }
    found.then_some(out)
}

/// Takes the one attachment that a value is.
pub(crate) fn take(mut value: TapeReader<'_>) -> Option<Attachment> {
    let number = value.is_attachment().then(|| value.token().ok()).flatten()?;
    waiting()?.take(number?)
}

/// Lets go of the attachments on a tape that is dropped, which may break off anywhere.
pub(crate) fn forget(tape: &[u8]) {
    if let Some(all) = waiting() {
        let _ = forget_in(all, TapeReader::new(tape));
    }
}

/// Lets go of the attachments in the body of a record that is dropped; `first` is its first word.
#[cold]
pub(crate) fn forget_body(first: u64, body: &[u8]) {
    if let Some(all) = waiting() {
        for value in record::values(first, body) {
            let _ = forget_in(all, value);
        }
    }
}

/// As [`forget_body`], of a body of items that has not become a record.
pub(crate) fn forget_items(items: &[u8]) {
    forget_body(0, items);
}

/// Lets go of the attachments that a record which has been read still has.
pub(crate) fn forget_record(bytes: &[u8]) {
    if waiting().is_some()
        && let Some((first, body)) = record::parts(bytes)
    {
        forget_body(first, body);
    }
}

fn forget_in(all: &Attachments, mut tape: TapeReader<'_>) -> Result<(), BrokenTape> {
    while !tape.is_empty() {
        if let Some(number) = tape.token()? {
            all.take(number);
        }
    }
    Ok(())
}
