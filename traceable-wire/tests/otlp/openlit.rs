//! OpenLIT: its 71 documented attributes, row by row, and what it calls some of them today.

use serde_json::{Value, json};
use traceable_core::model::{Run, RunType};
use traceable_wire::otlp::Convention;

use crate::support::{Sent, chat, json_of, run, span_of};

fn span(run: &Run) -> Sent {
    span_of(run, &[Convention::OpenLit])
}

/// Asserts that each row's attribute is there, with its value.
fn assert_rows(run: &Run, rows: &[(&str, &str, Value)]) {
    let span = span(run);
    for (row, name, value) in rows {
        assert_eq!(span.get(name), *value, "{row}: {name}");
    }
}

/// O21–O29.
#[test]
fn general() {
    let mut run = chat();
    run.metadata.insert("gen_ai.endpoint".into(), "openai.chat".into());
    run.metadata.insert("gen_ai.retrieval.source".into(), "slack".into());
    run.provider = Some("openai".into());
    #[rustfmt::skip]
    assert_rows(&run, &[
        ("O21", "gen_ai.endpoint", json!("openai.chat")),
        ("O22", "gen_ai.system", json!("openai")),
        ("O23", "gen_ai.environment", json!("production")),
        ("O24", "gen_ai.application_name", json!("chatbot_app")),
        ("O25", "gen_ai.operation.name", json!("chat")),
        ("O26", "gen_ai.hub.owner", json!("openai")),
        ("O27", "gen_ai.hub.repo", json!("greeting")),
        ("O28", "gen_ai.retrieval.source", json!("slack")),
        ("O29", "telemetry.sdk.name", json!("openlit")),
    ]);
    for (run_type, word) in [("embedding", "embedding"), ("image", "image"), ("audio", "audio"), ("chain", "framework")]
    {
        assert_eq!(span(&self::run_of(run_type, &json!({}))).get("gen_ai.operation.name"), word, "O25");
    }
    assert_eq!(span(&run).span.kind, 3, "O17");
    assert_eq!(span(&run).span.name, "chat gpt-4o", "O18");
}

fn run_of(run_type: &'static str, inputs: &Value) -> Run {
    run(RunType::from(run_type), inputs, &json!({}))
}

/// O30–O55.
#[test]
fn request() {
    let mut run = chat();
    run.inputs = Some(json_of(&json!({
        "temperature": 0.0, "top_p": 1.0, "top_k": 1.0, "max_tokens": 100, "stream": true, "seed": 42,
        "frequency_penalty": 0.5, "presence_penalty": 0.5, "tool_choice": "auto",
    })));
    run.params.clear();
    #[rustfmt::skip]
    assert_rows(&run, &[
        ("O30", "gen_ai.request.model", json!("gpt-4o")),
        ("O31", "gen_ai.request.temperature", json!(0.0)),
        ("O32", "gen_ai.request.top_p", json!(1.0)),
        ("O33", "gen_ai.request.top_k", json!(1.0)),
        ("O34", "gen_ai.request.max_tokens", json!(100)),
        ("O35", "gen_ai.request.is_stream", json!(true)),
        ("O36", "gen_ai.request.user", json!("user123")),
        ("O37", "gen_ai.request.seed", json!(42)),
        ("O38", "gen_ai.request.frequency_penalty", json!(0.5)),
        ("O39", "gen_ai.request.presence_penalty", json!(0.5)),
        ("O42", "gen_ai.request.tool_choice", json!("auto")),
    ]);
    let embedding = json!({ "input": "cats", "encoding_format": "json", "dimensions": 512 });
    #[rustfmt::skip]
    assert_rows(&run_of("embedding", &embedding), &[
        ("O40", "gen_ai.request.embedding_format", json!("json")),
        ("O41", "gen_ai.request.embedding_dimension", json!(512)),
    ]);
    let speech = json!({ "input": "Hi", "voice": "alto", "audio_response_format": "mp3", "speed": 1.0 });
    #[rustfmt::skip]
    assert_rows(&run_of("audio", &speech), &[
        ("O43", "gen_ai.request.audio_voice", json!("alto")),
        ("O44", "gen_ai.request.audio_response_format", json!("mp3")),
        ("O45", "gen_ai.request.audio_speed", json!(1.0)),
    ]);
    let tuning = json!({
        "fine_tune_status": "running", "suffix": "v2", "validation_file": "val_data.json",
        "training_file": "train_data.json",
        "hyperparameters": { "n_epochs": 4, "learning_rate_multiplier": 0.7, "batch_size": 16 },
    });
    #[rustfmt::skip]
    assert_rows(&run_of("fine_tuning", &tuning), &[
        ("O46", "gen_ai.request.fine_tune_status", json!("running")),
        ("O47", "gen_ai.request.fine_tune_model_suffix", json!("v2")),
        ("O48", "gen_ai.request.fine_tune_n_epochs", json!(4)),
        ("O49", "gen_ai.request.learning_rate_multiplier", json!(0.7)),
        ("O50", "gen_ai.request.fine_tune_batch_size", json!(16)),
        ("O51", "gen_ai.request.validation_file", json!("val_data.json")),
        ("O52", "gen_ai.request.training_file", json!("train_data.json")),
    ]);
    let image = json!({ "prompt": "a cat", "size": "1024x768", "quality": 90, "style": "van_gogh" });
    #[rustfmt::skip]
    assert_rows(&run_of("image", &image), &[
        ("O53", "gen_ai.request.image_size", json!("1024x768")),
        ("O54", "gen_ai.request.image_quality", json!(90)),
        ("O55", "gen_ai.request.image_style", json!("van_gogh")),
    ]);
    let named = json!({ "size": "1024x768", "quality": "hd" });
    assert_eq!(span(&run_of("image", &named)).get("gen_ai.request.image_quality"), "hd", "O54, as OpenAI has it");
}

