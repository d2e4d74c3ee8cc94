//! Multipart bodies: each run a part, and each of its large fields and files a part of its own.

use std::{collections::HashMap, io::Write as _};

use serde::{Serialize, de::DeserializeOwned};
use traceable_core::model::{Attachment, AttachmentData, AttachmentFor, Json, Report, RunChange, RunId};

use super::{
    Feedback, Record, attachment,
    decode::{Decoded, MAX_PARTS, Operation, Problem, change, fields},
    decode_feedback,
    encode::{Body, Sent},
    read::Fields,
};

/// Bytes of the headers of one part.
const MAX_HEADERS: usize = 8 << 10;

/// Bytes of a part's name.
const MAX_NAME: usize = 256;

const JSON: &str = "application/json";

/// A body that is being written.
pub(super) struct Multipart<'a> {
    boundary: &'a str,
    project: Option<&'a str>,
    bytes: Vec<u8>,
    /// How long these were before what was written last.
    before: usize,
    /// The content of one part, whose length stands before it.
    content: Vec<u8>,
}

impl<'a> Multipart<'a> {
    pub(super) fn new(boundary: &'a str, project: Option<&'a str>, capacity: usize) -> Self {
        Self { boundary, project, bytes: Vec::with_capacity(capacity), before: 0, content: Vec::new() }
    }

    /// A part, whose name is given in pieces.
    fn part(&mut self, name: &[&str], content_type: &str, content: &[u8]) {
        let out = &mut self.bytes;
        // By hand: each run is several parts, and `format!` would allocate for each of them.
        let head = ["--", self.boundary, "\r\nContent-Disposition: form-data; name=\""];
        let behind = ["\"\r\nContent-Type: ", content_type, "\r\nContent-Length: "];
        for piece in head.iter().chain(name).chain(&behind) {
            out.extend_from_slice(piece.as_bytes());
        }
        let _ = write!(out, "{}\r\n\r\n", content.len());
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n");
    }

    fn json(&mut self, name: &[&str], value: &impl Serialize) -> serde_json::Result<()> {
        let mut content = std::mem::take(&mut self.content);
        content.clear();
        let written = serde_json::to_writer(&mut content, value);
        self.part(name, JSON, &content);
        self.content = content;
        written
    }

    /// The record, its large fields behind it, and its files.
    fn run(&mut self, operation: &str, mut record: Record<'_>, files: &[Attachment]) -> serde_json::Result<()> {
        let bodies = [(".inputs", record.inputs.take()), (".outputs", record.outputs.take())];
        let events = record.events.take();
        let extra = record.extra.take();
        let error = record.error.take();
        let id = record.id.encode();
        let id = str::from_utf8(&id).unwrap_or_default();
        self.json(&[operation, id], &record)?;
        for (field, body) in &bodies {
            match body.as_ref().map(|body| (body, body.as_object())) {
                Some((_, Some(text))) => self.part(&[operation, id, field], JSON, text.as_bytes()),
                Some((body, None)) => self.json(&[operation, id, field], body)?,
                None => {}
            }
        }
        if let Some(events) = &events {
            self.json(&[operation, id, ".events"], events)?;
        }
        if let Some(extra) = &extra {
            self.json(&[operation, id, ".extra"], extra)?;
        }
        if let Some(error) = &error {
            self.json(&[operation, id, ".error"], error)?;
        }
        for (name, file) in attachment::beside(files).0 {
            self.file(record.id, &name, file);
        }
        Ok(())
    }

    fn file(&mut self, id: RunId, name: &str, file: &Attachment) {
        if let AttachmentData::Bytes(bytes) = &file.data {
            let mime = attachment::mime(&file.mime);
            self.part(&["attachment.", &id.to_string(), ".", name], mime, &bytes.0);
        }
    }
}

impl Body for Multipart<'_> {
    fn write(&mut self, sent: &Sent<'_>) -> serde_json::Result<bool> {
        self.before = self.bytes.len();
        match sent {
            Sent::Post(run) => {
                self.run("post.", Record::post(run).or_project(self.project), &run.attachments)?;
            }
            Sent::Patch(run) => self.run("patch.", Record::patch(run), &run.attachments)?,
            Sent::Attachment(AttachmentFor { run_id, attachment: file }) => {
                self.file(*run_id, &attachment::name(&file.name), file);
            }
            Sent::Score(score) => self.json(&["feedback.", &score.id.to_string()], &Feedback::new(score))?,
            Sent::Other(RunChange::Thread(thread)) => self.json(&["thread"], thread)?,
            Sent::Other(RunChange::User(user)) => self.json(&["user"], user)?,
            Sent::Other(RunChange::Report(report)) => {
                self.json(&["report.", &report.id.to_string()], report)?;
            }
            Sent::Other(RunChange::Attachment(file)) => {
                self.json(&["attached.", &file.run_id.to_string()], &file.attachment)?;
            }
            Sent::Other(_) | Sent::Nothing => {}
        }
        Ok(self.bytes.len() > self.before)
    }

    fn undo(&mut self) {
        self.bytes.truncate(self.before);
    }

    fn len(&self) -> usize {
        self.bytes.len() + self.boundary.len() + "----\r\n".len()
    }

    fn finish(mut self) -> Vec<u8> {
        if !self.bytes.is_empty() {
            self.bytes.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        }
        self.bytes
    }
}

