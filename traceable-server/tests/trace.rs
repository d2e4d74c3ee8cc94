//! The page of a trace, as a browser without script sees it and as its scripts ask for it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Server, send};

const TRACE: &str = "019b0000-0000-7000-8000-000000000001";
const FIRST: &str = "019b0000-0000-7000-8000-000000000002";
const TOOL: &str = "019b0000-0000-7000-8000-000000000003";
const LAST: &str = "019b0000-0000-7000-8000-000000000004";

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_760_000_000 * SECOND;

fn run(id: &str, parent: Option<&str>, name: &str, kind: &str, at: i64, more: &Value) -> Value {
    let mut run = json!({
        "id": id, "trace_id": TRACE, "name": name, "run_type": kind, "status": "ok",
        "start_time": START + at * SECOND, "end_time": START + (at + 2) * SECOND,
    });
    run["parent_id"] = parent.map_or(Value::Null, Into::into);
    run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "end": run })
}

/// An agent that asks a model, calls a tool that fails, and asks again with all that was said before.
fn agent() -> Vec<Value> {
    let asked =
        [json!({ "role": "system", "content": "Be brief." }), json!({ "role": "user", "content": "Where is it?" })];
    let call = json!({ "role": "assistant", "content": "", "tool_calls": [
        { "id": "c1", "type": "function", "function": { "name": "find_order", "arguments": "{\"order\":4711}" } }
    ]});
    let result = json!({ "role": "tool", "tool_call_id": "c1", "content": "no such order" });
    let all = json!([asked[0], asked[1], call, result]);
    let chunks = json!([[START + 5 * SECOND, "Sorry, "], [START + 6 * SECOND, "it is lost."]]);
    let stream =
        json!({ "first_chunk": START + 5 * SECOND, "last_chunk": START + 6 * SECOND, "chunks": 2, "raw": chunks });
    vec![
        run(
            TRACE,
            None,
            "agent",
            "agent",
            0,
            &json!({ "inputs": { "question": "Where is it?" }, "thread_id": "chat 1" }),
        ),
        run(FIRST, Some(TRACE), "chat", "llm", 0, &json!({ "inputs": { "messages": asked }, "outputs": call })),
        run(TOOL, Some(TRACE), "find_order", "tool", 2, &json!({ "status": "error", "error": "<b>not found</b>" })),
        run(
            LAST,
            Some(TRACE),
            "chat",
            "llm",
            4,
            &json!({
                "inputs": { "messages": all }, "outputs": { "output": "Sorry, it is lost." }, "stream": stream,
                "model": "gpt-4o", "params": { "temperature": 0.5 },
            }),
        ),
    ]
}

fn page(server: &Server, path: &str, part: &str) -> (u16, String) {
    let answer = send(server.address, "GET", path, &[("x-part", part)], b"").unwrap();
    (answer.status, String::from_utf8(answer.body).unwrap())
}

fn with(changes: Vec<Value>) -> (Server, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    assert_eq!(server.post("/api/traceable/v1/changes", &Value::Array(changes)).0, 200);
    (server, home)
}

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}")).1;
    rest.split_once(to).map_or(rest, |(inside, _)| inside)
}

#[test]
fn a_trace_opens_at_its_last_call_with_the_answer_in_sight() {
    let (server, _home) = with(agent());
    let (status, page) = page(&server, &format!("/t/{TRACE}"), "");
    assert_eq!(status, 200);
    assert!(page.contains(&format!("data-run=\"{LAST}\"")));
    assert!(between(&page, "<section class=\"answer\"", "</section>").contains("Sorry, it is lost."));
    assert!(between(&page, "id=\"head\"", "</header>").contains("1 error"));
    assert!(page.contains("/threads/chat%201"));
    // Without script: all runs, the chosen one by its link.
    let table = between(&page, "<noscript>", "</noscript>");
    assert_eq!(table.matches("<tr>").count(), 5);
    assert!(table.contains("find_order"));
}

#[test]
fn of_a_prompt_that_goes_on_what_was_added_and_the_question_are_shown() {
    let (server, _home) = with(agent());
    let (_, last) = page(&server, &format!("/t/{TRACE}?run={LAST}"), "beside");
    let input = between(&last, "<section class=\"asked\"", "</section>");
    assert!(input.contains("1 message</a> as in") && input.contains(&FIRST.replace('-', "%2D")), "{input}");
    for said in ["Where is it?", "no such order"] {
        assert!(input.contains(said), "{said}: {input}");
    }
    assert!(!input.contains("Be brief."), "{input}");
    let (_, first) = page(&server, &format!("/t/{TRACE}?run={FIRST}"), "beside");
    assert!(between(&first, "<section class=\"asked\"", "</section>").contains("Be brief."));
}

