//! Every text of a change, by the kind of text that it is.
//!
//! The structs are taken apart without `..`, so that a new field cannot be forgotten here.

use std::{borrow::Cow, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::content::Hidden;
use crate::model::{
    Attachment, AttachmentData, AttachmentFor, Bytes, Event, Json, OtelContext, Progress, Run, RunChange, RunType,
    Score, ScoreTarget, StreamInfo, Thread, User,
};

/// What takes the place of texts. Answers `None` for what stays.
pub(super) trait Scrub {
    /// Plain text.
    fn text(&self, text: &str) -> Option<String>;
    /// A JSON document.
    fn json(&self, json: &str) -> Option<String>;
    /// A JSON document with a list of chunks in it, at this depth. With `live`, it may go on.
    fn streamed(&self, json: &str, depth: Option<usize>, live: bool) -> Option<String>;
    /// Documents that are a chunk each. Answers those that change.
    fn chunks(&self, chunks: &[&str]) -> Vec<(usize, String)>;
}

/// Replaces everything: nothing is known of what is in it.
pub(super) struct Withhold(pub(super) &'static str);

impl Scrub for Withhold {
    fn text(&self, text: &str) -> Option<String> {
        (!text.is_empty()).then(|| "[redacted]".to_owned())
    }

    fn json(&self, json: &str) -> Option<String> {
        (json != "{}" && json != "null")
            .then(|| Json::from_value(&serde_json::json!({ "$withheld": self.0 })).into_string())
    }

    fn streamed(&self, json: &str, _: Option<usize>, _: bool) -> Option<String> {
        self.json(json)
    }

    fn chunks(&self, chunks: &[&str]) -> Vec<(usize, String)> {
        chunks.iter().enumerate().filter_map(|(at, chunk)| Some((at, self.json(chunk)?))).collect()
    }
}

/// Lets `scrub` replace every text of a change.
pub(super) fn scrub(scrub: &impl Scrub, change: &mut RunChange) {
    let all = All(scrub);
    match change {
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => all.run(run),
        RunChange::Progress(progress) => all.progress(progress),
        RunChange::Attachment(AttachmentFor { run_id: _, attachment }) => all.attachment(attachment),
        RunChange::Score(score) => all.score(score),
        RunChange::Thread(thread) => all.thread(thread),
        RunChange::User(user) => all.user(user),
        // Reasons and counts.
        RunChange::Report(_) => {}
    }
}

struct All<'a, S>(&'a S);

impl<S: Scrub> All<'_, S> {
    fn run(&self, run: &mut Run) {
        let Run {
            id: _,
            trace_id: _,
            parent_id: _,
            dotted_order: _,
            name,
            run_type,
            start_time: _,
            end_time: _,
            status: _,
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
            usage: _,
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
            source: _,
        } = run;
        self.cow(name);
        if let RunType::Custom(name) = run_type {
            self.cow(name);
        }
        self.json(inputs);
        let listed = outputs.as_ref().is_some_and(|outputs| outputs.as_str().starts_with("{\"output\":["));
        if let Some(outputs) = outputs
            && let Some(new) = self.0.streamed(outputs.as_str(), (stream.is_some() && listed).then_some(2), false)
        {
            *outputs = Json::from_written(new);
        }
        self.json(expected);
        self.texts([
            error,
            provider,
            model,
            thread_id,
            session_id,
            user,
            environment,
            release,
            prompt_ref,
            deployment_ref,
        ]);
        for Event { name, time: _, data } in events {
            self.cow(name);
            self.value(data);
        }
        if let Some(StreamInfo { first_chunk: _, last_chunk: _, chunks: _, raw }) = stream {
            let chunks: Vec<&str> = raw.iter().map(|(_, chunk)| chunk.as_str()).collect();
            for (at, new) in self.0.chunks(&chunks) {
                raw[at].1 = Json::from_written(new);
            }
        }
        self.tags(tags);
        self.members(metadata);
        self.members(params);
        self.members(variables);
        if let Some(project) = project {
            self.cow(project);
        }
        attachments.iter_mut().for_each(|attachment| self.attachment(attachment));
        if let Some(OtelContext { trace_id: _, parent_span_id: _, tracestate, sampled: _ }) = otel {
            self.texts([tracestate]);
        }
    }

    fn progress(&self, Progress { id: _, trace_id: _, time: _, chunks: _, outputs }: &mut Progress) {
        if let Some(outputs) = outputs {
            let depth = outputs.as_str().starts_with('[').then_some(1);
            if let Some(new) = self.0.streamed(outputs.as_str(), depth, true) {
                *outputs = Json::from_written(new);
            }
        }
    }

    fn attachment(&self, Attachment { name, mime, data, metadata }: &mut Attachment) {
        self.string(name);
        self.cow(mime);
        match data {
            AttachmentData::Bytes(Bytes(bytes)) => {
                let text = match str::from_utf8(bytes) {
                    Ok(text) => Some(Cow::Borrowed(text)),
                    Err(_) => is_text(mime).then(|| String::from_utf8_lossy(bytes)),
                };
                if let Some(new) = text.and_then(|text| self.0.text(&text)) {
                    *bytes = new.into_bytes().into();
                }
            }
            AttachmentData::Path(path) => {
                if let Some(new) = self.0.text(&path.to_string_lossy()) {
                    *path = PathBuf::from(new);
                }
            }
            AttachmentData::Url(url) => self.string(url),
        }
        self.members(metadata);
    }

    fn score(&self, score: &mut Score) {
        let Score {
            id: _,
            target,
            key,
            score: _,
            value,
            label,
            comment,
            correction,
            source: _,
            user,
            time: _,
            tags,
            metadata,
        } = score;
        if let ScoreTarget::Thread(thread) = target {
            self.string(thread);
        }
        self.string(key);
        self.value(value);
        self.value(correction);
        self.texts([label, comment, user]);
        self.tags(tags);
        self.members(metadata);
    }

    fn thread(&self, Thread { id, name, user, tags, metadata, time: _ }: &mut Thread) {
        self.string(id);
        self.texts([name, user]);
        self.tags(tags);
        self.members(metadata);
    }

    fn user(&self, User { identifier, metadata, time: _ }: &mut User) {
        self.string(identifier);
        self.members(metadata);
    }

    fn string(&self, text: &mut String) {
        if let Some(new) = self.0.text(text) {
            *text = new;
        }
    }

    fn cow(&self, text: &mut Cow<'static, str>) {
        if let Some(new) = self.0.text(text) {
            *text = Cow::Owned(new);
        }
    }

    fn texts<const N: usize>(&self, texts: [&mut Option<String>; N]) {
        texts.into_iter().flatten().for_each(|text| self.string(text));
    }

    fn tags(&self, tags: &mut [String]) {
        tags.iter_mut().for_each(|tag| self.string(tag));
    }

    fn json(&self, json: &mut Option<Json>) {
        if let Some(json) = json
            && let Some(new) = self.0.json(json.as_str())
        {
            *json = Json::from_written(new);
        }
    }

    fn value(&self, value: &mut Option<Value>) {
        if let Some(some) = value {
            self.serialized(some);
        }
    }

    fn members<M: Members>(&self, members: &mut M) {
        if !members.is_none() {
            self.serialized(members);
        }
    }

    /// Values that are no text yet. One that is not to be read again is left out.
    fn serialized<T: Serialize + DeserializeOwned + Default>(&self, value: &mut T) {
        let Ok(json) = serde_json::to_string(value) else { return *value = T::default() };
        if let Some(new) = self.0.json(&json) {
            *value = serde_json::from_str(&new).unwrap_or_default();
        }
    }
}

