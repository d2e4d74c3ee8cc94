//! What is known of one run while its records come in, and after its end.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Route, files::Names, tentative::Held};
use crate::{
    attachments, messages,
    model::{
        Attachment, DottedOrder, Event, Json, OtelContext, Run, RunId, RunType, SourceLocation, Status, StreamInfo,
        Usage,
    },
    record::{Item, Items},
    redact::Content,
    sync::Arc,
    tape::json::{TapeReader, escape, into_text},
};

/// Bytes of captured chunks of one run that are kept.
const MAX_CHUNK_BYTES: usize = 4 << 20;

/// What children take over from the run above them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inherited {
    metadata: Map<String, Value>,
    project: Option<Cow<'static, str>>,
    thread_id: Option<String>,
    session_id: Option<String>,
    user: Option<String>,
    environment: Option<String>,
    release: Option<String>,
    /// Tags of scopes. A run's own tags stay its own.
    tags: Vec<String>,
    otel: Option<OtelContext>,
}

/// What is known of a run. Small once the run has ended: then only those that come after it ask.
pub(super) struct Entry {
    pub(super) id: RunId,
    pub(super) trace_id: RunId,
    pub(super) start: i64,
    pub(super) dotted_order: Arc<DottedOrder>,
    pub(super) client: u16,
    /// The destinations that it is not for, a bit for each.
    pub(super) left_out: u64,
    /// Set while it is not certain that the trace is kept.
    pub(super) held: Option<Held>,
    /// What its own attribute and those above allow to be sent of it.
    pub(super) content: Content,
    /// Handles through which children may still come.
    pub(super) handles: i32,
    /// Whether it is a run. Where a foreign trace goes on that has no run of ours, it is none.
    pub(super) is_run: bool,
    /// Set at the end; until then it is a part of the open run.
    pub(super) inherited: Option<Arc<Inherited>>,
    pub(super) open: Option<Box<Open>>,
}

/// What is known of an open run.
pub(super) struct Open {
    /// What has not been handed out yet, and what children inherit.
    pub(super) run: Box<Run>,
    pub(super) site: u32,
    /// The log that it began in.
    pub(super) log: usize,
    pub(super) announced: bool,
    /// The outputs were set by hand: those of the function do not replace them.
    pub(super) outputs_set: bool,
    pub(super) keep_raw: bool,
    /// What the attribute allows to be sent.
    pub(super) content: Content,
    pub(super) chunks: Vec<(i64, Json)>,
    pub(super) chunk_bytes: usize,
    pub(super) chunks_cut: u64,
    pub(super) last_progress: i64,
    pub(super) progressed_chunks: u64,
    /// What a reducer has made so far: chunks, answer.
    pub(super) so_far: Option<(u64, Json)>,
    /// What its files are called.
    pub(super) files: Names,
    /// When the last note was made.
    pub(super) noted: i64,
    /// When the run panicked.
    pub(super) panicked: Option<i64>,
    /// Tags of scopes, which the runs below have too.
    pub(super) scope_tags: Vec<String>,
    /// How the run stands, where that was said by hand.
    pub(super) status: Option<Status>,
    /// What the call cost, where that was said by hand.
    pub(super) cost: Option<f64>,
}

impl Entry {
    pub(super) fn route(&self) -> Route {
        Route { client: self.client, content: self.content, left_out: self.left_out }
    }

    /// Makes a run the child of this one.
    pub(super) fn pass_down_to(&self, child: &mut Run) {
        if self.is_run {
            child.parent_id = Some(self.id);
            child.trace_id = self.trace_id;
            child.start_time = child.start_time.max(self.start);
        }
        let open = self.open.as_ref().and_then(|open| open.inherited());
        let Some(inherited) = open.or_else(|| self.inherited.clone()) else { return };
        let Inherited { metadata, project, thread_id, session_id, user, environment, release, tags, otel } =
            (*inherited).clone();
        child.metadata = metadata;
        child.project = project;
        child.thread_id = thread_id;
        child.session_id = session_id;
        child.user = user;
        child.environment = environment;
        child.release = release;
        child.tags = tags;
        child.otel = otel;
    }

