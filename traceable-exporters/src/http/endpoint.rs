//! Where a backend is: the address that its paths are put behind.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use super::ConfigError;

/// An address without user, password, query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(Url);

impl Endpoint {
    /// Reads an address. `name` says in the error whose it is.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        Self::exact(text, name).map(|(endpoint, _)| endpoint)
    }

    /// As [`Endpoint::parse`], and the address to the letter: a query or a slash at its end is meant where no path is put
    /// behind.
    pub(crate) fn exact(text: &str, name: &str) -> Result<(Self, Url), ConfigError> {
        let wrong = || {
            // The text may hold a password.
            ConfigError::new(format!("{name} is no address: it must begin with http:// or https:// and name a host"))
        };
        let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ConfigError::new(format!("{name} holds a user or a password: give the key by itself")));
        }
        url.set_fragment(None);
        let exact = url.clone();
        url.set_query(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok((Self(url), exact))
    }

    /// The address of a path below this one.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
        is_loopback || host == "localhost" || host.ends_with(".localhost")
    }

    /// Whether both are of one server: what may be told to one may be told to the other.
    pub(crate) fn is_same_server(&self, other: &Url) -> bool {
        self.0.origin() == other.origin()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text, "LANGSMITH_ENDPOINT").unwrap()
    }

    #[test]
    fn paths_are_put_behind_with_or_without_a_slash() {
        for text in ["https://h.example/api/v1", " https://h.example/api/v1/ ", "https://h.example/api/v1//?q#f"] {
            assert_eq!(endpoint(text).at("/info").as_str(), "https://h.example/api/v1/info");
            assert_eq!(endpoint(text).to_string(), "https://h.example/api/v1");
        }
        assert_eq!(endpoint("http://h:81").at("/runs/batch").as_str(), "http://h:81/runs/batch");
        assert_eq!(endpoint("http://h:81").to_string(), "http://h:81");
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for text in ["", "api.example.com", "ftp://h", "https://", "file:///etc", "https://user:hunter2@h.example"] {
            let error = Endpoint::parse(text, "LANGSMITH_ENDPOINT").unwrap_err().to_string();
            assert!(error.starts_with("LANGSMITH_ENDPOINT ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for local in
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "http://localhost", "http://a.localhost"]
        {
            assert!(endpoint(local).is_local(), "{local}");
        }
        for other in ["http://10.0.0.1", "http://localhost.example", "http://128.0.0.1", "http://[::2]"] {
            assert!(!endpoint(other).is_local(), "{other}");
        }
    }
}
