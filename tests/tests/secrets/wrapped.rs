//! Values that are wrapped so as not to be seen are not, wherever they stand; no name or format gives these away.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::json;
use traceable::{Secret, current, testing::Recorder, traceable};

/// As programs hold them: one that is serialized, one that has `Debug` alone.
#[derive(Clone, Serialize)]
struct Login {
    user: String,
    pin: Secret<u64>,
    words: Vec<Secret<String>>,
    maybe: Option<Secret<&'static str>>,
}

#[derive(Debug)]
#[allow(dead_code, reason = "read by `Debug`")]
struct Connection {
    host: &'static str,
    ours: Secret<String>,
    theirs: SecretString,
}

#[derive(Debug)]
struct Refused {
    ours: Secret<String>,
    theirs: SecretString,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused {} and {:?}", self.ours, self.theirs)
    }
}

impl std::error::Error for Refused {}

fn login() -> Login {
    let words = vec![Secret::new("tulip".to_owned()), "tulip".to_owned().into()];
    Login { user: "ann".to_owned(), pin: Secret::new(424_242), words, maybe: Some(Secret::new("tulip")) }
}

#[traceable(metadata(login = login))]
fn opens(
    ours: Secret<String>,
    theirs: SecretString,
    borrowed: &SecretString,
    login: &Login,
    connection: &Connection,
) -> Secret<String> {
    current().add_event("opened", login);
    assert_eq!((theirs.expose_secret(), borrowed.expose_secret(), connection.host), ("orchid", "orchid", "db"));
    ours
}

#[traceable]
fn answers() -> Login {
    login()
}

#[traceable]
fn answers_theirs() -> SecretString {
    "orchid".into()
}

#[traceable]
fn refuses() -> Result<(), Refused> {
    Err(Refused { ours: "tulip".to_owned().into(), theirs: "orchid".into() })
}

/// No rule of redaction would find these.
#[test]
fn wrapped_secrets_are_masked_everywhere() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let connection = Connection { host: "db", ours: "tulip".to_owned().into(), theirs: "orchid".into() };
        opens("tulip".to_owned().into(), "orchid".into(), &"orchid".into(), &login(), &connection);
        answers();
        answers_theirs();
        refuses().unwrap_err();
    });
    let opens = recorder.run("opens");
    let inputs = opens.inputs.unwrap().to_value();
    let masked =
        json!({ "user": "ann", "pin": "[redacted]", "words": ["[redacted]", "[redacted]"], "maybe": "[redacted]" });
    assert_eq!((&inputs["ours"], &inputs["login"]), (&json!("[redacted]"), &masked));
    assert_eq!(opens.outputs.unwrap().to_value(), json!({ "output": "[redacted]" }));
    assert_eq!(opens.events[0].data.as_ref(), Some(&masked));
    assert_eq!(recorder.run("answers").outputs.unwrap().to_value(), masked);
    assert!(recorder.run("refuses").error.unwrap().starts_with("refused [redacted] and SecretBox"));
    let text = serde_json::to_string(&recorder.changes()).unwrap();
    for secret in ["tulip", "orchid", "424242"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
