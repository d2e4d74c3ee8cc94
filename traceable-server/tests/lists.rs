//! Pages that list: what they show, and where their links lead.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Server, send};

fn id(n: u32) -> String {
    format!("0190163d-8694-7000-8000-00000000{n:04x}")
}

/// A root of the `n`th second.
fn root(n: u32, more: &Value) -> Value {
    let time = |second: u32| format!("2026-09-21T10:{:02}:{:02}.000000Z", second / 60, second % 60);
    let mut run = json!({
        "id": id(n), "trace_id": id(n), "name": "answer", "run_type": "chain", "start_time": time(n), "end_time": time(n + 1),
        "inputs": { "question": format!("question {n}") }, "outputs": { "answer": format!("reply {n}") }, "session_name": "shop",
    });
    run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run
}

fn post(server: &Server, runs: &[Value]) {
    assert_eq!(server.post("/runs/batch", &json!({ "post": runs, "patch": [] })).0, 202);
}

/// A page, or the part of it that a script asks for.
fn part(server: &Server, path: &str, part: &str) -> String {
    let headers: &[(&str, &str)] = if part.is_empty() { &[] } else { &[("x-part", part)] };
    let answer = send(server.address, "GET", path, headers, b"").unwrap();
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{path}: {text}");
    text
}

fn page(server: &Server, path: &str) -> String {
    part(server, path, "")
}

/// The address of the link that is around a text, or before it.
fn link<'a>(page: &'a str, text: &str) -> String {
    let at = page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
    let from = page[..at].rfind("href=\"").unwrap() + 6;
    let url: &'a str = page[from..].split('"').next().unwrap();
    url.replace("&amp;", "&")
}

/// What was asked in the rows, from the top.
fn questions(page: &str) -> Vec<String> {
    page.split("question ").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[test]
fn rows_say_what_was_asked_and_answered_and_what_went_wrong() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let wrong = json!({ "outputs": null, "error": "RateLimit: 429\nat client.rs:1", "tags": ["late night"] });
    let open = json!({ "end_time": null, "outputs": null, "name": "<script>alert(1)</script>" });
    post(&server, &[root(1, &json!({})), root(2, &wrong), root(3, &open)]);
    let shown = page(&server, "/");
    assert_eq!(questions(&shown), ["3", "2", "1"]);
    assert!(shown.contains("reply 1") && shown.contains("1.00 s"));
    assert!(shown.contains("RateLimit: 429") && !shown.contains("client.rs:1"));
    assert!(
        shown.contains("pending since ")
            && shown.contains("&lt;script&gt;alert(1)")
            && !shown.contains("<script>alert")
    );
    // A tag is a link to all that have it, and again without.
    let of_tag = page(&server, &link(&shown, "late night"));
    assert_eq!(questions(&of_tag), ["2"]);
    assert_eq!(link(&of_tag, "title=\"late night\""), "/");
    // A script takes over rows alone.
    let rows = part(&server, "/", "rows");
    assert!(rows.contains("data-id") && !rows.contains("<html"));
    assert_eq!(link(&rows, "&lt;script&gt;"), format!("/t/{}", id(3)));
    assert_eq!(questions(&page(&server, "/?project=none")), Vec::<String>::new());
}

#[test]
fn pages_go_to_the_end_and_back_and_show_each_trace_once() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    post(&server, &(0..250).map(|n| root(n, &json!({}))).collect::<Vec<_>>());
    let first = page(&server, "/");
    let second = page(&server, &link(&first, "Next →"));
    let third = page(&server, &link(&second, "Next →"));
    assert!(!first.contains("← Previous") && !third.contains("Next →"));
    let all: Vec<String> = [&first, &second, &third].into_iter().flat_map(|page| questions(page)).collect();
    let expected: Vec<String> = (0..250).rev().map(|n| n.to_string()).collect();
    assert_eq!(all, expected);
    let back = page(&server, &link(&third, "← Previous"));
    assert_eq!(questions(&back), questions(&second));
    let start = page(&server, &link(&back, "← Previous"));
    assert_eq!(questions(&start), questions(&first));
    // What is newer than a row that a page begins with.
    let newest = second.split("data-newest=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!part(&server, &format!("/?before={newest}"), "new").contains("new</a>"));
    post(&server, &[root(250, &json!({})), root(251, &json!({}))]);
    assert!(part(&server, &format!("/?before={newest}"), "new").contains("2 new</a>"));
}

