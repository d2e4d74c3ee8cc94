//! The model: any endpoint that speaks OpenAI's chat completions, by plain HTTP.

use std::time::Duration;

use async_stream::try_stream;
use futures::Stream;
use reqwest::{Client, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use traceable::{Usage, traceable};

use crate::error::Error;

/// A message of a conversation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Message {
    pub role: String,
    #[serde(default)]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

impl Message {
    pub fn new(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.to_owned(), content: Some(content.into()), ..Self::default() }
    }
}

/// A tool that the model wants to be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToolCall {
    pub id: String,
    pub r#type: String,
    pub function: Function,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    /// JSON text.
    pub arguments: String,
}

/// A whole answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Completion {
    pub choices: Vec<Choice>,
    /// Recorded as the run's usage, since it is in a known provider's form.
    #[serde(default)]
    pub usage: Option<Tokens>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Choice {
    pub message: Message,
    #[serde(default)]
    pub finish_reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Tokens {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chunk {
    #[serde(default)]
    pub choices: Vec<Delta>,
    /// Only the last chunk has it, and only on `include_usage`.
    #[serde(default)]
    pub usage: Option<Tokens>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delta {
    pub delta: Text,
    #[serde(default)]
    pub finish_reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Text {
    #[serde(default)]
    pub content: Option<String>,
}

impl Chunk {
    /// The text of this piece.
    pub fn text(&self) -> &str {
        self.choices.first().and_then(|choice| choice.delta.content.as_deref()).unwrap_or_default()
    }
}

/// A streamed answer as a whole: what the run shows as its output.
#[derive(Serialize)]
struct Joined {
    choices: Vec<Choice>,
    usage_metadata: Option<Usage>,
}

/// Makes one answer of all chunks, in the shape of an answer that was not streamed.
fn join(chunks: Vec<Chunk>) -> Joined {
    let (mut content, mut finish_reason, mut tokens) = (String::new(), None, None);
    for chunk in chunks {
        content.push_str(chunk.text());
        tokens = tokens.or(chunk.usage);
        finish_reason = finish_reason.or(chunk.choices.into_iter().find_map(|choice| choice.finish_reason));
    }
    Joined {
        choices: vec![Choice { message: Message::new("assistant", content), finish_reason }],
        usage_metadata: tokens.map(|tokens| Usage::new(tokens.prompt_tokens, tokens.completion_tokens)),
    }
}

/// Where the model is, and the key to it.
pub struct Endpoint {
    http: Client,
    url: String,
    key: Option<String>,
}

impl Endpoint {
    pub fn new(base_url: &str, key: Option<String>) -> Result<Self, Error> {
        let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
        let address =
            Url::parse(&url).map_err(|cause| Error::Address { url: url.clone(), cause: cause.to_string() })?;

        // An error says that there is a provider already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(60));
        if matches!(address.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) {
            // A proxy would look for the model on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|source| Error::Http { url: url.clone(), source })?;
        Ok(Self { http, url, key })
    }

    /// Asks for an answer that may be a wish for tools.
    #[traceable(run_type = "llm", metadata(ls_provider = "openai", ls_model_name = model))]
    pub async fn chat(&self, messages: Vec<Message>, model: &str, tools: Value) -> Result<Completion, Error> {
        let body = json!({ "model": model, "messages": messages, "tools": tools });
        let response = self.post(&body).await?;
        response.json().await.map_err(|source| self.http_error(source))
    }

    /// Asks for an answer, piece by piece.
    #[traceable(run_type = "llm", metadata(ls_provider = "openai", ls_model_name = model), reduce_fn = join)]
    pub async fn chat_stream(
        &self,
        messages: Vec<Message>,
        model: &str,
    ) -> Result<impl Stream<Item = Result<Chunk, Error>>, Error> {
        let body = json!({
            "model": model, "messages": messages, "stream": true, "stream_options": { "include_usage": true },
        });
        let response = self.post(&body).await?;
        Ok(self.chunks(response))
    }

    async fn post(&self, body: &Value) -> Result<Response, Error> {
        let mut request = self.http.post(&self.url).json(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(|source| self.http_error(source))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.map_err(|source| self.http_error(source))?;
        Err(Error::Refused { url: self.url.clone(), status: status.as_u16(), message: what_it_says(&body) })
    }

    /// Reads server-sent events: lines that begin with `data:`, up to `[DONE]`.
    fn chunks(&self, mut response: Response) -> impl Stream<Item = Result<Chunk, Error>> {
        try_stream! {
            let mut unread = Vec::new();
            while let Some(bytes) = response.chunk().await.map_err(|source| self.http_error(source))? {
                // A line, and even a character, may be divided between two reads.
                unread.extend_from_slice(&bytes);
                while let Some(end) = unread.iter().position(|&byte| byte == b'\n') {
                    let line: Vec<u8> = unread.drain(..=end).collect();
                    let Some(data) = line.strip_prefix(b"data:") else { continue };
                    if data.trim_ascii() == b"[DONE]" {
                        return;
                    }
                    let url = || self.url.clone();
                    yield serde_json::from_slice(data).map_err(|source| Error::Event { url: url(), source })?;
                }
            }
            Err(Error::CutOff { url: self.url.clone() })?;
        }
    }

    fn http_error(&self, source: reqwest::Error) -> Error {
        Error::Http { url: self.url.clone(), source: source.without_url() }
    }
}

/// The message in an error's body: OpenAI's form, or as much of any other as fits a line.
fn what_it_says(body: &str) -> String {
    let json: Option<Value> = serde_json::from_str(body).ok();
    match json.as_ref().and_then(|json| json.pointer("/error/message")?.as_str()) {
        Some(message) => message.to_owned(),
        None => body.lines().next().unwrap_or_default().chars().take(200).collect(),
    }
}