    /// The place in its trace of a run that begins below this one.
    pub(super) fn dotted_order_of(&self, child: &Run) -> DottedOrder {
        if self.is_run {
            self.dotted_order.child(child.start_time, child.id)
        } else {
            DottedOrder::root(child.start_time, child.id)
        }
    }

    /// The place that a trace goes on from that began in another process.
    pub(super) fn remote(client: u16, body: &[u8]) -> Self {
        let mut open = Open::new(Box::default(), 0, 0);
        open.take_items(body);
        let inherited = open.inherited().map(|inherited| {
            // The next run is the one that the foreign span is the parent of.
            Arc::new(Inherited { otel: open.run.otel.clone(), ..(*inherited).clone() })
        });
        let run = *open.run;
        Self {
            id: run.id,
            trace_id: run.trace_id,
            start: run.start_time,
            held: None,
            content: Content::Full,
            is_run: run.dotted_order.depth() > 0,
            dotted_order: Arc::new(run.dotted_order),
            client,
            left_out: 0,
            handles: 0,
            inherited,
            open: None,
        }
    }

    /// What was said of the run after its end.
    pub(super) fn patch(&self, body: &[u8]) -> Box<Run> {
        let run = Run {
            id: self.id,
            trace_id: self.trace_id,
            start_time: self.start,
            dotted_order: (*self.dotted_order).clone(),
            ..Run::default()
        };
        let mut open = Open::new(Box::new(run), 0, 0);
        open.take_items(body);
        open.run.status = open.status.unwrap_or(Status::Unknown);
        open.run
    }
}

impl Open {
    pub(super) fn new(run: Box<Run>, site: u32, log: usize) -> Self {
        Self {
            run,
            site,
            log,
            announced: false,
            outputs_set: false,
            keep_raw: false,
            content: Content::Full,
            chunks: Vec::new(),
            chunk_bytes: 0,
            chunks_cut: 0,
            last_progress: 0,
            progressed_chunks: 0,
            so_far: None,
            files: Names::default(),
            noted: 0,
            panicked: None,
            scope_tags: Vec::new(),
            status: None,
            cost: None,
        }
    }

