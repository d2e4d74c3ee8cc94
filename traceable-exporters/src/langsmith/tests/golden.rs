//! What arrives at a server, held against what LangSmith's Python SDK 0.14.17 sent it for the same programs.

#[path = "../../../../traceable-wire/tests/golden/mod.rs"]
mod recorded;

use recorded::{Part, RECORDED, Said, bodies, body, split};
use serde_json::Map;
use traceable_core::model::RunChange;
use traceable_wire::langsmith::decode_multipart;

use super::{Memory, Received, Reply, Server, deliver_all, settings};

/// The parts of a body that we sent.
fn sent(request: &Received) -> Vec<Part> {
    let boundary = request.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
    split(&request.plain(), &boundary)
}

/// The changes that the recorded program made.
fn changes(bodies: &[Vec<Part>]) -> Vec<RunChange> {
    let mut changes = Vec::new();
    for parts in bodies {
        let decoded = decode_multipart(&body(parts, "b"), "b");
        assert_eq!(decoded.errors, []);
        changes.extend(decoded.changes);
    }
    changes.sort_by_key(|change| matches!(change, RunChange::End(_) | RunChange::Patch(_)));
    changes
}

#[tokio::test]
async fn the_server_is_told_what_the_python_sdk_tells_it() {
    const INFO: &str =
        r#"{"version":"0.18.0","instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true}}"#;
    for name in RECORDED {
        let bodies = bodies(name);
        let is_info = |request: &Received| request.line == "GET /info";
        let rule = move |request: &Received, _| if is_info(request) { Reply::json(INFO) } else { Reply::status(202) };
        let server = Server::start(rule).await;
        deliver_all(&settings(&server.url), &Memory::of(changes(&bodies))).await;
        let requests: Vec<_> = server.at("/runs/multipart").iter().map(sent).collect();
        let posts = requests.iter().flatten().filter(|(name, ..)| name.starts_with("patch.")).count();
        assert_eq!(posts, 0, "{name}: each run ended before it left, so it is one record");
        let (ours, theirs) = (Said::by(&requests), Said::by(&bodies));
        assert_eq!(ours.0.keys().collect::<Vec<_>>(), theirs.0.keys().collect::<Vec<_>>(), "{name}");
        for (part, theirs) in theirs.0 {
            assert_eq!(ours.0[&part], theirs, "{name}: {part}");
        }
    }
}

#[test]
fn what_is_compared_is_not_nothing() {
    let said = Said::by(&bodies("py_attach"));
    let fields: usize = said.0.values().map(|record| record.as_object().map_or(0, Map::len)).sum();
    assert!(said.0.keys().any(|name| name.starts_with("attachment.")) && fields > 10, "{said:?}");
}
