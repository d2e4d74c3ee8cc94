//! Whatever a run holds, the pages that show it have the elements, attributes and addresses that this program makes, and no
//! others. Each page is parsed as a browser does it.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::HashSet;

use html5ever::{parse_document, tendril::TendrilSink as _};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde_json::{Value, json};
use support::{Server, printed, send};
use traceable_core::model::{
    Attachment, Json, Run, RunChange, RunId, RunType, Score, ScoreSource, ScoreTarget, Status, Thread,
};

/// What a page may be made of.
const ELEMENTS: &str = "a article aside audio b blockquote body br button code circle dd details dialog div dl dt em fieldset \
    figcaption figure footer form g h1 h2 h3 h4 h5 h6 head header hr html i img input kbd label legend li line link main \
    meta mark nav noscript ol optgroup option output p path pattern polyline pre progress rect s script search section select small span \
    strong style sub summary sup svg table tbody td textarea text tfoot th thead time title tr u ul use var defs";

/// What elements may have, beside `aria-…` and `data-…`, which browsers act on in no way.
const ATTRIBUTES: &str = "action alt autocapitalize autocomplete autofocus charset checked class color-scheme colspan content controls cx cy d \
    datetime disabled download enctype fill for height hidden href http-equiv id inputmode lang list loading max maxlength media \
    method min name open placeholder points preload preserveAspectRatio r readonly rel required role rows rowspan rx ry scope \
    selected size spellcheck src start step tabindex target title transform type value viewBox width x x1 x2 xmlns y y1 y2 stroke";

const START: i64 = 1_790_000_000_000_000_000;

fn corpus() -> Vec<String> {
    serde_json::from_str(include_str!("corpus.json")).unwrap()
}

fn id(n: usize) -> RunId {
    RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0000 | n as u128)
}

/// Runs with these texts in every place that a text can have.
fn changes(n: usize, texts: &[String]) -> Vec<RunChange> {
    let first = texts[0].clone();
    let named = if first.trim().is_empty() { "empty".to_owned() } else { first.clone() };
    let of = |text: &String| {
        [
            json!({ "role": "system", "content": text }),
            json!({ "role": "user", "content": [{ "type": "text", "text": text }, { "type": "image_url", "image_url": { "url": text } }] }),
            json!({ "role": "assistant", "content": text, "name": text, "tool_calls": [
                { "id": text, "type": "function", "function": { "name": text, "arguments": json!({ text: text }).to_string() } },
            ] }),
            json!({ "role": "tool", "tool_call_id": text, "content": text }),
            json!({ "role": text, "content": [{ "type": text, "value": { text: [text] } }] }),
        ]
    };
    let asked: Vec<Value> = texts.iter().flat_map(of).collect();
    let answered: Vec<Value> = texts
        .iter()
        .map(|text| json!({ "finish_reason": text, "message": { "role": "assistant", "content": text, "reasoning_content": text } }))
        .collect();
    let documents: Vec<Value> =
        texts.iter().map(|text| json!({ "page_content": text, "metadata": { "source": text, text: text } })).collect();
    let tools: Vec<Value> = texts.iter().map(|text| json!({ "name": text, "description": text })).collect();
    let run = |k: usize| Run {
        id: id(n * 10 + k),
        trace_id: id(n * 10),
        parent_id: (k > 0).then(|| id(n * 10)),
        name: named.clone().into(),
        run_type: RunType::Llm,
        start_time: START + (n * 10 + k) as i64 * 1_000_000,
        end_time: Some(START + (n * 10 + k + 1) as i64 * 1_000_000),
        status: Status::Error,
        error: Some(texts.get(k).unwrap_or(&first).clone()),
        tags: texts.to_vec(),
        metadata: texts.iter().map(|text| (text.clone(), json!(text))).collect(),
        model: Some(named.clone()),
        provider: Some(named.clone()),
        project: Some(named.clone().into()),
        environment: Some(named.clone()),
        release: Some(named.clone()),
        user: Some(named.clone()),
        thread_id: Some(format!("{n} {named}")),
        ..Run::default()
    };
    let body = |value: Value| Some(Json::from_value(&value));
    let chat = Run {
        inputs: body(json!({ "messages": asked, "tools": tools })),
        outputs: body(json!({ "choices": answered })),
        attachments: texts
            .iter()
            .map(|text| Attachment::bytes(text.clone(), text.clone().into_bytes()).named(text.clone()))
            .collect(),
        ..run(0)
    };
    let search = Run {
        run_type: RunType::Retriever,
        inputs: body(json!({ "query": texts })),
        outputs: body(json!({ "documents": documents })),
        attachments: texts.iter().map(|text| Attachment::url(text.clone(), text.clone()).named(text.clone())).collect(),
        ..run(1)
    };
    let plain = Run {
        run_type: RunType::from(named.clone()),
        inputs: body(
            json!({ "texts": texts, "keys": texts.iter().map(|text| (text.clone(), json!(text))).collect::<serde_json::Map<_, _>>() }),
        ),
        outputs: body(json!({ "output": first })),
        ..run(2)
    };
    let score = |k: usize, target: ScoreTarget| Score {
        id: id(1_000_000 + n * 10 + k),
        target,
        key: named.clone(),
        score: None,
        value: None,
        label: Some(first.clone()),
        comment: Some(first.clone()),
        correction: None,
        source: ScoreSource::Human,
        user: Some(first.clone()),
        time: START,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    };
    let thread = Thread {
        id: format!("{n} {named}"),
        name: Some(named.clone()),
        tags: texts.to_vec(),
        metadata: texts.iter().map(|text| (text.clone(), json!(text))).collect(),
        time: START,
        ..Thread::default()
    };
    let of_thread = score(1, ScoreTarget::Thread(thread.id.clone()));
    let scores = [score(0, ScoreTarget::Run(id(n * 10))), of_thread].map(|score| RunChange::Score(Box::new(score)));
    let runs = [chat, search, plain].map(|run| RunChange::End(Box::new(run)));
    runs.into_iter().chain(scores).chain([RunChange::Thread(Box::new(thread))]).collect()
}

