//! One trace through three processes, and a thousand traces through two.

use std::{collections::HashMap, net::SocketAddr};

use axum::{
    Router,
    extract::{MatchedPath, Path, State},
    routing::get,
};
use traceable::{Run, RunId, integrations::tower::ContinueTraceLayer, scope, testing::Recorder, traceable};

use crate::support::{Http, serve};

#[traceable]
async fn search(word: String) -> String {
    tokio::task::yield_now().await;
    format!("found {word}")
}

#[traceable]
async fn ask(http: Http, next: SocketAddr, path: String) -> String {
    tokio::task::yield_now().await;
    http.get(next, &path).await
}

fn layer() -> ContinueTraceLayer {
    ContinueTraceLayer::new()
        .with_run()
        .route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str))
}

fn last() -> Router {
    Router::new().route("/search/{word}", get(|Path(word): Path<String>| search(word))).layer(layer())
}

fn middle(next: SocketAddr) -> Router {
    Router::new()
        .route(
            "/ask/{word}",
            get(|State(next): State<SocketAddr>, Path(word): Path<String>| {
                ask(Http::new("localhost"), next, format!("/search/{word}"))
            }),
        )
        .layer(layer())
        .with_state(next)
}

fn assert_below(child: &Run, parent: &Run) {
    assert_eq!((child.parent_id, child.trace_id), (Some(parent.id), parent.trace_id), "{}", child.name);
    assert_eq!(child.dotted_order, parent.dotted_order.child(child.start_time, child.id));
    assert!(child.start_time >= parent.start_time);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_through_three_processes_is_one_tree() {
    let recorders = [Recorder::new(), Recorder::new(), Recorder::new()];
    let there = serve(last(), &recorders[2]).await;
    let between = serve(middle(there), &recorders[1]).await;
    let http = Http::new("localhost");
    let said = scope().user("ada").tag("beta");
    let called = said.future(ask(http, between, "/ask/word".to_owned()));
    assert_eq!(recorders[0].scope_future(called).await, "found word");
    let runs: Vec<Run> = recorders.iter().flat_map(Recorder::runs).collect();
    let names: Vec<_> = runs.iter().map(|run| &*run.name).collect();
    assert_eq!(names, ["ask", "GET /ask/{word}", "ask", "GET /search/{word}", "search"]);
    for pair in runs.windows(2) {
        assert_below(&pair[1], &pair[0]);
    }
    for run in &runs {
        assert_eq!((run.user.as_deref(), &*run.tags), (Some("ada"), &["beta".to_owned()][..]), "{}", run.name);
    }
    let request = &runs[1];
    assert_eq!(request.metadata["http.request.method"], "GET");
    assert_eq!(request.metadata["http.route"], "/ask/{word}");
    assert_eq!(request.metadata["http.response.status_code"], 200);
    assert_eq!(runs[2].metadata.get("http.route"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_do_not_mix() {
    #[traceable]
    async fn caller(http: Http, between: SocketAddr, n: usize) -> String {
        http.get(between, &format!("/ask/{n}")).await
    }
    let recorders = [Recorder::new(), Recorder::new(), Recorder::new()];
    let there = serve(last(), &recorders[2]).await;
    let between = serve(middle(there), &recorders[1]).await;
    let http = Http::new("localhost");
    let callers = (0..1000).map(|n| caller(http.clone(), between, n));
    let answers = recorders[0].scope_future(futures::future::join_all(callers)).await;
    assert!(answers.iter().enumerate().all(|(n, answer)| *answer == format!("found {n}")));
    let runs: HashMap<RunId, Run> = recorders.iter().flat_map(Recorder::runs).map(|run| (run.id, run)).collect();
    assert_eq!(runs.len(), 5000);
    let up = |run: &Run| &runs[&run.parent_id.unwrap()];
    let input = |run: &Run, name: &str| run.inputs.as_ref().unwrap().to_value()[name].clone();
    for leaf in runs.values().filter(|run| run.name == "search") {
        let n = input(leaf, "word");
        let request = up(leaf);
        let ask = up(request);
        let root = up(up(ask));
        assert_eq!(input(ask, "path"), format!("/search/{}", n.as_str().unwrap()));
        assert_eq!(input(root, "n").to_string(), n.as_str().unwrap());
        assert_eq!((root.parent_id, leaf.trace_id, leaf.dotted_order.depth()), (None, root.id, 5));
    }
}