#[test]
fn what_is_wrong_with_a_query_is_shown_where_it_stands_and_the_list_stays() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let call = json!({
        "id": id(9), "parent_run_id": id(1), "run_type": "llm", "name": "chat", "inputs": {},
        "extra": { "metadata": { "ls_model_name": "gpt-4o" } },
    });
    post(&server, &[root(1, &json!({})), root(1, &call), root(2, &json!({}))]);
    let wrong = page(&server, "/?q=lateny%3A%3E2s%20x&of=runs");
    assert!(wrong.contains("<mark>lateny</mark>:&gt;2s x"), "{wrong}");
    assert_eq!(link(&wrong, ">latency</a>"), "/?of=runs&q=latency%3A%3E2s%20x");
    assert_eq!(questions(&wrong), ["2", "1"]);
    // What only a run inside of a trace has leads there.
    let none = page(&server, "/?q=model%3Agpt-4o");
    assert!(none.contains("Nothing fits") && link(&none, "1 run</a>").contains("of=runs"));
    assert_eq!(questions(&page(&server, "/?q=tree.model%3Agpt-4o")), ["1"]);
    let proposed = part(&server, "/complete?q=name%3Aanswer%20tree.mod&at=20", "proposals");
    assert!(proposed.contains("data-from=\"12\" data-to=\"20\"") && proposed.contains("data-text=\"tree.model:\""));
    let proposed = part(&server, "/complete?q=model%3Agp&at=8", "proposals");
    assert!(proposed.contains("data-text=\"model:gpt-4o\"") && proposed.contains("1 run"), "{proposed}");
}

#[test]
fn what_is_exported_is_what_is_listed() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let call = json!({ "id": id(9), "parent_run_id": id(1), "run_type": "llm", "name": "chat", "inputs": {} });
    let elsewhere = json!({ "session_name": "docs", "name": "other" });
    post(&server, &[root(1, &json!({})), root(1, &call), root(2, &json!({})), root(3, &elsewhere)]);
    let exported = |path: &str| {
        let csv = part(&server, &link(&page(&server, path), "CSV</a>"), "");
        ["answer", "chat", "other"].map(|name| csv.matches(&format!(",{name},")).count())
    };
    assert_eq!(exported("/"), [2, 1, 1]);
    assert_eq!(exported("/?of=runs&q=type%3Allm"), [0, 1, 0]);
    assert_eq!(exported("/?q=input%3Aquestion&project=docs"), [0, 0, 1]);
    // The list of a query that cannot be read is the one without it.
    assert_eq!(exported("/?q=nmae%3Ax&project=shop"), [2, 1, 0]);
}

#[test]
fn an_empty_store_says_how_to_fill_it_from_where_the_browser_is() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let shown = page(&server, "/");
    assert!(shown.contains("Waiting for the first trace"));
    for line in ["LANGSMITH_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "TRACEABLE_ENDPOINT"] {
        assert!(
            shown.contains(&format!("export {line}={}\n", server.url()))
                || shown.contains(&format!("{line}={}", server.url()))
        );
    }
    post(&server, &[root(1, &json!({}))]);
    assert!(!page(&server, "/").contains("Waiting for the first trace"));
}

#[test]
fn addresses_that_sdks_print_lead_to_the_run() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let below = json!({ "id": id(9), "parent_run_id": id(1) });
    post(&server, &[root(1, &json!({})), root(1, &below)]);
    let wanted = format!("/t/{}?run={}", id(1), id(9));
    for path in [format!("/trace/{}", id(9)), format!("/o/{}/projects/p/{}/r/{}", id(5), id(6), id(9))] {
        let answer = send(server.address, "GET", &path, &[], b"").unwrap();
        assert_eq!((answer.status, answer.header("location")), (303, Some(wanted.as_str())));
    }
    let (_, said) = server.get(&format!("/api/v2/runs/{}/url", id(9)));
    assert_eq!(said["url"], format!("{}{wanted}", server.url()));
}

#[test]
fn threads_users_and_the_dashboard_lead_to_their_traces() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let of = |thread: &str, user: &str| json!({ "extra": { "metadata": { "thread_id": thread, "user_id": user } } });
    post(&server, &[root(1, &of("a b", "ada")), root(2, &of("a b", "ada")), root(3, &of("c", "grace"))]);
    let threads = page(&server, "/threads");
    assert_eq!(link(&threads, ">a b</a>"), "/threads/a%20b");
    // The first question and the last answer.
    assert!(threads.contains("question 1") && !threads.contains("question 2"));
    assert!(threads.contains("reply 2") && !threads.contains("reply 1"));
    assert!(!page(&server, "/threads?user=grace").contains("a b"));
    let users = page(&server, "/users");
    assert_eq!(questions(&page(&server, &link(&users, ">ada</a>"))), ["2", "1"]);
    let stats = page(&server, "/stats?by=user");
    assert_eq!(questions(&page(&server, &link(&stats, ">grace</a>"))), ["3"]);
    // The first bar is the first second.
    assert_eq!(questions(&page(&server, &link(&stats, "aria-label=\"Traces, "))), ["1"]);
    assert!(page(&server, "/stats?range=1h").contains("There is nothing in this time"));
}

