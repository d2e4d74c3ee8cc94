//! A program whose runs have all that a viewer of traces shows. It prints the ids of its runs by their names.
//!
//! Run by `scripts/long/phoenix`, which looks at them in somebody else's viewer.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use serde_json::{Value, json};
use traceable::{ActiveRun, Usage, run, scope};

fn said(ids: &mut Value, name: &str, run: &ActiveRun) {
    ids[name] = json!(run.id().unwrap().to_string());
}

fn main() {
    traceable::init();
    let mut ids = json!({});
    let scope = scope().thread("conversation-7").user("ada").tags(["eu", "beta"]).metadata("tier", "gold");
    scope.call(|| {
        run("serve").input("question", "How is the weather in Paris?").call(|root| {
            said(&mut ids, "serve", root);
            ask(&mut ids);
            look_up(&mut ids);
            fail(&mut ids);
            root.set_result("It is sunny.");
        });
    });
    println!("{ids}");
}

fn ask(ids: &mut Value) {
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "How is the weather in Paris?" },
        { "role": "assistant", "content": null, "tool_calls": [
            { "id": "call-1", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } },
        ] },
        { "role": "tool", "tool_call_id": "call-1", "content": "sunny" },
    ]);
    let model = run("ask the model").run_type("llm").provider("openai").model("gpt-4o");
    model.inputs(&json!({ "model": "gpt-4o", "temperature": 0.2, "messages": messages })).call(|run| {
        said(ids, "ask the model", run);
        run.set_outputs(&json!({
            "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": "It is sunny." } }],
        }));
        run.set_usage(&Usage::new(27, 13).with_input_detail("cache_read", 20).with_total_cost(0.05));
    });
}

fn look_up(ids: &mut Value) {
    run("look up").run_type("retriever").input("query", "Paris").call(|run| {
        said(ids, "look up", run);
        run.set_outputs(&json!([{ "page_content": "Paris is in France.", "metadata": { "source": "atlas" } }]));
    });
}

fn fail(ids: &mut Value) {
    let _: Result<(), _> = run("measure").run_type("tool").input("city", "Paris").try_call(|run| {
        said(ids, "measure", run);
        Err("TimeoutError: no answer within 3 s")
    });
}
