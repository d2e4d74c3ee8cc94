//! Records in, changes out: puts the parts of each run together. Pure: no clock, no thread, no I/O.
//!
//! Records of one run come from several threads, each in its own order, and are read log by log. So a record may be read
//! before the start that it belongs to: it waits for one more pass, by the end of which that start has been read, for
//! the thread that wrote the record had seen the start.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use serde_json::{Map, Value};

use super::{
    counters::{self, Reason},
    run_id,
};
use crate::{
    export::weight,
    messages,
    model::{
        DottedOrder, Event, Json, Progress, Run, RunChange, RunId, RunType, SourceLocation, Status, StreamInfo, Usage,
    },
    record::{self, Item, Items, Key, Record},
    site::{self, Site},
    sync::Arc,
    tape::json::{TapeReader, into_text},
};

/// A run that is still open after this long is announced, in nanoseconds.
const ANNOUNCE_AFTER: i64 = 20_000_000;
/// How often an open stream's text is sent to live views, in nanoseconds.
const PROGRESS_EVERY: i64 = 250_000_000;
/// Bytes of captured chunks of one run that are kept.
const MAX_CHUNK_BYTES: usize = 4 << 20;
/// Passes that a run is remembered for that ended in another log than it began in, so that what is said of it in a log
/// that is read later still finds it.
const REMEMBER_PASSES: u64 = 2;
/// How many runs are remembered that ended in the log that they began in. Other threads may have spoken of them, too.
const REMEMBER_AT_HOME: usize = 16 << 10;

/// Keys are small consecutive numbers: one multiplication spreads them.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

/// What children take over from the run above them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Inherited {
    metadata: Map<String, Value>,
    project: Option<Cow<'static, str>>,
    thread_id: Option<String>,
    session_id: Option<String>,
    user: Option<String>,
    environment: Option<String>,
    release: Option<String>,
}

/// What is known of a run. Small once the run has ended: then only those that come after it ask.
struct Entry {
    id: RunId,
    trace_id: RunId,
    start: i64,
    dotted_order: Arc<DottedOrder>,
    client: u16,
    /// Handles through which children may still come.
    handles: i32,
    /// Set at the end; until then it is a part of the open run.
    inherited: Option<Arc<Inherited>>,
    open: Option<Box<Open>>,
}

/// What is known of an open run.
struct Open {
    /// What has not been handed out yet, and what children inherit.
    run: Box<Run>,
    site: u32,
    /// The log that it began in.
    log: usize,
    announced: bool,
    /// The outputs were set by hand: those of the function do not replace them.
    outputs_set: bool,
    keep_raw: bool,
    chunks: Vec<(i64, Json)>,
    chunk_bytes: usize,
    chunks_cut: u64,
    last_progress: i64,
    progressed_chunks: u64,
    /// What a reducer has made so far: chunks, answer.
    so_far: Option<(u64, Json)>,
    /// When the last note was made.
    noted: i64,
    /// When the run panicked.
    panicked: Option<i64>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Assembly {
    entries: HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>,
    sites: Vec<&'static Site>,
    /// Runs that are not announced yet, by start.
    unannounced: VecDeque<(Key, i64)>,
    /// Open runs with chunks that live views have not seen.
    streaming: Vec<Key>,
    /// Records that came before what they belong to, with their log and the pass that they came in.
    early: VecDeque<(u64, usize, Vec<u8>)>,
    /// Runs that ended in another log than they began in, by the pass in which they ended.
    ended: VecDeque<(u64, Key)>,
    /// Runs that ended where they began.
    ended_at_home: VecDeque<Key>,
    /// The log that is being read.
    log: usize,
    pass: u64,
    out: Vec<(u16, RunChange)>,
    out_bytes: usize,
    taken: u64,
    started: u64,
    finished: u64,
    /// Open roots, by site.
    open_roots: HashMap<u32, u32>,
    /// The last roots that ended: site, start, end.
    past_roots: VecDeque<(u32, i64, i64)>,
    /// Sites that have been part of another run.
    inner_sites: HashSet<u32>,
    /// Sites that began a trace by what looks like an accident.
    strays: Vec<&'static Site>,
}

impl Assembly {
    /// How many records were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes of changes that wait to be drained.
    pub(super) fn bytes(&self) -> usize {
        self.out_bytes
    }

