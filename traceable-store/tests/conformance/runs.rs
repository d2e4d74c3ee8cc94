//! Runs: what was written is what is read.

use serde_json::json;
use traceable_core::model::{
    Attachment, AttachmentFor, Progress, Report, Run, RunChange, RunType, ScoreTarget, Status, StreamInfo, Usage,
};
use traceable_store::{BlobHash, FilePlace, List, Of, Position, Query, Row, Store};

use crate::support::{NOW, child, end, id, json, patch, run, score, start};

fn list(store: &Store, of: Of) -> Vec<traceable_store::Listed> {
    store.list(&List { of, ..List::default() }).unwrap().rows
}

pub(crate) fn a_run_comes_back_as_it_was(store: &Store) {
    let mut asked = run(1, 0);
    asked.run_type = RunType::Llm;
    asked.inputs = json(&json!({ "messages": [{ "role": "user", "content": "I'd like\na table" }] }));
    asked.outputs = json(&json!({ "choices": [{ "message": { "role": "assistant", "content": "For when?" } }] }));
    asked.usage = Some(Usage::new(27, 13).with_total_cost(0.25));
    asked.stream = Some(StreamInfo { first_chunk: NOW + 200, last_chunk: NOW + 300, chunks: 2, raw: Vec::new() });
    asked.tags = vec!["slow".into()];
    let done = store.ingest(&[end(asked.clone())]).unwrap();
    assert_eq!((done.new, done.merged, done.traces, done.repeated), (vec![id(1)], vec![], vec![id(1)], 0));
    assert_eq!(store.whole_run(id(1)).unwrap(), Some(asked.clone()));
    let row = store.row(id(1)).unwrap().unwrap();
    assert_eq!(row, Row::of(&asked));
    assert_eq!(row.input_preview.as_deref(), Some("I'd like a table"));
    assert_eq!(row.output_preview.as_deref(), Some("For when?"));
    assert_eq!((row.latency, row.first_token), (Some(1_000_000_000), Some(200)));
    assert_eq!((row.total_tokens, row.cost), (Some(40), Some(0.25)));
    assert_eq!(row.project, "default");
    assert_eq!(store.projects().unwrap().iter().map(|project| &*project.name).collect::<Vec<_>>(), ["default"]);
    assert_eq!(store.whole_run(id(2)).unwrap(), None);
}

