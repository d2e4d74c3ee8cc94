//! The page `API.md` against a server: each route stands there, and is answered as it says.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Server, seed, send};

const PAGE: &str = include_str!("../API.md");
const BELOW: &str = "/api/traceable/v1";

/// An example of the page: what is asked, and what is answered.
#[derive(Debug, Default)]
struct Example {
    /// The heading: a method and a path.
    route: String,
    /// As it is sent.
    asked: String,
    body: String,
    answer: Option<(String, String)>,
}

fn examples() -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(route) = line.strip_prefix("### ") {
            examples.push(Example { route: route.replace('`', ""), ..Example::default() });
        }
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let example = examples.last_mut().unwrap();
        if language == "http" {
            text[0].clone_into(&mut example.asked);
            example.body = text[1..].join("\n");
        } else {
            example.answer = Some((language.to_owned(), text.join("\n")));
        }
    }
    examples
}

/// Whether two documents have the same members and kinds of values. `…` stands for members that are told elsewhere, and a
/// null for anything.
fn differ(at: &str, told: &Value, real: &Value) -> Option<String> {
    match (told, real) {
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => None,
        (Value::Object(told), Value::Object(real)) => {
            let is_open = told.is_empty() || told.contains_key("…");
            let missing = told.keys().find(|name| *name != "…" && !real.contains_key(*name));
            let untold = real.keys().find(|name| !is_open && !told.contains_key(*name));
            let within = || told.iter().find_map(|(name, told)| differ(&format!("{at}.{name}"), told, real.get(name)?));
            missing
                .map(|name| format!("{at}.{name} is told and not there"))
                .or_else(|| untold.map(|name| format!("{at}.{name} is there and not told")))
                .or_else(within)
        }
        (Value::Array(told), Value::Array(real)) => match (told.first(), real.first()) {
            (Some(told), Some(real)) => differ(&format!("{at}[0]"), told, real),
            (Some(_), None) => Some(format!("{at} is empty")),
            _ => None,
        },
        _ => Some(format!("{at} is told as {told} and is {real}")),
    }
}

#[test]
fn the_page_tells_all_routes_and_no_others() {
    let told: BTreeSet<String> = examples().into_iter().map(|example| example.route).collect();
    let real = traceable_server::routes().into_iter();
    let real = real.filter_map(|(method, path)| Some(format!("{method} {}", path.strip_prefix(BELOW)?)));
    assert_eq!(told, real.collect());
}

#[test]
fn every_example_of_the_page_is_answered_as_it_says() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    seed::send(&server);
    let mut count = 0;
    for Example { route, asked, body, answer } in examples() {
        let Some((language, told)) = answer else { panic!("{route} has no example") };
        let (method, path) = asked.split_once(' ').unwrap();
        let (known, pattern) = route.split_once(' ').unwrap();
        let asked_parts = path.split('?').next().unwrap().split('/');
        let fits = |(part, wanted): (&str, &str)| wanted.starts_with('{') || part == wanted;
        assert!(method == known && asked_parts.zip(pattern.split('/')).all(fits), "{asked} is no example of {route}");
        let headers = [("content-type", "application/json")];
        let headers = if body.is_empty() { &[][..] } else { &headers };
        let real = send(server.address, method, &format!("{BELOW}{path}"), headers, body.as_bytes()).unwrap();
        let said = String::from_utf8_lossy(&real.body);
        assert_eq!(real.status, 200, "{asked}: {said}");
        match language.as_str() {
            "json" => {
                let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{route}: {error}"));
                let real: Value = serde_json::from_str(&said).unwrap();
                assert_eq!(differ("", &told, &real), None, "{asked}: {real}");
            }
            "text" => {
                assert!(real.header("content-type").is_some_and(|kind| told.contains(kind)), "{asked}: {}", real.head);
            }
            other => panic!("{route}: {other}"),
        }
        count += 1;
    }
    assert!(count > 25);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let (status, said) = server.get(&format!("{BELOW}/runs?q=name:a%20lateny:%3E2s"));
    assert_eq!((status, &said["query"]), (400, &json!({ "at": 7, "found": "lateny", "nearest": "latency" })));
    for (path, wanted, part) in [
        ("/runs?limt=1", 400, "limt"),
        ("/runs?after=x", 400, "after"),
        ("/runs/0190163d", 404, "no such run"),
        ("/runs/last", 404, "nothing was traced"),
        ("/stats?by=nmae", 400, "name"),
        ("/stats?every=soon", 400, "1h"),
        ("/traces/0190163d-8694-7000-8000-000000000001", 404, "no such trace"),
        ("/threads/none", 404, "no such conversation"),
    ] {
        let (status, said) = server.get(&format!("{BELOW}{path}"));
        assert!(status == wanted && said["detail"].as_str().unwrap().contains(part), "{path}: {status} {said}");
    }
    let (status, said) = server.post(&format!("{BELOW}/scores"), &json!({ "key": "good", "score": 1 }));
    assert!(status == 400 && said["detail"].as_str().unwrap().contains("`thread`"), "{said}");
    let (status, said) = server.post(&format!("{BELOW}/delete"), &json!({ "query": "", "rums": true }));
    assert!(status == 400 && said["detail"].as_str().unwrap().contains("rums"), "{said}");
}

