//! What the console prints, seen from outside: whole pages at fixed widths.
#![cfg(feature = "console")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::unnecessary_wraps, reason = "the helper makes a field of a run")]

use std::{
    io::{self, Read as _, Write},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use serde_json::{Value, json};
use traceable_core::{
    export::{Batch, BoxFuture, ExportError, Exporter, Remedy},
    model::{
        Json, Progress, Report, Run, RunChange, RunId, RunType, Score, ScoreSource, ScoreTarget, Status, StreamInfo,
        Thread, Usage, User,
    },
};
use traceable_exporters::Console;

const TRACE: u128 = 0x0190_163d_8694_7000_8000_0000_0000_0001;
const MS: i64 = 1_000_000;
const T0: i64 = 1_717_171_717_000_000_000;

/// What was printed, for the test to look at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    /// The text since the last look.
    fn look(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).expect("UTF-8")
    }
}

struct Desk {
    console: Console,
    paper: Paper,
}

impl Desk {
    fn new(width: usize) -> Self {
        Self::with(|console| console.width(width))
    }

    fn with(build: impl FnOnce(Console) -> Console) -> Self {
        let paper = Paper::default();
        Self { console: build(Console::to(paper.clone()).color(false)), paper }
    }

    fn batch(&mut self, changes: Vec<RunChange>) -> String {
        now(self.console.export(&Batch::new(changes))).expect("printed");
        self.paper.look()
    }

    fn flush(&mut self) -> String {
        now(self.console.flush()).expect("printed");
        self.paper.look()
    }
}

fn now<T>(mut future: BoxFuture<'_, Result<T, ExportError>>) -> Result<T, ExportError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the future is immediate"),
    }
}

/// A run `n` of the trace; 1 is the root.
fn run(n: u128, parent: u128, name: &'static str, start_ms: i64, ms: i64) -> Run {
    Run {
        id: RunId::from_u128(TRACE + n - 1),
        trace_id: RunId::from_u128(TRACE),
        parent_id: (parent > 0).then(|| RunId::from_u128(TRACE + parent - 1)),
        name: name.into(),
        start_time: T0 + start_ms * MS,
        end_time: Some(T0 + (start_ms + ms) * MS),
        status: Status::Ok,
        ..Run::default()
    }
}

fn json_of(value: &Value) -> Option<Json> {
    Some(Json::from_value(value))
}

fn end(run: Run) -> RunChange {
    RunChange::End(Box::new(run))
}

fn start(run: Run) -> RunChange {
    RunChange::Start(Box::new(Run { end_time: None, status: Status::Pending, ..run }))
}

fn failed(run: Run, error: &str) -> Run {
    Run { status: Status::Error, error: Some(error.into()), ..run }
}

/// Changes in the order in which a program reports them: children end first.
fn order_trace() -> Vec<RunChange> {
    let root = Run {
        inputs: json_of(&json!({ "question": "Where is my order?" })),
        outputs: json_of(&json!({ "output": "It shipped on Monday and will be with you tomorrow." })),
        ..run(1, 0, "support_agent", 0, 1240)
    };
    let search = Run {
        run_type: RunType::Tool,
        inputs: json_of(&json!({ "city": "Köln", "user": 7 })),
        outputs: json_of(&json!({ "output": [{ "id": 1 }] })),
        ..run(2, 1, "search_orders", 5, 12)
    };
    let chat = Run {
        run_type: RunType::Llm,
        inputs: json_of(&json!({ "messages": [{ "role": "user", "content": "Where is my order?" }] })),
        outputs: json_of(&json!({ "choices": [{ "message": { "role": "assistant", "content": "It shipped." } }] })),
        usage: Some(Usage::new(27, 13).with_total_cost(0.0021)),
        stream: Some(StreamInfo { first_chunk: T0 + 230 * MS, last_chunk: T0 + 800 * MS, chunks: 9, raw: vec![] }),
        ..run(3, 1, "chat", 20, 812)
    };
    let http = failed(run(5, 4, "POST /refunds", 901, 2), "card declined\n  caused by: expired 05/24");
    let refund = Run {
        run_type: RunType::Tool,
        ..failed(run(4, 1, "refund", 900, 3), "card declined\n  caused by: expired 05/24")
    };
    let cancelled = Run { status: Status::Cancelled, ..run(6, 1, "notify", 950, 40) };
    [search, chat, http, refund, cancelled, root].map(end).into()
}