    /// The changes that are finished.
    pub(super) fn drain(&mut self) -> std::vec::Drain<'_, (u16, RunChange)> {
        self.out_bytes = 0;
        self.out.drain(..)
    }

    /// Whether time alone will make a change.
    pub(super) fn wants_ticks(&self) -> bool {
        !self.unannounced.is_empty() || !self.streaming.is_empty() || !self.early.is_empty()
    }

    /// Takes a record from the log of this number.
    pub(super) fn take(&mut self, log: usize, bytes: &[u8]) {
        self.taken += 1;
        self.log = log;
        if let Some(record) = record::parse(bytes)
            && !self.apply(record, false)
        {
            self.early.push_back((self.pass, log, bytes.to_vec()));
        }
    }

    /// Ends a pass over all logs: tries again what came too early, and announces what is open. With `all`, runs are
    /// announced however young they are.
    pub(super) fn end_pass(&mut self, now: i64, all: bool) {
        self.retry();
        self.announce(now, all);
        self.progress(now, all);
        self.forget();
        self.pass += 1;
        counters::taken(std::mem::take(&mut self.started), std::mem::take(&mut self.finished));
    }

    /// Applies a record. Answers whether what it belongs to was known; with `last`, it makes do without.
    fn apply(&mut self, record: Record<'_>, last: bool) -> bool {
        match record {
            Record::Start { key, parent, start, site, client, body } => {
                if parent != 0 && !last && !self.entries.contains_key(&parent) {
                    return false;
                }
                self.start(key, parent, start, site, client, body);
            }
            Record::End { key, end, status, body } => {
                if !self.entries.contains_key(&key) {
                    return last;
                }
                self.end(key, end, status, body);
            }
            Record::Chunk { key, time, body } => {
                let Some(entry) = self.entries.get_mut(&key) else { return last };
                if entry.open.as_mut().is_some_and(|open| open.take_chunk(time, body)) {
                    self.streaming.push(key);
                }
            }
            Record::Note { key, time, body } => {
                let Some(entry) = self.entries.get_mut(&key) else {
                    if last {
                        counters::dropped(Reason::AfterEnd);
                    }
                    return last;
                };
                match &mut entry.open {
                    Some(open) => {
                        open.noted = time;
                        open.take_items(body);
                        if open.so_far.is_some() {
                            self.streaming.push(key);
                        }
                    }
                    None => {
                        let (client, patch) = (entry.client, entry.patch(body));
                        self.emit(client, RunChange::Patch(patch));
                    }
                }
            }
            Record::Retain { key } => return self.handle(key, 1) || last,
            Record::Release { key } => return self.handle(key, -1) || last,
        }
        true
    }

    fn start(&mut self, key: Key, parent: Key, start: i64, number: u32, client: u16, body: &[u8]) {
        let Some(site) = self.site(number) else { return };
        if cfg!(debug_assertions) {
            self.watch_for_strays(site, number, start, parent == 0);
        }
        let id = run_id(start, key);
        let source = SourceLocation { module: site.module.into(), file: site.file.into(), line: site.line };
        let mut run = Box::new(Run {
            id,
            trace_id: id,
            start_time: start,
            name: site.name.into(),
            run_type: RunType::from(site.run_type),
            source: Some(source),
            ..Run::default()
        });
        match self.entries.get(&parent) {
            Some(above) => above.pass_down_to(&mut run),
            None => run.dotted_order = DottedOrder::root(start, id),
        }
        let mut entry = Entry {
            id,
            trace_id: run.trace_id,
            start: run.start_time,
            dotted_order: Arc::new(run.dotted_order.clone()),
            client,
            handles: 0,
            inherited: None,
            open: None,
        };
        let mut open = Box::new(Open::new(run, number, self.log));
        open.take_items(body);
        entry.open = Some(open);
        self.entries.insert(key, entry);
        self.unannounced.push_back((key, start));
        self.started += 1;
    }

