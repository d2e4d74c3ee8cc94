//! What requests look like: headers, compression, files, feedback, and what only our own server is told.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use traceable_core::delivery::{Delivery, Limits, Link, Remote as _};
use traceable_core::model::{
    Attachment, AttachmentData, DottedOrder, Run, RunChange, RunId, Score, ScoreSource, ScoreTarget,
};
#[cfg(feature = "remote")]
use traceable_core::model::{AttachmentFor, Report, Thread, User};

#[cfg(feature = "remote")]
use super::Received;
use super::{Memory, Reply, Server, deliver_all, run, runs, settings};
use crate::langsmith::{LangSmith, Settings};

const INFO: &str =
    r#"{"version":"0.18.0","instance_flags":{"zstd_compression_enabled":true,"gzip_body_enabled":true}}"#;

async fn well(info: &'static str) -> Server {
    Server::start(move |request, _| if request.line == "GET /info" { Reply::json(info) } else { Reply::status(202) })
        .await
}

fn score(target: ScoreTarget) -> RunChange {
    RunChange::Score(Box::new(Score {
        id: RunId::from_u128(9),
        target,
        key: "helpful".into(),
        score: Some(1.0),
        value: None,
        label: None,
        comment: None,
        correction: None,
        source: ScoreSource::Code,
        user: None,
        time: 3_000_000,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    }))
}

fn end(n: u128) -> RunChange {
    RunChange::End(Box::new(run(n)))
}

#[tokio::test]
async fn requests_say_who_asks_and_how_the_body_is_written() {
    let server = well(INFO).await;
    let langsmith = LangSmith::builder().endpoint(format!("{}/api/v1/", server.url)).api_key(" lsv2_pt_secret\n");
    let langsmith = langsmith.workspace("w-1").header("X-Other", "o").project("film-club").build().unwrap();
    // `/info` below a path is not the one that `well` knows.
    let memory = Memory::of([end(1)]);
    deliver_all(&langsmith.settings, &memory).await;
    let request = &server.at("/runs/multipart")[0];
    assert_eq!(request.line, "POST /api/v1/runs/multipart");
    assert_eq!(request.header("x-api-key"), Some("lsv2_pt_secret"));
    assert_eq!(request.header("x-tenant-id"), Some("w-1"));
    assert_eq!(request.header("x-other"), Some("o"));
    assert!(request.header("user-agent").unwrap().starts_with("traceable-rs/"));
    assert_eq!(request.header("accept-encoding"), None);
    assert_eq!(request.changes()[0].run().unwrap().project.as_deref(), Some("film-club"));

    deliver_all(&settings(&server.url), &Memory::of([end(1)])).await;
    let best = traceable_wire::encoding::Encoding::from_name("zstd").map_or("gzip", |zstd| zstd.name());
    let request = server.at("/runs/multipart").pop().unwrap();
    assert_eq!(request.header("content-encoding"), Some(best));
    let plain = Settings { compresses: false, ..settings(&server.url) };
    deliver_all(&plain, &Memory::of([end(1)])).await;
    assert_eq!(server.at("/runs/multipart").pop().unwrap().header("content-encoding"), None);
}

/// As an application without a runtime does it: on the process's own thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_thread_that_delivers_needs_no_runtime_of_the_application() {
    let server = well(INFO).await;
    let settings = settings(&server.url);
    let applications: Vec<_> = (0..2)
        .map(|_| {
            let (settings, memory) = (settings.clone(), runs(250));
            std::thread::spawn(move || {
                let link = Arc::new(Link::default());
                link.appended(250);
                let source = Box::new(memory.clone());
                let delivery = Delivery::new(settings.identity(), Limits::default(), source, Arc::clone(&link));
                Arc::new(LangSmith::of(settings)).drive(delivery).unwrap();
                assert!(link.wait_until_done(Instant::now() + Duration::from_secs(60)));
                link.close();
                memory.is_done()
            })
        })
        .collect();
    assert!(applications.into_iter().all(|application| application.join().unwrap()));
    let changes: usize = server.at("/runs/multipart").iter().map(|request| request.changes().len()).sum();
    assert_eq!(changes, 500);
}

#[tokio::test]
async fn the_end_of_a_run_that_was_announced_before_is_a_patch() {
    let server = well(INFO).await;
    let memory = Memory::of([end(1), end(2)]).announced(0);
    deliver_all(&settings(&server.url), &memory).await;
    let body = String::from_utf8(server.at("/runs/multipart")[0].plain()).unwrap();
    assert!(body.contains("name=\"patch.00000000-0000-0000-0000-000000000001\""), "{body}");
    assert!(body.contains("name=\"post.00000000-0000-0000-0000-000000000002\""), "{body}");
}