#[test]
fn a_tree_100_columns_wide() {
    let page = Desk::new(100).batch(order_trace());
    assert_eq!(
        page,
        r#"✓ support_agent           1.24 s  "Where is my order?" → "It shipped on Monday and will be with yo…"
├─ ✓ search_orders tool  12.0 ms  {"city":"Köln","user":7} → [{"id":1}]
├─ ✓ chat llm             812 ms  27→13 tok · $0.0021 · first 210 ms  "Where is my…" → "It shipped."
├─ ✗ refund tool         3.00 ms
│  └─ ✗ POST /refunds    2.00 ms
│       card declined
│         caused by: expired 05/24
└─ ⊘ notify              40.0 ms
   6 runs · 1.24 s · 40 tok · $0.0021 · 2 errors · 0190163d-8694-7000-8000-000000000001
"#
    );
}

#[test]
fn a_tree_60_columns_wide() {
    let page = Desk::new(60).batch(order_trace());
    assert_eq!(
        page,
        r#"✓ support_agent           1.24 s  "Where is…" → "It shippe…"
├─ ✓ search_orders tool  12.0 ms  {"city":"Köl… → [{"id":1}]
├─ ✓ chat llm             812 ms  27→13 tok · $0.0021
├─ ✗ refund tool         3.00 ms
│  └─ ✗ POST /refunds    2.00 ms
│       card declined
│         caused by: expired 05/24
└─ ⊘ notify              40.0 ms
   6 runs · 1.24 s · 40 tok · $0.0021 · 2 errors
   0190163d-8694-7000-8000-000000000001
"#
    );
}

#[test]
fn colours_come_only_when_asked_for_and_change_nothing_else() {
    let plain = Desk::new(100).batch(order_trace());
    let coloured = Desk::with(|console| console.width(100).color(true)).batch(order_trace());
    assert!(!plain.contains('\x1b'));
    assert!(coloured.contains("\x1b[31m✗\x1b[0m"), "{coloured}");
    assert!(coloured.contains("\x1b[33m⊘\x1b[0m"), "{coloured}");
    assert_eq!(without_colours(&coloured), plain);
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').expect("a colour").1)
}

#[test]
fn what_a_run_says_cannot_command_the_terminal() {
    let hostile = "\x1b[2J\x1b]0;owned\x07\u{9b}31m\r\n\u{202e}x";
    let evil = Run {
        name: hostile.into(),
        run_type: RunType::from(hostile.to_owned()),
        inputs: json_of(&json!({ "prompt": hostile })),
        outputs: json_of(&json!({ hostile: hostile, "other": 1 })),
        ..failed(run(1, 0, "", 0, 1), hostile)
    };
    let report = Report { id: RunId::default(), dropped: [(hostile.to_owned(), 1)].into() };
    let page = Desk::new(200).batch(vec![end(evil), RunChange::Report(report)]);
    let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert_eq!(page.chars().find(|c| obeyed(*c)), None, "{page:?}");
    assert!(page.contains("␛[2J"), "{page}");
}

#[test]
fn no_line_is_wider_than_asked_whatever_the_script() {
    use unicode_width::UnicodeWidthStr;

    let texts =
        ["注文はどこですか？今日中に届きますか？", "👩‍👩‍👧‍👦🇩🇪👍🏽 family", "e\u{301}e\u{301}e\u{301} accents", "plain"];
    let mut changes = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let text = text.repeat(12);
        let child = Run {
            name: text.clone().into(),
            run_type: RunType::Tool,
            inputs: json_of(&json!({ "prompt": text })),
            outputs: json_of(&json!({ "output": text })),
            ..failed(run(i as u128 + 2, 1, "", 1, 5), &text)
        };
        changes.push(end(child));
    }
    changes.push(end(run(1, 0, "注文", 0, 10)));
    for width in [40, 60, 77, 100] {
        let page = Desk::new(width).batch(changes.clone());
        for line in page.lines() {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        }
    }
}

