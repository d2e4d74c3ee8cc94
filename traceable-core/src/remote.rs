//! Going on with a trace of another process, and telling another process of ours.

use crate::{
    adapters, clock,
    context::{Context, Parent},
    current::Current,
    frame::{FOREIGN, Frame, MUTED, TENTATIVE},
    local,
    model::{DottedOrder, Run, RunChange},
    origin::{self, Origin},
    propagation::{Outgoing, Remote},
    record::{Item, Items, Key, item},
    redact::Content,
    runtime::{Pipeline, gate},
    scope::Carried,
    sync::Arc,
    tape,
};

/// How far ahead of ours another process's clock may be, in nanoseconds. Our runs begin no earlier than the run that
/// called, so a stranger could date them as it likes.
const AHEAD: i64 = 3_600_000_000_000;

impl Context {
    /// The run that called this process, from the headers of its request, as pairs of name and value. Without a caller
    /// in them, a context that changes nothing.
    ///
    /// Reads `langsmith-trace` with LangSmith's part of `baggage`, and W3C's `traceparent` with `tracestate`. Taken are
    /// ids, whether the trace is sampled, and a bounded number of metadata values and tags; see
    /// [`propagation`](crate::propagation).
    ///
    /// ```
    /// use traceable_core::Context;
    ///
    /// # fn answer() {}
    /// let headers = [("langsmith-trace", "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a")];
    /// // Runs that begin here are parts of the caller's trace.
    /// Context::from_headers(headers).scope(|| answer());
    /// ```
    pub fn from_headers<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        if !gate::is_on() {
            return Self::none();
        }
        Remote::from_headers(headers).map_or_else(Self::none, |remote| Self::from_remote(&remote))
    }

    /// The run that called this process.
    pub fn from_remote(remote: &Remote) -> Self {
        if !gate::is_on() {
            return Self::none();
        }
        if !remote.sampled {
            let mut muted = Frame::NONE;
            muted.set(MUTED);
            return Self::of(muted, None);
        }
        let latest = clock::now().saturating_add(AHEAD);
        let order = remote.dotted_order.as_ref().filter(|order| order.start_time().is_some_and(|start| start < latest));
        let mut ambient = Vec::new();
        for (key, value) in &remote.metadata {
            adapters::text(&mut ambient, item::METADATA, key);
            tape::write_serialize(&mut ambient, value);
        }
        for tag in &remote.tags {
            adapters::text(&mut ambient, item::SCOPE_TAG, tag);
        }
        let mut body = Vec::new();
        if let Some(order) = order {
            adapters::text(&mut body, item::REMOTE_RUN, order.as_str());
        }
        if let Some(otel) = &remote.otel {
            body.push(item::OTEL);
            tape::write_serialize(&mut body, otel);
        }
        body.extend_from_slice(&ambient);
        let origin = Origin {
            id: order.and_then(DottedOrder::id),
            trace_id: order.and_then(DottedOrder::trace_id),
            dotted_order: order.map(|order| Arc::new(order.clone())),
            otel: remote.otel.clone().map(Arc::new),
        };
        let start = order.and_then(DottedOrder::start_time).unwrap_or(i64::MIN);
        let frame = local::open_remote(&body, start, origin);
        let carried = (!ambient.is_empty()).then(|| Arc::new(Carried { ambient, ..Carried::default() }));
        Self::of(frame, carried)
    }

    /// What a request that is made in this context tells the process that it calls, as headers: pairs of name and value,
    /// each in place of what the request has under its name. Empty where there is no run.
    ///
    /// A run's metadata and tags go along where a [`scope`](crate::scope()) says them, not where the run does.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        self.outgoing().map(|outgoing| outgoing.headers()).unwrap_or_default()
    }

    /// As [`Context::headers`], before they are written.
    #[must_use]
    pub fn outgoing(&self) -> Option<Outgoing> {
        if !self.frame.is_recorded() {
            return None;
        }
        let carried = self.carried.as_deref();
        let known = carried.and_then(|carried| carried.lineage_of(&self.frame));
        outgoing(&self.frame, &known.map_or_else(|| self.frame.short_lineage(), <[_]>::to_vec), carried)
    }
}

