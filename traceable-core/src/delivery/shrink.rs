//! A change that is too large for its backend is made smaller: first without its files, then with its longest texts cut.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Entry;
use crate::{
    export::weight,
    model::{AttachmentData, Json, Run, RunChange},
};

/// Below this size it is not the content that is too large.
const SMALLEST: usize = 4 << 10;

/// The key in a run's metadata that says how many bytes it had.
const MARK: &str = "traceable.truncated";

/// Makes a change about half as large. `false` when it cannot become smaller.
pub(super) fn shrink(entry: &mut Entry) -> bool {
    let before = weight(&entry.change);
    let (RunChange::Start(run) | RunChange::End(run) | RunChange::Patch(run)) = &mut entry.change else {
        return false;
    };
    if before <= SMALLEST {
        return false;
    }
    if !leave_files_out(run) {
        cut_texts(run, before / 2);
    }
    run.metadata.entry(MARK).or_insert_with(|| before.into());
    let after = weight(&entry.change);
    entry.bytes = after;
    after < before
}

/// Leaves a mark in the place of each file that is here.
fn leave_files_out(run: &mut Run) -> bool {
    let mut left_out = Map::new();
    run.attachments.retain(|file| match &file.data {
        AttachmentData::Bytes(bytes) => {
            let said = format!("… [left out: {} bytes of {}]", bytes.0.len(), file.mime);
            left_out.insert(file.name.clone(), said.into());
            false
        }
        _ => true,
    });
    let is_any = !left_out.is_empty();
    if is_any {
        run.metadata.insert("traceable.left_out".to_owned(), Value::Object(left_out));
    }
    is_any
}

/// Cuts all texts at the length at which what is left fits.
fn cut_texts(run: &mut Run, target: usize) {
    if let Some(stream) = &mut run.stream {
        // The answer is in the outputs too.
        stream.raw.clear();
    }
    let mut values: Vec<Option<Value>> =
        [&run.inputs, &run.outputs, &run.expected].map(|json| json.as_ref().map(Json::to_value)).into();
    let mut lengths = Vec::new();
    for value in values.iter_mut().flatten().chain(own(run)) {
        texts(value, &mut |text| lengths.push(text.len()));
    }
    lengths.extend(run.error.as_ref().map(String::len));
    let longest = longest(&mut lengths, target);
    for value in values.iter_mut().flatten().chain(own(run)) {
        texts(value, &mut |text| cut(text, longest));
    }
    if let Some(error) = &mut run.error {
        cut(error, longest);
    }
    let bodies = [&mut run.inputs, &mut run.outputs, &mut run.expected];
    for (body, value) in bodies.into_iter().zip(values) {
        *body = value.map(|value| Json::from_value(&value)).map(|json| {
            // Numbers, or names of members: nothing in them can be cut.
            if json.as_str().len() > target + target / 2 { excerpt(&json, target) } else { json }
        });
    }
}

/// What a run has of values beside its bodies.
fn own(run: &mut Run) -> impl Iterator<Item = &mut Value> {
    let events = run.events.iter_mut().filter_map(|event| event.data.as_mut());
    run.metadata.values_mut().chain(run.variables.values_mut()).chain(run.params.values_mut()).chain(events)
}

fn texts(value: &mut Value, each: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(values) => values.iter_mut().for_each(|value| texts(value, each)),
        Value::Object(members) => members.values_mut().for_each(|value| texts(value, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The length at which texts of these lengths are cut so that they come to `target` bytes.
fn longest(lengths: &mut [usize], target: usize) -> usize {
    lengths.sort_unstable();
    let mut left = target;
    for (at, length) in lengths.iter().enumerate() {
        let share = left / (lengths.len() - at);
        if *length > share {
            return share;
        }
        left -= length;
    }
    usize::MAX
}

fn cut(text: &mut String, longest: usize) {
    if text.len() <= longest {
        return;
    }
    // A text that was cut before says how long it was.
    let before = text.strip_suffix(" bytes kept]").and_then(|text| text.rsplit_once(" of ")?.1.parse().ok());
    let full: usize = before.unwrap_or(text.len());
    let kept = (0..=longest).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(kept);
    let _ = write!(text, "… [cut: {kept} of {full} bytes kept]");
}

fn excerpt(json: &Json, target: usize) -> Json {
    let mut text = json.as_str().to_owned();
    cut(&mut text, target / 4);
    Json::from_value(&serde_json::json!({ "$truncated": text }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::{delivery::Mark, model::Attachment};

    fn entry(run: Run) -> Entry {
        let change = RunChange::End(Box::new(run));
        Entry { mark: Mark(1), bytes: weight(&change), change, announced: false }
    }

    fn run(entry: &Entry) -> &Run {
        entry.change.run().unwrap()
    }

    #[test]
    fn files_go_first_and_texts_stay_as_they_are() {
        let photo = Attachment::bytes("image/png", vec![0; 1 << 20]).named("photo");
        let page = Attachment::url("text/html", "https://example.com").named("page");
        let inputs = Json::parse(r#"{"question":"why?"}"#).ok();
        let mut entry = entry(Run { attachments: vec![photo, page], inputs: inputs.clone(), ..Run::default() });
        assert!(shrink(&mut entry));
        assert!(entry.bytes < 4 << 10);
        let run = run(&entry);
        assert_eq!((run.attachments.len(), &run.inputs), (1, &inputs));
        assert!(run.metadata["traceable.truncated"].as_u64().unwrap() > 1 << 20);
        assert_eq!(run.metadata["traceable.left_out"]["photo"], "… [left out: 1048576 bytes of image/png]");
    }

    #[test]
    fn the_longest_texts_are_cut_and_the_others_stay() {
        let inputs = json!({ "messages": [{ "role": "user", "content": "é".repeat(100_000) }], "temperature": 0.5 });
        let run_ = Run { inputs: Some(Json::from_value(&inputs)), error: Some("boom".into()), ..Run::default() };
        let mut entry = entry(run_);
        let before = entry.bytes;
        assert!(shrink(&mut entry));
        assert!(entry.bytes < before * 6 / 10, "{} of {before}", entry.bytes);
        let inputs = run(&entry).inputs.as_ref().unwrap().to_value();
        assert_eq!((&inputs["messages"][0]["role"], &inputs["temperature"]), (&json!("user"), &json!(0.5)));
        let content = inputs["messages"][0]["content"].as_str().unwrap();
        assert!(
            content.starts_with("éé") && content.ends_with("of 200000 bytes kept]"),
            "{}",
            &content[content.len() - 60..]
        );
        assert_eq!(run(&entry).error.as_deref(), Some("boom"));
    }

    #[test]
    fn what_is_no_text_is_cut_as_a_whole_and_there_is_an_end_to_it() {
        let numbers: Vec<u32> = (0..100_000).collect();
        let mut entry = entry(Run { outputs: Some(Json::of(&numbers)), ..Run::default() });
        let mut times = 0;
        while shrink(&mut entry) {
            times += 1;
        }
        assert!((1..20).contains(&times), "{times}");
        assert!(entry.bytes < 8 << 10, "{}", entry.bytes);
        assert!(run(&entry).outputs.as_ref().unwrap().to_value()["$truncated"].as_str().unwrap().starts_with("[0,1,2"));
    }
}