    /// Notes a root of a site that is otherwise part of other runs, or that does one step's work, while other traces are
    /// open: most likely the current run was lost on the way to another task or thread.
    fn watch_for_strays(&mut self, site: &'static Site, number: u32, start: i64, is_root: bool) {
        if !is_root {
            self.inner_sites.insert(number);
            return;
        }
        let open = self.open_roots.iter().any(|(&other, &open)| open > 0 && other != number);
        let past = self.past_roots.iter().any(|&(other, from, to)| other != number && (from..to).contains(&start));
        let step = STEPS.contains(&site.run_type) || self.inner_sites.contains(&number);
        let known = self.open_roots.contains_key(&number);
        if (open || past) && step && !known {
            self.strays.push(site);
        }
        *self.open_roots.entry(number).or_default() += 1;
    }

    /// The sites that began a trace by what looks like an accident, each once.
    pub(super) fn take_strays(&mut self) -> Vec<&'static Site> {
        std::mem::take(&mut self.strays)
    }

    fn site(&mut self, number: u32) -> Option<&'static Site> {
        let at = (number as usize).checked_sub(1)?;
        if at >= self.sites.len() {
            self.sites.extend(site::registered_after(self.sites.len()));
        }
        self.sites.get(at).copied()
    }

    fn end(&mut self, key: Key, end: i64, status: Status, body: &[u8]) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(mut open) = entry.open.take() else { return };
        open.take_items(body);
        open.finish(end, status);
        entry.inherited = open.inherited();
        let client = entry.client;
        if cfg!(debug_assertions)
            && open.run.parent_id.is_none()
            && let Some(roots) = self.open_roots.get_mut(&open.site)
        {
            *roots = roots.saturating_sub(1);
            self.past_roots.push_front((open.site, open.run.start_time, end));
            self.past_roots.truncate(PAST_ROOTS);
        }
        if open.log == self.log {
            self.ended_at_home.push_back(key);
            if self.ended_at_home.len() > REMEMBER_AT_HOME
                && let Some(oldest) = self.ended_at_home.pop_front()
            {
                self.forget_one(oldest);
            }
        } else {
            self.ended.push_back((self.pass, key));
        }
        self.finished += 1;
        self.emit(client, RunChange::End(open.run));
    }

    fn handle(&mut self, key: Key, by: i32) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        entry.handles += by;
        if entry.open.is_none() && entry.handles == 0 {
            self.ended.push_back((self.pass, key));
        }
        true
    }

    fn emit(&mut self, client: u16, change: RunChange) {
        self.out_bytes += weight(&change);
        self.out.push((client, change));
    }

    /// Tries again what came too early, for as long as that helps: what waited may be what something else waits for.
    fn retry(&mut self) {
        let mut before = usize::MAX;
        while !self.early.is_empty() && self.early.len() < before {
            before = self.early.len();
            for (pass, log, bytes) in std::mem::take(&mut self.early) {
                let last = pass < self.pass;
                self.log = log;
                if let Some(record) = record::parse(&bytes)
                    && !self.apply(record, last)
                {
                    self.early.push_back((pass, log, bytes));
                }
            }
        }
    }

    fn announce(&mut self, now: i64, all: bool) {
        while let Some(&(key, start)) = self.unannounced.front() {
            let entry = self.entries.get_mut(&key);
            let open = entry.and_then(|entry| entry.open.as_mut().map(|open| (entry.client, open)));
            if open.is_some() && !all && now - start < ANNOUNCE_AFTER {
                break;
            }
            self.unannounced.pop_front();
            if let Some((client, open)) = open {
                open.announced = true;
                let run = open.run.clone();
                open.run.inputs = None;
                self.emit(client, RunChange::Start(run));
            }
        }
    }

    fn progress(&mut self, now: i64, all: bool) {
        for key in std::mem::take(&mut self.streaming) {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let Some(open) = &mut entry.open else { continue };
            if !open.announced || (now - open.last_progress < PROGRESS_EVERY && !all) {
                self.streaming.push(key);
                continue;
            }
            open.last_progress = now;
            let (chunks, outputs) = open.answer_so_far();
            let (id, trace_id) = (entry.id, entry.trace_id);
            let progress = Progress { id, trace_id, time: now, chunks, outputs: Some(outputs) };
            let client = entry.client;
            self.emit(client, RunChange::Progress(progress));
        }
    }

    /// Lets go of runs that nobody can ask for any more.
    fn forget(&mut self) {
        while let Some(&(pass, key)) = self.ended.front()
            && pass + REMEMBER_PASSES < self.pass
        {
            self.ended.pop_front();
            self.forget_one(key);
        }
    }

    fn forget_one(&mut self, key: Key) {
        if self.entries.get(&key).is_some_and(|entry| entry.open.is_none() && entry.handles == 0) {
            self.entries.remove(&key);
        }
    }
}

