//! Scores, conversations and users reach the destinations, whatever is known of their runs.

use std::collections::HashMap;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, json};
use traceable::{
    RunId, ScoreSource, ScoreTarget, current, feedback,
    model::{RunChange, Score},
    testing::Recorder,
    thread, traceable, user,
};

fn one(recorder: &Recorder) -> Score {
    let scores = recorder.scores();
    assert_eq!(scores.len(), 1, "{scores:?}");
    scores.into_iter().next().unwrap()
}

#[test]
fn a_score_says_all_that_it_was_told() {
    let recorder = Recorder::new();
    let run = RunId::from_u128(42);
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let id = recorder.scope(|| {
        feedback(run, "helpfulness")
            .score(0.9)
            .value(&json!({ "stars": 4 }))
            .label("positive")
            .comment("short")
            .comment("short and clear")
            .correction(&["Paris"])
            .user("ada@example.com")
            .tag("beta")
            .tag("web")
            .metadata("page", &7)
            .send()
    });
    let score = one(&recorder);
    assert_eq!(Some(score.id), id);
    assert_eq!(score.target, ScoreTarget::Run(run));
    assert_eq!(score.key, "helpfulness");
    assert_eq!(score.score, Some(0.9));
    assert_eq!(score.value, Some(json!({ "stars": 4 })));
    assert_eq!(score.label.as_deref(), Some("positive"));
    assert_eq!(score.comment.as_deref(), Some("short and clear"));
    assert_eq!(score.correction, Some(json!(["Paris"])));
    assert_eq!(score.source, ScoreSource::Human);
    assert_eq!(score.user.as_deref(), Some("ada@example.com"));
    assert_eq!(score.tags, ["beta", "web"]);
    assert_eq!(Value::Object(score.metadata), json!({ "page": 7 }));
    let past = i128::from(score.time) - before.as_nanos() as i128;
    assert!((-1_000_000_000..60_000_000_000).contains(&past), "{past} ns");
    assert!(score.id.to_string().starts_with(&format!("{:08x}", (score.time / 1_000_000) >> 16)));
}

#[test]
fn what_is_left_out_stays_absent() {
    let recorder = Recorder::new();
    let id = RunId::from_u128(7);
    recorder.scope(|| feedback(ScoreTarget::Trace(RunId::from_u128(1)), "done").score(true).id(id).send());
    let score = one(&recorder);
    assert_eq!((score.id, score.score, score.source), (id, Some(1.0), ScoreSource::Code));
    assert_eq!(score.target, ScoreTarget::Trace(RunId::from_u128(1)));
    assert_eq!((score.value, score.label, score.comment, score.correction, score.user), Default::default());
    assert!(score.tags.is_empty() && score.metadata.is_empty());
}

#[test]
fn a_score_that_is_no_number_is_left_out_and_the_rest_is_sent() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let recorder = Recorder::new();
        recorder.scope(|| feedback(RunId::from_u128(1), "similarity").score(number).comment("broken").send());
        let score = one(&recorder);
        assert_eq!((score.score, score.comment.as_deref()), (None, Some("broken")));
    }
}

#[test]
fn tags_of_other_systems_are_scores() {
    let recorder = Recorder::new();
    let said = [
        ("THUMBS_UP", Some(1.0)),
        ("positive", Some(1.0)),
        ("Like", Some(1.0)),
        ("THUMBS_DOWN", Some(0.0)),
        ("negative", Some(0.0)),
        ("dislike", Some(0.0)),
        ("neutral", None),
        ("confused", None),
    ];
    recorder.scope(|| said.map(|(tag, _)| feedback(ScoreTarget::Thread("t".into()), "rating").thumbs(tag).send()));
    let scores: Vec<_> = recorder.scores().into_iter().map(|score| (score.label.unwrap(), score.score)).collect();
    assert_eq!(scores, said.map(|(tag, score)| (tag.to_owned(), score)));
}

#[traceable]
fn judged() -> Option<RunId> {
    feedback(current(), "grounded").source(ScoreSource::Ai).score(0.5).send();
    current().id()
}