/// The boundary that a `Content-Type` of `multipart/form-data` names.
///
/// ```
/// use traceable_wire::langsmith::boundary_of;
///
/// assert_eq!(boundary_of("multipart/form-data; boundary=\"a b\""), Some("a b"));
/// assert_eq!(boundary_of("application/json"), None);
/// ```
pub fn boundary_of(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';');
    parameters.next().filter(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))?;
    let boundary = parameters.find_map(|parameter| parameter_of(parameter, "boundary"))?;
    (1..=128).contains(&boundary.len()).then_some(boundary)
}

/// The value of `name=value` or `name="value"`.
fn parameter_of<'a>(parameter: &'a str, name: &str) -> Option<&'a str> {
    let (known, value) = parameter.split_once('=')?;
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    known.trim().eq_ignore_ascii_case(name).then_some(bare)
}

/// Reads a multipart body. The caller bounds its length, and what is made of it is in proportion; of its parts, at most
/// [`MAX_PARTS`] are read.
///
/// Takes what LangSmith's SDKs for Python and JavaScript send: a patch before its post, lengths in either header or none, a
/// file behind its run or alone, `null` for what is not said. A part that cannot be read is an error for that part alone.
pub fn decode_multipart(body: &[u8], boundary: &str) -> Decoded {
    let mut decoded = Decoded::default();
    let mut found = Found::default();
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    let mut rest = if body.starts_with(&delimiter[2..]) {
        Some(&body[delimiter.len() - 2..])
    } else {
        find(body, delimiter).map(|at| &body[at + delimiter.len()..])
    };
    if rest.is_none() {
        decoded.refuse("", Problem::NotABody);
    }
    let mut parts = 0;
    while let Some(part) = rest.take().filter(|part| !part.starts_with(b"--")) {
        parts += 1;
        if parts > MAX_PARTS {
            decoded.refuse("", Problem::TooManyParts);
            break;
        }
        let header = part.strip_prefix(b"\r\n").ok_or(Problem::Header).and_then(Header::read);
        // Blanks may stand between a boundary and the end of its line; none of the SDKs writes them.
        let content = header.as_ref().map_or(part, |header| header.content);
        let length = header.as_ref().ok().and_then(|header| header.length);
        let Some(end) = end_of(content, length, delimiter) else {
            decoded.refuse(header.map_or_else(|_| "", |header| header.name), Problem::Truncated);
            break;
        };
        rest = Some(&content[end + delimiter.len()..]);
        match header {
            Ok(header) => {
                if let Err(problem) = found.part(&header, &content[..end]) {
                    decoded.refuse(header.name, problem);
                }
            }
            Err(problem) => decoded.refuse(format!("part {parts}"), problem),
        }
    }
    found.finish(&mut decoded);
    decoded
}

fn json<T: DeserializeOwned>(content: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(content).map_err(|_| Problem::Json)
}

/// Where a part's content ends. A length is believed only where a boundary follows.
fn end_of(content: &[u8], length: Option<usize>, delimiter: &[u8]) -> Option<usize> {
    length
        .filter(|length| content.get(*length..).is_some_and(|rest| rest.starts_with(delimiter)))
        .or_else(|| find(content, delimiter))
}

/// Looks for the first byte alone, which JSON on the wire never has: no text takes long.
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| Some(byte) == what.first())?;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
}

/// The headers of a part, and what is behind them.
struct Header<'a> {
    name: &'a str,
    content_type: &'a str,
    length: Option<usize>,
    content: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(part: &'a [u8]) -> Result<Self, Problem> {
        let end = find(&part[..part.len().min(MAX_HEADERS)], b"\r\n\r\n").ok_or(Problem::Header)?;
        let text = str::from_utf8(&part[..end]).map_err(|_| Problem::Header)?;
        let mut header = Self { name: "", content_type: "", length: None, content: &part[end + 4..] };
        for line in text.split("\r\n") {
            let (known, value) = line.split_once(':').ok_or(Problem::Header)?;
            let is = |name: &str| known.trim().eq_ignore_ascii_case(name);
            if is("content-disposition") {
                header.name = name_of(value).filter(|name| name.len() <= MAX_NAME).ok_or(Problem::Name)?;
            } else if is("content-type") {
                header.content_type = attachment::without_length(value);
                let length = value.split(';').find_map(|parameter| parameter_of(parameter, "length"));
                header.length = length.and_then(|length| length.parse().ok()).or(header.length);
            } else if is("content-length") {
                header.length = value.trim().parse().ok().or(header.length);
            }
        }
        Ok(header)
    }
}

