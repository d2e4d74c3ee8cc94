//! What is found, what is left alone, and what stays as it was written.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::Value;

use super::{Content, Hidden, Privacy, Redactor, settings::Redaction, work};
use crate::{
    model::{Json, Run, RunChange},
    sync::Arc,
};

/// A key that is one by its format alone. In two parts, so that no scanner takes this file for a leak.
fn key() -> String {
    ["sk-pr", "oj-Ab3dEf6hIj9lMn2pQr5tUv8x"].concat()
}

fn redactor() -> Arc<Redactor> {
    Redactor::shared()
}

#[track_caller]
fn becomes(text: &str, redacted: &str) {
    assert_eq!(redactor().redact_text(text), redacted);
}

#[track_caller]
fn json_becomes(json: &str, redacted: &str) {
    assert_eq!(redactor().redact_json(&Json::parse(json).unwrap()).as_str(), redacted);
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn keys_are_found_by_their_format() {
    becomes(&format!("use {} now", key()), "use [redacted: openai-key] now");
    becomes(&format!("{}.", key()), "[redacted: openai-key].");
    stays("sk-learn and scikit-learn-contrib-extensions-for-all");
    stays("a task-oriented-dialogue-system-2023");
    stays("risk-Ab3dEf6hIj9lMn2pQr5tUv8x");
}

#[test]
fn values_are_found_behind_names_in_text() {
    becomes("password=hunter2", "password=[redacted]");
    becomes("api_key: 9f8e7d6c5b", "api_key: [redacted]");
    becomes("Authorization: Bearer abcd1234", "Authorization: Bearer [redacted]");
    becomes("https://x.com/?api_key=letters&b=1", "https://x.com/?api_key=[redacted]&b=1");
    becomes("postgres://user:pass@host/db", "postgres://user:[redacted: password]@host/db");
    becomes("Server=a;Password=letters;User=b", "Server=a;Password=[redacted];User=b");
    becomes("Cookie: sid=abcdef; theme=dark\nHost: x", "Cookie: [redacted]\nHost: x");
    becomes("export DB_PASSWORD=letters", "export DB_PASSWORD=[redacted]");
    becomes("-H 'x-api-key: abc'", "-H 'x-api-key: [redacted]'");
    becomes("run --password hunter2 --x", "run --password [redacted] --x");
    becomes("the api key: 9f8e7d6c5b", "the api key: [redacted]");
    becomes(
        r#"Config { api_key: "abc", token: Some("abcdef12") }"#,
        r#"Config { api_key: "[redacted]", token: Some("[redacted]") }"#,
    );
    becomes(r#"const API_KEY: &str = "abcdef";"#, r#"const API_KEY: &str = "[redacted]";"#);
    becomes(r#"call({"password": "a b", "n": 1}) then"#, r#"call({"password": "[redacted]", "n": 1}) then"#);
    becomes(r#"x \"api_key\": \"va\\\"lue\", y"#, r#"x \"api_key\": \"[redacted]\", y"#);
    becomes(r#"args {"password": "cut o"#, r#"args {"password": "[redacted]"#);
    becomes(r#"[("x-api-key", "abc"), ("accept", "b")]"#, r#"[("x-api-key", "[redacted]"), ("accept", "b")]"#);
    becomes(
        r#"{"name": "authorization", "value": "abc"} and"#,
        r#"{"name": "authorization", "value": "[redacted]"} and"#,
    );
}

#[test]
fn code_and_prose_stay() {
    for text in [
        "password = getpass()",
        "api_key=os.environ[\"OPENAI_API_KEY\"]",
        "token = tokenizer.decode(ids)",
        "fn next(&mut self) -> Option<Token> { self.token.take() }",
        "let token: TokenTree = input.parse()?;",
        "Token::Ident(ident) => token::Paren",
        "if token == expected_token1 { }",
        "max_tokens=4096, token_count: 12345678",
        "The access token, which expires, is 40 characters long.",
        "a password: at least 8 characters",
        "required: [\"password\", \"email\"]",
        "http://localhost:8080/a@b and user@host:22",
        "https://example.com/@name:x",
        "Bearer authentication is required; Basic authentication is not",
        "eyJhbGciOiJIUzI1NiJ9",
        "the key: value pairs",
        "export OPENAI_API_KEY=$KEY",
        "password=password",
        "connection string: see below",
    ] {
        stays(text);
    }
}

#[test]
fn names_of_members_make_secrets() {
    json_becomes(
        r#"{"api_key":"a","n":{"Authorization":"b","max_tokens":5,"password":7,"pwd":null}}"#,
        r#"{"api_key":"[redacted]","n":{"Authorization":"[redacted]","max_tokens":5,"password":7,"pwd":null}}"#,
    );
    json_becomes(r#"{"password":["a",["b"],{"c":"d"}]}"#, r#"{"password":["[redacted]",["[redacted]"],{"c":"d"}]}"#);
    json_becomes(
        r#"{"credentials":{"user":"a","n":[{"x":"b"}]}}"#,
        r#"{"credentials":{"user":"[redacted]","n":[{"x":"[redacted]"}]}}"#,
    );
    json_becomes(r#"[["password","hunter"],["a","b"]]"#, r#"[["password","[redacted]"],["a","b"]]"#);
    json_becomes(r#"["x-api-key","v"]"#, r#"["x-api-key","[redacted]"]"#);
    json_becomes(r#"{"value":"v","name":"cookie"}"#, r#"{"value":"[redacted]","name":"cookie"}"#);
    json_becomes(r#"{"name":"cookie","z":1,"value":"v"}"#, r#"{"name":"cookie","z":1,"value":"[redacted]"}"#);
    json_becomes(r#"{"value":"v","name":"cookie","z":1}"#, r#"{"value":"[redacted]","name":"cookie","z":1}"#);
    json_becomes(r#"{"token":"abcdef12"}"#, r#"{"token":"[redacted]"}"#);
    for json in [
        r#"{"required":["password","email"]}"#,
        r#"{"properties":{"password":{"type":"string"},"credentials":{"type":"object","description":"where"}}}"#,
        r#"{"token":"international1","logprob":-0.3,"bytes":[1]}"#,
        r#"{"logprob":-0.3,"bytes":[1],"token":"international1"}"#,
        r#"{"token":"Hello"}"#,
        r#"{"bos_token":"<|begin_of_text_1|>","tokens":["a1b2c3d4"]}"#,
        r#"{"prompt_tokens":1,"usage":{"token":12}}"#,
    ] {
        json_becomes(json, json);
    }
}

/// What the quick look at the whole document lets pass is never read token by token.
#[test]
fn no_notation_of_a_member_is_overlooked() {
    for json in [
        r#"{"my password":"hunter"}"#,
        r#"{"password*":"hunter"}"#,
        r#"{"api / key":"hunter"}"#,
        r#"{"user[password]":"hunter"}"#,
        r#"{"password":[{},"hunter"]}"#,
        r#"{"password":[1,[[]],"hunter"]}"#,
        r#"{"credentials":{"type":"x","a":{"b":["hunter"]}}}"#,
        r#"{"credentials" : { "a" : "hunter" } }"#,
        r#"{ "name" : "my password" , "z" : 1 , "value" : "hunter" }"#,
        r#"[ [ "my password" , "hunter" ] ]"#,
        r#"[["my \"password\"","hunter"]]"#,
        r#"[["api key: 0\"","hunter="]]"#,
        r#"[{"token":"hunter22"},{"logprob":-1}]"#,
        r#"{"a":"{\"my password\":\"hunter\"}"}"#,
        r#"{"a":"{\n  \"b\": \"{\\n  \\\"my password\\\" : \\\"hunter\\\"}\"}"}"#,
        r#"{"a":"token: \"hunter22","b":"c d"}"#,
        r#"{"a":"token: 'hunter22","b":"it's"}"#,
        r#"{"a":"token=hu\/nter22hunter22"}"#,
        r#"{"a":"Cookie: a=\/hunter"}"#,
    ] {
        let redacted = redactor().redact_json(&Json::parse(json).unwrap());
        assert!(!redacted.as_str().contains("hunter"), "{redacted:?}");
    }
    let bytes = STANDARD.encode(key());
    json_becomes(&format!(r#"{{"$bytes":"{bytes}","length":9}}"#), r#"{"$bytes":"[redacted]","length":9}"#);
}

#[test]
fn json_in_texts_is_read_as_json() {
    let inner = r#"{"password":"a \" b","deep":"{\"api_key\":\"c\"}"}"#;
    let json = serde_json::json!({ "arguments": inner }).to_string();
    let redacted = redactor().redact_json(&Json::parse(json).unwrap()).to_value();
    let inner: Value = serde_json::from_str(redacted["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(inner["password"], "[redacted]");
    let deep: Value = serde_json::from_str(inner["deep"].as_str().unwrap()).unwrap();
    assert_eq!(deep["api_key"], "[redacted]");
}

#[test]
fn escapes_hide_nothing() {
    let key = key();
    let mut hidden = String::new();
    key.bytes().for_each(|byte| write!(hidden, "\\u{byte:04x}").unwrap());
    json_becomes(&format!(r#"{{"a":"{hidden}"}}"#), r#"{"a":"[redacted: openai-key]"}"#);
    json_becomes(&format!(r#"{{"a":"\u0073{}"}}"#, &key[1..]), r#"{"a":"[redacted: openai-key]"}"#);
    json_becomes(r#"{"p\u0061ssword":"a"}"#, r#"{"p\u0061ssword":"[redacted]"}"#);
    json_becomes(r#"{"a":"{\"p\\u0061ssword\":\"a\"}"}"#, r#"{"a":"{\"p\\u0061ssword\":\"[redacted]\"}"}"#);
    json_becomes(&format!(r#"{{"a":"x \\u0073{}"}}"#, &key[1..]), r#"{"a":"x [redacted: openai-key]"}"#);
    json_becomes(&format!(r#"{{"a":"line\n{key}"}}"#), r#"{"a":"line\n[redacted: openai-key]"}"#);
    json_becomes(&format!(r#"{{"a":"\u001b[0m\u0000{key}"}}"#), r#"{"a":"\u001b[0m\u0000[redacted: openai-key]"}"#);
    json_becomes(r#"{"a":"postgres:\/\/u:secret@h"}"#, r#"{"a":"postgres://u:[redacted: password]@h"}"#);
}

#[test]
fn what_is_no_text_stays_as_it_is_written() {
    json_becomes(
        r#" { "b" : 1.50e+2 , "b":-0, "a":"ä\u00e4\/", "password" : "x1", "big":123456789012345678901234567890 } "#,
        r#" { "b" : 1.50e+2 , "b":-0, "a":"ä\u00e4\/", "password" : "[redacted]", "big":123456789012345678901234567890 } "#,
    );
}

#[test]
fn names_are_searched_too() {
    json_becomes(&format!(r#"{{"{}":1}}"#, key()), r#"{"[redacted: openai-key]":1}"#);
}

#[test]
fn no_depth_is_too_deep() {
    for depth in [1, 64, 200, 100_000] {
        let json = format!(r#"{}{{"a":"{}","password":"b"}}{}"#, "[".repeat(depth), key(), "]".repeat(depth));
        let redacted = redactor().json(&json).unwrap();
        assert!(!redacted.contains(&key()) && redacted.contains(r#""password":"[redacted]""#));
        assert_eq!(redacted.len(), json.len() - key().len() + "[redacted: openai-key]".len() - 1 + "[redacted]".len());
    }
}

#[test]
fn a_private_key_goes_whole() {
    let pem = ["-----BEGIN RSA PRIV", "ATE KEY-----\nMIIE\nabc\n-----END RSA PRIV", "ATE KEY-----"].concat();
    becomes(&format!("a {pem} b"), "a [redacted: private-key] b");
    becomes(&format!("a {}", &pem[..pem.len() - 20]), "a [redacted: private-key]");
    json_becomes(&serde_json::json!({ "a": pem }).to_string(), r#"{"a":"[redacted: private-key]"}"#);
    let public = "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----";
    stays(public);
}

#[test]
fn what_was_asked_for_is_found_too() {
    let redactor =
        Redaction::default().emails().cards().ssns().pattern(r"case-\d+").key("employee number").build().unwrap();
    let text = "ann@example.com paid 4111 1111 1111 1111 (078-05-1120) for case-12; not 4111 1111 1111 1112";
    let redacted = "[redacted: email] paid [redacted: card] ([redacted: ssn]) for [redacted]; not 4111 1111 1111 1112";
    assert_eq!(redactor.redact_text(text), redacted);
    stays(text);
    let json = Json::parse(r#"{"employeeNumber":"x7","number":"x7"}"#).unwrap();
    assert_eq!(redactor.redact_json(&json).as_str(), r#"{"employeeNumber":"[redacted]","number":"x7"}"#);
}

#[test]
fn a_wrong_pattern_is_shown_with_its_place() {
    let error = Redaction::default().pattern("fine").pattern("a(b").build().unwrap_err().to_string();
    assert!(error.contains("a(b") && error.contains('^'), "{error}");
}

/// Some secrets, in JSON of any shape.
fn documents() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        Just(key()),
        "[a-z ]{0,5}(password=|token: |api_key\": \"|://a:)[a-zA-Z0-9@\\\\\"]{0,20}",
        "['\"(\\[]{0,2}(password|my token|api key|cookie|--auth)(: |=|\": \"|', '|: \\[)['\"(\\[{}a-z0-9/ \n]{0,16}",
        Just(r#"{"secret":"x1y2z3","a":["b"]}"#.to_owned()),
    ];
    let name = prop_oneof![
        "[a-z]{1,4}",
        Just("password".to_owned()),
        Just("token".to_owned()),
        Just("credentials".to_owned()),
        Just("name".to_owned()),
        Just("value".to_owned()),
        Just("logprob".to_owned()),
        "[a-z\\[ ]{0,3}(password|api key|api / key|cookie|token|auth|secret)[ *1\\]]{0,2}",
    ];
    let leaf = prop_oneof![
        text.prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The value with every text (and every name of a member) the same.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from("text"),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::Object(members) => Value::Array(members.values().map(shape).collect()),
        other => other.clone(),
    }
}

proptest! {
    // `PROPTEST_CASES` still makes it more.
    #![proptest_config(ProptestConfig::with_cases(8 * ProptestConfig::default().cases))]

    #[test]
    fn redacted_json_is_json_of_the_same_shape((document, pretty) in (documents(), any::<bool>())) {
        let mut json = Json::from_value(&document);
        if pretty {
            json = Json::parse(serde_json::to_string_pretty(&document).unwrap()).unwrap();
        }
        let once = redactor().redact_json(&json);
        let value: Value = serde_json::from_str(once.as_str()).unwrap();
        prop_assert_eq!(shape(&value), shape(&document));
        prop_assert_eq!(redactor().redact_json(&once), once.clone());
        prop_assert!(!once.as_str().contains(&key()));
        // What the quick look lets pass has nothing in it.
        if !redactor().suspects(json.as_str()) {
            prop_assert_eq!(redactor().document(json.as_str(), false), Ok(None));
        }
    }

    #[test]
    fn any_text_is_redacted_once(text in "([a-z\\\\\"':=,{}\\[\\] ]|sk-|eyJ|token|password|://|Bearer |\\\\u00){0,40}") {
        let once = redactor().redact_text(&text);
        prop_assert_eq!(redactor().redact_text(&once), once);
        for live in [false, true] {
            redactor().text_slowly(&text, live);
            let _ = redactor().document(&text, live);
            redactor().chunk_list(&text, 1, live);
        }
    }
}

/// Text full of what begins like a secret and is none must not take the writer's thread for long: of four times the text
/// about four times as many bytes are looked at, and not sixteen times as many.
#[test]
fn no_text_takes_long() {
    let beginnings = [
        "sk-",
        "eyJ-",
        "eyJ",
        "token=",
        "token:'",
        "\"credentials\":{",
        "\"cookies\":[",
        "://a:",
        "\\\\\\\\key",
        "password:",
        "Bearer ",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY",
        "\\u0073",
        "\\\"key\\\":",
        "api_key ",
        "authorization: basic ",
        ":AA",
        "[\"password\",",
        "{\"a\":[",
        "cookie: ",
        "token: Some(",
        "'token','",
        "hooks.slack.com/services/",
        "password==",
        "x_token=\"a b",
        "\"a token\":\"a b",
        "\"a token\",",
    ];
    let redactor = redactor();
    let work = |beginning: &str, bytes: usize| {
        let text = beginning.repeat(bytes / beginning.len());
        work::take();
        redactor.redact_text(&text);
        redactor.text_slowly(&text, true);
        redactor.redact_json(&Json::from_value(&Value::from(text)));
        work::take()
    };
    for beginning in beginnings {
        let (short, long) = (work(beginning, 8 << 10), work(beginning, 32 << 10));
        assert!(short > 8 << 10 && long < 8 * short, "{beginning}: {short} bytes, {long} of four times the text");
    }
}

fn change(text: &str) -> RunChange {
    let json = || Some(Json::from_value(&serde_json::json!({ "a": text })));
    let run = Run { inputs: json(), outputs: json(), error: Some(text.to_owned()), ..Run::default() };
    RunChange::End(Box::new(run))
}

#[test]
fn a_redactor_of_the_user_that_panics_lets_nothing_out() {
    let redaction = Redaction::default().callback(|_| panic!("no"));
    let privacy = Privacy { redactor: Arc::new(redaction.build().unwrap()), ..Privacy::default() };
    let mut change = change("tulip");
    assert!(privacy.apply(Content::Full, &mut change));
    let run = change.run().unwrap();
    assert!(run.inputs.is_none() && run.outputs.is_none());
    assert_eq!(run.error.as_deref(), Some("[redacted]"));
}

#[test]
fn a_redactor_of_the_user_comes_last() {
    let redaction = Redaction::default().callback(|change| {
        if let RunChange::End(run) = change {
            run.error = run.error.take().map(|error| error.to_uppercase());
        }
    });
    let privacy = Privacy { redactor: Arc::new(redaction.build().unwrap()), ..Privacy::default() };
    let mut change = change("password=hunter2");
    assert!(privacy.apply(Content::Full, &mut change));
    assert_eq!(change.run().unwrap().error.as_deref(), Some("PASSWORD=[REDACTED]"));
}

#[test]
fn the_stricter_switch_holds_and_parts_can_be_hidden() {
    let apply = |process: Content, attribute: Content, hidden: Hidden| {
        let mut change = change("password=hunter2");
        assert!(Privacy { content: process, hidden, ..Privacy::default() }.apply(attribute, &mut change));
        let run = change.run().unwrap().clone();
        (run.inputs.is_some(), run.outputs.is_some(), run.error.unwrap().contains("hunter2"))
    };
    let all = Hidden::default();
    assert_eq!(apply(Content::Full, Content::Full, all), (true, true, true));
    assert_eq!(apply(Content::Full, Content::Redacted, all), (true, true, false));
    assert_eq!(apply(Content::Redacted, Content::Full, all), (true, true, false));
    assert_eq!(apply(Content::None, Content::Full, all), (false, false, false));
    assert_eq!(apply(Content::Redacted, Content::None, all), (false, false, false));
    assert_eq!(apply(Content::Full, Content::Full, Hidden { inputs: true, ..all }), (false, true, true));
    assert_eq!(apply(Content::Full, Content::Full, Hidden { outputs: true, ..all }), (true, false, true));
}