impl Entry {
    /// Makes a run the child of this one.
    fn pass_down_to(&self, child: &mut Run) {
        child.parent_id = Some(self.id);
        child.trace_id = self.trace_id;
        child.start_time = child.start_time.max(self.start);
        child.dotted_order = self.dotted_order.child(child.start_time, child.id);
        let open = self.open.as_ref().and_then(|open| open.inherited());
        let Some(inherited) = open.or_else(|| self.inherited.clone()) else { return };
        let Inherited { metadata, project, thread_id, session_id, user, environment, release } = (*inherited).clone();
        child.metadata = metadata;
        child.project = project;
        child.thread_id = thread_id;
        child.session_id = session_id;
        child.user = user;
        child.environment = environment;
        child.release = release;
    }

    /// What was said of the run after its end.
    fn patch(&self, body: &[u8]) -> Box<Run> {
        let run = Run {
            id: self.id,
            trace_id: self.trace_id,
            start_time: self.start,
            dotted_order: (*self.dotted_order).clone(),
            status: Status::Unknown,
            ..Run::default()
        };
        let mut open = Open::new(Box::new(run), 0, 0);
        open.take_items(body);
        open.run
    }
}

impl Open {
    fn new(run: Box<Run>, site: u32, log: usize) -> Self {
        Self {
            run,
            site,
            log,
            announced: false,
            outputs_set: false,
            keep_raw: false,
            chunks: Vec::new(),
            chunk_bytes: 0,
            chunks_cut: 0,
            last_progress: 0,
            progressed_chunks: 0,
            so_far: None,
            noted: 0,
            panicked: None,
        }
    }

    /// What children take over, where there is anything.
    fn inherited(&self) -> Option<Arc<Inherited>> {
        let run = &self.run;
        let mut metadata = run.metadata.clone();
        // These say what the run itself is.
        for own in OWN_METADATA {
            metadata.remove(own);
        }
        let inherited = Inherited {
            metadata,
            project: run.project.clone(),
            thread_id: run.thread_id.clone(),
            session_id: run.session_id.clone(),
            user: run.user.clone(),
            environment: run.environment.clone(),
            release: run.release.clone(),
        };
        (inherited != Inherited::default()).then(|| Arc::new(inherited))
    }

    fn take_items(&mut self, body: &[u8]) {
        let mut inputs: Option<Vec<u8>> = None;
        for item in Items::new(body) {
            match item {
                Item::Input(name, value) => {
                    let inputs = inputs.get_or_insert_with(|| Vec::with_capacity(body.len() + body.len() / 8));
                    push_member(inputs, name, value);
                }
                item => self.take_item(item),
            }
        }
        if let Some(mut inputs) = inputs {
            inputs.push(b'}');
            self.run.inputs = Some(Json::from_written(into_text(inputs)));
        }
    }

