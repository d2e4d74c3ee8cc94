//! The file: who may open it, what survives, and what it refuses.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use rusqlite::Connection;
use serde_json::json;
use support::{end, id, json, run};
use traceable_core::model::{Report, Run, RunChange, ScoreTarget};
use traceable_store::{Error, Of, Options, Query, StatsBy, Store};

#[test]
fn one_writes_and_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    assert!(Store::open_read_only(&path).is_err());
    let store = Store::open(&path).unwrap();
    let Err(Error::Locked { path: locked }) = Store::open(&path) else { panic!() };
    assert_eq!(locked, path);
    let reader = Store::open_read_only(&path).unwrap();
    store.ingest(&[end(run(1, 0))]).unwrap();
    // What was answered as written is seen at once.
    assert_eq!(reader.count(&Query::default(), Of::Runs).unwrap(), 1);
    assert!(matches!(reader.ingest(&[end(run(2, 0))]), Err(Error::Locked { .. })));
    assert!(reader.delete(&Query::default(), Of::Runs).is_err());
    drop(store);
    let again = Store::open(&path).unwrap();
    assert_eq!(again.count(&Query::default(), Of::Runs).unwrap(), 1);
}

#[test]
fn a_newer_store_and_a_strangers_file_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    drop(Store::open(&path).unwrap());
    let version = |change: Option<i32>| {
        let connection = Connection::open(&path).unwrap();
        if let Some(version) = change {
            connection.pragma_update(None, "user_version", version).unwrap();
        }
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0)).unwrap()
    };
    let known = version(None);
    version(Some(known + 1));
    for error in [Store::open(&path).unwrap_err(), Store::open_read_only(&path).unwrap_err()] {
        assert!(matches!(error, Error::Newer { found, known: ours } if found == known + 1 && ours == known));
        assert!(error.to_string().contains("use the newer program"));
    }
    assert_eq!(version(None), known + 1);

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, but longer than the head of one would be: ".repeat(20)).unwrap();
    for path in [&other, &text] {
        let before = std::fs::read(path).unwrap();
        assert!(matches!(Store::open(path), Err(Error::Foreign { .. })), "{path:?}");
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

/// A store of each version before, as the release of that version wrote it.
#[test]
fn an_older_store_becomes_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let packed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/store-1.db.zst")).unwrap();
    std::fs::write(&path, zstd::bulk::decompress(&packed, 1 << 20).unwrap()).unwrap();
    // Only who writes may change it.
    assert!(Store::open_read_only(&path).is_err());
    let store = Store::open(&path).unwrap();
    let trace = store.trace(id(1)).unwrap().unwrap();
    assert_eq!((trace.runs.len(), trace.totals.open, trace.totals.total_tokens), (3, 1, 42));
    for (query, runs) in [("refund", 1), ("tag:old", 1), ("metadata.region:eu", 1), ("score.good:1", 1), ("", 3)] {
        assert_eq!(store.count(&Query::parse(query, 0).unwrap(), Of::Runs).unwrap(), runs, "{query}");
    }
    // What was begun in the older one goes on: an open run, a run of which a patch came first, a report.
    let report = Report { id: id(77), dropped: [("queue_full".to_owned(), 3)].into() };
    store.ingest(&[end(support::child(3, 1, 1, 9)), end(run(9, 20)), RunChange::Report(report)]).unwrap();
    assert_eq!(store.trace(id(1)).unwrap().unwrap().totals.open, 0);
    assert_eq!(store.row(id(9)).unwrap().unwrap().tags, ["early"]);
    let stats = store.stats(&Query::default(), &StatsBy::default()).unwrap();
    assert_eq!((stats[0].count, stats[0].total_tokens), (4, 42));
    assert_eq!(store.skeleton(id(1)).unwrap().unwrap().all_names, ["answer"]);
    drop(store);
    assert_eq!(Store::open_read_only(&path).unwrap().count(&Query::default(), Of::Runs).unwrap(), 4);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("runs.db")).unwrap();
    store.ingest(&[end(run(1, 0))]).unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 3);
    for file in files {
        // What readers share is made by SQLite with what the database allows.
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.query_timeout = Duration::ZERO;
    let store = Store::open_with(folder.path().join("runs.db"), options).unwrap();
    let changes: Vec<_> = (1..=2_000).map(|n| end(run(n, n as i64))).collect();
    store.ingest(&changes).unwrap();
    let slow = Query::parse("tree.name:~*a*b*c*", 0).unwrap();
    assert!(matches!(store.count(&slow, Of::Runs), Err(Error::Timeout)));
    // The connection is fit for the next one.
    assert!(store.row(id(1)).unwrap().is_some());
}