/// O56–O65.
#[test]
fn response_usage_content() {
    #[rustfmt::skip]
    assert_rows(&chat(), &[
        ("O56", "gen_ai.response.id", json!("resp-456")),
        ("O57", "gen_ai.response.finish_reasons", json!("stop")),
        ("O59", "gen_ai.usage.prompt_tokens", json!(27)),
        ("O60", "gen_ai.usage.completion_tokens", json!(13)),
        ("O61", "gen_ai.usage.total_tokens", json!(40)),
        ("O62", "gen_ai.usage.cost", json!(0.05)),
        ("O63", "gen_ai.prompt", json!("system: Be brief.\nuser: Weather in Paris?\nassistant: weather({\"city\":\"Paris\"})\ntool: sunny")),
        ("O64", "gen_ai.completion", json!("It is sunny.")),
        ("now", "gen_ai.client.token.usage", json!(40)),
        ("now", "gen_ai.server.time_to_first_token", json!(0.25)),
        ("now", "gen_ai.usage.prompt_tokens_details.cached_tokens", json!(20)),
        ("now", "gen_ai.usage.completion_tokens_details.reasoning_tokens", json!(4)),
    ]);
    let answer = json!({ "data": [{ "url": "https://example.com/cat.png", "revised_prompt": "A black cat." }] });
    #[rustfmt::skip]
    assert_rows(&run(RunType::from("image"), &json!({ "prompt": "a cat" }), &answer), &[
        ("O58", "gen_ai.response.image", json!("https://example.com/cat.png")),
        ("O63", "gen_ai.prompt", json!("a cat")),
        ("O65", "gen_ai.content.revised_prompt", json!("A black cat.")),
    ]);
    let function = run("chain", &json!({}), &json!({ "output": "Casablanca" }));
    assert_eq!(span(&function).get("gen_ai.completion"), "Casablanca", "O13, O64");
    assert_eq!(span(&function).span.name, "answer", "O12");
}

/// A call of a vector database, with metadata that says which one and what was done.
fn database(system: &str, operation: &str, inputs: &Value) -> Run {
    let metadata = json!({ "db.system": system, "db.operation": operation });
    let metadata = metadata.as_object().unwrap().clone();
    Run { metadata, ..run("retriever", inputs, &json!({ "ids": [["a"]] })) }
}