/// What is wrong with a page.
struct Judge {
    elements: HashSet<&'static str>,
    attributes: HashSet<&'static str>,
    is_file: bool,
    wrong: Vec<String>,
    count: usize,
}

impl Judge {
    fn of(page: &str, is_file: bool) -> Self {
        let words = |list: &'static str| list.split_whitespace().collect();
        let (elements, attributes) = (words(ELEMENTS), words(ATTRIBUTES));
        let mut judge = Self { elements, attributes, is_file, wrong: Vec::new(), count: 0 };
        // As without script, where what stands in `noscript` is elements too.
        let mut options = html5ever::ParseOpts::default();
        options.tree_builder.scripting_enabled = false;
        let dom = parse_document(RcDom::default(), options).one(page);
        judge.node(&dom.document, "");
        judge
    }

    fn node(&mut self, node: &Handle, within: &str) {
        let mut name = within.to_owned();
        match &node.data {
            NodeData::Element { name: own, attrs, .. } => {
                self.count += 1;
                name = own.local.to_string();
                if !self.elements.contains(name.as_str()) {
                    self.wrong.push(format!("<{name}>"));
                }
                let attributes: Vec<(String, String)> =
                    attrs.borrow().iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
                self.element(&name, &attributes);
            }
            NodeData::Text { contents } => {
                let text = contents.borrow();
                if name == "script" || (name == "style" && !self.is_file) {
                    self.wrong.push(format!("text in <{name}>"));
                }
                if name != "textarea" {
                    self.seen(&name, &text);
                }
            }
            NodeData::Comment { contents } => self.wrong.push(format!("a comment: {contents}")),
            NodeData::ProcessingInstruction { .. } => self.wrong.push("an instruction".into()),
            _ => {}
        }
        for child in node.children.borrow().iter() {
            self.node(child, &name);
        }
    }

