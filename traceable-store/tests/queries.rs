//! A query finds what a plain reading of it finds, and is printed as text that says the same.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value as Json, json};
use support::{NOW, id, store};
use traceable_core::model::{Run, RunChange, RunType, Score, ScoreTarget, Status, StreamInfo, Usage};
use traceable_store::{Field, List, Of, Op, Place, Query, Row, Scope, Value, Words, fields};

const SECOND: i64 = 1_000_000_000;

/// All that is known, in lists.
struct World {
    runs: Vec<(Run, Row)>,
    scores: Vec<Score>,
}

/// A value as a plain reading compares it.
#[derive(Debug, PartialEq, PartialOrd)]
enum Plain {
    Text(String),
    Number(f64),
    Id(u128),
}

impl World {
    fn fits(&self, query: &Query, (run, row): &(Run, Row)) -> bool {
        let one = &(run.clone(), row.clone());
        match query {
            Query::And(all) => all.iter().all(|query| self.fits(query, one)),
            Query::Or(any) => any.iter().any(|query| self.fits(query, one)),
            Query::Not(inner) => !self.fits(inner, one),
            Query::In(Scope::Root, inner) => {
                self.runs.iter().any(|other| other.1.id == row.trace_id && self.fits(inner, other))
            }
            Query::In(Scope::Tree, inner) => {
                self.runs.iter().any(|other| other.1.trace_id == row.trace_id && self.fits(inner, other))
            }
            Query::Compare(Field::Score(key), op, value) => {
                let of_it = |score: &&Score| score.target == ScoreTarget::Run(row.id) && score.key == *key;
                self.scores.iter().filter(of_it).any(|score| match value {
                    Value::Number(number) => score.score.is_some_and(|score| compare(*op, &score, number)),
                    Value::Text(text) => score.label.as_ref().is_some_and(|label| compare(*op, label, text)),
                    _ => false,
                })
            }
            Query::Compare(Field::Metadata(key), op, Value::Number(number)) => {
                let label = run.metadata.get(key).and_then(label);
                label.and_then(|label| label.parse::<f64>().ok()).is_some_and(|found| compare(*op, &found, number))
            }
            Query::Compare(field, op, value) => {
                let value = match value {
                    Value::Text(text) => Plain::Text(text.clone()),
                    Value::Number(number) => Plain::Number(*number),
                    Value::Duration(nanos) | Value::Time(nanos) => Plain::Number(*nanos as f64),
                    Value::Flag(flag) => Plain::Number(f64::from(u8::from(*flag))),
                    Value::Id(id) => Plain::Id(id.as_u128()),
                };
                values(field, run, row).iter().any(|found| compare(*op, found, &value))
            }
            Query::Like(Field::Score(key), pattern) => self.scores.iter().any(|score| {
                score.target == ScoreTarget::Run(row.id)
                    && score.key == *key
                    && score.label.as_ref().is_some_and(|label| like(pattern, label))
            }),
            Query::Like(field, pattern) => {
                values(field, run, row).iter().any(|found| matches!(found, Plain::Text(text) if like(pattern, text)))
            }
            Query::Exists(Field::Score(key)) => {
                self.scores.iter().any(|score| score.target == ScoreTarget::Run(row.id) && score.key == *key)
            }
            Query::Exists(field) => !values(field, run, row).is_empty(),
            Query::Text(place, words) => found(*place, words, run),
            other => panic!("{other:?}"),
        }
    }
}

fn compare<T: PartialOrd>(op: Op, found: &T, wanted: &T) -> bool {
    match op {
        Op::Eq => found == wanted,
        Op::Gt => found > wanted,
        Op::Ge => found >= wanted,
        Op::Lt => found < wanted,
        Op::Le => found <= wanted,
    }
}

