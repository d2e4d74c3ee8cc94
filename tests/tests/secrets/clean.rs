//! What is no secret stays as it is, to the byte.

use std::path::Path;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use traceable::{Redaction, model::Json};

use crate::generator::{ALNUM, HEX, Lots};

const WORDS: &str = "the a of to in model answer token tokens key secret password question context prompt keyboard author basic bearer \
    cookie session signature phrase connection credential authorization is was are not user assistant system tool call result";

/// Lines that look a little like secrets, or have their words in them.
fn lines() -> Vec<String> {
    let mut lots = Lots::new(99);
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut lines = Vec::new();
    for _ in 0..600 {
        let word = |lots: &mut Lots| words[lots.below(words.len())];
        let prose: Vec<&str> = (0..14).map(|_| word(&mut lots)).collect();
        lines.push(format!("{}.", prose.join(" ")));
        lines.push(lots.uuid());
        let digits = [32, 40, 64, 128][lots.below(4)];
        lines.push(lots.of(HEX, digits));
        let count = 30 + lots.below(300);
        lines.push(STANDARD.encode(lots.bytes(count)));
        lines.push(URL_SAFE_NO_PAD.encode(lots.bytes(count)));
        lines.push(json!({ "token": word(&mut lots), "logprob": -0.25, "bytes": [1, 2], "top_logprobs": [{ "logprob": -0.1, "token": " 2024-bit" }] }).to_string());
        lines.push(json!({ "usage": { "prompt_tokens": lots.below(9999), "completion_tokens": 7, "total_tokens": 99, "max_tokens": 4096, "token_count": 8 } }).to_string());
        lines.push(format!(
            "https://{}.example.com/{}?page={}&q={}",
            word(&mut lots),
            lots.of(ALNUM, 22),
            lots.below(9),
            word(&mut lots)
        ));
        lines.push(format!("let {}_{} = {}({});", word(&mut lots), word(&mut lots), word(&mut lots), word(&mut lots)));
        lines.push(format!(
            "run-{}-{}-{} took {} ms",
            word(&mut lots),
            lots.of(HEX, 8),
            word(&mut lots),
            lots.below(99_999)
        ));
        lines.push(json!({ "id": format!("chatcmpl-{}", lots.of(ALNUM, 29)), "call": format!("call_{}", lots.of(ALNUM, 24)), "req": format!("req_{}", lots.of(HEX, 32)), "system_fingerprint": format!("fp_{}", lots.of(HEX, 10)) }).to_string());
    }
    lines
}

/// The sources of this repository, without those that are about secrets, and those that plant some.
fn sources(folder: &Path, lines: &mut Vec<String>) {
    const ABOUT_SECRETS: [&str; 9] =
        ["redact", "secret.rs", "endpoint.rs", "env.rs", "guard.rs", "tests", "tests.rs", "examples", "fuzz"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ABOUT_SECRETS.contains(&name.as_str()) || name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            sources(&path, lines);
        } else if ["rs", "md", "toml", "lock"].iter().any(|kind| path.extension().is_some_and(|known| known == *kind)) {
            let text = std::fs::read_to_string(&path).unwrap();
            // A header with a key is one, also in a test of something else.
            let is_key = |line: &str| line.contains("orization: Bearer sk-") || line.contains("\"x-api-key\"");
            lines.extend(text.lines().filter(|line| !is_key(line)).map(str::to_owned));
        }
    }
}

#[test]
fn clean_lines_stay_as_they_are() {
    let redactor = Redaction::default().build().unwrap();
    let mut all = lines();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut all);
    assert!(all.len() > 10_000);
    let mut wrong = Vec::new();
    for line in &all {
        let json = Json::from_value(&json!({ "content": line }));
        let (text, document) = (redactor.redact_text(line), redactor.redact_json(&json));
        if text != *line || document != json {
            wrong.push((line, text));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), all.len());
}
