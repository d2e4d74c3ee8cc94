//! Files among the arguments and in the output of traced functions, and files that are added by hand.

use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use proptest::prelude::*;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, json};
use traceable::{
    Attachment, Context, Current, Run, RunId, attach_to, current,
    model::{AttachmentData, Bytes, RunChange},
    testing::Recorder,
    traceable,
};

fn file(text: &str) -> Attachment {
    Attachment::bytes("text/plain", text.as_bytes())
}

/// Names and contents of the run's files, in order.
fn files(run: &Run) -> Vec<(String, String)> {
    let content = |attachment: &Attachment| match &attachment.data {
        AttachmentData::Bytes(bytes) => String::from_utf8(bytes.0.to_vec()).unwrap(),
        other => format!("{other:?}"),
    };
    run.attachments.iter().map(|attachment| (attachment.name.clone(), content(attachment))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
}

fn inputs(run: &Run) -> Value {
    run.inputs.as_ref().unwrap().to_value()
}

fn outputs(run: &Run) -> Value {
    run.outputs.as_ref().unwrap().to_value()
}

#[derive(Serialize)]
struct Question {
    text: &'static str,
    scans: Vec<Attachment>,
    voice: Option<Attachment>,
    none: Option<Attachment>,
}

#[traceable]
fn look(image: &Attachment, page: Option<Attachment>, question: &Question) -> Vec<Attachment> {
    vec![image.clone(), page.unwrap()]
}

#[test]
fn files_leave_inputs_and_outputs() {
    let recorder = Recorder::new();
    let question = Question {
        text: "what?",
        scans: vec![file("s1"), file("s2").named("second")],
        voice: Some(file("v")),
        none: None,
    };
    recorder.scope(|| look(&file("i"), Some(file("p")), &question));
    let run = recorder.run("look");
    let reference = |name: &str| json!({ "$attachment": name });
    assert_eq!(
        inputs(&run),
        json!({ "question": {
            "text": "what?", "scans": [reference("question_1"), reference("second")],
            "voice": reference("question_2"), "none": null,
        } })
    );
    assert_eq!(outputs(&run), json!({ "output": [reference("output_1"), reference("output_2")] }));
    let expected = [
        ("image", "i"),
        ("page", "p"),
        ("question_1", "s1"),
        ("second", "s2"),
        ("question_2", "v"),
        ("output_1", "i"),
        ("output_2", "p"),
    ];
    assert_eq!(files(&run), pairs(&expected));
    assert!(run.attachments.iter().all(|attachment| attachment.mime == "text/plain"));
}

#[test]
fn a_file_alone_is_no_input_and_a_reference_as_output() {
    #[traceable]
    fn turn(image: Attachment) -> Attachment {
        image
    }
    let recorder = Recorder::new();
    recorder.scope(|| turn(file("x")));
    let run = recorder.run("turn");
    assert_eq!((inputs(&run), outputs(&run)), (json!({}), json!({ "$attachment": "output" })));
    assert_eq!(files(&run), pairs(&[("image", "x"), ("output", "x")]));
}

#[test]
fn names_are_never_paths() {
    #[traceable]
    fn named(a: Attachment) {}
    let recorder = Recorder::new();
    recorder.scope(|| named(file("x").named("../../etc/passwd.txt")));
    assert_eq!(files(&recorder.run("named")), pairs(&[("______etc_passwd_txt", "x")]));
}

#[test]
fn bytes_are_shared_and_paths_are_not_read() {
    #[traceable]
    fn send(bytes: &Attachment, path: Attachment, url: Attachment, plain: &str) {}
    let recorder = Recorder::new();
    let bytes: Arc<[u8]> = vec![7; 1 << 20].into();
    let attachment = Attachment::bytes("application/octet-stream", Arc::clone(&bytes));
    let missing = Attachment::path("image/png", "/no/such/file.png");
    recorder
        .scope(|| send(&attachment, missing, Attachment::url("text/html", "https://example.com/"), "/etc/hostname"));
    let run = recorder.run("send");
    let AttachmentData::Bytes(shared) = &run.attachments[0].data else { panic!() };
    assert!(Arc::ptr_eq(&shared.0, &bytes));
    assert_eq!(run.attachments[1].data, AttachmentData::Path("/no/such/file.png".into()));
    assert_eq!(run.attachments[2].data, AttachmentData::Url("https://example.com/".into()));
    assert_eq!(inputs(&run), json!({ "plain": "/etc/hostname" }));
}

#[test]
fn files_are_added_by_hand_also_after_the_end() {
    #[traceable]
    fn drawn() -> Current {
        current().attach("sketch", &file("first"));
        current().attach("sketch", &file("second"));
        current().attach("a.b", &file("named").named("other"));
        current()
    }
    let recorder = Recorder::new();
    let kept: std::sync::Mutex<Option<Context>> = std::sync::Mutex::default();
    let run = recorder.scope(|| {
        #[traceable]
        fn keeps(kept: &std::sync::Mutex<Option<Context>>) -> Option<RunId> {
            *kept.lock().unwrap() = Some(Context::current());
            current().id()
        }
        let run = drawn();
        keeps(&kept);
        run
    });
    assert_eq!(files(&recorder.run("drawn")), pairs(&[("sketch", "second"), ("a_b", "named")]));
    run.attach("late", &file("l"));
    assert_eq!(files(&recorder.run("drawn")), pairs(&[("sketch", "second"), ("a_b", "named"), ("late", "l")]));
}

#[test]
fn an_announced_run_sends_its_files_once() {
    #[traceable]
    fn slow(image: Attachment, recorder: &Recorder) -> Attachment {
        recorder.flush();
        image
    }
    let recorder = Recorder::new();
    recorder.scope(|| slow(file("x"), &recorder));
    let sent: Vec<_> = recorder.changes().iter().map(|change| files(change.run().unwrap())).collect();
    assert_eq!(sent, [pairs(&[("image", "x")]), pairs(&[("output", "x")])]);
}

#[test]
fn files_reach_runs_that_are_elsewhere() {
    let recorder = Recorder::new();
    let run = RunId::from_u128(5);
    recorder.scope(|| {
        attach_to(run, &file("x").named("a/b"));
        attach_to(run, &file("y"));
    });
    let sent = recorder.changes().into_iter().map(|change| match change {
        RunChange::Attachment(of) => (of.run_id, of.attachment.name),
        other => panic!("{other:?}"),
    });
    assert_eq!(sent.collect::<Vec<_>>(), [(run, "a_b".to_owned()), (run, "attachment".to_owned())]);
}

#[test]
fn other_serializers_write_the_fields() {
    let attachment = file("x").named("n");
    let value = serde_json::to_value(&attachment).unwrap();
    assert_eq!(value, json!({ "name": "n", "mime": "text/plain", "data": { "bytes": "eA==" } }));
    assert_eq!(serde_json::from_value::<Attachment>(value).unwrap(), attachment);
}

#[tokio::test]
async fn files_in_streams_are_the_outputs() {
    #[traceable(stream)]
    fn frames() -> impl Stream<Item = Attachment> {
        futures::stream::iter(["a", "b"].map(file))
    }
    let recorder = Recorder::new();
    recorder.scope(frames).collect::<Vec<_>>().await;
    let run = recorder.run("frames");
    let expected = [json!({ "$attachment": "output_1" }), json!({ "$attachment": "output_2" })];
    assert_eq!(outputs(&run), json!({ "output": expected }));
    assert_eq!(files(&run), pairs(&[("output_1", "a"), ("output_2", "b")]));
}

struct Broken(Attachment);

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        serde::ser::SerializeSeq::serialize_element(&mut list, &self.0)?;
        Err(S::Error::custom("no"))
    }
}