#[test]
fn an_error_is_text_whatever_stands_in_it() {
    let (server, _home) = with(agent());
    let (_, pane) = page(&server, &format!("/t/{TRACE}?run={TOOL}"), "beside");
    assert!(pane.contains("&lt;b&gt;not found&lt;/b&gt;") && !pane.contains("<b>not found"));
    assert!(!pane.contains("<html"), "a part is no page");
}

#[test]
fn the_transcript_says_everything_once() {
    let (server, _home) = with(agent());
    let (_, talk) = page(&server, &format!("/t/{TRACE}?view=transcript"), "beside");
    for said in ["Be brief.", "Where is it?", "Sorry, it is lost."] {
        assert_eq!(talk.matches(said).count(), 1, "{said} in {talk}");
    }
    let at = |text: &str| talk.find(text).unwrap();
    assert!(at("Where is it?") < at("not found") && at("not found") < at("Sorry, it is lost."));
}

#[test]
fn the_skeleton_has_the_order_of_the_tree_and_says_which_run_is_the_root() {
    let mut changes = agent();
    changes.reverse();
    let (server, _home) = with(changes);
    let (_, tree) = server.get(&format!("/t/{TRACE}/skeleton"));
    assert_eq!(tree["depths"], json!([0, 1, 1, 1]));
    assert_eq!(tree["statuses"], json!(["ok", "ok", "error", "ok"]));
    assert_eq!(tree["root"], tree["numbers"][0]);
    assert_eq!(tree["first_tokens"], json!([null, null, null, SECOND]));
    assert_eq!(tree["span"], 6 * SECOND);
    let third = tree["numbers"][2].to_string();
    let (_, pane) = page(&server, &format!("/t/{TRACE}?row={third}"), "beside");
    assert!(pane.contains(&format!("data-run=\"{TOOL}\"")));
}

#[test]
fn a_trace_without_its_root_says_so() {
    let (server, _home) = with(agent().split_off(1));
    let (_, page) = page(&server, &format!("/t/{TRACE}"), "");
    assert!(page.contains("root of this trace is missing"));
    assert_eq!(between(&page, "<noscript>", "</noscript>").matches("no parent").count(), 3);
    assert_eq!(server.get(&format!("/t/{TRACE}/skeleton")).1["root"], Value::Null);
}

#[test]
fn an_open_run_shows_what_has_come() {
    let mut open =
        run(LAST, Some(TRACE), "chat", "llm", 0, &json!({ "status": "pending", "end_time": null }))["end"].take();
    open.as_object_mut().unwrap().remove("end_time");
    let so_far =
        json!({ "id": LAST, "trace_id": TRACE, "time": START, "chunks": 3, "outputs": { "output": "Once upon" } });
    let (server, _home) = with(vec![json!({ "start": open }), json!({ "progress": so_far })]);
    let (_, pane) = page(&server, &format!("/t/{TRACE}?run={LAST}"), "beside");
    assert!(pane.contains("data-open") && pane.contains("pending since") && pane.contains("Once upon"), "{pane}");
    for list in ["/", "/?of=runs"] {
        assert!(page(&server, list, "rows").1.contains("Once upon"), "{list}");
    }
}

#[test]
fn a_stream_can_be_played() {
    let (server, _home) = with(agent());
    let (_, played) = server.get(&format!("/t/{TRACE}/chunks?run={LAST}"));
    assert_eq!(played, json!({ "times": [SECOND, 2 * SECOND], "texts": ["Sorry, ", "it is lost."] }));
    let (_, pane) = page(&server, &format!("/t/{TRACE}?run={LAST}"), "beside");
    assert!(between(&pane, "aria-label=\"Stream\"", "</section>").contains("first after 1.00 s"));
}

#[test]
fn a_run_can_be_had_as_it_came() {
    let (server, _home) = with(agent());
    let (status, raw) = server.get(&format!("/t/{TRACE}/raw?run={LAST}"));
    assert_eq!((status, &raw["name"], &raw["outputs"]["output"]), (200, &json!("chat"), &json!("Sorry, it is lost.")));
    assert_eq!(server.get(&format!("/t/{FIRST}/raw?run={LAST}")).0, 404);
}

#[test]
fn what_is_not_there_is_a_page_that_says_so() {
    let (server, _home) = with(agent());
    for path in ["/t/019b0000-0000-7000-8000-00000000ffff", "/t/nonsense", "/compare", "/compare?a=nonsense"] {
        let (status, page) = page(&server, path, "");
        assert!(status == 404 && page.contains("<h1>"), "{path}: {status}");
    }
}