#[test]
fn columns_line_up_under_wide_names() {
    let page = Desk::new(80).batch(vec![end(run(2, 1, "検索", 1, 5)), end(run(1, 0, "answer_it", 0, 10))]);
    let (root, child) = page.split_once('\n').expect("two lines");
    assert_eq!(root, "✓ answer_it  10.0 ms");
    assert!(child.starts_with("└─ ✓ 検索    5.00 ms\n"), "{page}");
}

#[test]
fn children_stand_in_the_order_of_their_starts_however_they_end() {
    let changes = [run(4, 1, "c", 30, 1), run(2, 1, "a", 10, 50), run(3, 1, "b", 20, 1), run(1, 0, "root", 0, 99)];
    let page = Desk::new(80).batch(changes.map(end).into());
    let names: Vec<&str> = page.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(names[1..4], ["a", "b", "c"], "{page}");
}

#[test]
fn a_child_that_ends_after_its_root_in_one_batch_stands_in_the_tree() {
    let page = Desk::new(80).batch(vec![end(run(1, 0, "root", 0, 5)), end(run(2, 1, "child", 1, 9))]);
    assert!(page.contains("└─ ✓ child"), "{page}");
    assert!(!page.contains("late"), "{page}");
}

#[test]
fn a_late_child_comes_in_a_group_of_its_own() {
    let mut desk = Desk::new(80);
    let asked = Run { inputs: json_of(&json!({ "prompt": "Write a mail" })), ..run(2, 1, "send_mail", 1, 0) };
    let tree = desk.batch(vec![start(asked), end(run(1, 0, "root", 0, 5))]);
    assert!(tree.contains("└─ … send_mail     open  \"Write a mail\"\n"), "{tree}");
    // The end of an announced run carries only what is new.
    let news = Run { outputs: json_of(&json!({ "output": "Dear customer" })), ..run(2, 1, "send_mail", 1, 20) };
    let late = desk.batch(vec![end(run(3, 2, "smtp", 2, 3)), end(news)]);
    assert_eq!(
        late,
        r#"… late: root
└─ ✓ send_mail  20.0 ms  "Write a mail" → "Dear customer"
   └─ ✓ smtp    3.00 ms
   2 runs · 0190163d-8694-7000-8000-000000000001
"#
    );
    assert_eq!(desk.flush(), "");
}

#[test]
fn flush_prints_what_is_open_once_and_the_whole_tree_still_comes() {
    let mut desk = Desk::new(80);
    assert_eq!(desk.batch(vec![start(run(1, 0, "loop", 0, 0)), end(run(2, 1, "step", 1, 20))]), "");
    let page = desk.flush();
    assert_eq!(
        page,
        r"… loop        open
└─ ✓ step  20.0 ms
   2 runs so far · still open · 0190163d-8694-7000-8000-000000000001
"
    );
    assert_eq!(desk.flush(), "", "nothing is new");
    let progress = Progress {
        id: RunId::from_u128(TRACE),
        trace_id: RunId::from_u128(TRACE),
        time: T0,
        chunks: 1,
        outputs: json_of(&json!({ "output": "so far" })),
    };
    desk.batch(vec![RunChange::Progress(progress)]);
    assert!(desk.flush().contains("→ \"so far\""));
    let whole = desk.batch(vec![end(run(1, 0, "loop", 0, 90))]);
    assert!(whole.contains("✓ loop") && whole.contains("✓ step") && !whole.contains("open"), "{whole}");
}

#[test]
fn what_is_added_to_a_run_before_its_tree_is_printed_stands_in_it() {
    let mut desk = Desk::new(80);
    desk.batch(vec![start(run(1, 0, "root", 0, 0)), end(run(2, 1, "chat", 1, 5))]);
    let more = Run { usage: Some(Usage::new(27, 13)), end_time: None, status: Status::Pending, ..run(2, 1, "", 1, 5) };
    let page = desk.batch(vec![RunChange::Patch(Box::new(more)), end(run(1, 0, "root", 0, 9))]);
    assert!(page.contains("└─ ✓ chat  5.00 ms  27→13 tok\n"), "{page}");
}