/// However a file gets lost on its way, nothing keeps its bytes, and the way stays free for others.
#[test]
fn what_is_dropped_is_let_go() {
    #[traceable]
    fn broken(value: &Broken) {}
    #[traceable(process_inputs = |inputs: serde_json::Map<String, Value>| inputs)]
    fn processed(image: &Attachment) {}
    #[traceable]
    fn replaced(image: &Attachment) -> Attachment {
        current().set_outputs("another");
        image.clone()
    }
    #[traceable(enabled = false)]
    fn quiet(image: &Attachment) {
        current().attach("x", image);
    }
    #[traceable(metadata(number = std::convert::identity::<fn() -> u32>(|| panic!("on purpose, in a test"))()))]
    fn panics(image: &Attachment) {}
    #[traceable]
    fn fine(image: &Attachment) {}
    let bytes: Arc<[u8]> = vec![7; 1 << 20].into();
    let image = Attachment::bytes("image/png", Arc::clone(&bytes));
    let recorder = Recorder::new();
    recorder.scope(|| {
        for _ in 0..40 {
            broken(&Broken(image.clone()));
            processed(&image);
            quiet(&image);
            drop(traceable::run("never begun").input("image", &image));
            traceable::run("quiet").inputs(&image).enabled(false).call(|_| ());
            drop(traceable::scope().metadata("image", &image));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics(&image))).unwrap_err();
            traceable::feedback(RunId::from_u128(1), "k").value(&image).send();
            drop(traceable::feedback(RunId::from_u128(1), "never sent").correction(&image));
            recorder.flush();
        }
        replaced(&image);
        fine(&image);
    });
    // Nobody listens here.
    fine(&image);
    attach_to(RunId::from_u128(1), &image);
    let runs = recorder.runs();
    let kept: usize = runs.iter().map(|run| run.attachments.len()).sum();
    assert_eq!(kept, 2, "{:?}", runs.iter().map(files).collect::<Vec<_>>().len());
    assert_eq!(inputs(runs.iter().find(|run| run.name == "processed").unwrap())["image"], "… [attachment]");
    drop((runs, recorder));
    // The recorder's own copies go when its thread is done with them.
    let start = std::time::Instant::now();
    while Arc::strong_count(&bytes) > 2 && start.elapsed().as_secs() < 30 {
        std::thread::yield_now();
    }
    assert_eq!(Arc::strong_count(&bytes), 2);
    drop(image);
}