impl Current {
    /// What a request that is made in this run tells the process that it calls. See [`Context::headers`].
    #[must_use]
    pub fn headers(self) -> Vec<(&'static str, String)> {
        self.outgoing().map(|outgoing| outgoing.headers()).unwrap_or_default()
    }

    /// As [`Current::headers`], before they are written.
    #[must_use]
    pub fn outgoing(self) -> Option<Outgoing> {
        let frame = self.frame();
        if !frame.is_recorded() {
            return None;
        }
        let (_, around) = local::top_with_scope();
        outgoing(&frame, &local::lineage(&frame), around.as_deref())
    }
}

/// The place in a trace that somebody else has written down.
impl From<&DottedOrder> for Parent {
    fn from(order: &DottedOrder) -> Self {
        Self::from(Context::from_remote(&Remote::from(order.clone())))
    }
}

impl From<DottedOrder> for Parent {
    fn from(order: DottedOrder) -> Self {
        Self::from(&order)
    }
}

impl From<&Remote> for Parent {
    fn from(remote: &Remote) -> Self {
        Self::from(Context::from_remote(remote))
    }
}

fn outgoing(frame: &Frame, lineage: &[(i64, Key)], around: Option<&Carried>) -> Option<Outgoing> {
    let origin = if frame.is(FOREIGN) { Some(origin::of(frame.root_key)?) } else { None };
    let otel = origin.as_ref().and_then(|origin| origin.otel.as_deref());
    let mut outgoing = Outgoing { sampled: !frame.is(TENTATIVE), ..Outgoing::default() };
    if frame.depth == 0 {
        // No run of ours has begun: the caller's is passed on.
        outgoing.dotted_order = origin.as_ref()?.dotted_order.as_deref().cloned();
        outgoing.span_id = otel.and_then(|otel| otel.parent_span_id).unwrap_or_default();
    } else {
        // The process that is called would record all of a trace that most likely is dropped here.
        outgoing.dotted_order = origin::dotted_order(frame, lineage).filter(|_| outgoing.sampled);
        outgoing.span_id = frame.id()?.span_id();
        outgoing.trace_id = frame.trace_id()?.otel_trace_id();
    }
    if let Some(otel) = otel {
        outgoing.trace_id = otel.trace_id;
        outgoing.tracestate.clone_from(&otel.tracestate);
    }
    let said = around.map(Carried::all_items).unwrap_or_default();
    for said in Items::new(&said) {
        let (key, value) = match said {
            Item::Metadata(key, mut value) => {
                (key, value.json().ok().and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
            }
            Item::Thread(id) => ("thread_id", id.into()),
            Item::Session(id) => ("session_id", id.into()),
            Item::User(id) => ("user_id", id.into()),
            Item::ScopeTag(tag) => {
                outgoing.tags.push(tag.to_owned());
                continue;
            }
            Item::Project(name) => {
                outgoing.project = Some(name.to_owned());
                continue;
            }
            _ => continue,
        };
        outgoing.metadata.insert(key.to_owned(), value);
    }
    redact(frame.client, &mut outgoing);
    Some(outgoing)
}

/// Another process is told no more than a backend is.
fn redact(client: u16, outgoing: &mut Outgoing) {
    if outgoing.metadata.is_empty() && outgoing.tags.is_empty() {
        return;
    }
    let metadata = std::mem::take(&mut outgoing.metadata);
    let tags = std::mem::take(&mut outgoing.tags);
    let mut said = RunChange::Patch(Box::new(Run { tags, metadata, ..Run::default() }));
    let set = Pipeline::get().and_then(|pipeline| pipeline.clients.get(client));
    if set.is_some_and(|set| set.privacy.apply(Content::Full, &mut said))
        && let RunChange::Patch(said) = said
    {
        (outgoing.metadata, outgoing.tags) = (said.metadata, said.tags);
    }
}