    /// What children take over, where there is anything.
    pub(super) fn inherited(&self) -> Option<Arc<Inherited>> {
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
            tags: self.scope_tags.clone(),
            otel: run.otel.clone().map(|otel| OtelContext { parent_span_id: None, ..otel }),
        };
        (inherited != Inherited::default()).then(|| Arc::new(inherited))
    }

    pub(super) fn take_items(&mut self, body: &[u8]) {
        let mut inputs: Option<Vec<u8>> = None;
        for item in Items::new(body) {
            match item {
                Item::Input(name, value) => {
                    let inputs = inputs.get_or_insert_with(|| Vec::with_capacity(body.len() + body.len() / 8));
                    if let Some(file) = attachments::take(value) {
                        // As in LangSmith's SDKs, an argument that is a file is not an input.
                        self.keep_file(file, name, true);
                    } else if let Some(tape) = self.take_files(name, value, false) {
                        push_member(inputs, name, TapeReader::new(&tape));
                    } else {
                        push_member(inputs, name, value);
                    }
                }
                item => self.take_item(item),
            }
        }
        if let Some(mut inputs) = inputs {
            if inputs.is_empty() {
                inputs.push(b'{');
            }
            inputs.push(b'}');
            self.run.inputs = Some(Json::from_written(into_text(inputs)));
        }
    }

    /// Makes a captured file one of the run's; answers its name.
    fn keep_file(&mut self, file: Attachment, argument: &str, alone: bool) -> String {
        let name = self.files.of_captured(&file, argument, alone);
        self.run.attachments.push(file.named(name.as_str()));
        name
    }

    /// Makes the files in a value the run's; answers the tape without them. `None` where there is none.
    fn take_files(&mut self, argument: &str, value: TapeReader<'_>, alone: bool) -> Option<Vec<u8>> {
        attachments::take_out(value, |file| self.keep_file(file, argument, alone))
    }

    /// A value as JSON; the files in it become the run's.
    fn json(&mut self, argument: &str, value: TapeReader<'_>) -> Option<Json> {
        let alone = value.is_attachment();
        match self.take_files(argument, value, alone) {
            Some(tape) => json(TapeReader::new(&tape)),
            None => json(value),
        }
    }

    /// As [`Open::json`], for inputs and outputs.
    fn object(&mut self, name: &str, value: TapeReader<'_>) -> Option<Json> {
        self.json(name, value).map(|value| as_object(name, value))
    }

    /// A file that was added by hand.
    fn take_added(&mut self, name: &str, value: TapeReader<'_>) {
        let Some(file) = attachments::take(value) else { return };
        let file = file.named(self.files.of_added(name));
        match self.run.attachments.iter_mut().find(|known| known.name == file.name) {
            Some(known) => *known = file,
            None => self.run.attachments.push(file),
        }
    }

    fn take_item(&mut self, item: Item<'_>) {
        let run = &mut *self.run;
        match item {
            Item::Input(..) => {}
            Item::Inputs(value) => self.run.inputs = self.object("input", value),
            Item::Metadata(name, value) => self.take_metadata(name, value),
            Item::Tag(tag) => push_new(&mut run.tags, tag),
            Item::ScopeTag(tag) => {
                push_new(&mut run.tags, tag);
                push_new(&mut self.scope_tags, tag);
            }
            Item::Thread(id) => run.thread_id = Some(id.to_owned()),
            Item::Session(id) => run.session_id = Some(id.to_owned()),
            Item::User(id) => run.user = Some(id.to_owned()),
            Item::Environment(name) => run.environment = Some(name.to_owned()),
            Item::Release(version) => run.release = Some(version.to_owned()),
            Item::RunType(name) => run.run_type = RunType::from(name.to_owned()),
            Item::Id(id) => run.id = id,
            Item::Status(status) => self.status = Some(status),
            Item::Variable(name, value) => {
                let value = self.json(name, value).map(|value| value.to_value()).unwrap_or_default();
                self.run.variables.insert(name.to_owned(), value);
            }
            Item::Expected(value) => self.run.expected = self.json("expected", value),
            Item::PromptRef(prompt) => run.prompt_ref = Some(prompt.to_owned()),
            Item::DeploymentRef(deployment) => run.deployment_ref = Some(deployment.to_owned()),
            Item::Place(file, line) => {
                run.source = Some(SourceLocation { module: "".into(), file: file.to_owned().into(), line });
            }
            Item::RemoteRun(order) => self.take_remote(order),
            Item::Otel(value) => {
                run.otel = json(value).and_then(|otel| serde_json::from_str(otel.as_str()).ok());
            }
            Item::RawText(value) => {
                if let Some(text) = json(value) {
                    let time = self.noted;
                    let stream = run.stream.get_or_insert(StreamInfo {
                        first_chunk: time,
                        last_chunk: time,
                        ..StreamInfo::default()
                    });
                    stream.chunks = 1;
                    stream.raw = vec![(time, text)];
                }
            }
            Item::Cost(dollars) => self.cost = Some(dollars),
            Item::Name(name) => run.name = name.to_owned().into(),
            Item::Project(project) => run.project = Some(project.to_owned().into()),
            Item::Output(_) if self.outputs_set => {}
            Item::Output(value) => self.run.outputs = self.object("output", value),
            Item::SetOutput(value) => {
                self.outputs_set = true;
                self.run.outputs = self.object("output", value);
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
                let data = self.json(name, value).map(|data| data.to_value()).filter(|data| !data.is_null());
                self.run.events.push(Event { name: name.to_owned().into(), time, data });
            }
            Item::Stream { first, last, count } => {
                let stream = run.stream.get_or_insert_default();
                (stream.first_chunk, stream.last_chunk, stream.chunks) = (first, last, count);
            }
            Item::RawChunks => self.keep_raw = true,
            Item::Content(code) => self.content = Content::from_code(code),
            Item::SoFar(chunks, value) => self.so_far = json(value).map(|answer| (chunks, answer)),
            Item::Attachment(name, value) => self.take_added(name, value),
            Item::ChunksAreOutput => {
                // Chunks that passed and were not recorded are left out on purpose.
                let left_out = self.chunks.is_empty() && self.stream().chunks > 0;
                if !self.outputs_set && !left_out {
                    let list = self.chunk_list();
                    self.run.outputs = Some(as_object("output", list));
                }
            }
        }
    }

    fn take_metadata(&mut self, name: &str, value: TapeReader<'_>) {
        let Some(value) = self.json(name, value).map(|value| value.to_value()) else { return };
        let run = &mut *self.run;
        let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name {
            "ls_provider" => run.provider = Some(text()),
            "ls_model_name" => run.model = Some(text()),
            "thread_id" | "conversation_id" => run.thread_id = Some(text()),
            "session_id" => run.session_id = Some(text()),
            "user_id" => run.user = Some(text()),
            "ls_invocation_params" => {
                let params = value.as_object().into_iter().flatten();
                run.params.extend(params.map(|(name, value)| (name.clone(), value.clone())));
            }
            _ => {}
        }
        if let Some(param) = name.strip_prefix("ls_").filter(|param| PARAMS.contains(param)) {
            run.params.insert(param.to_owned(), value.clone());
        }
        run.metadata.insert(name.to_owned(), value);
    }

    /// Takes the place of a run in another process.
    fn take_remote(&mut self, order: &str) {
        let Ok(order) = order.parse::<DottedOrder>() else { return };
        let run = &mut *self.run;
        run.id = order.id().unwrap_or_default();
        run.trace_id = order.trace_id().unwrap_or_default();
        run.start_time = order.start_time().unwrap_or_default();
        run.dotted_order = order;
    }

    /// Takes a chunk. Answers whether live views should be told of this run from now on.
    pub(super) fn take_chunk(&mut self, time: i64, body: &[u8]) -> bool {
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
        } else {
            let value = TapeReader::new(body);
            let tape = self.take_files("output", value, false);
            self.chunks.extend(json(tape.as_deref().map_or(value, TapeReader::new)).map(|chunk| (time, chunk)));
        }
        first_unseen
    }

    pub(super) fn stream(&mut self) -> &mut StreamInfo {
        self.run.stream.get_or_insert_default()
    }

    /// What has come so far, for live views.
    pub(super) fn answer_so_far(&mut self) -> (u64, Json) {
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

    pub(super) fn finish(&mut self, end: i64, status: Status) {
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
        if let Some(status) = self.status {
            run.status = status;
        }
        if let (RunType::Llm, Some(stream)) = (&run.run_type, &run.stream)
            && stream.chunks > 0
        {
            run.events.push(Event { name: "new_token".into(), time: stream.first_chunk, data: None });
        }
        if run.usage.is_none() {
            let is_call = matches!(run.run_type, RunType::Llm | RunType::Embedding);
            run.usage = run.outputs.as_ref().and_then(|outputs| usage_in(outputs, is_call));
        }
        if let Some(cost) = self.cost {
            run.usage.get_or_insert_default().total_cost = Some(cost);
        }
    }
}

