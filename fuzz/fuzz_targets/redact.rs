//! Whatever is redacted stays JSON, and has nothing left to be redacted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use traceable_core::{
    model::{Json, Progress, Run, RunChange, StreamInfo},
    redact::Redactor,
};

thread_local! {
    static REDACTOR: Redactor = Redactor::default();
}

fuzz_target!(|text: &str| {
    REDACTOR.with(|redactor| {
        let once = redactor.redact_text(text);
        assert_eq!(redactor.redact_text(&once), once);
        let document = Json::parse(text).unwrap_or_else(|_| Json::from_value(&text.into()));
        let redacted = redactor.redact_json(&document);
        Json::parse(redacted.as_str()).expect("JSON stays JSON");
        assert_eq!(redactor.redact_json(&redacted), redacted);
        let (id, trace_id) = Default::default();
        let progress = Progress { id, trace_id, time: 0, chunks: 1, outputs: Some(document.clone()) };
        redactor.redact(&mut RunChange::Progress(progress));
        let raw = vec![(1, document.clone()), (2, document.clone())];
        let stream = Some(StreamInfo { raw, ..StreamInfo::default() });
        redactor.redact(&mut RunChange::End(Box::new(Run { outputs: Some(document), stream, ..Run::default() })));
    });
});