/// The `name` of a `Content-Disposition`, in which a `;` may stand.
fn name_of(disposition: &str) -> Option<&str> {
    let at = disposition.find("name=")?;
    let value = &disposition[at + "name=".len()..];
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(name, _)| name),
        None => value.split(';').next().map(str::trim),
    }
}

/// A run whose parts come one after the other.
struct Pieces {
    operation: Operation,
    id: RunId,
    /// The place of its first part in the body.
    at: usize,
    /// Whether the part of the run itself has come.
    is_named: bool,
    fields: Fields,
    files: Vec<Attachment>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    at: usize,
    runs: Vec<Pieces>,
    known: HashMap<(Operation, RunId), usize>,
    /// The last operation on each run: a file belongs to it.
    last: HashMap<RunId, usize>,
    others: Vec<(usize, RunChange)>,
}

impl Found {
    fn part(&mut self, header: &Header<'_>, content: &[u8]) -> Result<(), Problem> {
        self.at += 1;
        let other = match header.name {
            "thread" => Some(RunChange::Thread(json(content)?)),
            "user" => Some(RunChange::User(json(content)?)),
            _ => None,
        };
        if let Some(other) = other {
            self.others.push((self.at, other));
            return Ok(());
        }
        let (kind, rest) = header.name.split_once('.').ok_or(Problem::Name)?;
        let (id, field) = rest.split_once('.').map_or((rest, None), |(id, field)| (id, Some(field)));
        let id = id.parse().map_err(|_| Problem::Id)?;
        match (kind, field) {
            ("post", field) => self.run(Operation::Post, id, field, content),
            ("patch", field) => self.run(Operation::Patch, id, field, content),
            ("feedback", None) => {
                let score = RunChange::Score(Box::new(decode_feedback(content)?));
                self.others.push((self.at, score));
                Ok(())
            }
            ("report", None) => {
                self.others.push((self.at, RunChange::Report(Report { id, ..json(content)? })));
                Ok(())
            }
            ("attached", None) => {
                let attachment = AttachmentFor { run_id: id, attachment: json(content)? };
                self.others.push((self.at, RunChange::Attachment(attachment)));
                Ok(())
            }
            ("attachment", Some(name)) if !name.is_empty() => {
                let data = AttachmentData::Bytes(content.into());
                let mime = header.content_type.to_owned().into();
                self.file(id, Attachment { name: name.to_owned(), mime, data, ..Attachment::default() });
                Ok(())
            }
            _ => Err(Problem::Name),
        }
    }

    fn run(&mut self, operation: Operation, id: RunId, field: Option<&str>, content: &[u8]) -> Result<(), Problem> {
        let read = match field {
            None => fields(content)?,
            Some(field) => {
                let text = str::from_utf8(content).map_err(|_| Problem::Json)?.trim();
                Fields::from([(field.to_owned(), Json::parse(text).map_err(|_| Problem::Json)?)])
            }
        };
        let slot = *self.known.entry((operation, id)).or_insert_with(|| {
            let (fields, files) = Default::default();
            self.runs.push(Pieces { operation, id, at: self.at, is_named: false, fields, files });
            self.runs.len() - 1
        });
        self.last.insert(id, slot);
        let run = &mut self.runs[slot];
        run.is_named |= field.is_none();
        run.fields.extend(read);
        Ok(())
    }

    fn file(&mut self, run_id: RunId, attachment: Attachment) {
        match self.last.get(&run_id) {
            Some(slot) => self.runs[*slot].files.push(attachment),
            None => self.others.push((self.at, RunChange::Attachment(AttachmentFor { run_id, attachment }))),
        }
    }

    fn finish(self, decoded: &mut Decoded) {
        let mut changes = self.others;
        for Pieces { operation, id, at, is_named, fields, files } in self.runs {
            if is_named {
                changes.push((at, change(operation, id, fields, files)));
                continue;
            }
            decoded.refuse(id.to_string(), Problem::NoRun);
            let files = files.into_iter().map(|attachment| AttachmentFor { run_id: id, attachment });
            changes.extend(files.map(|file| (at, RunChange::Attachment(file))));
        }
        changes.sort_by_key(|(at, _)| *at);
        decoded.changes.extend(changes.into_iter().map(|(_, change)| change));
    }
}