#[test]
fn a_run_scores_itself_and_goes_where_the_run_goes() {
    let recorder = Recorder::new();
    let id = recorder.scope(judged);
    let score = one(&recorder);
    assert_eq!(score.target, ScoreTarget::Run(id.unwrap()));
    assert_eq!(score.source, ScoreSource::Ai);
    let other = Recorder::new();
    #[traceable(client = other)]
    fn elsewhere(other: traceable::Client) {
        feedback(RunId::from_u128(3), "inside").score(1).send();
        thread("inside").send();
    }
    recorder.scope(|| elsewhere(other.client()));
    assert_eq!((one(&recorder).key, one(&other).key), ("grounded".to_owned(), "inside".to_owned()));
    assert_eq!(other.threads().len(), 1);
}

#[test]
fn nothing_is_said_of_a_run_that_is_not_recorded() {
    let recorder = Recorder::new();
    assert_eq!(recorder.scope(|| feedback(current(), "key").score(1).send()), None);
    #[traceable(enabled = false)]
    fn quiet() -> Option<RunId> {
        feedback(current(), "key").score(1).send()
    }
    assert_eq!(recorder.scope(quiet), None);
    // Nobody listens outside of the recorder.
    assert_eq!(feedback(RunId::from_u128(1), "key").score(1).send(), None);
    assert_eq!(recorder.changes(), []);
}

#[test]
fn conversations_and_users_are_told_of() {
    let recorder = Recorder::new();
    recorder.scope(|| {
        thread("chat-7").name("Orders").user("ada@example.com").tag("support").metadata("priority", &2).send();
        user("ada@example.com").metadata("plan", "free").send();
        user("ada@example.com").metadata("plan", "team").metadata("seats", &3).send();
    });
    let [chat] = <[_; 1]>::try_from(recorder.threads()).unwrap();
    assert_eq!((chat.id.as_str(), chat.name.as_deref()), ("chat-7", Some("Orders")));
    assert_eq!((chat.user.as_deref(), chat.tags), (Some("ada@example.com"), vec!["support".to_owned()]));
    assert_eq!(Value::Object(chat.metadata), json!({ "priority": 2 }));
    let users = recorder.users();
    assert!(users.windows(2).all(|pair| pair[0].time <= pair[1].time));
    let plans: Vec<_> = users.iter().map(|user| (user.identifier.as_str(), &user.metadata["plan"])).collect();
    assert_eq!(plans, [("ada@example.com", &json!("free")), ("ada@example.com", &json!("team"))]);
}

struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose, in a test")
    }
}

#[test]
fn values_that_fail_or_are_long_do_not_take_the_score_along() {
    let recorder = Recorder::new();
    let long = "x".repeat(3 << 20);
    recorder.scope(|| {
        feedback(RunId::from_u128(1), "key").value(&Fails).correction(&Panics).metadata("m", &Fails).score(1).send();
        feedback(RunId::from_u128(1), "key").comment(&long).score(2).send();
    });
    let scores = recorder.scores();
    assert_eq!(scores.iter().map(|score| score.score).collect::<Vec<_>>(), [Some(1.0), Some(2.0)]);
    assert_eq!(scores[0].value, Some(json!({ "$error": "no" })));
    let comment = scores[1].comment.as_ref().unwrap();
    assert!(comment.len() < 2 << 20 && comment.contains("cut"), "{}", comment.len());
}

#[test]
fn scores_of_many_threads_are_all_there_and_have_ids_of_their_own() {
    let recorder = Recorder::new();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let recorder = &recorder;
            threads.spawn(move || {
                recorder.scope(|| {
                    for n in 0..250 {
                        feedback(RunId::from_u128(thread), "n").score(n).send();
                    }
                });
            });
        }
    });
    let mut by_run: HashMap<ScoreTarget, Vec<f64>> = HashMap::new();
    let mut ids = std::collections::HashSet::new();
    for change in recorder.changes() {
        let RunChange::Score(score) = change else { panic!("{change:?}") };
        assert!(ids.insert(score.id));
        by_run.entry(score.target).or_default().push(score.score.unwrap());
    }
    let in_order: Vec<f64> = (0..250).map(f64::from).collect();
    assert_eq!(by_run.len(), 4);
    assert!(by_run.values().all(|scores| *scores == in_order));
}