    fn take_item(&mut self, item: Item<'_>) {
        let run = &mut *self.run;
        match item {
            Item::Input(..) => {}
            Item::Inputs(value) => run.inputs = json(value),
            Item::Metadata(name, value) => self.take_metadata(name, value),
            Item::Tag(tag) => {
                if !run.tags.iter().any(|known| known == tag) {
                    run.tags.push(tag.to_owned());
                }
            }
            Item::Name(name) => run.name = name.to_owned().into(),
            Item::Project(project) => run.project = Some(project.to_owned().into()),
            Item::Output(_) if self.outputs_set => {}
            Item::Output(value) => run.outputs = json(value).map(as_object),
            Item::SetOutput(value) => {
                self.outputs_set = true;
                run.outputs = json(value).map(as_object);
            }
            Item::Error(value) | Item::Panic(value) => {
                if matches!(item, Item::Panic(_)) {
                    self.panicked = Some(self.noted);
                }
                let text = json(value).map(|text| text.to_value());
                run.error = text.map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned));
            }
            Item::Usage(value) => {
                run.usage = json(value).and_then(|usage| serde_json::from_str::<Usage>(usage.as_str()).ok());
            }
            Item::Event(name, time, value) => {
                let data = json(value).map(|data| data.to_value()).filter(|data| !data.is_null());
                run.events.push(Event { name: name.to_owned().into(), time, data });
            }
            Item::Stream { first, last, count } => {
                let stream = run.stream.get_or_insert_default();
                (stream.first_chunk, stream.last_chunk, stream.chunks) = (first, last, count);
            }
            Item::RawChunks => self.keep_raw = true,
            Item::SoFar(chunks, value) => self.so_far = json(value).map(|answer| (chunks, answer)),
            Item::ChunksAreOutput => {
                if !self.outputs_set {
                    let list = self.chunk_list();
                    self.run.outputs = Some(as_object(list));
                }
            }
        }
    }

    fn take_metadata(&mut self, name: &str, value: TapeReader<'_>) {
        let Some(value) = json(value).map(|value| value.to_value()) else { return };
        let run = &mut *self.run;
        let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name {
            "ls_provider" => run.provider = Some(text()),
            "ls_model_name" => run.model = Some(text()),
            "thread_id" | "conversation_id" => run.thread_id = Some(text()),
            "session_id" => run.session_id = Some(text()),
            "user_id" => run.user = Some(text()),
            _ => {}
        }
        if let Some(param) = name.strip_prefix("ls_").filter(|param| PARAMS.contains(param)) {
            run.params.insert(param.to_owned(), value.clone());
        }
        run.metadata.insert(name.to_owned(), value);
    }

    /// Takes a chunk. Answers whether live views should be told of this run from now on.
    fn take_chunk(&mut self, time: i64, body: &[u8]) -> bool {
        let stream = self.stream();
        if stream.chunks == 0 {
            stream.first_chunk = time;
        }
        stream.last_chunk = time;
        stream.chunks += 1;
        let first_unseen = stream.chunks == self.progressed_chunks + 1;
        self.chunk_bytes += body.len();
        if self.chunk_bytes > MAX_CHUNK_BYTES {
            self.chunks_cut += 1;
        } else if let Some(chunk) = json(TapeReader::new(body)) {
            self.chunks.push((time, chunk));
        }
        first_unseen
    }

    fn stream(&mut self) -> &mut StreamInfo {
        self.run.stream.get_or_insert_default()
    }

    /// What has come so far, for live views.
    fn answer_so_far(&mut self) -> (u64, Json) {
        if let Some(so_far) = self.so_far.take() {
            return so_far;
        }
        self.progressed_chunks = self.stream().chunks;
        (self.progressed_chunks, self.chunk_list())
    }

    /// The chunks as one JSON list.
    fn chunk_list(&self) -> Json {
        let mut list = Vec::with_capacity(self.chunk_bytes + self.chunks.len() + 2);
        list.push(b'[');
        for (_, chunk) in &self.chunks {
            if list.len() > 1 {
                list.push(b',');
            }
            list.extend_from_slice(chunk.as_str().as_bytes());
        }
        if self.chunks_cut > 0 {
            let comma = if list.len() > 1 { "," } else { "" };
            list.extend_from_slice(format!("{comma}\"… [cut: {} more chunks]\"", self.chunks_cut).as_bytes());
        }
        list.push(b']');
        Json::from_written(into_text(list))
    }

    fn finish(&mut self, end: i64, status: Status) {
        if self.keep_raw {
            self.stream().raw = std::mem::take(&mut self.chunks);
        }
        let run = &mut *self.run;
        run.end_time = Some(self.panicked.unwrap_or(end).max(run.start_time));
        run.status = match status {
            Status::Ok if run.error.is_some() => Status::Error,
            // Whoever drops a stream behind its last chunk has read all of it.
            Status::Cancelled if run.error.is_none() && run.outputs.as_ref().is_some_and(is_terminal) => Status::Ok,
            status => status,
        };
        if let (RunType::Llm, Some(stream)) = (&run.run_type, &run.stream)
            && stream.chunks > 0
        {
            run.events.push(Event { name: "new_token".into(), time: stream.first_chunk, data: None });
        }
        if run.usage.is_none() {
            let is_call = matches!(run.run_type, RunType::Llm | RunType::Embedding);
            run.usage = run.outputs.as_ref().and_then(|outputs| usage_in(outputs, is_call));
        }
    }
}