fn label(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn values(field: &Field, run: &Run, row: &Row) -> Vec<Plain> {
    let text = |text: &Option<String>| text.iter().cloned().map(Plain::Text).collect::<Vec<_>>();
    let number = |number: Option<f64>| number.into_iter().map(Plain::Number).collect::<Vec<_>>();
    let nanos = |nanos: Option<i64>| nanos.into_iter().map(|n| Plain::Number(n as f64)).collect::<Vec<_>>();
    let count = |count: Option<u64>| count.into_iter().map(|n| Plain::Number(n as f64)).collect::<Vec<_>>();
    let id = |id: traceable_core::model::RunId| vec![Plain::Id(id.as_u128())];
    match field {
        Field::Id => id(row.id),
        Field::Trace => id(row.trace_id),
        Field::Parent => row.parent_id.map(id).unwrap_or_default(),
        Field::Root => number(Some(f64::from(u8::from(row.parent_id.is_none())))),
        Field::Name => text(&Some(row.name.clone())),
        Field::Type => text(&Some(row.run_type.as_str().to_owned())),
        Field::Status => text(&Some(row.status.as_str().to_owned())),
        Field::Error => text(&row.error),
        Field::Start => nanos(Some(row.start_time)),
        Field::End => nanos(row.end_time),
        Field::Latency => nanos(row.latency),
        Field::FirstToken => nanos(row.first_token),
        Field::InputTokens => count(row.input_tokens),
        Field::OutputTokens => count(row.output_tokens),
        Field::TotalTokens => count(row.total_tokens),
        Field::Cost => number(row.cost),
        Field::Tag => run.tags.iter().cloned().map(Plain::Text).collect(),
        Field::Metadata(key) => text(&run.metadata.get(key).and_then(label)),
        Field::Model => text(&row.model),
        Field::Provider => text(&row.provider),
        Field::Project => text(&Some(row.project.clone())),
        Field::Thread => text(&row.thread_id),
        Field::Session => text(&row.session_id),
        Field::User => text(&row.user),
        Field::Environment => text(&row.environment),
        Field::Release => text(&row.release),
        Field::Attachments => count(Some(row.attachments)),
        other => panic!("{other:?}"),
    }
}

fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(text),
        Some((start, rest)) => {
            let Some(head) = text.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start)) else {
                return false;
            };
            let behind = &text[head.len()..];
            behind.char_indices().map(|(at, _)| at).chain([behind.len()]).any(|at| like(rest, &behind[at..]))
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn collect(value: &Json, all: &mut Vec<String>) {
    match value {
        Json::String(text) => all.extend(tokens(text)),
        Json::Number(number) => all.extend(tokens(&number.to_string())),
        Json::Array(items) => items.iter().for_each(|item| collect(item, all)),
        Json::Object(members) => members.values().for_each(|member| collect(member, all)),
        _ => {}
    }
}

fn found(place: Place, words: &Words, run: &Run) -> bool {
    let wanted = tokens(&words.text);
    let mut texts = vec![];
    for (of, json) in [(Place::Input, &run.inputs), (Place::Output, &run.outputs)] {
        if place == Place::Any || place == of {
            let mut all = vec![];
            json.iter().for_each(|json| collect(&json.to_value(), &mut all));
            texts.push(all);
        }
    }
    if place == Place::Any {
        let mut all = tokens(&run.name);
        all.extend(run.error.iter().flat_map(|error| tokens(error)));
        all.extend(run.tags.iter().flat_map(|tag| tokens(tag)));
        run.metadata.values().for_each(|value| collect(value, &mut all));
        texts.push(all);
    }
    let fits = |part: &[String]| {
        let (last, head) = wanted.split_last().unwrap();
        let (part_last, part_head) = part.split_last().unwrap();
        head == part_head && if words.is_prefix { part_last.starts_with(last) } else { part_last == last }
    };
    !wanted.is_empty() && texts.iter().any(|text| text.windows(wanted.len()).any(fits))
}

fn word() -> impl Strategy<Value = String> {
    let words = ["a", "b", "refund", "Refund now", "5", "0.5", "gpt-4o", "50% off_x", "true", "it's \"q\"", ""];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "region", "with \"blanks\" (x)", "root.x"]).prop_map(str::to_owned)
}

fn json_value() -> impl Strategy<Value = Json> {
    prop_oneof![word().prop_map(Json::from), (0..6).prop_map(Json::from), Just(json!(0.5)), Just(json!([1, "refund"]))]
}

