//! Scopes: what they say holds for all runs in them, and for no others.

use serde_json::json;
use traceable::{Context, InRunExt as _, RunId, scope, testing::Recorder, traceable};

#[traceable]
fn leaf() {}

#[traceable(tags = ["own"], metadata(region = "own", attempt = 1))]
fn branch() {
    leaf();
}

#[traceable]
async fn root() {
    tokio::task::yield_now().await;
    branch();
    tokio::spawn(later().in_current_run()).await.unwrap();
}

#[traceable]
async fn later() {
    tokio::task::yield_now().await;
    leaf();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_of_a_tree_has_its_thread_and_user_and_tags() {
    let recorder = Recorder::new();
    let chat = scope()
        .thread("t-1")
        .session("s-1")
        .user("ada")
        .environment("staging")
        .release("1.2.3")
        .project("chat")
        .tag("beta")
        .metadata("region", "eu");
    recorder.scope_future(chat.future(root())).await;
    recorder.scope(leaf);
    let runs = recorder.runs();
    let (inside, outside) = runs.split_at(5);
    assert_eq!(inside.iter().map(|run| &*run.name).collect::<Vec<_>>(), ["root", "branch", "leaf", "later", "leaf"]);
    for run in inside {
        assert_eq!(run.thread_id.as_deref(), Some("t-1"), "{}", run.name);
        assert_eq!(run.session_id.as_deref(), Some("s-1"));
        assert_eq!(run.user.as_deref(), Some("ada"));
        assert_eq!(run.environment.as_deref(), Some("staging"));
        assert_eq!(run.release.as_deref(), Some("1.2.3"));
        assert_eq!(run.project.as_deref(), Some("chat"));
        assert!(run.tags.contains(&"beta".to_owned()), "{}: {:?}", run.name, run.tags);
    }
    // The run's own word wins, and its own tags are not passed on.
    assert_eq!(inside[1].tags, ["beta", "own"]);
    assert_eq!(inside[1].metadata["region"], "own");
    assert_eq!(inside[2].tags, ["beta"]);
    assert_eq!(inside[0].metadata["region"], "eu");
    assert_eq!(
        (&outside[0].thread_id, &outside[0].tags, &outside[0].metadata),
        (&None, &vec![], &serde_json::Map::new())
    );
}

#[test]
fn scopes_stand_in_each_other_and_end() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        let outer = scope().user("ada").tag("outer").enter();
        scope().thread("inner").tag("inner").call(leaf);
        leaf();
        drop(outer);
        leaf();
    });
    let runs = recorder.runs();
    let said = |at: usize| (runs[at].user.as_deref(), runs[at].thread_id.as_deref(), runs[at].tags.join(" "));
    assert_eq!(said(0), (Some("ada"), Some("inner"), "outer inner".to_owned()));
    assert_eq!(said(1), (Some("ada"), None, "outer".to_owned()));
    assert_eq!(said(2), (None, None, String::new()));
}

#[test]
fn a_scope_inside_of_a_run_holds_for_what_begins_in_it() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        traceable::run("root").call(|_| {
            scope().user("ada").call(branch);
            leaf();
        });
    });
    let runs = recorder.runs();
    let users: Vec<_> = runs.iter().map(|run| (&*run.name, run.user.as_deref())).collect();
    assert_eq!(users, [("root", None), ("branch", Some("ada")), ("leaf", Some("ada")), ("leaf", None)]);
    assert!(runs[1..].iter().all(|run| run.trace_id == runs[0].id));
    assert_eq!(runs[1].parent_id, Some(runs[0].id));
}

#[test]
fn another_thread_takes_the_scope_along() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        scope().user("ada").tag("beta").call(|| {
            let context = Context::current();
            let client = recorder.client();
            std::thread::spawn(move || scope().client(client).call(|| context.scope(leaf))).join().unwrap();
            traceable::run("root").call(|_| {
                std::thread::spawn(traceable::wrap(|| scope().thread("t").call(leaf))).join().unwrap();
            });
        });
    });
    let runs = recorder.runs();
    assert_eq!(recorder.tree(), "leaf\nroot\n  leaf\n");
    assert!(runs.iter().all(|run| run.user.as_deref() == Some("ada") && run.tags == ["beta"]), "{runs:?}");
    assert_eq!(runs[2].thread_id.as_deref(), Some("t"));
}

#[test]
fn a_call_may_be_given_an_id_and_a_name() {
    let recorder = Recorder::new();
    let id: RunId = "0190163d-8694-7000-8000-00000000002a".parse().unwrap();
    let seen = recorder.scope(|| {
        scope().run_id(id).run_name("first").call(|| {
            traceable::run("root").call(|root| {
                leaf();
                (root.id(), root.trace_id())
            })
        })
    });
    assert_eq!(seen, (Some(id), Some(id)));
    let runs = recorder.runs();
    let (root, leaf) = (recorder.run("first"), recorder.run("leaf"));
    assert_eq!(runs.len(), 2);
    assert_eq!((root.id, root.trace_id, root.dotted_order.id()), (id, id, Some(id)));
    assert_eq!((leaf.parent_id, leaf.trace_id, leaf.dotted_order.trace_id()), (Some(id), id, Some(id)));
    assert_ne!(leaf.id, id);
}

#[test]
fn an_id_for_a_run_in_the_middle() {
    let recorder = Recorder::new();
    let id = RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0001);
    let (trace, below) = recorder.scope(|| {
        traceable::run("root").call(|root| {
            let below = scope().run_id(id).call(|| {
                traceable::run("middle").call(|middle| {
                    assert_eq!(middle.id(), Some(id));
                    assert_eq!(middle.trace_id(), root.trace_id());
                    traceable::run("below").call(|below| (below.id(), below.trace_id()))
                })
            });
            (root.trace_id(), below)
        })
    });
    let run = recorder.run("below");
    assert_eq!(run.parent_id, Some(id));
    assert_eq!((Some(run.id), Some(run.trace_id)), below);
    assert_eq!(below.1, trace);
    assert_eq!(recorder.tree(), "root\n  middle\n    below\n");
}

#[test]
fn a_scope_leaves_out_what_is_called_in_it() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        traceable::run("root").call(|_| {
            scope().enabled(false).call(branch);
            leaf();
        });
    });
    assert_eq!(recorder.tree(), "root\n  leaf\n");
}

#[test]
fn a_scope_sends_traces_to_another_client() {
    let (one, other) = (Recorder::new(), Recorder::new());
    one.scope(|| {
        scope().client(other.client()).call(branch);
        leaf();
    });
    assert_eq!((&*one.tree(), &*other.tree()), ("leaf\n", "branch\n  leaf\n"));
}

#[test]
fn process_inputs_does_not_touch_what_a_scope_says() {
    #[traceable(process_inputs = |_| traceable::model::Run::default().metadata)]
    fn secretive(word: &str) -> usize {
        word.len()
    }
    let recorder = Recorder::new();
    recorder.scope(|| scope().user("ada").metadata("k", &json!({ "a": 1 })).call(|| secretive("word")));
    let run = recorder.run("secretive");
    assert_eq!(run.inputs.unwrap().as_str(), "{}");
    assert_eq!((run.user.as_deref(), &run.metadata["k"]), (Some("ada"), &json!({ "a": 1 })));
}