#[tokio::test]
async fn files_are_read_when_they_are_sent_and_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let key = format!("my key is sk-proj-{}", "a1B2c3D4e5F6g7H8i9J0".repeat(3));
    // So says a redaction of this destination alone, which cannot look into files that are read here.
    let mut withheld = Attachment::path("text/plain", named("list.txt", b"ann@example.com")).named("list");
    withheld.metadata.insert("traceable.unread".into(), "for a reason".into());
    let attachments = vec![
        withheld,
        Attachment::path("image/png", named("photo.png", b"\x89PNG\r\n")).named("photo"),
        Attachment::path("text/plain", named("note.txt", key.as_bytes())).named("note"),
        Attachment::path("text/plain", folder.path().join("missing")).named("missing"),
    ];
    let server = well("{}").await;
    let memory = Memory::of([RunChange::End(Box::new(Run { attachments, ..run(1) }))]);
    deliver_all(&settings(&server.url), &memory).await;
    let changes = server.at("/runs/multipart")[0].changes();
    let files = &changes[0].run().unwrap().attachments;
    let bytes = |name: &str| match &files.iter().find(|file| file.name == name).unwrap().data {
        AttachmentData::Bytes(bytes) => String::from_utf8_lossy(&bytes.0).into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(bytes("photo"), "\u{fffd}PNG\r\n");
    assert!(!bytes("note").contains("sk-proj"), "{}", bytes("note"));
    let list = files.iter().find(|file| file.name == "list").unwrap();
    assert!(matches!(list.data, AttachmentData::Path(_)) && list.metadata["traceable.unread"] == "for a reason");
    let missing = files.iter().find(|file| file.name == "missing").unwrap();
    assert!(matches!(missing.data, AttachmentData::Path(_)));
    assert!(missing.metadata.contains_key("traceable.unread"));
}

#[tokio::test(start_paused = true)]
async fn feedback_goes_along_where_it_names_its_trace_and_alone_elsewhere() {
    let server = Server::start(|request, before| match &*request.line {
        "GET /info" => Reply::json(INFO),
        // The run is filed a little after it was taken.
        "POST /feedback" if before < 2 => Reply::status(404),
        _ => Reply::status(202),
    })
    .await;
    let id = RunId::from_u128(1);
    let memory = Memory::of([end(1), score(ScoreTarget::Trace(id)), score(ScoreTarget::Run(id))]);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(server.at("/runs/multipart")[0].changes().len(), 2);
    let alone = server.at("/feedback");
    assert_eq!(alone.len(), 3);
    let said: serde_json::Value = serde_json::from_slice(&alone[2].body).unwrap();
    assert_eq!((&said["key"], &said["run_id"]), (&"helpful".into(), &id.to_string().into()));
    assert_eq!(memory.buried(), [0; 0]);

    let memory = Memory::of([end(1), score(ScoreTarget::Run(id))]);
    let server = Server::start(|request, _| match &*request.line {
        "POST /feedback" => Reply::status(404),
        _ => Reply::status(202),
    })
    .await;
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!(memory.buried(), [2], "feedback on a run that never comes holds nothing up");
}

#[tokio::test]
async fn two_projects_of_one_server_have_a_tree_each() {
    let server = well(INFO).await;
    let url = &server.url;
    let list = format!(
        r#"[{{"api_url": "{url}", "project_name": "film-club"}}, {{"api_url": "{url}", "project_name": "archive"}}]"#
    );
    let lookup = |name: &str| match name {
        "RUNS_ENDPOINTS" => Some(list.clone()),
        "PROJECT" => Some("film-club".to_owned()),
        _ => None,
    };
    let id = RunId::from_u128;
    let order = DottedOrder::root(1_000_000, id(1));
    let [root, child] = [(1, None, order.clone()), (2, Some(id(1)), order.child(1_000_000, id(2)))].map(
        |(n, parent_id, dotted_order)| {
            let project = Some("film-club".into());
            RunChange::End(Box::new(Run { trace_id: id(1), parent_id, dotted_order, project, ..run(n) }))
        },
    );
    for langsmith in crate::langsmith::env::all(&lookup).unwrap() {
        let memory = Memory::of([root.clone(), child.clone(), score(ScoreTarget::Trace(id(1)))]);
        deliver_all(&langsmith.settings, &memory).await;
    }
    let requests = server.at("/runs/multipart");
    let [first, copy] = &requests[..] else { panic!("{} requests", requests.len()) };
    for (request, project, of) in
        [(first, "film-club", &(|n| id(n)) as &dyn Fn(u128) -> RunId), (copy, "archive", &|n| id(n).derived("archive"))]
    {
        let changes = request.changes();
        let runs: Vec<&Run> = changes.iter().filter_map(RunChange::run).collect();
        assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [of(1), of(2)], "{project}");
        assert_eq!(runs[1].dotted_order.segments().map(|(_, id)| id).collect::<Vec<_>>(), [of(1), of(2)]);
        assert_eq!((runs[1].trace_id, runs[1].parent_id), (of(1), Some(of(1))), "{project}");
        assert!(runs.iter().all(|run| run.project.as_deref() == Some(project)));
        let scored = changes.iter().find_map(|change| match change {
            RunChange::Score(score) => Some((score.id, score.target.clone())),
            _ => None,
        });
        assert_eq!(scored, Some((of(9), ScoreTarget::Trace(of(1)))), "{project}");
    }
}