#[test]
fn two_runs_are_laid_side_by_side() {
    let (server, _home) = with(agent());
    let (_, choice) = page(&server, &format!("/compare?a={FIRST}"), "");
    assert!(choice.contains(&format!("b={}", LAST.replace('-', "%2D"))), "{choice}");
    let (_, compared) = page(&server, &format!("/compare?a={FIRST}&b={LAST}"), "");
    let input = between(&compared, "<h2>Input</h2>", "</section>");
    assert!(input.contains("no such order") && !input.contains("class=\"a\""), "only added: {input}");
    let (_, same) = page(&server, &format!("/compare?a={TRACE}&b={TRACE}"), "");
    assert!(same.contains("the same") && !same.contains("only in"));
}

#[test]
fn what_is_compared_keeps_the_page_light_and_the_rest_is_said() {
    let long = |word: &str| (0..30_000).map(|n| format!("{word}{}", n % 9)).collect::<Vec<_>>().join("\n");
    let words = |word: &str| format!("{word} same ").repeat(10_000);
    let one = |id: &str, word: &str| {
        run(id, Some(TRACE), "chat", "tool", 0, &json!({ "inputs": long(word), "outputs": words(word) }))
    };
    let below =
        |n: u32| run(&format!("019b0000-0000-7000-8000-0000001{n:05x}"), Some(TRACE), "step", "tool", 1, &json!({}));
    let root = run(TRACE, None, "agent", "agent", 0, &json!({}));
    let runs = [root, one(FIRST, "a"), one(LAST, "b")].into_iter().chain((0..600).map(below)).collect();
    let (server, _home) = with(runs);
    let (_, compared) = page(&server, &format!("/compare?a={FIRST}&b={LAST}"), "");
    assert!(compared.matches("</").count() < 5_000, "{} elements", compared.matches("</").count());
    assert!(compared.len() < 1_000_000, "{} bytes", compared.len());
    let input = between(&compared, "<h2>Input</h2>", "</section>");
    assert!(input.contains("lines more") && input.contains(&format!("href=\"/body/{LAST}/input\"")), "{input}");
    let (_, trees) = page(&server, &format!("/compare?a={TRACE}&b={FIRST}"), "");
    assert!(trees.contains("Only the first 500 runs") && trees.matches("<tr").count() < 520);
}

#[test]
fn times_at_the_ends_of_what_there_is_break_no_page() {
    let at = |from: i64, to: i64| json!({ "start_time": from, "end_time": to });
    let stream = json!({ "first_chunk": i64::MAX, "last_chunk": i64::MIN, "chunks": 2, "raw": [[i64::MAX, "a"], [i64::MIN, "b"]] });
    let event = |time: i64| json!({ "name": "new_token", "time": time });
    let more = json!({ "start_time": i64::MIN, "end_time": i64::MAX, "stream": stream, "events": [event(i64::MAX), event(i64::MIN)] });
    let told = json!({ "start_time": i64::MAX, "end_time": i64::MIN, "events": [event(i64::MIN), event(i64::MAX)] });
    let (server, _home) = with(vec![
        run(TRACE, None, "agent", "agent", 0, &at(i64::MIN, i64::MAX)),
        run(FIRST, Some(TRACE), "chat", "llm", 0, &more),
        run(TOOL, Some(TRACE), "find", "tool", 0, &at(i64::MAX, i64::MIN)),
        run(LAST, Some(TRACE), "chat", "llm", 0, &told),
    ]);
    let of_trace = ["", "?view=transcript", "/skeleton", "/file"].map(|more| format!("/t/{TRACE}{more}"));
    let of_runs = [TRACE, FIRST, TOOL, LAST].into_iter().flat_map(|id| {
        [
            format!("/t/{TRACE}?run={id}"),
            format!("/t/{TRACE}/chunks?run={id}"),
            format!("/t/{TRACE}/raw?run={id}"),
            format!("/compare?a={id}&b={FIRST}"),
        ]
    });
    let lists = ["/", "/?of=runs", "/?of=runs&order=oldest", "/stats", "/stats?of=runs", "/stats?range=1h", "/threads"]
        .map(str::to_owned);
    for path in of_trace.into_iter().chain(of_runs).chain(lists) {
        let (status, page) = page(&server, &path, "");
        assert_eq!(status, 200, "{path}: {page}");
    }
    for format in ["jsonl", "otlp", "markdown", "html", "csv", "openai", "dataset", "chrome"] {
        let (status, _) = page(&server, &format!("/api/traceable/v1/export?format={format}&of=traces"), "");
        assert_eq!(status, 200, "{format}");
    }
}