#[test]
fn links_to_a_user_and_a_thread_hold_whatever_they_are_called() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let name = "a \"b\" \\c\td/e?f#g";
    let of = json!({ "extra": { "metadata": { "thread_id": name, "user_id": name } }, "tags": [name] });
    post(&server, &[root(1, &of), root(2, &json!({}))]);
    let shown = "a &quot;b&quot; \\c\td/e?f#g";
    let thread = page(&server, &link(&page(&server, "/threads"), &format!(">{shown}</a>")));
    let trace = page(&server, &format!("/t/{}", id(1)));
    assert_eq!(page(&server, &link(&trace, &format!(">{shown}</a>"))), thread);
    let tag = link(&page(&server, "/"), "title=\"Only these\"");
    let user =
        |page: &str| format!("/?q=user{}", page.split("href=\"/?q=user").nth(1).unwrap().split('"').next().unwrap());
    for url in [user(&thread), user(&trace), tag] {
        assert_eq!(questions(&page(&server, &url)), ["1"], "{url}");
    }
    let csv = part(&server, &link(&thread, "CSV</a>"), "");
    assert_eq!(csv.matches(",answer,").count(), 1, "{csv}");
}

#[test]
fn pages_stay_light_and_whole_whatever_comes() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let long = "long ".repeat(4_000);
    let many: Value =
        (0..1_000).map(|n| (format!("key {n}"), json!({ "a": [n, n] }))).collect::<serde_json::Map<_, _>>().into();
    let tags: Vec<String> = (0..500).map(|n| format!("tag {n}")).collect();
    let parts = json!([{ "role": "user", "content": vec![json!({ "type": "text", "text": "part" }); 20_000] }]);
    let said: Vec<Value> = (0..20_000).map(|n| json!({ "role": "user", "content": format!("message {n}") })).collect();
    let of = |n: u32, messages: &Value| {
        let metadata = json!({ "metadata": { "thread_id": format!("{n} {long}"), "user_id": format!("{n} {long}"), "many": many } });
        root(
            n,
            &json!({
                "name": format!("{n} {long}"), "run_type": "llm", "tags": tags, "extra": metadata, "error": long,
                "inputs": { "messages": messages },
            }),
        )
    };
    post(&server, &[of(1, &parts), of(2, &said.into())]);
    post(&server, &(3..12).map(|n| of(n, &json!([]))).collect::<Vec<_>>());
    let (trace, chat) = (id(1), id(2));
    let light = |path: &str, elements: usize, bytes: usize| {
        let shown = page(&server, path);
        assert!(shown.matches("</").count() < elements, "{path}: {} elements", shown.matches("</").count());
        assert!(shown.len() < bytes, "{path}: {} bytes", shown.len());
    };
    for path in ["/", "/?of=runs", "/threads", "/users", "/stats?by=name", "/projects", "/complete?q=name:&at=5"] {
        // Links hold what they look for.
        light(path, 3_000, 3_000_000);
    }
    for path in [
        format!("/t/{trace}"),
        format!("/t/{trace}?view=transcript"),
        format!("/t/{chat}"),
        format!("/compare?a={trace}&b={chat}"),
    ] {
        light(&path, 6_000, 3_000_000);
    }
    let first = format!("/body/{chat}/input?messages=4&to=19974");
    light(&first, 3_000, 1_000_000);
    let next = link(&page(&server, &first), " messages more");
    assert!(page(&server, &next).contains("message 104") && !page(&server, &next).contains("message 103<"), "{next}");
}

#[test]
fn a_project_is_chosen_once_and_kept_on_all_pages() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    post(&server, &[root(1, &json!({})), root(2, &json!({ "session_name": "docs" }))]);
    let choice = part(&server, "/projects?to=/stats", "choice");
    assert_eq!(link(&choice, ">docs</span>"), "/stats?project=docs");
    assert_eq!(link(&part(&server, "/projects?to=//elsewhere", "choice"), ">docs</span>"), "/?project=docs");
    let shown = page(&server, "/?project=docs");
    assert_eq!(questions(&shown), ["2"]);
    for tab in ["Threads</a>", "Dashboard</a>", "Setup</a>"] {
        assert!(link(&shown, tab).ends_with("?project=docs"), "{tab}");
    }
}
