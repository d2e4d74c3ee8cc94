//! The server of this project on another host: LangSmith's multipart bodies, and in them all that LangSmith has no place for.

use std::{io, sync::Arc};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use traceable_core::delivery::{Delivery, Identity, Remote};

use crate::{
    http::{self, ConfigError, Endpoint, Key},
    langsmith::{Filing, Session, Settings},
};

/// Sends runs to the `traceable` server on another host, without a loss: scores of threads, threads, users, and what was
/// dropped and why go along.
///
/// ```
/// use traceable_exporters::Traceable;
///
/// let server = Traceable::new("https://traces.example.com", Some("token"))?;
/// # Ok::<(), traceable_exporters::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Traceable {
    pub(crate) settings: Settings,
}

impl Traceable {
    /// The server at this address, with its token where it wants one.
    ///
    /// # Errors
    ///
    /// When the endpoint is no address, or the token cannot stand in a header.
    pub fn new(endpoint: impl AsRef<str>, token: Option<&str>) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::parse(endpoint.as_ref(), "the endpoint of `traceable` (TRACEABLE_ENDPOINT)")?;
        let key = token.map(Key::new).filter(|key| !key.is_empty());
        let mut headers = HeaderMap::new();
        if let Some(key) = &key {
            headers.insert(AUTHORIZATION, key.header("Bearer ", "the token of `traceable` (TRACEABLE_TOKEN)")?);
        }
        let (name, project) = ("traceable", "default".to_owned());
        let filing = Filing::AsNamed;
        let settings = Settings {
            name,
            endpoint,
            project,
            headers,
            compresses: true,
            is_ours: true,
            filing,
            number: 0,
            failed: None,
        };
        Ok(Self { settings })
    }

    /// The server that `TRACEABLE_ENDPOINT` names, with the token in `TRACEABLE_TOKEN`.
    ///
    /// # Errors
    ///
    /// When there is no endpoint, and as [`Traceable::new`].
    pub fn from_env() -> Result<Self, ConfigError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = variable("TRACEABLE_ENDPOINT").ok_or_else(|| {
            ConfigError::new(
                "the server `traceable` has no address: set TRACEABLE_ENDPOINT, such as http://10.0.0.7:4318",
            )
        })?;
        Self::new(endpoint, variable("TRACEABLE_TOKEN").as_deref())
    }

    /// The project of runs that name none. `default` when nobody says otherwise.
    #[must_use]
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.settings.project = name.into();
        self
    }
}

impl Remote for Traceable {
    fn identity(&self) -> Identity {
        self.settings.identity()
    }

    fn drive(self: Arc<Self>, delivery: Delivery) -> io::Result<()> {
        http::drive(Session::new(&self.settings)?, delivery)
    }
}