/// O66–O82.
#[test]
fn vector_database_queries() {
    let query = json!({
        "collection_name": "user_profiles", "query_texts": ["cats"], "n_results": 15, "where": { "status": "active" },
        "where_document": "age > 30", "limit": 50, "offset": 10, "ids": ["a", "b"], "query_embeddings": [[0.1], [0.3]],
        "namespace": "product_catalog",
    });
    let mut run = database("chroma", "query", &query);
    run.metadata.insert("db.operation.status".into(), "completed".into());
    run.metadata.insert("db.operation.cost".into(), json!(0.5));
    #[rustfmt::skip]
    assert_rows(&run, &[
        ("O25", "gen_ai.operation.name", json!("vectordb")),
        ("O66", "db.system", json!("chroma")),
        ("O67", "db.collection.name", json!("user_profiles")),
        ("O68", "db.operation", json!("query")),
        ("O69", "db.operation.status", json!("completed")),
        ("O70", "db.operation.cost", json!(0.5)),
        ("O71", "db.ids_count", json!(2)),
        ("O72", "db.vector_count", json!(2)),
        ("O76", "db.limit", json!(50)),
        ("O77", "db.offset", json!(10)),
        ("O78", "db.where_document", json!("age > 30")),
        ("O79", "db.filter", json!("{\"status\":\"active\"}")),
        ("O80", "db.statement", json!("[\"cats\"]")),
        ("O81", "db.n_results", json!(15)),
        ("O88", "db.query.namespace", json!("product_catalog")),
        ("now", "db.system.name", json!("chroma")),
        ("now", "db.operation.name", json!("query")),
        ("now", "db.namespace", json!("product_catalog")),
        ("now", "db.query.text", json!("[\"cats\"]")),
        ("now", "db.vector.query.top_k", json!(15)),
    ]);
    assert_eq!(span(&run).span.name, "query user_profiles", "O18");
    let add = json!({ "ids": ["a"], "metadatas": [{}, {}], "documents": ["x"], "payload": [{}] });
    #[rustfmt::skip]
    assert_rows(&database("qdrant", "upsert", &add), &[
        ("O68", "db.operation", json!("upsert")),
        ("O73", "db.metadatas_count", json!(2)),
        ("O74", "db.documents_count", json!(1)),
        ("O75", "db.payload_count", json!(1)),
    ]);
    assert_rows(
        &database("pinecone", "delete", &json!({ "delete_all": true })),
        &[("O82", "db.delete_all", json!(true))],
    );
}

/// O83–O91.
#[test]
fn vector_database_indexes_and_updates() {
    let create = json!({
        "index_name": "user_index", "index_dimension": 128, "dimension": 128, "metric": "euclidean",
        "spec": "type: kd-tree; leaf_size: 40",
    });
    #[rustfmt::skip]
    assert_rows(&database("pinecone", "create_index", &create), &[
        ("O83", "db.index.name", json!("user_index")),
        ("O84", "db.index.dimension", json!(128)),
        ("O85", "db.collection.dimension", json!(128)),
        ("O86", "db.create_index.metric", json!("euclidean")),
        ("O87", "db.create_index.spec", json!("type: kd-tree; leaf_size: 40")),
    ]);
    let update = json!({
        "id": "product123", "set_metadata": "category: electronics", "values": { "price": "99.99" },
        "namespace": "product_catalog",
    });
    #[rustfmt::skip]
    assert_rows(&database("pinecone", "update", &update), &[
        ("O88", "db.query.namespace", json!("product_catalog")),
        ("O89", "db.update.metadata", json!("category: electronics")),
        ("O90", "db.update.values", json!("{\"price\":\"99.99\"}")),
        ("O91", "db.update.id", json!("product123")),
    ]);
}

/// Whatever the documentation names can be said by its own name.
#[test]
fn what_is_said_by_its_own_name_wins() {
    let mut run = database("milvus", "query", &json!({ "limit": 5 }));
    run.metadata.insert("db.limit".into(), json!(7));
    run.metadata.insert("db.vector_count".into(), json!(320));
    let span = span(&run);
    assert_eq!((span.get("db.limit"), span.get("db.vector_count")), (json!(7), json!(320)));
}

/// O14: metadata of one's own.
#[test]
fn metadata_is_an_attribute_of_its_own() {
    let mut run = chat();
    run.metadata.insert("attempt".into(), json!(2));
    assert_eq!(span(&run).get("attempt"), 2);
}
