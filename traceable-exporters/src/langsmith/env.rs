//! LangSmith's environment variables, as its own SDKs read them.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use super::{Filing, LangSmith, Settings, builder::PROJECT};
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
    let (api_url, api_key) = (variable("ENDPOINT"), variable("API_KEY"));
    let mut primary = replica(Replica { api_url, api_key, ..Replica::default() }, variable)?;
    primary.settings.failed = variable("FAILED_TRACES_DIR").map(PathBuf::from);
    Ok(primary)
}

/// The project of runs that name none.
fn project(variable: Lookup<'_>) -> Option<String> {
    variable("PROJECT").or_else(|| variable("SESSION"))
}

pub(super) fn all(variable: Lookup<'_>) -> Result<Vec<LangSmith>, ConfigError> {
    let Some(named) = variable("RUNS_ENDPOINTS") else { return Ok(vec![primary(variable)?]) };
    let replicas = match serde_json::from_str(&named) {
        Ok(Replicas::List(list)) => list,
        Ok(Replicas::Keys(keys)) => keys
            .into_iter()
            .map(|(url, key)| Replica { api_url: Some(url), api_key: Some(key), ..Replica::default() })
            .collect(),
        // The text holds keys.
        Err(_) => {
            return Err(ConfigError::new(
                "LANGSMITH_RUNS_ENDPOINTS must be a list of objects with `api_url`, `api_key` and `project_name`, or one \
                 object of addresses and keys",
            ));
        }
    };
    if replicas.iter().filter(|replica| replica.primary == Some(true)).count() > 1 {
        return Err(ConfigError::new("LANGSMITH_RUNS_ENDPOINTS says of more than one that it is `primary`"));
    }
    let mut all: Vec<LangSmith> = Vec::with_capacity(replicas.len());
    for of in replicas {
        let next = replica(of, variable)?;
        let (is_known, is_new) = (|other: &&LangSmith| next.is_beside(other), |other: &LangSmith| !next.is_same(other));
        if all.iter().all(is_new) {
            let number = all.iter().filter(is_known).count();
            all.push(LangSmith::of(Settings { number: if number > 0 { number + 1 } else { 0 }, ..next.settings }));
        }
    }
    // What other SDKs left is not for a copy: its ids are in its bodies.
    let keeps = |langsmith: &&mut LangSmith| langsmith.settings.filing != Filing::Together { own_ids: true };
    if let Some(first) = all.iter_mut().find(keeps) {
        first.settings.failed = variable("FAILED_TRACES_DIR").map(PathBuf::from);
    }
    Ok(all)
}

impl LangSmith {
    /// Whether both are one address and project.
    fn is_beside(&self, other: &Self) -> bool {
        (&self.settings.endpoint, &self.settings.project) == (&other.settings.endpoint, &other.settings.project)
    }

    /// Whether both are sent the same, with the same key.
    fn is_same(&self, other: &Self) -> bool {
        self.is_beside(other) && self.settings.headers == other.settings.headers
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Replicas {
    List(Vec<Replica>),
    Keys(BTreeMap<String, String>),
}

#[derive(Default, Deserialize)]
struct Replica {
    api_url: Option<String>,
    api_key: Option<String>,
    project_name: Option<String>,
    primary: Option<bool>,
}

impl Replica {
    /// Where its project is another one than that of runs that name none, they are copies there; unless it is said.
    fn filing(&self, own: &str) -> Filing {
        let named = self.project_name.as_deref();
        match self.primary {
            Some(true) if named.is_none() => Filing::AsNamed,
            Some(is_primary) => Filing::Together { own_ids: !is_primary },
            None => named.map_or(Filing::AsNamed, |named| Filing::Together { own_ids: named != own }),
        }
    }
}

fn replica(replica: Replica, variable: Lookup<'_>) -> Result<LangSmith, ConfigError> {
    let own = project(variable).unwrap_or_else(|| PROJECT.to_owned());
    let mut builder = LangSmith::builder().filing(replica.filing(&own));
    if let Some(url) = replica.api_url {
        builder = builder.endpoint(url);
    }
    if let Some(key) = replica.api_key {
        builder = builder.api_key(key);
    }
    builder = builder.project(replica.project_name.unwrap_or(own));
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
    fn projects_of_one_server_are_copies_but_for_the_one_that_runs_are_in() {
        let filings = |list: &str, project: &str| {
            let lookup = |name: &str| match name {
                "RUNS_ENDPOINTS" => Some(list.to_owned()),
                "PROJECT" => Some(project.to_owned()),
                _ => None,
            };
            all(&lookup).map(|all| all.iter().map(|one| one.settings.filing).collect::<Vec<_>>())
        };
        let [kept, copied] = [false, true].map(|own_ids| Filing::Together { own_ids });
        let list = r#"[{"api_url": "http://a", "project_name": "p"}, {"api_url": "http://a", "project_name": "q"},
            {"api_url": "http://b"}]"#;
        assert_eq!(filings(list, "p").unwrap(), [kept, copied, Filing::AsNamed]);
        assert_eq!(filings(list, "other").unwrap(), [copied, copied, Filing::AsNamed]);
        let said = list.replacen(r#""project_name": "q""#, r#""project_name": "q", "primary": true"#, 1);
        assert_eq!(filings(&said, "other").unwrap(), [copied, kept, Filing::AsNamed]);
        let twice = said.replacen(r#""project_name": "p""#, r#""project_name": "p", "primary": true"#, 1);
        assert!(filings(&twice, "p").unwrap_err().to_string().contains("primary"));
    }

    #[test]
    fn two_keys_of_one_project_are_two_destinations_and_one_key_twice_is_one() {
        let list = r#"[{"api_url": "http://a", "api_key": "k1"}, {"api_url": "http://a", "api_key": "k2"},
            {"api_url": "http://a/", "api_key": "k1"}]"#;
        let identities = named(&[("RUNS_ENDPOINTS", list), ("PROJECT", "p")]).unwrap();
        let projects: Vec<&str> = identities.iter().map(|identity| identity.project.as_str()).collect();
        assert_eq!(projects, ["p", "p (2)"]);
    }

    #[test]
    fn no_key_is_shown() {
        let langsmith = LangSmith::builder().api_key("lsv2_pt_secret").header("X-Other", "lsv2_other_secret");
        assert!(!format!("{langsmith:?}").contains("secret"), "{langsmith:?}");
        let langsmith = langsmith.build().unwrap();
        assert!(!format!("{langsmith:?}").contains("secret"), "{langsmith:?}");
    }
}