fn run(number: u128) -> impl Strategy<Value = Run> {
    let place = (1..7_u128, option::of(1..7_u128), word(), 0..20_i64, option::of(0..5_i64), option::of(0..3_i64));
    let bodies = (option::of(json_value()), option::of(json_value()), option::of(word()));
    // A tag without a name is none.
    let tag = word().prop_filter("a tag has a name", |tag| !tag.is_empty());
    let labels = (vec(tag, 0..3), vec((key(), json_value()), 0..3));
    let about = (option::of(word()), option::of(word()), option::of(word()), option::of(word()));
    let usage = (option::of(0..6_u64), option::of(0..6_u64), option::of(0..4_u32));
    let status = prop::sample::select(vec![Status::Ok, Status::Error, Status::Cancelled]);
    let kind = prop::sample::select(vec!["llm", "chain", "tool"]);
    (place, bodies, labels, about, usage, status, kind).prop_map(
        move |(place, (inputs, outputs, error), (tags, metadata), about, usage, status, kind)| {
            let (trace, parent, name, start, length, first) = place;
            let (model, user, thread_id, project) = about;
            let start_time = NOW + start * SECOND;
            let mut counted = Usage::default();
            (counted.input_tokens, counted.output_tokens) = (usage.0, usage.1);
            counted.total_cost = usage.2.map(|tenths| f64::from(tenths) / 10.0);
            Run {
                id: id(number),
                trace_id: id(trace),
                parent_id: parent.map(id),
                name: name.into(),
                run_type: RunType::from(kind),
                start_time,
                end_time: length.map(|length| start_time + length * SECOND / 2),
                status: if length.is_some() { status } else { Status::Pending },
                inputs: inputs
                    .as_ref()
                    .map(|value| traceable_core::model::Json::from_value(&json!({ "input": value }))),
                outputs: outputs.as_ref().map(|value| traceable_core::model::Json::from_value(&json!({ "o": value }))),
                error,
                stream: first
                    .map(|first| StreamInfo { first_chunk: start_time + first * SECOND, ..StreamInfo::default() }),
                tags,
                metadata: metadata.into_iter().collect(),
                model: model.clone(),
                provider: model,
                usage: Some(counted),
                project: project.clone().map(Into::into),
                thread_id,
                session_id: project,
                user: user.clone(),
                environment: user.clone(),
                release: user,
                ..Run::default()
            }
        },
    )
}