    /// Whoever reads a text must see all of it.
    fn seen(&mut self, at: &str, text: &str) {
        let is_unseen = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
                || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
        };
        if text.contains(is_unseen) {
            let text: String = text.chars().take(80).collect();
            self.wrong.push(format!("unseen characters in <{at}>: {text:?}"));
        }
    }

    fn element(&mut self, name: &str, attributes: &[(String, String)]) {
        let value = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        for (attribute, value) in attributes {
            let is_known = self.attributes.contains(attribute.as_str())
                || attribute.starts_with("aria-")
                || attribute.starts_with("data-");
            if !is_known {
                self.wrong.push(format!("<{name} {attribute}={value:?}>"));
            }
            if matches!(attribute.as_str(), "title" | "alt" | "aria-label" | "placeholder") {
                self.seen(&format!("{name} {attribute}"), value);
            }
        }
        if let Some(url) = value("href") {
            let own = url.starts_with('#')
                || url.starts_with('?')
                || (url.starts_with('/') && !url.starts_with("//") && !url.contains('\\'));
            let lower = url.to_ascii_lowercase();
            let is_away = ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
            let is_marked = name == "a" && value("rel") == Some("noopener noreferrer nofollow");
            let is_bad_file = self.is_file && !url.starts_with('#');
            if !(own || is_away && is_marked) || is_bad_file {
                self.wrong.push(format!("<{name} href={url:?}>"));
            }
        }
        if let Some(url) = value("src") {
            let kinds = ["png", "jpeg", "gif", "webp"].map(|kind| format!("data:image/{kind};base64,"));
            let is_data = name == "img" && kinds.iter().any(|kind| url.starts_with(kind));
            let is_own = (url.starts_with("/assets/") || url.starts_with("/blobs/")) && !self.is_file;
            if !(is_data || is_own) {
                self.wrong.push(format!("<{name} src={url:?}>"));
            }
        }
        if value("action").is_some_and(|url| !url.starts_with('/') || url.starts_with("//")) {
            self.wrong.push(format!("<{name} action={:?}>", value("action")));
        }
        if name == "meta" && value("http-equiv").is_some_and(|kind| kind != "Content-Security-Policy") {
            self.wrong.push("a meta element that acts".into());
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"))
}

#[test]
fn no_text_of_a_run_is_more_than_text() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let texts = corpus();
    assert!(texts.len() >= 300);
    let routes: HashSet<String> = traceable_server::routes().into_iter().map(|(_, path)| path).collect();
    for (n, some) in texts.chunks(10).enumerate() {
        let (status, said) = server.post("/api/traceable/v1/changes", &serde_json::to_value(changes(n, some)).unwrap());
        assert_eq!(status, 200, "{said}");
        let (trace, named) = (id(n * 10), if some[0].trim().is_empty() { "empty" } else { &some[0] });
        let thread = encoded(&format!("{n} {named}"));
        // The route, and the address.
        let mut pages = vec![
            ("/threads/{id}", format!("/threads/{thread}")),
            ("/act/thread/{id}", format!("/act/thread/{thread}")),
            ("/t/{id}/file", format!("/t/{trace}/file")),
            ("/", format!("/?q={}", encoded(&some[0]))),
            ("/", format!("/?project={}", encoded(named))),
            ("/", format!("/?of=runs&q=no:{}", encoded(&some[0]))),
            ("/complete", format!("/complete?at=9999&q={}", encoded(&some[0]))),
            ("/complete", format!("/complete?at=9999&q=tag:{}", encoded(&some[1]))),
            ("/projects", format!("/projects?project={}", encoded(named))),
            ("/threads", format!("/threads?q={}", encoded(&some[0]))),
            ("/threads", format!("/threads?user={}", encoded(named))),
            ("/users", format!("/users?q={}", encoded(&some[0]))),
            ("/stats", format!("/stats?project={}", encoded(named))),
            ("/stats", format!("/stats?by=name&q=name:{}", encoded(named))),
            ("/compare", format!("/compare?a={}&b={}", id(n * 10), id(n * 10 + 1))),
            ("/compare", format!("/compare?a={}", id(n * 10))),
            ("/t/{trace}", format!("/t/{trace}?view=transcript")),
        ];
        for k in 0..3 {
            let run = id(n * 10 + k);
            pages.push(("/act/run/{id}", format!("/act/run/{run}")));
            pages.push(("/t/{trace}", format!("/t/{trace}?run={run}")));
            let forms = ["", "?as=text", "?as=json", "?message=2&as=markdown", "?find=a", "?at=/texts&from=1"]
                .map(|form| ("input", form));
            for (side, form) in forms.into_iter().chain([("output", ""), ("output", "?as=json"), ("metadata", "")]) {
                pages.push(("/body/{id}/{side}", format!("/body/{run}/{side}{form}")));
            }
        }
        for (route, path) in pages {
            assert!(routes.contains(route), "{route} is no route");
            let answer = send(server.address, "GET", &path, &[], b"").unwrap();
            // A text may be no query; that is said on a page as well.
            assert!(answer.status == 200 || answer.status == 400, "{path}: {}", answer.status);
            let is_file = path.ends_with("/file");
            let page = String::from_utf8(body(&answer)).unwrap();
            let judge = Judge::of(&page, is_file);
            assert!(judge.wrong.is_empty(), "{path} of {some:?}:\n{:#?}", judge.wrong);
            assert!(is_file || judge.count < 3_000, "{path} has {} elements", judge.count);
        }
    }
}

