//! What is said of a server that speaks LangSmith's protocol.

use reqwest::header::{HeaderMap, HeaderValue};
use traceable_core::delivery::Identity;

use super::{HOSTED, LangSmith};
use crate::http::{self, ConfigError, Endpoint, Key, Secret};

/// A server that speaks LangSmith's protocol.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The exporter's name.
    pub(crate) name: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) project: String,
    pub(crate) headers: HeaderMap,
    /// Whether bodies may be compressed.
    pub(crate) compresses: bool,
    /// Whether it is our own server, which has a place for everything.
    pub(crate) is_ours: bool,
}

impl Settings {
    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.name, self.endpoint.to_string(), &*self.project)
    }
}

/// Where to send to. Made by [`LangSmith::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `build`"]
pub struct LangSmithBuilder {
    endpoint: Option<String>,
    key: Option<Key>,
    project: Option<String>,
    workspace: Option<String>,
    headers: Vec<(String, Secret)>,
    is_plain: bool,
}

impl LangSmithBuilder {
    /// The address of the server, with or without `/api/v1`.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// The key. A server of one's own may need none.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(Key::new(key)).filter(|key| !key.is_empty());
        self
    }

    /// The project of runs that name none. `default` when nobody says otherwise.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// The workspace, where a key is for more than one.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.workspace = Some(id.into());
        self
    }

    /// A header that each request has. Its value is shown nowhere.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret(value.into())));
        self
    }

    /// Whether bodies are compressed where the server says that it takes that. They are unless this says `false`.
    pub fn compression(mut self, compress: bool) -> Self {
        self.is_plain = !compress;
        self
    }

    /// The exporter.
    ///
    /// # Errors
    ///
    /// When the endpoint is no address, when a header cannot be one, or when LangSmith hosts it and there is no key.
    pub fn build(self) -> Result<LangSmith, ConfigError> {
        let endpoint = Endpoint::parse(self.endpoint.as_deref().unwrap_or(HOSTED), "the endpoint of LangSmith")?;
        if self.key.is_none() && endpoint.host().ends_with("langchain.com") {
            return Err(ConfigError::new(format!(
                "LangSmith at {endpoint} needs a key: make one at https://smith.langchain.com under Settings, and give it \
                 by LANGSMITH_API_KEY or `.api_key(…)`"
            )));
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            headers.insert("x-api-key", key.header("", "the key of LangSmith")?);
        }
        if let Some(workspace) = &self.workspace {
            let value = HeaderValue::from_str(workspace).map_err(|_| {
                ConfigError::new("the workspace of LangSmith holds a character that no header may have")
            })?;
            headers.insert("x-tenant-id", value);
        }
        for (name, Secret(value)) in &self.headers {
            http::add_header(&mut headers, name, value)?;
        }
        Ok(LangSmith::of(Settings {
            name: "langsmith",
            endpoint,
            project: self.project.unwrap_or_else(|| "default".to_owned()),
            headers,
            compresses: !self.is_plain,
            is_ours: false,
        }))
    }
}