#[tokio::test]
async fn what_langsmith_has_no_place_for_is_counted_as_refused() {
    let server = well(INFO).await;
    let thread = RunChange::Thread(Box::default());
    let memory = Memory::of([end(1), thread, score(ScoreTarget::Thread("t".into()))]);
    deliver_all(&settings(&server.url), &memory).await;
    assert_eq!((memory.refused(), memory.buried()), (2, Vec::new()));
}

#[cfg(feature = "remote")]
#[tokio::test]
async fn our_own_server_is_told_everything() {
    let server = well(INFO).await;
    let ours = crate::Traceable::new(&server.url, Some("t0ken")).unwrap();
    let file =
        AttachmentFor { run_id: RunId::from_u128(1), attachment: Attachment::url("text/html", "https://a.example") };
    let report = Report { id: RunId::from_u128(5), dropped: [("queue_full".to_owned(), 3)].into() };
    let said = [
        end(1),
        score(ScoreTarget::Run(RunId::from_u128(1))),
        score(ScoreTarget::Thread("t".into())),
        RunChange::Attachment(file),
        RunChange::Thread(Box::new(Thread { id: "t".into(), ..Thread::default() })),
        RunChange::User(Box::new(User { identifier: "ada".into(), ..User::default() })),
        RunChange::Report(report),
    ];
    deliver_all(&ours.settings, &Memory::of(said.clone())).await;
    let requests: Vec<Received> = server.at("/runs/multipart");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("authorization"), Some("Bearer t0ken"));
    assert_eq!(requests[0].changes()[1..], said[1..]);
    assert_eq!(server.at("/feedback").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_sdks_could_not_send_is_sent_and_removed() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::status(202)).await;
    let put = |name: &str, endpoint: &str| {
        let envelope = serde_json::json!({
            "version": 1,
            "endpoint": endpoint,
            "headers": { "Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "zstd",
                "x-api-key": "somebody's", "Cookie": "c" },
            "body_base64": STANDARD.encode("--b--"),
        });
        std::fs::write(folder.path().join(name), envelope.to_string()).unwrap();
    };
    put("trace_1.json", "runs/multipart");
    put("trace_2.json", "https://elsewhere.example/runs/multipart");
    put("trace_3.json", "../admin");
    put("trace_4.json", &format!("{}/runs/batch", server.url));
    std::fs::write(folder.path().join("trace_5.json"), "half of a fi").unwrap();
    let langsmith = LangSmith::builder().endpoint(&server.url).api_key("lsv2_pt_ours").build().unwrap();
    let replayed = langsmith.replay_folder(folder.path(), None).unwrap();
    let left: Vec<&str> = replayed.left.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!((replayed.sent, &*left), (2, &["trace_2.json", "trace_3.json", "trace_5.json"][..]));
    assert!(!folder.path().join("trace_1.json").exists() && folder.path().join("trace_2.json").exists());
    let request = &server.at("/runs/multipart")[0];
    assert_eq!(request.header("x-api-key"), Some("lsv2_pt_ours"));
    assert_eq!((request.header("cookie"), request.header("content-encoding")), (None, Some("zstd")));
    assert_eq!(request.body, b"--b--");

    put("trace_6.json", "runs/multipart");
    put("trace_7.json", "runs/multipart");
    let down = LangSmith::builder().endpoint("http://127.0.0.1:1").build().unwrap();
    let replayed = down.replay_folder(folder.path(), None).unwrap();
    assert_eq!(replayed.sent, 0);
    assert!(folder.path().join("trace_7.json").exists());
}