#[test]
fn a_trace_whose_root_is_elsewhere_is_printed_when_it_is_quiet() {
    let remote = || vec![end(run(3, 2, "query", 2, 5)), end(run(2, 1, "handler", 1, 20))];
    let mut patient = Desk::with(|console| console.width(80).patience(Duration::from_secs(3600)));
    assert_eq!(patient.batch(remote()), "");
    assert!(patient.flush().contains("✓ handler"));
    let page = Desk::with(|console| console.width(80).patience(Duration::ZERO)).batch(remote());
    assert_eq!(
        page,
        r"… part of a trace whose root has not been seen here
└─ ✓ handler   20.0 ms
   └─ ✓ query  5.00 ms
   2 runs so far · still open · 0190163d-8694-7000-8000-000000000001
"
    );
}

#[test]
fn runs_beyond_the_limit_are_counted_and_their_errors_shown() {
    let mut changes: Vec<RunChange> = (0..10_000)
        .map(|i| {
            let step =
                Run { run_type: RunType::Llm, usage: Some(Usage::new(1, 1)), ..run(i + 2, 1, "step", i as i64, 1) };
            end(if i == 9_000 { failed(step, "the one that failed") } else { step })
        })
        .collect();
    changes.push(end(run(1, 0, "root", 0, 20_000)));
    let page = Desk::new(100).batch(changes);
    assert_eq!(page.lines().count(), 1_000 + 1 + 1 + 1 + 2, "{page}");
    assert!(page.contains("the one that failed"));
    assert!(page.contains("   … 8 999 more\n"), "{page}");
    assert!(page.contains("   10 001 runs · 20.0 s · 20.0k tok · 1 error · "), "{page}");
}

#[test]
fn many_open_traces_do_not_pile_up_and_none_goes_unseen() {
    let mut desk = Desk::new(80);
    let mut printed = String::new();
    for n in 0..2_000u128 {
        let id = RunId::from_u128(n + 1);
        printed += &desk.batch(vec![start(Run { id, trace_id: id, ..run(1, 0, "server", n as i64, 0) })]);
    }
    assert_eq!(printed.matches("… server").count(), 2_000 - 256);
    assert_eq!(desk.flush().matches("… server").count(), 256);
}

#[test]
fn a_very_deep_trace_stays_on_the_page() {
    let depth = 10_000;
    let mut changes: Vec<RunChange> = (2..=depth).rev().map(|n| end(run(n, n - 1, "level", n as i64, 1))).collect();
    changes.push(end(run(1, 0, "root", 0, 20_000)));
    let page = Desk::with(|console| console.width(90).max_runs(20_000)).batch(changes);
    assert_eq!(page.lines().count(), depth as usize + 1, "a line a run and the summary");
    assert!(page.lines().all(|line| line.chars().count() <= 90), "{page}");
    assert!(page.contains("level"));
}

#[test]
fn runs_that_are_each_others_parents_are_printed_too() {
    let page = Desk::new(80).batch(vec![
        end(run(2, 3, "hen", 1, 1)),
        end(run(3, 2, "egg", 2, 1)),
        end(run(4, 4, "self", 3, 1)),
        end(run(5, 99, "orphan", 4, 1)),
        end(run(1, 0, "root", 0, 9)),
    ]);
    for name in ["hen", "egg", "self", "orphan"] {
        assert_eq!(page.matches(name).count(), 1, "{page}");
    }
}

#[test]
fn usage_that_a_step_repeats_is_counted_once() {
    let usage = |run: Run| Run { usage: Some(Usage::new(27, 13).with_total_cost(0.5)), ..run };
    let changes = [usage(run(3, 2, "chat", 2, 1)), run(2, 1, "step", 1, 5), usage(run(1, 0, "root", 0, 9))];
    let page = Desk::new(100).batch(changes.map(end).into());
    assert!(page.contains("3 runs · 9.00 ms · 40 tok · $0.5 · "), "{page}");
}

#[test]
fn a_long_error_is_wrapped_and_nothing_of_it_is_lost() {
    let words: Vec<String> = (0..120).map(|i| format!("word{i}")).collect();
    let page = Desk::new(60).batch(vec![end(failed(run(1, 0, "root", 0, 9), &words.join(" ")))]);
    for word in words {
        assert!(page.split_whitespace().any(|shown| shown == word), "{word} in {page}");
    }
    let huge = "x".repeat(100_000);
    let page = Desk::new(60).batch(vec![end(failed(run(1, 0, "root", 0, 9), &huge))]);
    assert!(page.contains("… 91 808 bytes more"), "{page}");
}

