//! What to ask, and whom: from the command line and the environment.

use std::{
    env,
    io::{self, Write as _},
};

use crate::{error::Error, scripted};

const QUESTION: &str = "Where is my order 1042, and can I exchange it for jasmine tea?";

const HELP: &str = "\
Answers a question to a tea shop, and shows how.

Usage: quickstart [--exit] [--wrong-key] [QUESTION]

  --exit           end when the question is answered; do not stay to show the trace
  --wrong-key      use a key that the model refuses
  OPENAI_API_KEY   key of the model; without it and OPENAI_BASE_URL, a scripted model on this machine answers
  OPENAI_BASE_URL  default https://api.openai.com/v1
  OPENAI_MODEL     default gpt-4.1-mini
";

/// What to ask, and whom.
pub struct Settings {
    pub question: String,
    pub model: String,
    /// The endpoint; `None` is the scripted model.
    pub base_url: Option<String>,
    pub key: Option<String>,
    /// Whether to stay, and show the trace in a browser.
    pub stays: bool,
}

impl Settings {
    /// Reads them; `None` when the user wants help.
    pub fn read() -> Result<Option<Self>, Error> {
        let mut words = Vec::new();
        let mut wrong_key = false;
        let mut stays = true;
        for argument in env::args_os().skip(1) {
            match argument.to_string_lossy().as_ref() {
                "-h" | "--help" => return Ok(None),
                "--exit" => stays = false,
                "--wrong-key" => wrong_key = true,
                flag if flag.starts_with('-') => return Err(Error::Argument(flag.to_owned())),
                word => words.push(word.to_owned()),
            }
        }
        let question = if words.is_empty() { QUESTION.to_owned() } else { words.join(" ") };

        let mut settings = match (variable("OPENAI_BASE_URL"), variable("OPENAI_API_KEY")) {
            (None, None) => Self {
                question,
                model: "scripted".to_owned(),
                base_url: None,
                key: Some(scripted::KEY.to_owned()),
                stays,
            },
            (base_url, key) => Self {
                question,
                model: "gpt-4.1-mini".to_owned(),
                base_url: Some(base_url.unwrap_or_else(|| "https://api.openai.com/v1".to_owned())),
                key,
                stays,
            },
        };
        if let Some(model) = variable("OPENAI_MODEL") {
            settings.model = model;
        }
        if wrong_key {
            settings.key = Some("wrong-key".to_owned());
        }
        Ok(Some(settings))
    }
}

/// Prints the help.
pub fn help() -> Result<(), Error> {
    Ok(io::stdout().write_all(HELP.as_bytes())?)
}

/// A variable of the environment, unless it is empty.
fn variable(name: &str) -> Option<String> {
    let value = env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