/// How many ended roots are looked at when another root began in their time.
const PAST_ROOTS: usize = 16;

/// Kinds of work that are a step of something.
const STEPS: [&str; 8] = ["llm", "tool", "retriever", "embedding", "prompt", "parser", "reranker", "guardrail"];

/// Metadata that describes the run it stands on and so is not inherited.
const OWN_METADATA: [&str; 11] = [
    "ls_provider",
    "ls_model_name",
    "ls_model_type",
    "ls_temperature",
    "ls_max_tokens",
    "ls_stop",
    "ls_invocation_params",
    "ls_method",
    "ls_integration",
    "ls_agent_type",
    "usage_metadata",
];

/// Metadata `ls_*` that are parameters of a model call.
const PARAMS: [&str; 3] = ["temperature", "max_tokens", "stop"];

fn json(mut value: TapeReader<'_>) -> Option<Json> {
    value.json().ok().map(Json::from_written)
}

fn push_member(object: &mut Vec<u8>, name: &str, mut value: TapeReader<'_>) {
    object.push(if object.is_empty() { b'{' } else { b',' });
    object.push(b'"');
    crate::tape::json::escape(name.as_bytes(), object);
    object.extend_from_slice(b"\":");
    if value.write_json(object).is_err() {
        object.extend_from_slice(b"null");
    }
}

/// Outputs are an object: any other value stands under `output`.
fn as_object(value: Json) -> Json {
    if value.is_object() { value } else { Json::from_written(format!("{{\"output\":{value}}}")) }
}

/// The usage that an output carries. A chain that passes on a model's answer has not used its tokens again, so there
/// only what was put there on purpose counts.
fn usage_in(outputs: &Json, is_call: bool) -> Option<Usage> {
    // Most outputs carry none; only those that may are parsed.
    if !outputs.as_str().contains(if is_call { "sage" } else { "\"usage_metadata\"" }) {
        return None;
    }
    messages::usage(&outputs.to_value())
}

/// Whether an answer says that it is complete.
fn is_terminal(outputs: &Json) -> bool {
    /// Members by which providers close an answer: OpenAI chat, Anthropic, Gemini.
    const REASONS: [&str; 3] = ["finish_reason", "stop_reason", "finishReason"];
    fn says_so(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| {
                (REASONS.contains(&name.as_str()) && !value.is_null())
                    || (name == "type" && (value == "message_stop" || value == "response.completed"))
                    || says_so(value)
            }),
            Value::Array(values) => values.iter().rev().any(says_so),
            Value::String(text) => text == "[DONE]",
            _ => false,
        }
    }
    let text = outputs.as_str();
    let may = REASONS.iter().any(|name| text.contains(name))
        || ["[DONE]", "message_stop", "response.completed"].iter().any(|mark| text.contains(mark));
    may && says_so(&outputs.to_value())
}
