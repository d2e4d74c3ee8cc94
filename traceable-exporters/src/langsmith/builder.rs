//! What is said of a server that speaks LangSmith's protocol.

use std::path::PathBuf;

use reqwest::header::{HeaderMap, HeaderValue};
use traceable_core::delivery::Identity;

use super::{HOSTED, LangSmith};
use crate::http::{self, ConfigError, Endpoint, Key, Secret};

/// The project of runs that name none, when nobody says otherwise.
pub(super) const PROJECT: &str = "default";

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
    pub(crate) filing: Filing,
    /// Tells servers of one address and project apart that have keys of their own; 0 where there is but one.
    pub(crate) number: usize,
    /// Where LangSmith's own SDKs leave what they could not send.
    pub(crate) failed: Option<PathBuf>,
}

/// Under which project runs are filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filing {
    /// The one that they name, else that of the settings.
    AsNamed,
    /// That of the settings. With `own_ids`, they are copies with ids of their own.
    Together { own_ids: bool },
}

impl Settings {
    pub(crate) fn identity(&self) -> Identity {
        let project = match self.number {
            0 => self.project.clone(),
            number => format!("{} ({number})", self.project),
        };
        Identity::new(self.name, self.endpoint.to_string(), project)
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
    filing: Option<Filing>,
    failed: Option<PathBuf>,
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

    /// Files all runs under this exporter's project, whatever project they name, and gives them ids of their own there: for
    /// a second project on a server that is sent the same runs. The ids are those that LangSmith's SDKs would give.
    ///
    /// ```
    /// use traceable_exporters::LangSmith;
    ///
    /// let archive = LangSmith::builder().api_key("lsv2_pt_0123456789").project("archive").replica().build()?;
    /// # Ok::<(), traceable_exporters::ConfigError>(())
    /// ```
    pub fn replica(self) -> Self {
        self.filing(Filing::Together { own_ids: true })
    }

    pub(super) fn filing(mut self, filing: Filing) -> Self {
        self.filing = Some(filing);
        self
    }

    /// The folder in which LangSmith's SDKs for Python and JavaScript leave what they could not send. A drain sends it.
    pub fn failed_traces(mut self, folder: impl Into<PathBuf>) -> Self {
        self.failed = Some(folder.into());
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
            project: self.project.unwrap_or_else(|| PROJECT.to_owned()),
            headers,
            compresses: !self.is_plain,
            is_ours: false,
            filing: self.filing.unwrap_or(Filing::AsNamed),
            number: 0,
            failed: self.failed,
        }))
    }
}