/// Metadata that describes the run it stands on and so is not inherited.
const OWN_METADATA: [&str; 18] = [
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
    "ls_tracing_sample_rate",
    "adaline_reference_id",
    "adaline_run_evaluation",
    "literal_step_type",
    "http.request.method",
    "http.route",
    "http.response.status_code",
];

/// Metadata `ls_*` that are parameters of a model call.
const PARAMS: [&str; 3] = ["temperature", "max_tokens", "stop"];

fn push_new(tags: &mut Vec<String>, tag: &str) {
    if !tags.iter().any(|known| known == tag) {
        tags.push(tag.to_owned());
    }
}

fn json(mut value: TapeReader<'_>) -> Option<Json> {
    value.json().ok().map(Json::from_written)
}

fn push_member(object: &mut Vec<u8>, name: &str, mut value: TapeReader<'_>) {
    object.push(if object.is_empty() { b'{' } else { b',' });
    object.push(b'"');
    escape(name.as_bytes(), object);
    object.extend_from_slice(b"\":");
    if value.write_json(object).is_err() {
        object.extend_from_slice(b"null");
    }
}

/// Inputs and outputs are an object: any other value stands under `name`.
fn as_object(name: &str, value: Json) -> Json {
    if value.is_object() { value } else { Json::from_written(format!("{{\"{name}\":{value}}}")) }
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
