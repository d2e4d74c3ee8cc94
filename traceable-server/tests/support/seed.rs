//! A store with a little of everything: a trace with a call of a model and a tool, one that failed, one that is open.

use serde_json::json;
use traceable_core::model::{
    Attachment, Json, Run, RunChange, RunId, RunType, Score, ScoreSource, ScoreTarget, Status, StreamInfo, Usage,
};

use super::Server;

pub const START: i64 = 1_790_000_000_000_000_000;
const MS: i64 = 1_000_000;

/// The run of this number.
pub fn id(n: u8) -> RunId {
    RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0000 | u128::from(n))
}

/// What a spreadsheet would run.
pub const FORMULA: &str = "=cmd|' /C calc'!A0";

/// What would end a fence of Markdown.
pub const FENCE: &str = "```\n# a heading, outside";

fn run(n: u8, trace: u8, name: &'static str, start_ms: i64, took_ms: Option<i64>) -> Run {
    let start_time = START + start_ms * MS;
    Run {
        id: id(n),
        trace_id: id(trace),
        parent_id: (n != trace).then(|| id(trace)),
        name: name.into(),
        start_time,
        end_time: took_ms.map(|took| start_time + took * MS),
        status: if took_ms.is_some() { Status::Ok } else { Status::Pending },
        project: Some("demo".into()),
        environment: Some("test".into()),
        ..Run::default()
    }
}

pub fn changes() -> Vec<RunChange> {
    let root = Run {
        inputs: Some(Json::from_value(&json!({ "question": "Where is order 7?" }))),
        outputs: Some(Json::from_value(&json!({ "answer": "On its way." }))),
        expected: Some(Json::from_value(&json!({ "answer": "Sent." }))),
        tags: vec!["a".into()],
        metadata: [("region".to_owned(), json!("eu"))].into_iter().collect(),
        thread_id: Some("t-1".into()),
        user: Some("ada".into()),
        attachments: vec![Attachment::bytes("text/plain", b"of the user".to_vec()).named("note.txt")],
        ..run(1, 1, "support", 0, Some(2_000))
    };
    let call =
        json!({ "id": "c1", "type": "function", "function": { "name": "find_order", "arguments": "{\"order\":7}" } });
    let ask = Run {
        run_type: RunType::Llm,
        inputs: Some(Json::from_value(&json!({
            "messages": [
                { "role": "system", "content": "You help." },
                { "role": "user", "content": "Where is order 7?" },
            ],
            "tools": [{ "name": "find_order", "description": "Finds it.", "input_schema": { "type": "object" } }],
        }))),
        outputs: Some(Json::from_value(
            &json!({ "choices": [{ "message": { "role": "assistant", "content": null, "tool_calls": [call] } }] }),
        )),
        provider: Some("openai".into()),
        model: Some("gpt-4o".into()),
        usage: Some(Usage::new(27, 13).with_total_cost(0.002)),
        stream: Some(StreamInfo {
            first_chunk: START + 300 * MS,
            last_chunk: START + 900 * MS,
            chunks: 4,
            raw: Vec::new(),
        }),
        ..run(2, 1, "ask", 100, Some(900))
    };
    let tool = Run {
        run_type: RunType::Tool,
        // Long enough to be kept as a blob.
        inputs: Some(Json::from_value(&json!({ "order": 7, "photo": "QUJD".repeat(1_000) }))),
        outputs: Some(Json::from_value(&json!({ "state": "sent" }))),
        ..run(3, 1, "find_order", 500, Some(1_000))
    };
    let failed = Run {
        inputs: Some(Json::from_value(&json!({ "text": FENCE }))),
        error: Some(format!("no such shop\n{FENCE}")),
        status: Status::Error,
        ..run(4, 4, FORMULA, 10_000, Some(5))
    };
    let open = Run {
        run_type: RunType::Llm,
        inputs: Some(Json::from_value(&json!({ "messages": [{ "role": "user", "content": "And now?" }] }))),
        ..run(5, 5, "still open", 20_000, None)
    };
    let score = Score {
        id: id(0xff),
        target: ScoreTarget::Trace(id(1)),
        key: "good".into(),
        score: Some(0.5),
        value: None,
        label: None,
        comment: Some("half of it".into()),
        correction: None,
        source: ScoreSource::Human,
        user: None,
        time: START + 30_000 * MS,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    };
    let ends = [root, ask, tool, failed].map(|run| RunChange::End(Box::new(run)));
    ends.into_iter().chain([RunChange::Start(Box::new(open)), RunChange::Score(Box::new(score))]).collect()
}

/// Gives it to a server.
pub fn send(server: &Server) {
    let (status, said) = server.post("/api/traceable/v1/changes", &serde_json::to_value(changes()).unwrap());
    assert_eq!(status, 200, "{said}");
}
