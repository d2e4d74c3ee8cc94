//! Puts the records of one run together, field by field.

use std::collections::HashMap;

use super::{Run, RunChange, RunId, RunType, Status};

impl Run {
    /// Takes over what a later record of the same run says.
    ///
    /// What the later record leaves out stays as it is, also the kind where it says only `chain`; the start never changes; lists are taken over whole
    /// when the later one is not empty, metadata and variables key by key, attachments by name. A tag without a name says that there
    /// are none.
    pub fn absorb(&mut self, later: Run) {
        fn newer<T>(slot: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *slot = later;
            }
        }
        fn longer<T>(slot: &mut Vec<T>, later: Vec<T>) {
            if !later.is_empty() {
                *slot = later;
            }
        }
        // Without `..`, so that a new field cannot be forgotten here.
        let Run {
            id: _,
            trace_id: _,
            parent_id: _,
            dotted_order: _,
            name,
            run_type,
            start_time: _,
            end_time,
            status,
            inputs,
            outputs,
            expected,
            error,
            events,
            stream,
            tags,
            metadata,
            provider,
            model,
            params,
            usage,
            project,
            thread_id,
            session_id,
            user,
            environment,
            release,
            attachments,
            variables,
            prompt_ref,
            deployment_ref,
            otel,
            source,
        } = later;
        if !name.is_empty() {
            self.name = name;
        }
        if run_type != RunType::default() {
            self.run_type = run_type;
        }
        // An end says how the run stands, also that nobody knows.
        if end_time.is_some() || !matches!(status, Status::Pending | Status::Unknown) {
            self.status = status;
        }
        newer(&mut self.end_time, end_time);
        newer(&mut self.inputs, inputs);
        newer(&mut self.outputs, outputs);
        newer(&mut self.expected, expected);
        newer(&mut self.error, error);
        longer(&mut self.events, events);
        newer(&mut self.stream, stream);
        longer(&mut self.tags, tags);
        self.tags.retain(|tag| !tag.is_empty());
        self.metadata.extend(metadata);
        newer(&mut self.provider, provider);
        newer(&mut self.model, model);
        self.params.extend(params);
        newer(&mut self.usage, usage);
        newer(&mut self.project, project);
        newer(&mut self.thread_id, thread_id);
        newer(&mut self.session_id, session_id);
        newer(&mut self.user, user);
        newer(&mut self.environment, environment);
        newer(&mut self.release, release);
        for attachment in attachments {
            match self.attachments.iter_mut().find(|known| known.name == attachment.name) {
                Some(known) => *known = attachment,
                None => self.attachments.push(attachment),
            }
        }
        self.variables.extend(variables);
        newer(&mut self.prompt_ref, prompt_ref);
        newer(&mut self.deployment_ref, deployment_ref);
        newer(&mut self.otel, otel);
        newer(&mut self.source, source);
    }
}

/// Makes whole runs of a stream of changes: keeps what a `Start` said until its `End` comes.
///
/// At most `capacity` open runs are kept; the oldest goes first, and its `End` is then handed out with what it has.
#[derive(Debug)]
pub struct Assembler {
    open: HashMap<RunId, Box<Run>>,
    order: std::collections::VecDeque<RunId>,
    capacity: usize,
}

impl Assembler {
    /// An assembler that keeps at most `capacity` open runs.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { open: HashMap::new(), order: std::collections::VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Takes a change; answers the whole run when the change ends one.
    pub fn push(&mut self, change: &RunChange) -> Option<Box<Run>> {
        match change {
            RunChange::Start(run) => {
                if self.open.insert(run.id, run.clone()).is_none() {
                    self.order.push_back(run.id);
                }
                while self.open.len() > self.capacity
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.open.remove(&oldest);
                }
                // Ended runs leave their ids behind; sweep them before the list outgrows the map.
                if self.order.len() > 2 * self.capacity {
                    self.order.retain(|id| self.open.contains_key(id));
                }
                None
            }
            RunChange::End(run) => match self.open.remove(&run.id) {
                Some(mut whole) => {
                    whole.absorb((**run).clone());
                    Some(whole)
                }
                None => Some(run.clone()),
            },
            RunChange::Progress(_)
            | RunChange::Patch(_)
            | RunChange::Attachment(_)
            | RunChange::Score(_)
            | RunChange::Thread(_)
            | RunChange::User(_)
            | RunChange::Report(_) => None,
        }
    }

    /// The runs that are open now, in no order.
    pub fn open(&self) -> impl Iterator<Item = &Run> {
        self.open.values().map(|run| &**run)
    }
}
