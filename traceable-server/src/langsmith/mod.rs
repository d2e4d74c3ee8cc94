//! LangSmith's protocol, as its SDKs for Python 0.14.17 and JavaScript 0.10.5 speak it: what they send, and what they read
//! back.

mod ask;
mod feedback;
mod ingest;
mod projects;
mod query;
mod view;

use axum::{Json, http::Method};
use serde_json::{Value, json};

use crate::http::Table;

/// Where a client's base address may end.
const PREFIXES: [&str; 3] = ["", "/api/v1", "/api"];

pub(crate) fn routes(table: &mut Table) {
    let (get, post, patch) = (Method::GET, Method::POST, Method::PATCH);
    let all = &PREFIXES;
    table.add_below(all, &get, "/info", &info);
    table.add_below(all, &post, "/runs/multipart", &ingest::multipart);
    table.add_below(all, &post, "/runs/batch", &ingest::batch);
    table.add_below(all, &post, "/runs", &ingest::post);
    table.add_below(all, &patch, "/runs/{id}", &ingest::patch);
    table.add_below(all, &get, "/runs/{id}", &ask::run);
    table.add_below(all, &post, "/runs/query", &ask::query);
    table.add_below(all, &post, "/runs/stats", &ask::stats);
    table.add(&get, "/api/v2/runs/{id}/url", ask::url);
    // What the SDKs make of the address of a viewer, without asking.
    table.add_below(all, &get, "/blobs/{hash}", &ask::blob);
    table.add_below(all, &post, "/feedback", &feedback::post);
    table.add_below(all, &get, "/feedback", &feedback::list);
    table.add_below(all, &get, "/feedback/{id}", &feedback::get);
    table.add_below(all, &patch, "/feedback/{id}", &feedback::patch);
    table.add_below(all, &Method::DELETE, "/feedback/{id}", &feedback::delete);
    table.add_below(all, &get, "/sessions", &projects::list);
    table.add_below(all, &post, "/sessions", &projects::create);
    table.add_below(all, &get, "/sessions/{id}", &projects::get);
    table.add_below(all, &get, "/settings", &projects::settings);
}

/// What makes the SDKs take the best way: multipart bodies, by Zstandard from Python and by gzip from JavaScript.
async fn info() -> Json<Value> {
    Json(json!({
        "version": "0.18.0",
        "license_expiration_time": null,
        "instance_flags": {
            "zstd_compression_enabled": true,
            "gzip_body_enabled": true,
            // With both, a run's address is asked for, and need not be guessed without the port.
            "ch_query_enabled": true,
            "sdb_query_enabled": true,
        },
        "batch_ingest_config": {
            "use_multipart_endpoint": true,
            "size_limit": 100,
            "size_limit_bytes": 20_971_520,
            "scale_up_qsize_trigger": 1000,
            "scale_up_nthreads_limit": 16,
            "scale_down_nempty_trigger": 4,
        },
    }))
}
