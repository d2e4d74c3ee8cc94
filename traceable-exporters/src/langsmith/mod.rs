//! LangSmith: what it is told, in which requests, and with what it says of itself in `/info`.

mod builder;
mod env;
mod files;
mod info;
mod replay;
mod session;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc, time::Instant};

use traceable_core::delivery::{Delivery, Identity, Limits, Remote, Replayed};

#[cfg_attr(not(feature = "remote"), allow(unused_imports, reason = "our own server needs it"))]
pub(crate) use self::builder::Filing;
pub use self::builder::LangSmithBuilder;
pub(crate) use self::{builder::Settings, session::Session};
use crate::http::{self, ConfigError};

/// Where LangSmith is when nobody says otherwise.
const HOSTED: &str = "https://api.smith.langchain.com";

/// Sends runs to LangSmith.
///
/// A run that ended before it left is one record, a run that is still open is announced. Bodies are multipart, compressed
/// by what the server says it takes; a server without multipart is sent batches of JSON, which have no place for files.
///
/// ```
/// use traceable_exporters::LangSmith;
///
/// let langsmith = LangSmith::builder().api_key("lsv2_pt_0123456789").project("film-club").build()?;
/// # Ok::<(), traceable_exporters::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct LangSmith {
    settings: Settings,
}

impl LangSmith {
    /// Says step by step where to send to.
    pub fn builder() -> LangSmithBuilder {
        LangSmithBuilder::default()
    }

    /// As the environment says, in LangSmith's own variables: each is read with the prefix `LANGSMITH_`, else `LANGCHAIN_`.
    ///
    /// - `API_KEY`
    /// - `ENDPOINT`: <https://api.smith.langchain.com> unless it says another
    /// - `PROJECT`, else `SESSION`: `default` unless one of them says another
    /// - `WORKSPACE_ID`, else `TENANT_ID`
    /// - `DISABLE_RUN_COMPRESSION`: `true` sends bodies as they are
    /// - `FAILED_TRACES_DIR`: where LangSmith's SDKs leave what they could not send; a drain sends it
    ///
    /// # Errors
    ///
    /// When the endpoint is no address, or is hosted by LangSmith and there is no key.
    pub fn from_env() -> Result<Self, ConfigError> {
        env::primary(&env::variable)
    }

    /// All that the environment names: the one of [`LangSmith::from_env`] or, where `RUNS_ENDPOINTS` is set, those in it:
    /// `[{"api_url": …, "api_key": …, "project_name": …, "primary": …}]`, or `{"address": "key"}`.
    ///
    /// All runs are filed under a `project_name`, whatever project they name. They keep their ids in the project that is
    /// `primary` and, where that is not said, in the one that `PROJECT` names; in others they are copies with ids of their
    /// own, as with LangSmith's SDKs: see [`LangSmithBuilder::replica`].
    ///
    /// # Errors
    ///
    /// As [`LangSmith::from_env`], when `RUNS_ENDPOINTS` is not of its form, and when more than one is `primary`.
    pub fn all_from_env() -> Result<Vec<Self>, ConfigError> {
        env::all(&env::variable)
    }

    pub(super) fn of(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Remote for LangSmith {
    fn identity(&self) -> Identity {
        self.settings.identity()
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn replay(&self, deadline: Instant) -> io::Result<Replayed> {
        match &self.settings.failed {
            Some(folder) if folder.is_dir() => self.replay_folder(folder, Some(deadline)),
            _ => Ok(Replayed::default()),
        }
    }

    fn drive(self: Arc<Self>, delivery: Delivery) -> io::Result<()> {
        http::drive(Session::new(&self.settings)?, delivery)
    }
}