/// The body, put together where it came in chunks.
fn body(answer: &support::Answer) -> Vec<u8> {
    if answer.header("transfer-encoding").is_none() {
        return answer.body.clone();
    }
    let (mut whole, mut rest) = (Vec::new(), answer.body.as_slice());
    while let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
        if size == 0 {
            break;
        }
    }
    whole
}

#[test]
fn a_trace_as_a_file_needs_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    let said = "See [this](https://evil.example/x) and ![that](https://evil.example/y.png).";
    let run = Run {
        id: id(1),
        trace_id: id(1),
        name: "ask".into(),
        run_type: RunType::Llm,
        start_time: START,
        end_time: Some(START + 1),
        status: Status::Ok,
        inputs: Some(Json::from_value(&json!({ "messages": [{ "role": "user", "content": "Where?" }] }))),
        outputs: Some(Json::from_value(&json!({ "message": { "role": "assistant", "content": said } }))),
        attachments: vec![Attachment::bytes("image/png", png).named("map")],
        ..Run::default()
    };
    server.post("/api/traceable/v1/changes", &serde_json::to_value([RunChange::End(Box::new(run))]).unwrap());
    let answer = send(server.address, "GET", &format!("/t/{}/file", id(1)), &[], b"").unwrap();
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
    let page = String::from_utf8(body(&answer)).unwrap();
    assert!(
        page.contains("Where?") && page.contains("data:image/png;base64,") && page.contains("Content-Security-Policy")
    );
    assert!(Judge::of(&page, true).wrong.is_empty(), "{:?}", Judge::of(&page, true).wrong);
    for away in ["src=\"http", "src=\"/", "href=\"http", "href=\"/", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(away), "{away}");
    }
    drop(server);
    let printed = printed(home.path(), &["export", "--format", "html"]);
    assert_eq!(printed, page);
}

#[test]
fn files_are_shown_in_place_only_if_nothing_in_them_can_run() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let gif = b"GIF89a\x01\0\x01\0\0\0\0,";
    let files = [
        ("image/png", &gif[..], "image/gif", "inline"),
        ("image/png", b"<html><script>alert(1)</script>", "application/octet-stream", "attachment"),
        ("image/svg+xml", b"<svg onload='alert(1)'>", "application/octet-stream", "attachment"),
        ("text/html", b"<script>alert(1)</script>", "application/octet-stream", "attachment"),
    ];
    let attachments = files
        .iter()
        .map(|(mime, bytes, ..)| Attachment::bytes(*mime, bytes.to_vec()).named(format!("{mime}{}", bytes.len())));
    let run = Run {
        id: id(1),
        trace_id: id(1),
        name: "x".into(),
        start_time: START,
        end_time: Some(START),
        attachments: attachments.collect(),
        ..Run::default()
    };
    server.post("/api/traceable/v1/changes", &serde_json::to_value([RunChange::End(Box::new(run))]).unwrap());
    for (_, bytes, kind, place) in files {
        let path = format!("/blobs/{}", traceable_store::BlobHash::of(bytes));
        let answer = send(server.address, "GET", &path, &[], b"").unwrap();
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.header("content-disposition")),
            (200, Some(kind), Some(place))
        );
        assert!(answer.header("content-security-policy").unwrap().contains("sandbox"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}
