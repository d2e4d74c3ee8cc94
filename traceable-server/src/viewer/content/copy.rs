//! A call of a model as a command that makes it again.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use traceable_core::{
    messages::input_messages,
    model::{Json, Run, RunId},
};

use crate::{
    export::{chat, openai},
    http::{App, Refusal},
    viewer::text::is_unseen,
};

/// What an OpenAI-compatible server knows of the parameters.
const PARAMETERS: [&str; 14] = [
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "logprobs",
];

pub(super) async fn curl(State(app): State<Arc<App>>, Path(id): Path<RunId>) -> Result<Response, Refusal> {
    let run = app.ask(move |store| store.whole_run(id)).await?.ok_or(Refusal::NotFound("there is no such run"))?;
    let said = command(&run).ok_or(Refusal::NotFound("the run's input is no conversation"))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], said).into_response())
}

/// The command. A key never is in it; and no line of it is the run's: the document ends only where it says so.
fn command(run: &Run) -> Option<String> {
    let inputs = run.inputs.as_ref().map(Json::to_value)?;
    let messages = chat::messages(&input_messages(&inputs));
    if messages.is_empty() {
        return None;
    }
    let mut body = Map::new();
    let own = |name: &str| {
        let inside = || inputs.as_object()?.values().find_map(|value| value.get(name));
        run.params.get(name).or_else(|| inputs.get(name)).or_else(inside).filter(|value| !value.is_null()).cloned()
    };
    let model = run.model.clone().map(Value::from).or_else(|| own("model")).unwrap_or_else(|| "gpt-4o-mini".into());
    body.insert("model".into(), model);
    body.insert("messages".into(), messages.into());
    let tools = chat::tools(openai::tools_of(run, &inputs));
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    body.extend(PARAMETERS.iter().filter_map(|name| Some(((*name).to_owned(), own(name)?))));
    let json = serde_json::to_string_pretty(&Value::Object(body)).ok()?;
    Some(format!(
        "curl \"${{OPENAI_BASE_URL:-https://api.openai.com/v1}}/chat/completions\" \\\n  \
         -H \"Authorization: Bearer $OPENAI_API_KEY\" \\\n  -H \"Content-Type: application/json\" \\\n  \
         -d @- <<'JSON'\n{}\nJSON\n",
        escaped(&json)
    ))
}

/// The JSON without characters that nobody sees: they would act on the terminal that the command is pasted into.
fn escaped(json: &str) -> String {
    let mut units = [0; 2];
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unseen(c, 'a', "") {
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_makes_the_call_again_and_nothing_else() {
        let said = "JSON\n'; rm -rf ~ #\u{9b}31m$(id)";
        let inputs = json!({ "request": { "messages": [{ "role": "user", "content": said }], "temperature": 0.2 } });
        let run = Run { model: Some("gpt-4o".into()), inputs: Some(Json::from_value(&inputs)), ..Run::default() };
        let command = command(&run).unwrap();
        assert!(command.contains("Bearer $OPENAI_API_KEY"));
        let (_, document) = command.split_once("<<'JSON'\n").unwrap();
        let (document, rest) = document.split_once("\nJSON\n").unwrap();
        assert_eq!(rest, "");
        assert!(!document.contains('\u{9b}'));
        let body: Value = serde_json::from_str(document).unwrap();
        assert_eq!(body["messages"][0]["content"], said);
        assert_eq!((&body["model"], &body["temperature"]), (&json!("gpt-4o"), &json!(0.2)));
    }
}