#[test]
fn views_are_there_for_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = Store::open(&path).unwrap();
    let mut run = Run { tags: vec!["a".into()], ..run(0x0190_163d_8694_7000_8000_0000_0000_002a, 0) };
    run.metadata.insert("region".into(), json!("eu"));
    let judged = support::score(1, ScoreTarget::Run(run.id), "good", 0.5);
    store.ingest(&[end(run.clone()), RunChange::Score(Box::new(judged))]).unwrap();
    let connection = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(ask("SELECT id FROM view_runs WHERE latency = 1.0 AND project = 'default'"), run.id.to_string());
    assert_eq!(ask("SELECT start_time FROM view_traces WHERE runs = 1"), "2026-05-28T20:26:40.000Z");
    assert_eq!(ask("SELECT run_id FROM view_metadata WHERE key = 'region' AND value = 'eu'"), run.id.to_string());
    assert_eq!(ask("SELECT run_id FROM view_scores WHERE key = 'good' AND number = 0.5"), run.id.to_string());
    // Every column that is documented is there.
    let documented = include_str!("../src/views.rs");
    for view in ["view_runs", "view_traces", "view_metadata", "view_scores"] {
        let statement = connection.prepare(&format!("SELECT * FROM {view}")).unwrap();
        for column in statement.column_names() {
            assert!(documented.contains(&format!("`{column}`")), "{view} has {column}");
        }
    }
}

#[test]
fn what_was_removed_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = Store::open(&path).unwrap();
    // In lower case, as the text index has it.
    let secret = "xq7zkwpa";
    let mut run = Run { user: Some(secret.into()), inputs: json(&json!(secret)), ..run(1, 0) };
    run.name = secret.into();
    store.ingest(&[end(run), end(support::run(2, 0))]).unwrap();
    store.index_pending(10).unwrap();
    store.delete_user(secret).unwrap();
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

/// Set for the process that is killed: the file to write to.
const TO_BE_KILLED: &str = "TRACEABLE_STORE_TO_BE_KILLED";

/// Runs of one batch.
const BATCH: u128 = 20;

/// Not a test: the process that `what_was_committed_survives_kill_9` kills.
#[test]
fn writes_until_it_is_killed() {
    let Ok(path) = std::env::var(TO_BE_KILLED) else { return };
    let store = Store::open(path).unwrap();
    let first = u128::from(store.count(&Query::default(), Of::Runs).unwrap()) / BATCH;
    let mut out = std::io::stdout();
    for batch in first.. {
        let changes: Vec<_> = (1..=BATCH).map(|n| end(run(batch * BATCH + n, n as i64))).collect();
        store.ingest(&changes).unwrap();
        store.index_pending(BATCH as usize / 2).unwrap();
        writeln!(out, "\ncommitted {batch}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_committed_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    for kill in 1..=10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writes_until_it_is_killed", "--exact", "--nocapture"])
            .env(TO_BE_KILLED, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let committed = |lines: &mut std::io::Lines<BufReader<_>>| {
            let line = lines.find_map(|line| line.unwrap().strip_prefix("committed ").map(str::to_owned))?;
            line.parse::<u128>().ok()
        };
        let mut last = committed(&mut lines).unwrap();
        for _ in 0..kill {
            last = committed(&mut lines).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died.
        while let Some(more) = committed(&mut lines) {
            last = more;
        }
        let store = Store::open(&path).unwrap();
        let runs = u128::from(store.count(&Query::default(), Of::Runs).unwrap());
        // One more batch may have been committed and not said. No batch is there in part.
        assert!(runs == (last + 1) * BATCH || runs == (last + 2) * BATCH, "{runs} runs, {last} was the last batch");
        for n in 1..=runs {
            assert_eq!(store.whole_run(id(n)).unwrap().unwrap(), run(n, ((n - 1) % BATCH + 1) as i64));
        }
        assert_eq!(u128::from(store.count(&Query::default(), Of::Traces).unwrap()), runs);
    }
}
