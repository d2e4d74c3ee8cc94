//! What a server says of itself: how much it takes at once, and how compressed.

use serde_json::Value;
use traceable_wire::encoding::Encoding;

/// Bounds of what is believed: a server may say anything.
const BYTES: (u64, u64) = (64 << 10, 64 << 20);
const CHANGES: (u64, u64) = (1, 10_000);

/// What is known of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Info {
    /// Whether it takes multipart bodies.
    pub(super) is_multipart: bool,
    /// Runs in one request.
    pub(super) max_changes: usize,
    /// Bytes of one request before compression.
    pub(super) max_bytes: usize,
    pub(super) encoding: Encoding,
    /// Whether feedback that names its trace goes along in multipart bodies.
    pub(super) takes_feedback: bool,
}

impl Default for Info {
    /// What LangSmith's own SDKs go by when a server says nothing.
    fn default() -> Self {
        Self {
            is_multipart: true,
            max_changes: 100,
            max_bytes: 20 << 20,
            encoding: Encoding::Identity,
            takes_feedback: false,
        }
    }
}

impl Info {
    /// Reads an answer. What is not as it should be is as if it were not said; `None` where nothing is as it should be.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let said: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
        let config = &said["batch_ingest_config"];
        let known = Self::default();
        let number = |name: &str, (least, most): (u64, u64), otherwise: usize| {
            config[name].as_u64().map_or(otherwise, |number| number.clamp(least, most) as usize)
        };
        let flag = |name: &str| said["instance_flags"][name] == Value::Bool(true);
        let encoding = [("zstd_compression_enabled", "zstd"), ("gzip_body_enabled", "gzip")]
            .into_iter()
            .filter(|(name, _)| flag(name))
            .find_map(|(_, name)| Encoding::from_name(name));
        Some(Self {
            is_multipart: config["use_multipart_endpoint"].as_bool().unwrap_or(known.is_multipart),
            max_changes: number("size_limit", CHANGES, known.max_changes),
            max_bytes: number("size_limit_bytes", BYTES, known.max_bytes),
            encoding: encoding.unwrap_or_default(),
            takes_feedback: said["version"].as_str().is_some_and(|version| is_at_least(version, [0, 8, 10])),
        })
    }
}

fn is_at_least(version: &str, least: [u64; 3]) -> bool {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let mut parts = version.trim_start_matches('v').split('.').map(digits);
    let version: [u64; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    version >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_how_it_wants_its_bodies() {
        let said = br#"{"version":"0.18.0","instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true},
            "batch_ingest_config":{"use_multipart_endpoint":true,"size_limit":50,"size_limit_bytes":1048576}}"#;
        let best = traceable_wire::encoding::Encoding::from_name("zstd").map_or("gzip", |zstd| zstd.name());
        let info = Info::parse(said);
        assert_eq!(info.map(|info| (info.max_changes, info.max_bytes, info.takes_feedback)), Some((50, 1 << 20, true)));
        assert_eq!(info.map(|info| info.encoding.name()), Some(best));
    }

    #[test]
    fn what_is_wrong_is_as_if_it_were_not_said() {
        for nothing in ["", "<html>", "[]", "42", "{\"version\""] {
            assert!(Info::parse(nothing.as_bytes()).is_none(), "{nothing}");
        }
        for wrong in [
            "{}",
            r#"{"version":7,"instance_flags":[],"batch_ingest_config":null}"#,
            r#"{"version":"","batch_ingest_config":{"size_limit":-5,"size_limit_bytes":"many","use_multipart_endpoint":1}}"#,
        ] {
            assert_eq!(Info::parse(wrong.as_bytes()), Some(Info::default()), "{wrong}");
        }
        let extreme = br#"{"batch_ingest_config":{"size_limit":0,"size_limit_bytes":99999999999999}}"#;
        assert_eq!(Info::parse(extreme).map(|info| (info.max_changes, info.max_bytes)), Some((1, 64 << 20)));
    }

    #[test]
    fn versions_are_numbers() {
        assert!(
            is_at_least("0.8.10", [0, 8, 10])
                && is_at_least("v1.0", [0, 8, 10])
                && is_at_least("0.10.1rc3", [0, 8, 10])
        );
        assert!(!is_at_least("0.8.9", [0, 8, 10]) && !is_at_least("", [0, 8, 10]));
    }
}