#[test]
fn pages_are_whole_in_either_order() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    seed::send(&server);
    let all = |order: &str| {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let (_, page) = server.get(&format!("{BELOW}/runs?limit=2&order={order}&after={after}"));
            ids.extend(page["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return ids,
            }
        }
    };
    let oldest = all("oldest");
    assert_eq!(oldest, (1..=5).map(|n| seed::id(n).to_string()).collect::<Vec<_>>());
    assert!(all("newest").iter().eq(oldest.iter().rev()));
}

#[test]
fn tags_come_and_go_and_come_again() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    seed::send(&server);
    let found = |tag: &str| server.get(&format!("{BELOW}/runs?q=tag:{tag}")).1["runs"].as_array().unwrap().len();
    let run = format!("/runs/{}/tags", seed::id(1));
    let trace = format!("/traces/{}/tags", seed::id(1));
    for (path, change, wanted) in [
        (run.as_str(), json!({ "add": ["b"] }), json!(["a", "b"])),
        (&run, json!({ "remove": ["a", "b"] }), json!([])),
        (&trace, json!({ "add": ["b", "b"] }), json!(["b"])),
        (&run, json!({ "remove": ["b"] }), json!([])),
        (&run, json!({ "add": ["a"], "remove": ["c"] }), json!(["a"])),
    ] {
        let (_, said) = server.post(&format!("{BELOW}{path}"), &change);
        assert_eq!(said["tags"], wanted);
        assert_eq!(server.get(&format!("{BELOW}/runs/{}", seed::id(1))).1["row"]["tags"], wanted);
        assert_eq!(found("b"), usize::from(wanted.as_array().unwrap().contains(&json!("b"))));
    }
    let thread = format!("{BELOW}/threads/t-1");
    for (change, wanted) in [
        (json!({ "add": ["x"] }), json!(["x"])),
        (json!({ "remove": ["x"] }), Value::Null),
        (json!({ "add": ["x"] }), json!(["x"])),
    ] {
        assert_eq!(server.post(&format!("{thread}/tags"), &change).0, 200);
        assert_eq!(server.get(&thread).1["tags"], wanted, "a list that is empty is not written");
    }
    assert_eq!(server.post(&format!("{BELOW}{run}"), &json!({ "add": [""] })).0, 400);
}

#[test]
fn bodies_are_read_whole_in_parts_and_searched() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    seed::send(&server);
    let at = |more: &str| format!("{BELOW}/runs/{}{more}", seed::id(3));
    let raw = server.get(&at("/inputs")).1;
    assert_eq!(raw["photo"].as_str().unwrap().len(), 4_000, "as it came");
    let shown = server.get(&at("")).1;
    assert!(shown["run"]["inputs"]["photo"].as_str().unwrap().starts_with("blob:sha256-"));
    assert_eq!(server.get(&at("/inputs?from=1&bytes=7")).1["text"], "\"order\"");
    assert_eq!(server.get(&at("/inputs?find=PHOTO")).1["places"], json!([12]));
    let short = server.get(&at("?max=30")).1;
    assert_eq!(short["run"]["outputs"], json!({ "state": "sent" }));
    assert!(short["run"].get("inputs").is_none() && short["left_out"]["inputs"].as_u64().unwrap() > 30);
    assert_eq!(server.get(&at("/expected")).0, 404);
}