#[test]
fn too_many_bytes_leave_a_mark_and_a_count() {
    #[traceable]
    fn large(image: Attachment, n: u8) {}
    let recorder = Recorder::new();
    recorder.scope(|| large(Attachment::bytes("image/png", vec![0; 20 << 20]), 1));
    recorder.scope(|| large(file("x"), 2));
    let runs = recorder.runs();
    assert_eq!(inputs(&runs[0]), json!({ "image": "… [attachment left out: no room]", "n": 1 }));
    assert_eq!(runs[1].attachments.len(), 1);
    assert!(traceable::stats().dropped["attachment_full"] >= 1);
}

#[test]
fn a_file_is_read_within_bounds() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("attachment-{}", std::process::id()));
    std::fs::write(&path, b"12345").unwrap();
    let attachment = Attachment::path("text/plain", &path);
    assert_eq!(attachment.read(5).unwrap(), Bytes::from(b"12345"));
    assert_eq!(attachment.read(4).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(attachment.read(5).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert!(Attachment::path("text/plain", env!("CARGO_TARGET_TMPDIR")).read(5).is_err());
    assert_eq!(file("x").read(0).unwrap(), Bytes::from(b"x"));
}

/// A value with files anywhere.
#[derive(Debug, Clone)]
enum Tree {
    Text(String),
    Number(i64),
    File(u32),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    Some(Box<Tree>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::File(n) => file(&n.to_string()).serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(map) => serializer.collect_map(map.iter().map(|(key, value)| (key, value))),
            Self::Some(inner) => serializer.serialize_some(inner),
        }
    }
}

impl Tree {
    /// What is recorded, and the files.
    fn expected(&self, alone: bool, files: &mut Vec<(String, String)>) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::File(n) => {
                let name = if alone { "value".to_owned() } else { format!("value_{}", files.len() + 1) };
                files.push((name.clone(), n.to_string()));
                json!({ "$attachment": name })
            }
            Self::List(list) => list.iter().map(|inner| inner.expected(false, files)).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), value.expected(false, files)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::Some(inner) => inner.expected(alone, files),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Tree::Text),
        any::<i64>().prop_map(Tree::Number),
        any::<u32>().prop_map(Tree::File),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            prop::collection::btree_map("[a-z]{0,300}", inner.clone(), 0..6)
                .prop_map(|map| Tree::Map(map.into_iter().collect())),
            inner.prop_map(|inner| Tree::Some(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn files_are_found_wherever_they_are(value in tree()) {
        #[traceable]
        fn takes(value: &Tree) {}
        let recorder = Recorder::new();
        recorder.scope(|| takes(&value));
        let mut expected = Vec::new();
        let json = value.expected(true, &mut expected);
        let run = recorder.run("takes");
        prop_assert_eq!(files(&run), expected);
        let is_alone = run.attachments.first().is_some_and(|file| file.name == "value");
        prop_assert_eq!(inputs(&run), if is_alone { json!({}) } else { json!({ "value": json }) });
    }
}