pub(crate) fn a_preview_is_what_a_person_would_read(store: &Store) {
    let told = [
        (json!({ "number": 1044, "question": "Where is it?" }), json!({ "found": 3, "answer": "On its way." })),
        (json!({ "order": { "number": 7 } }), json!({ "number": 7, "sent": true })),
    ];
    for (n, (inputs, outputs)) in told.iter().enumerate() {
        store.ingest(&[end(Run { inputs: json(inputs), outputs: json(outputs), ..run(n as u128 + 1, 0) })]).unwrap();
    }
    let previews = |n| store.row(id(n)).unwrap().map(|row| (row.input_preview.unwrap(), row.output_preview.unwrap()));
    assert_eq!(previews(1), Some(("Where is it?".into(), "On its way.".into())));
    assert_eq!(previews(2), Some(("7".into(), r#"{"number":7,"sent":true}"#.into())));
}

pub(crate) fn a_long_name_is_cut_in_lists_and_whole_in_the_run(store: &Store) {
    let name = "é".repeat(1_000);
    store.ingest(&[end(Run { name: name.clone().into(), ..run(1, 0) })]).unwrap();
    assert_eq!(list(store, Of::Runs)[0].row.name, "é".repeat(512));
    assert_eq!(store.whole_run(id(1)).unwrap().unwrap().name, name);
}

pub(crate) fn what_comes_before_its_run_waits_for_it(store: &Store) {
    let file = Attachment::bytes("text/plain", b"hello").named("note");
    let later = Run { id: id(1), tags: vec!["later".into()], ..Run::default() };
    store.ingest(&[RunChange::Attachment(AttachmentFor { run_id: id(1), attachment: file.clone() })]).unwrap();
    store.ingest(&[RunChange::Score(Box::new(score(9, ScoreTarget::Run(id(1)), "good", 1.0)))]).unwrap();
    let done = store.ingest(&[patch(later)]).unwrap();
    assert!(done.new.is_empty());
    assert_eq!((list(store, Of::Runs), store.row(id(1)).unwrap()), (vec![], None));

    let done = store.ingest(&[end(run(1, 0))]).unwrap();
    assert_eq!(done.new, [id(1)]);
    let whole = store.whole_run(id(1)).unwrap().unwrap();
    assert_eq!((whole.attachments, whole.tags), (vec![file], vec!["later".to_owned()]));
    let query = Query::parse("score.good:1 tag:later", 0).unwrap();
    assert_eq!(store.count(&query, Of::Runs).unwrap(), 1);
    assert_eq!(store.scores(&ScoreTarget::Run(id(1))).unwrap().len(), 1);
    assert_eq!(store.scores_in_trace(id(1)).unwrap().len(), 1);
}

pub(crate) fn what_comes_twice_counts_once(store: &Store) {
    let mut call = run(1, 0);
    call.run_type = RunType::Llm;
    call.usage = Some(Usage::new(2, 3));
    let changes = [start(Run { end_time: None, status: Status::Pending, ..call.clone() }), end(call)];
    store.ingest(&changes).unwrap();
    let before = list(store, Of::Traces);
    let done = store.ingest(&changes).unwrap();
    assert_eq!((done.repeated, done.new, done.merged), (2, vec![], vec![]));
    assert_eq!(list(store, Of::Traces), before);
    assert_eq!(before[0].totals.as_ref().unwrap().total_tokens, 5);
}

pub(crate) fn more_records_than_are_kept_apart_still_make_one_run(store: &Store) {
    let changes: Vec<_> = (0..200)
        .map(|n| {
            patch(Run { id: id(1), metadata: [(n.to_string(), json!(n))].into_iter().collect(), ..Run::default() })
        })
        .chain([end(run(1, 0))])
        .collect();
    for change in &changes {
        store.ingest(std::slice::from_ref(change)).unwrap();
    }
    assert_eq!(store.whole_run(id(1)).unwrap(), traceable_store::merge(&changes));
    assert_eq!(store.count(&Query::parse("metadata.7:7 metadata.199:>198", 0).unwrap(), Of::Runs).unwrap(), 1);
}

pub(crate) fn an_open_run_shows_how_far_it_is(store: &Store) {
    let open = Run { end_time: None, status: Status::Pending, ..run(1, 0) };
    let progress = |time, text: &str| {
        let outputs = json(&json!(text));
        RunChange::Progress(Progress { id: id(1), trace_id: id(1), time: NOW + time, chunks: 1, outputs })
    };
    let so_far = || store.run(id(1)).unwrap().unwrap().progress.map(|progress| progress.outputs.unwrap().to_value());
    store.ingest(&[progress(1, "He")]).unwrap();
    store.ingest(&[start(open)]).unwrap();
    assert_eq!(so_far(), Some(json!("He")));
    assert_eq!(store.ingest(&[progress(3, "Hello")]).unwrap().progressed, [id(1)]);
    assert_eq!(store.ingest(&[progress(2, "Hel")]).unwrap().repeated, 1);
    assert_eq!(so_far(), Some(json!("Hello")));
    store.ingest(&[end(run(1, 0))]).unwrap();
    assert_eq!(so_far(), None);
    assert!(store.ingest(&[progress(4, "late")]).unwrap().progressed.is_empty());
    assert_eq!(so_far(), None);
}

pub(crate) fn a_picture_lies_there_once(store: &Store) {
    use base64::Engine as _;
    let bytes = vec![9; 5_000];
    let picture = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let hash = BlobHash::of(&bytes);
    let ask = |number, n: usize| {
        let mut run = run(number, 0);
        run.inputs = json(&json!({ "n": n, "image": format!("data:image/png;base64,{picture}") }));
        run.attachments = vec![Attachment::bytes("image/png", bytes.clone()).named("photo")];
        run
    };
    store.ingest(&[end(ask(1, 1)), end(ask(2, 2))]).unwrap();
    let light = store.run(id(1)).unwrap().unwrap();
    assert_eq!(light.blobs, [hash]);
    assert!(light.run.inputs.unwrap().as_str().contains(&format!("data:image/png;base64,blob:sha256-{hash}")));
    assert_eq!(light.files[0].place, FilePlace::Blob { hash, size: 5_000 });
    assert_eq!(store.blob(hash).unwrap(), Some(bytes.clone()));
    assert_eq!(store.whole_run(id(2)).unwrap(), Some(ask(2, 2)));
    // Both runs need it.
    let gone = store.delete(&Query::parse(&format!("id:{}", id(1)), 0).unwrap(), Of::Runs).unwrap();
    assert_eq!((gone.runs, gone.blobs, store.blob(hash).unwrap().is_some()), (1, 0, true));
    let gone = store.delete(&Query::default(), Of::Runs).unwrap();
    assert_eq!((gone.runs, gone.blobs, store.blob(hash).unwrap()), (1, 1, None));
}

pub(crate) fn a_spools_position_goes_with_what_was_read(store: &Store) {
    let at = |segment, offset| Position { directory: "host-1".into(), segment, offset };
    store.ingest_from(&at(1, 100), &[end(run(1, 0))]).unwrap();
    store.ingest_from(&at(1, 250), &[]).unwrap();
    store.ingest_from(&at(2, 7), &[end(run(2, 0))]).unwrap();
    assert_eq!(store.positions("host-1").unwrap(), [at(1, 250), at(2, 7)]);
    assert_eq!(store.positions("host-2").unwrap(), []);
    store.forget_positions("host-1", 2).unwrap();
    assert_eq!(store.positions("host-1").unwrap(), [at(2, 7)]);
}

pub(crate) fn sums_follow_every_change(store: &Store) {
    let call = |number, tokens, dollars| {
        let mut call = child(number, 1, 1, 10);
        call.run_type = RunType::Llm;
        call.usage = Some(Usage::new(tokens, 1).with_total_cost(dollars));
        call
    };
    let mut root = run(1, 0);
    // Told again from below; not counted.
    root.usage = Some(Usage::new(1_000, 1));
    let sums = || store.trace(id(1)).unwrap().unwrap().totals;
    store.ingest(&[start(Run { end_time: None, status: Status::Pending, ..root.clone() })]).unwrap();
    assert_eq!((sums().runs, sums().open, sums().total_tokens), (1, 1, 0));
    store.ingest(&[end(call(2, 5, 0.5)), end(call(3, 6, 0.25)), end(root)]).unwrap();
    assert_eq!((sums().runs, sums().open, sums().errors), (3, 0, 0));
    assert_eq!((sums().input_tokens, sums().output_tokens, sums().total_tokens, sums().cost), (11, 2, 13, 0.75));
    let correct = |number, usage| patch(Run { id: id(number), usage: Some(usage), ..Run::default() });
    store.ingest(&[correct(2, Usage::new(50, 1))]).unwrap();
    assert_eq!((sums().input_tokens, sums().cost), (56, 0.25));
    let failed = Run { id: id(3), error: Some("boom".into()), status: Status::Error, ..Run::default() };
    store.ingest(&[patch(failed)]).unwrap();
    assert_eq!(sums().errors, 1);
    // A later end, and an end that is taken back.
    let stream = StreamInfo { first_chunk: NOW + 30, ..StreamInfo::default() };
    let longer = Run { id: id(3), end_time: Some(NOW + 9_000_000_000), stream: Some(stream), ..Run::default() };
    store.ingest(&[patch(longer)]).unwrap();
    assert_eq!((sums().end_time, sums().first_token), (Some(NOW + 9_000_000_000), Some(30)));
    store.ingest(&[patch(Run { id: id(3), end_time: Some(NOW + 9_500_000_000), ..Run::default() })]).unwrap();
    assert_eq!(sums().end_time, Some(NOW + 9_500_000_000));
}

pub(crate) fn a_trace_is_listed_while_its_root_is_missing(store: &Store) {
    let heads = || list(store, Of::Traces).iter().map(|listed| listed.row.id).collect::<Vec<_>>();
    store.ingest(&[end(child(3, 2, 1, 30))]).unwrap();
    assert_eq!(heads(), [id(3)]);
    store.ingest(&[end(child(2, 1, 1, 20))]).unwrap();
    assert_eq!(heads(), [id(2)]);
    store.ingest(&[end(child(4, 2, 1, 40))]).unwrap();
    assert_eq!(heads(), [id(2)]);
    store.ingest(&[end(run(1, 25))]).unwrap();
    assert_eq!(heads(), [id(1)]);
    let trace = store.trace(id(1)).unwrap().unwrap();
    assert_eq!((trace.head, trace.totals.runs, trace.totals.start_time), (id(1), 4, NOW + 20));
    assert_eq!(trace.runs.iter().map(|row| row.id).collect::<Vec<_>>(), [id(2), id(1), id(3), id(4)]);
    assert_eq!(store.trace(id(2)).unwrap(), None);
}

pub(crate) fn a_run_that_moves_to_its_trace_is_counted_there(store: &Store) {
    let lost = Run { trace_id: id(0), parent_id: Some(id(1)), ..run(2, 10) };
    store.ingest(&[end(lost)]).unwrap();
    assert_eq!(list(store, Of::Traces).len(), 1);
    store.ingest(&[end(run(1, 0)), patch(Run { id: id(2), trace_id: id(1), ..Run::default() })]).unwrap();
    let traces = list(store, Of::Traces);
    assert_eq!(traces.iter().map(|listed| listed.row.id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(traces[0].totals.as_ref().unwrap().runs, 2);
    assert_eq!(store.trace(id(2)).unwrap(), None);
}

pub(crate) fn what_clients_dropped_adds_up(store: &Store) {
    let report = |count| {
        RunChange::Report(Report {
            id: traceable_core::model::RunId::default(),
            dropped: [("queue_full".to_owned(), count)].into(),
        })
    };
    store.ingest(&[report(3), report(4)]).unwrap();
    store.ingest(&[report(u64::MAX)]).unwrap();
    store.ingest(&[report(u64::MAX), report(u64::MAX), report(u64::MAX)]).unwrap();
    let reports = store.reports().unwrap();
    assert_eq!((reports.len(), &*reports[0].reason), (1, "queue_full"));
    assert!(reports[0].count > 1 << 61);
    // One that has an id counts once.
    let known = |reason: &str| RunChange::Report(Report { id: id(7), dropped: [(reason.to_owned(), 2)].into() });
    assert_eq!(store.ingest(&[known("too_large"), known("too_large")]).unwrap().repeated, 1);
    assert_eq!(store.ingest(&[known("too_large")]).unwrap().repeated, 1);
    assert_eq!(store.reports().unwrap().last().map(|report| report.count), Some(2));
}

pub(crate) fn runs_are_found_by_the_beginning_of_their_id(store: &Store) {
    let ids = [0x0199_ab00_0000_7000_8000_0000_0000_0001, 0x0199_abff_0000_7000_8000_0000_0000_0002_u128];
    // Of a third trace, only a child.
    let orphan = child(0x0199_ac00_0000_7000_8000_0000_0000_0004, 3, 0x0199_ac00_0000_7000_8000_0000_0000_0003, 2);
    store.ingest(&[end(run(ids[0], 0)), end(run(ids[1], 1)), end(orphan)]).unwrap();
    let found = |prefix: &str| {
        let found = store.runs_by_prefix(prefix, 3).unwrap();
        found.into_iter().map(traceable_core::model::RunId::as_u128).collect::<Vec<_>>()
    };
    assert_eq!(found("0199ab"), [ids[1], ids[0]]);
    assert_eq!(found("0199AB00"), [ids[0]]);
    assert_eq!(found(&id(ids[0]).to_string()), [ids[0]]);
    assert_eq!(found("0199abff-0000-7000-8"), [ids[1]]);
    assert_eq!(found("0199ac00").len(), 2);
    assert_eq!(found("0").len(), 3);
    for nothing in ["", "-", "last", "0199ad", &"0".repeat(33)] {
        assert_eq!(found(nothing), [0_u128; 0], "{nothing}");
    }
    assert_eq!(store.runs_by_prefix("0199ab", 1).unwrap().len(), 1);
}

pub(crate) fn projects_are_made_once_and_go_with_their_runs(store: &Store) {
    let made = store.ensure_project("shop").unwrap();
    assert_eq!(store.ensure_project("shop").unwrap(), made);
    assert_eq!(made.id, traceable_store::Project::id_of("shop"));
    store.ingest(&[end(Run { project: Some("shop".into()), ..run(1, 0) }), end(run(2, 1))]).unwrap();
    let names = || store.projects().unwrap().into_iter().map(|project| project.name).collect::<Vec<_>>();
    assert_eq!(names(), ["default", "shop"]);
    assert_eq!(store.projects().unwrap()[1], made);
    assert_eq!(store.delete_project("shop").unwrap().runs, 1);
    assert_eq!(names(), ["default"]);
    assert!(store.row(id(1)).unwrap().is_none() && store.row(id(2)).unwrap().is_some());
}
