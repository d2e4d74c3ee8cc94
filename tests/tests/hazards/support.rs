//! What was recorded, as lines that are easy to compare.

use std::{
    fmt,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use traceable::{
    model::{Json, Run},
    testing::Recorder,
};

/// Runs `work` and gives what it recorded: for each run its type and name, then what it took and what became of it.
pub fn lines<T>(work: impl FnOnce() -> T) -> Vec<String> {
    let recorder = Recorder::new();
    let _ = recorder.scope(work);
    recorder.runs().iter().flat_map(describe).collect()
}

/// Makes a future, polls it to its end on this thread and gives what both recorded.
pub fn lines_of<F: Future>(work: impl FnOnce() -> F) -> Vec<String> {
    lines(|| ready(work()))
}

/// Polls a future until it is ready; nothing in these tests waits for anything.
pub fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("the future did not become ready");
}

/// The entries of an object in the order in which they are written.
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

fn describe(run: &Run) -> Vec<String> {
    let json = |json: &Option<Json>| json.as_ref().map(|json| serde_json::from_str::<Value>(json.as_str()).unwrap());
    let mut lines = vec![format!("{} {}", run.run_type, run.name)];
    lines.extend(run.tags.iter().map(|tag| format!("tag {tag}")));
    let inputs: Option<Ordered> = run.inputs.as_ref().map(|json| serde_json::from_str(json.as_str()).unwrap());
    lines.extend(inputs.iter().flat_map(|inputs| &inputs.0).map(|(key, value)| format!("in {key}={value}")));
    lines.extend(run.metadata.iter().map(|(key, value)| format!("meta {key}={value}")));
    lines.extend(json(&run.outputs).map(|outputs| format!("out {}", outputs.get("output").unwrap_or(&outputs))));
    lines.extend(run.error.iter().map(|error| format!("err {error}")));
    lines
}