/// Named values.
trait Members: Serialize + DeserializeOwned + Default {
    fn is_none(&self) -> bool;
}

impl Members for Map<String, Value> {
    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

impl Members for std::collections::BTreeMap<String, Value> {
    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

/// Whether bytes of this media type are text, also where they are not quite UTF-8.
fn is_text(mime: &str) -> bool {
    const KINDS: [&str; 8] = ["json", "xml", "yaml", "toml", "csv", "javascript", "x-www-form-urlencoded", "x-sh"];
    mime.starts_with("text/") || KINDS.iter().any(|kind| mime.contains(kind))
}

/// Takes the content out of a change. Answers whether anything is left to send.
pub(super) fn drop_content(change: &mut RunChange) -> bool {
    match change {
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => {
            hide(Hidden { inputs: true, outputs: true, metadata: false }, run);
            run.events.iter_mut().for_each(|event| event.data = None);
            run.attachments.clear();
        }
        RunChange::Progress(progress) => progress.outputs = None,
        RunChange::Attachment(_) => return false,
        RunChange::Score(score) => score.correction = None,
        RunChange::Thread(_) | RunChange::User(_) | RunChange::Report(_) => {}
    }
    true
}

/// Takes parts out of a change.
pub(super) fn hide_parts(hidden: Hidden, change: &mut RunChange) {
    match change {
        RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run) => hide(hidden, run),
        RunChange::Progress(progress) if hidden.outputs => progress.outputs = None,
        _ => {}
    }
}

fn hide(hidden: Hidden, run: &mut Run) {
    if hidden.inputs {
        run.inputs = None;
        run.variables.clear();
    }
    if hidden.outputs {
        run.outputs = None;
        run.expected = None;
        if let Some(stream) = &mut run.stream {
            stream.raw.clear();
        }
    }
    if hidden.metadata {
        run.metadata.clear();
    }
}
