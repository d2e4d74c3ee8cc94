//! A text, as prose, as a document and as a piece of a stream.

use serde_json::Value;
use traceable_core::{
    model::{Json, Progress, Run, RunChange, StreamInfo},
    redact::Redactor,
};

thread_local! {
    static REDACTOR: Redactor = Redactor::default();
}

/// What is redacted stays JSON, and has nothing left to be redacted.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    REDACTOR.with(|redactor| {
        let once = redactor.redact_text(text);
        assert_eq!(redactor.redact_text(&once), once);
        let document = Json::parse(text).unwrap_or_else(|_| Json::from_value(&Value::from(text)));
        let redacted = redactor.redact_json(&document);
        Json::parse(redacted.as_str()).unwrap();
        assert_eq!(redactor.redact_json(&redacted), redacted);
        let (id, trace_id) = Default::default();
        let progress = Progress { id, trace_id, time: 0, chunks: 1, outputs: Some(document.clone()) };
        redactor.redact(&mut RunChange::Progress(progress));
        let raw = vec![(1, document.clone()), (2, document.clone())];
        let stream = Some(StreamInfo { raw, ..StreamInfo::default() });
        redactor.redact(&mut RunChange::End(Box::new(Run { outputs: Some(document), stream, ..Run::default() })));
    });
}