#[test]
fn what_was_dropped_is_said() {
    let report = Report { id: RunId::default(), dropped: [("queue_full".to_owned(), 12)].into() };
    assert_eq!(Desk::new(80).batch(vec![RunChange::Report(report)]), "! 12 runs not recorded: queue_full\n");
}

/// Takes a few bytes and then none until it is asked again.
#[derive(Clone, Default)]
struct Slow(Paper, Arc<Mutex<bool>>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut blocked = self.1.lock().unwrap();
        *blocked = !*blocked;
        if *blocked { self.0.write(&bytes[..bytes.len().min(7)]) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_blocks_gets_the_rest_later() {
    let whole = Desk::new(80).batch(vec![end(run(1, 0, "root", 0, 5))]);
    let slow = Slow::default();
    let mut console = Console::to(slow.clone()).width(80).color(false);
    now(console.export(&Batch::new(vec![end(run(1, 0, "root", 0, 5))]))).expect("kept");
    for _ in 0..whole.len() {
        now(console.flush()).expect("kept");
    }
    assert_eq!(slow.0.look(), whole);
}

#[test]
fn a_closed_writer_is_refused_and_not_tried_again() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let mut console = Console::to(writer).width(80);
    let error = now(console.export(&Batch::new(vec![end(run(1, 0, "root", 0, 5))]))).expect_err("nobody reads");
    assert_eq!(error.remedy(), Remedy::Refuse);
}

#[test]
fn what_is_no_run_is_one_line() {
    let score = Score {
        id: RunId::from_u128(1),
        target: ScoreTarget::Run(RunId::from_u128(TRACE)),
        key: "rating".into(),
        score: Some(1.0),
        value: None,
        label: Some("THUMBS_UP".into()),
        comment: Some("clear\nand \u{1b}[31mshort".into()),
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: T0,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    };
    let thread = Thread {
        id: "chat-7".into(),
        name: Some("Orders".into()),
        user: Some("ada".into()),
        tags: vec!["support".into()],
        ..Thread::default()
    };
    let metadata = json!({ "plan": "team" }).as_object().unwrap().clone();
    let user = User { identifier: "ada".into(), metadata, time: T0 };
    let changes =
        vec![RunChange::Score(Box::new(score)), RunChange::Thread(Box::new(thread)), RunChange::User(Box::new(user))];
    assert_eq!(
        Desk::new(100).batch(changes.clone()),
        "★ run 0190163d-8694-7000-8000-000000000001 rating 1 THUMBS_UP “clear and ␛[31mshort”\n\
         · thread chat-7 · Orders · of ada · #support\n\
         · user ada · plan=\"team\"\n",
    );
    assert!(Desk::new(60).batch(changes).lines().all(|line| line.chars().count() <= 60));
}

#[test]
fn a_trace_ends_with_a_link_while_the_server_of_this_folder_listens() {
    let home = tempfile::tempdir().unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    // Answers twice: as the server of the folder, and as another that has its port.
    let server = std::thread::spawn(move || {
        for instance in ["the-one", "another"] {
            let (mut stream, _) = server.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            let said = json!({ "service": "traceable", "instance": instance });
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{said}").unwrap();
        }
    });
    let said = json!({ "addresses": [address.to_string()], "instance": "the-one" });
    std::fs::write(home.path().join("server.json"), said.to_string()).unwrap();
    let shown = || {
        let mut desk = Desk::with(|console| console.width(120).viewer(home.path()));
        desk.batch(vec![end(run(1, 0, "answer", 0, 5))])
    };
    let id = RunId::from_u128(TRACE);
    let page = shown();
    assert!(page.ends_with(&format!(" · http://{address}/t/{id}\n")), "{page}");
    // What a server leaves that was killed leads nowhere, and to nobody else.
    for _ in 0..2 {
        let page = shown();
        assert!(page.ends_with(&format!(" · {id}\n")), "{page}");
    }
    server.join().unwrap();
}