fn score() -> impl Strategy<Value = Score> {
    (1..20_u128, 1..7_u128, key(), option::of(0..3_u32), option::of(word())).prop_map(
        |(number, run, key, score, label)| Score {
            score: score.map(|score| f64::from(score) / 2.0),
            label,
            ..support::score(number, ScoreTarget::Run(id(run)), &key, 0.0)
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![Op::Eq, Op::Gt, Op::Ge, Op::Lt, Op::Le])
}

fn text_field() -> impl Strategy<Value = Field> {
    use Field::{
        Environment, Error, Model, Name, Project, Provider, Release, Session, Status, Tag, Thread, Type, User,
    };
    let fields =
        vec![Environment, Error, Model, Name, Project, Provider, Release, Session, Status, Tag, Thread, Type, User];
    prop::sample::select(fields)
}

fn any_field() -> impl Strategy<Value = Field> {
    use Field::{Cost, End, FirstToken, InputTokens, Latency, OutputTokens, Parent, Start, TotalTokens};
    let others = vec![Cost, End, FirstToken, InputTokens, Latency, OutputTokens, Parent, Start, TotalTokens];
    prop_oneof![
        text_field(),
        prop::sample::select(others),
        key().prop_map(Field::Metadata),
        key().prop_map(Field::Score),
    ]
}

fn leaf() -> BoxedStrategy<Query> {
    use Field::{Attachments, Cost, End, FirstToken, Id, InputTokens, Latency, OutputTokens, Parent, Root, Start};
    let number = prop::sample::select(vec![InputTokens, OutputTokens, Field::TotalTokens, Attachments, Cost]);
    let number_value = prop::sample::select(vec![0.0, 0.1, 0.25, 1.0, 3.0, 5.0, 1e9]);
    let value = prop_oneof![word(), Just("llm".to_owned()), Just("ok".to_owned()), Just("default".to_owned())];
    let pattern = prop::sample::select(vec!["*", "re*", "*FUND*", "*\"*", "50% *_?", "50%*_x", "*5", "a"]);
    let words = (
        prop::sample::select(vec!["refund", "refund now", "re", "5", "it's \"q\"", "AND OR (", "%", "r NEAR"]),
        any::<bool>(),
    );
    let words = words.prop_map(|(text, is_prefix)| Words { text: text.into(), is_prefix });
    let place = prop::sample::select(vec![Place::Any, Place::Input, Place::Output]);
    prop_oneof![
        4 => (text_field(), value).prop_map(|(field, text)| Query::Compare(field, Op::Eq, Value::Text(text))),
        2 => (number, op(), number_value.clone()).prop_map(|(field, op, n)| Query::Compare(field, op, Value::Number(n))),
        2 => (prop::sample::select(vec![Latency, FirstToken]), op(), 0..6_i64)
            .prop_map(|(field, op, halves)| Query::Compare(field, op, Value::Duration(halves * SECOND / 2))),
        2 => (prop::sample::select(vec![Start, End]), op(), 0..20_i64)
            .prop_map(|(field, op, seconds)| Query::Compare(field, op, Value::Time(NOW + seconds * SECOND))),
        1 => (prop::sample::select(vec![Id, Field::Trace, Parent]), 1..7_u128)
            .prop_map(|(field, number)| Query::Compare(field, Op::Eq, Value::Id(id(number)))),
        1 => any::<bool>().prop_map(|flag| Query::Compare(Root, Op::Eq, Value::Flag(flag))),
        2 => (key(), word()).prop_map(|(key, text)| Query::Compare(Field::Metadata(key), Op::Eq, Value::Text(text))),
        1 => (key(), op().prop_filter("a number has a size", |op| *op != Op::Eq), number_value.clone())
            .prop_map(|(key, op, n)| Query::Compare(Field::Metadata(key), op, Value::Number(n))),
        2 => (key(), op(), number_value).prop_map(|(key, op, n)| Query::Compare(Field::Score(key), op, Value::Number(n))),
        1 => (key(), word()).prop_map(|(key, text)| Query::Compare(Field::Score(key), Op::Eq, Value::Text(text))),
        2 => (prop_oneof![text_field(), key().prop_map(Field::Metadata), key().prop_map(Field::Score)], pattern)
            .prop_map(|(field, pattern)| Query::Like(field, pattern.to_owned())),
        2 => any_field().prop_map(Query::Exists),
        3 => (place, words).prop_map(|(place, words)| Query::Text(place, words)),
    ]
    .boxed()
}

fn query() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Query::And),
            vec(inner.clone(), 2..4).prop_map(Query::Or),
            inner.clone().prop_map(|query| Query::Not(Box::new(query))),
            (any::<bool>(), inner).prop_map(|(root, query)| query.within(if root { Scope::Root } else { Scope::Tree })),
        ]
    })
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    (1..7_u128).map(|number| run(number).boxed()).collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_database_finds_what_a_plain_reading_finds(runs in runs(), scores in vec(score(), 0..6), queries in vec(query(), 40)) {
        let folder = store();
        let mut latest = std::collections::BTreeMap::new();
        for score in scores {
            latest.insert(score.id, score);
        }
        let scores: Vec<Score> = latest.into_values().collect();
        let changes = runs.iter().cloned().map(support::end);
        let changes: Vec<_> = changes.chain(scores.iter().cloned().map(|score| RunChange::Score(Box::new(score)))).collect();
        folder.store.ingest(&changes).unwrap();
        while folder.store.index_pending(4).unwrap() > 0 {}
        let world = World { runs: runs.into_iter().map(|run| (run.clone(), Row::of(&run))).collect(), scores };
        for query in queries {
            let list = List { query: query.clone(), ..List::default() };
            let mut found: Vec<_> = folder.store.list(&list).unwrap().rows.iter().map(|listed| listed.row.id).collect();
            found.sort_unstable();
            let fits = world.runs.iter().filter(|run| world.fits(&query, run));
            let expected: Vec<_> = fits.map(|(run, _)| run.id).collect();
            prop_assert_eq!(&found, &expected, "{} {:?}", query, query);
            prop_assert_eq!(folder.store.count(&query, Of::Runs).unwrap(), expected.len() as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_printed_is_read_as_the_same(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(Query::parse(&text, NOW).map_err(|error| format!("{error}: {text}")), Ok(query));
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in "\\PC{0,40}|[-a-z.:()\"*<>= ]{0,40}|(and|or|eq|has|in|not)[a-z_,()\"\\[\\]0-9 ]{0,40}") {
        for read in [Query::parse(&text, NOW), Query::parse_langsmith(&text)] {
            if let Err(error) = read {
                prop_assert!(text.is_char_boundary(error.at()), "{}", error);
                prop_assert!(error.to_string().starts_with("at byte "));
            }
        }
    }
}

#[test]
fn people_write_what_they_mean() {
    let read = |text: &str| Query::parse(text, NOW).unwrap().to_string();
    for (text, means) in [
        ("", ""),
        ("refund policy", r#""refund" "policy""#),
        ("model:gpt-4o* -env:dev \"two words\"", r#"model:~"gpt-4o*" -env:dev "two words""#),
        ("status:(error OR cancelled)", "status:error OR status:cancelled"),
        ("status:(error cancelled) tag:a", "(status:error OR status:cancelled) tag:a"),
        ("NOT (tag:a OR tag:b) AND name:c", "-(tag:a OR tag:b) name:c"),
        ("latency:500ms..2s", "latency:>=500ms latency:<=2s"),
        ("latency:>1.5", "latency:>1500ms"),
        ("tokens:>10k cost:>$0.01", "tokens:>10000 cost:>0.01"),
        ("error:timeout", r#"error:~"*timeout*""#),
        ("error:true", "has:error"),
        ("name:*", "has:name"),
        ("root.name:agent tree.(error:* type:tool)", "root.name:agent tree.(has:error type:tool)"),
        ("metadata.region:eu score.good:>0.5", "metadata.region:eu score.good:>0.5"),
        ("metadata.\"a b\":\"c d\"", "metadata.\"a b\":\"c d\""),
        ("time:2026-06-01", "time:>=2026-06-01T00:00:00.000000000Z time:<2026-06-02T00:00:00.000000000Z"),
        ("since:2026-06-01", "time:>=2026-06-01T00:00:00.000000000Z"),
        ("refun* input:\"a b\"", "\"refun\"* input:\"a b\""),
        ("root:true", "root:true"),
    ] {
        assert_eq!(read(text), means, "{text}");
    }
    // Less than an hour ago is behind the moment an hour ago.
    let hour_ago = Value::Time(NOW - 3_600 * SECOND);
    assert_eq!(Query::parse("time:<1h", NOW).unwrap(), Query::Compare(Field::Start, Op::Gt, hour_ago.clone()));
    assert_eq!(Query::parse("since:1h", NOW).unwrap(), Query::Compare(Field::Start, Op::Ge, hour_ago));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, at, found, nearest) in [
        ("modle:x", 0, "modle", Some("model")),
        ("name:a AND tree.lateny:>2s", 16, "lateny", Some("latency")),
        ("name:>a", 5, ">", None),
        ("latency:>fast", 9, "fast", None),
        ("time:>soon", 6, "soon", None),
        ("root:maybe", 5, "maybe", None),
        ("id:7", 3, "7", None),
        ("(name:a", 7, "", None),
        ("name:a)", 6, ")", None),
        ("\"open", 5, "", None),
        ("name:", 5, "", None),
        ("has:nothing", 4, "nothing", None),
        ("metadata.a:>x", 12, "x", None),
    ] {
        let error = Query::parse(text, NOW).unwrap_err();
        assert_eq!((error.at(), error.found(), error.nearest()), (at, found, nearest), "{text}: {error}");
    }
    for (text, at, found, nearest) in [
        ("equ(name, \"a\")", 0, "equ", Some("eq")),
        ("and(eq(nam, \"a\"))", 7, "nam", Some("name")),
        ("eq(latency, \"x\")", 12, "\"x\"", None),
        ("eq(metadata_value, \"x\")", 3, "\"x\"", None),
        ("eq(metadata_key, \"\")", 17, "metadata_key", None),
        ("exists(metadata, \"\")", 0, "exists", None),
        ("like(start_time, \"2026%\")", 5, "start_time", None),
        ("eq(name, \"a\"", 12, "", None),
        ("eq(name, \"a", 11, "", None),
        ("gt(name, \"a\")", 9, "\"a\"", None),
        ("eq(name, \"a\") eq", 14, "eq", None),
    ] {
        let error = Query::parse_langsmith(text).unwrap_err();
        assert_eq!((error.at(), error.found(), error.nearest()), (at, found, nearest), "{text}: {error}");
    }
    let deep = "(".repeat(10_000);
    assert!(Query::parse(&deep, 0).is_err());
    assert!(Query::parse(&"-".repeat(10_000), 0).is_err());
    assert!(Query::parse_langsmith(&"and(".repeat(10_000)).is_err());
    assert!(Query::parse(&"a ".repeat(10_000), 0).is_err());
}

/// Filters as LangSmith's Python SDK 0.14 and its documentation write them.
#[test]
fn langsmiths_filters_mean_what_they_mean_there() {
    for (filter, means) in [
        ("", ""),
        (r#"eq(run_type, "LLM")"#, "type:llm"),
        ("and(gt(latency, 5), lt(total_tokens, 100))", "latency:>5s tokens:<100"),
        (r#"gt(start_time, "2026-06-01T12:34:56Z")"#, "time:>2026-06-01T12:34:56.000000000Z"),
        ("neq(error, null)", "has:error"),
        ("eq(error, true)", "has:error"),
        ("eq(error, False)", "-has:error"),
        (r#"eq(status, "success")"#, "has:end -has:error"),
        (r#"has(tags, "x")"#, "tag:x"),
        (r#"in(name, ["a", 'b'])"#, "name:a OR name:b"),
        (r#"like(name, "%chat%")"#, r#"name:~"*chat*""#),
        (r#"search("out of memory")"#, r#""out of memory""#),
        ("not(eq(is_root, true))", "-root:true"),
        (r#"and(eq(metadata_key, "a"), eq(metadata_value, "b"))"#, "metadata.a:b"),
        (
            r#"and(eq(metadata_key, "a"), eq(metadata_value, "b"), eq(metadata_key, "c"), neq(metadata_value, 5))"#,
            "metadata.a:b -metadata.c:\"5\"",
        ),
        (
            r#"and(in(metadata_key, ["session_id","conversation_id","thread_id"]), eq(metadata_value, "t"))"#,
            "(thread:t OR metadata.session_id:t) OR (thread:t OR metadata.conversation_id:t) OR \
             (thread:t OR metadata.thread_id:t)",
        ),
        (r#"eq(metadata_key, "a")"#, "has:metadata.a"),
        (r#"has(metadata, '{"a": "b", "n": 1}')"#, "metadata.a:b metadata.n:\"1\""),
        (r#"exists(metadata, "a")"#, "has:metadata.a"),
        (r#"and(eq(feedback_key, "good"), gte(feedback_score, 0.5))"#, "score.good:>=0.5"),
        (
            r#"or(eq(name, "it's \"so\""), eq(id, "0190163d-8694-7000-8000-00000000002a"))"#,
            r#"name:"it's \"so\"" OR id:0190163d-8694-7000-8000-00000000002a"#,
        ),
    ] {
        let query = Query::parse_langsmith(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(query.to_string(), means, "{filter}");
    }
}

#[test]
fn every_field_is_known_by_all_its_names() {
    for info in fields() {
        for name in [info.name].iter().chain(info.aliases) {
            let name = if name.ends_with('.') { format!("{name}x") } else { (*name).to_owned() };
            let query = Query::parse(&format!("has:{name}"), 0).unwrap();
            let Query::Exists(field) = &query else { panic!("{query:?}") };
            assert_eq!(field.info(), info);
        }
    }
}
