//! LangSmith's environment variables, as its own SDKs read them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::LangSmith;
use crate::http::ConfigError;

/// Looks a variable up by the name behind its prefix.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A variable of this process, with LangSmith's prefix or the one it had before.
pub(super) fn variable(name: &str) -> Option<String> {
    ["LANGSMITH", "LANGCHAIN"].into_iter().find_map(|prefix| {
        let value = std::env::var(format!("{prefix}_{name}")).ok()?;
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        (!value.is_empty()).then_some(value)
    })
}

pub(super) fn primary(variable: Lookup<'_>) -> Result<LangSmith, ConfigError> {
    let endpoint = Replica { api_url: variable("ENDPOINT"), api_key: variable("API_KEY"), project_name: None };
    replica(endpoint, variable)
}

pub(super) fn all(variable: Lookup<'_>) -> Result<Vec<LangSmith>, ConfigError> {
    let Some(named) = variable("RUNS_ENDPOINTS") else { return Ok(vec![primary(variable)?]) };
    let replicas = match serde_json::from_str(&named) {
        Ok(Replicas::List(list)) => list,
        Ok(Replicas::Keys(keys)) => keys
            .into_iter()
            .map(|(url, key)| Replica { api_url: Some(url), api_key: Some(key), project_name: None })
            .collect(),
        // The text holds keys.
        Err(_) => {
            return Err(ConfigError::new(
                "LANGSMITH_RUNS_ENDPOINTS must be a list of objects with `api_url`, `api_key` and `project_name`, or one \
                 object of addresses and keys",
            ));
        }
    };
    replicas.into_iter().map(|of| replica(of, variable)).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Replicas {
    List(Vec<Replica>),
    Keys(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct Replica {
    api_url: Option<String>,
    api_key: Option<String>,
    project_name: Option<String>,
}

fn replica(replica: Replica, variable: Lookup<'_>) -> Result<LangSmith, ConfigError> {
    let mut builder = LangSmith::builder();
    if let Some(url) = replica.api_url {
        builder = builder.endpoint(url);
    }
    if let Some(key) = replica.api_key {
        builder = builder.api_key(key);
    }
    if let Some(project) = replica.project_name.or_else(|| variable("PROJECT")).or_else(|| variable("SESSION")) {
        builder = builder.project(project);
    }
    if let Some(workspace) = variable("WORKSPACE_ID").or_else(|| variable("TENANT_ID")) {
        builder = builder.workspace(workspace);
    }
    builder.compression(variable("DISABLE_RUN_COMPRESSION").as_deref() != Some("true")).build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use traceable_core::delivery::{Identity, Remote as _};

    use super::*;

    fn named(variables: &[(&str, &str)]) -> Result<Vec<Identity>, String> {
        let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        all(&lookup).map(|all| all.iter().map(LangSmith::identity).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_is_enough() {
        let hosted = Identity::new("langsmith", "https://api.smith.langchain.com", "default");
        assert_eq!(named(&[("API_KEY", "lsv2_pt_k")]), Ok(vec![hosted]));
        let own = Identity::new("langsmith", "http://127.0.0.1:1984/api/v1", "film-club");
        assert_eq!(named(&[("ENDPOINT", "http://127.0.0.1:1984/api/v1/"), ("PROJECT", "film-club")]), Ok(vec![own]));
    }

    #[test]
    fn what_is_missing_is_said_and_where_it_comes_from() {
        let error = named(&[]).unwrap_err();
        for part in ["https://api.smith.langchain.com", "LANGSMITH_API_KEY", "Settings"] {
            assert!(error.contains(part), "{error}");
        }
        let error = named(&[("API_KEY", "a\nb")]).unwrap_err();
        assert!(error.contains("the key of LangSmith") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn several_servers_may_be_named_in_either_form() {
        let list =
            r#"[{"api_url": "https://a.example", "api_key": "k1", "project_name": "p"}, {"api_url": "http://b"}]"#;
        let both = vec![
            Identity::new("langsmith", "https://a.example", "p"),
            Identity::new("langsmith", "http://b", "default"),
        ];
        assert_eq!(named(&[("RUNS_ENDPOINTS", list), ("API_KEY", "k")]), Ok(both));
        let keys = r#"{"https://a.example": "k1"}"#;
        assert_eq!(named(&[("RUNS_ENDPOINTS", keys)]).unwrap().len(), 1);
        let error = named(&[("RUNS_ENDPOINTS", "https://a.example=lsv2_secret")]).unwrap_err();
        assert!(error.contains("RUNS_ENDPOINTS") && !error.contains("lsv2_secret"), "{error}");
    }

    #[test]
    fn no_key_is_shown() {
        let langsmith = LangSmith::builder().api_key("lsv2_pt_secret").header("X-Other", "lsv2_other_secret");
        assert!(!format!("{langsmith:?}").contains("secret"), "{langsmith:?}");
        let langsmith = langsmith.build().unwrap();
        assert!(!format!("{langsmith:?}").contains("secret"), "{langsmith:?}");
    }
}
