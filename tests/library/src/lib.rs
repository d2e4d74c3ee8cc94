//! All that a library may call, which must compile with and without the feature `enable`.
#![allow(clippy::missing_panics_doc, clippy::needless_borrows_for_generic_args, reason = "all is called in every way")]

use std::{future::Future, sync::Arc, time::Duration};

use traceable::{
    ActiveRun, Attached, Attachment, Client, Context, Current, Entered, EnteredRun, Feedback, Flushed, Fold, InRun,
    InRunExt as _, InScope, Parent, Record, RunBuilder, RunId, Scope, ScoreSource, ScoreTarget, Secret, Status, Target,
    ThreadRecord, Usage, UserRecord, traceable,
};

/// Answers what it is given.
#[traceable(run_type = "tool", tags = ["library"], metadata(more = n), parent = parent, enabled = n > 0)]
pub fn attributed(parent: &Context, n: u32) -> Result<u32, String> {
    parent.id().map_or(Ok(n), |_| Err("the library is in a program that traces".to_owned()))
}

/// A reducer.
#[must_use]
pub fn reducer() -> Fold<u32, impl FnMut(&mut u32, &u32)> {
    traceable::fold(0, |sum: &mut u32, n: &u32| *sum += n)
}

/// Everything that the handle to the current run takes.
pub fn says(run: Current, usage: &Usage, file: &Attachment) {
    run.add_metadata("k", &1);
    run.add_tag("tag");
    run.add_tags(["tag"]);
    run.add_event("event", &());
    run.set_usage(usage);
    run.set_outputs(&"output");
    run.set_result(&"result");
    run.set_inputs(&"input");
    run.set_metadata(&"metadata");
    run.set_expected(&"expected");
    run.add_variable("name", &"value");
    run.set_model("openai", "gpt-4o");
    run.set_cost(0.5);
    run.set_raw_stream("text");
    run.set_time_to_first_token(Duration::from_millis(1));
    run.set_prompt(Some("prompt"), None);
    run.set_run_type("llm");
    run.set_status(Status::Ok);
    run.set_thread("thread");
    run.set_session("session");
    run.set_environment("test");
    run.set_user("user");
    run.set_error("error");
    run.set_name("name");
    run.attach("file", file);
    let _: (bool, Option<RunId>, Option<RunId>) = (run.is_recording(), run.id(), run.trace_id());
    let _: Vec<(&'static str, String)> = run.headers();
    let _: Context = run.context();
    let _: RunBuilder = run.child("child");
}

/// Everything that a run by hand takes before it begins.
pub fn builds(context: &Context, current: Current, above: &ActiveRun, client: Client) -> RunBuilder {
    traceable::run("run")
        .name("name")
        .name(String::from("name"))
        .run_type("llm")
        .input("name", &1)
        .inputs(&[1])
        .metadata("k", "v")
        .tag("tag")
        .tags(["tag"])
        .provider("openai")
        .model("gpt-4o")
        .expected(&1)
        .variable("name", &1)
        .prompt("prompt")
        .deployment("deployment")
        .project("project")
        .thread("thread")
        .session("session")
        .user("user")
        .environment("test")
        .release("1.0.0")
        .parent(context)
        .parent(context.clone())
        .parent(current)
        .parent(&current)
        .parent(above)
        .parent(Parent::from(context))
        .client(client)
        .enabled(true)
}

/// Everything that a run by hand begins as.
///
/// # Errors
///
/// Never.
pub async fn begins(builder: impl Fn() -> RunBuilder) -> Result<u32, String> {
    builder().future(async {}).await;
    builder().try_future(async { Ok::<_, String>(1) }).await?;
    let answer = builder().call(|run: &ActiveRun| run.is_recording());
    assert!(!answer || traceable::is_enabled());
    {
        let entered: EnteredRun = builder().enter();
        entered.end();
        let trace: EnteredRun = traceable::start_trace("trace");
        trace.add_tag("tag");
    }
    builder().try_call(|_| Ok::<_, String>(1))
}

/// Everything that a run by hand takes.
pub fn runs(run: &ActiveRun) -> impl Future<Output = ()> + use<> {
    run.end();
    run.end_with(&1);
    run.fail("error");
    let _: bool = run.is_ended();
    drop::<Attached<'_>>(run.enter());
    run.scope(|| ());
    let _: Context = run.context();
    let _: Vec<(&'static str, String)> = run.headers();
    let _: RunBuilder = run.child("child");
    let polled: InRun<_> = run.future(async {});
    polled
}

/// Everything that a scope takes.
pub fn scopes(context: &Context, current: Current, above: &ActiveRun, client: Client) -> Scope {
    traceable::scope()
        .project("project")
        .thread("thread")
        .session(String::from("session"))
        .user("user")
        .environment("test")
        .release("1.0.0")
        .tag("tag")
        .tags(["tag"])
        .metadata("k", &1)
        .parent(context)
        .parent(current)
        .parent(above)
        .client(client)
        .enabled(true)
        .run_name("name")
}

/// Everything that a scope is for.
pub fn scoped(scope: impl Fn() -> Scope) -> InScope<impl Future<Output = ()>> {
    scope().call(|| ());
    drop::<Entered<'static>>(scope().enter());
    scope().future(async {})
}

/// Everything that is done with a context.
pub fn carries(headers: &[(&str, &str)]) -> InRun<InRun<impl Future<Output = ()>>> {
    let context = Context::from_headers(headers.iter().copied());
    drop(Context::from_headers([(String::new(), Vec::<u8>::new())]));
    let _: (bool, Option<RunId>, Vec<(&'static str, String)>) = (context.is_none(), context.id(), context.headers());
    drop(context.attach());
    context.scope(|| ());
    traceable::wrap(|| ())();
    drop(Context::current());
    async {}.in_current_run().in_run(context)
}

/// Everything that is said beside runs.
pub fn scores(run: Option<RunId>, current: Current, active: &ActiveRun, file: &Attachment) {
    let feedback = |target: Target| -> Feedback { traceable::feedback(target, "stars") };
    let score = feedback(Target::from(current))
        .score(1)
        .score(true)
        .score(0.5)
        .value(&1)
        .label("good")
        .thumbs("THUMBS_UP")
        .comment("comment")
        .correction(&1)
        .source(ScoreSource::Human)
        .user("user")
        .tag("tag")
        .metadata("k", &1);
    let _: Option<RunId> = score.send();
    traceable::feedback(&current, "stars").send();
    traceable::feedback(active, "stars").send();
    traceable::feedback(ScoreTarget::Thread("thread".into()), "stars").send();
    if let Some(run) = run {
        traceable::feedback(run, "stars").id(run).send();
        traceable::feedback(ScoreTarget::Run(run), "stars").send();
        traceable::attach_to(run, file);
        traceable::scope().run_id(run).call(|| ());
        drop(traceable::run("run").id(run).start());
    }
    let thread: ThreadRecord = traceable::thread("thread").name("name").user("user").tag("tag").metadata("k", &1);
    thread.send();
    let user: UserRecord = traceable::user("user").metadata("k", &1);
    user.send();
}

/// Files and values of every kind.
#[must_use]
pub fn values() -> (Attachment, Usage, Secret<&'static str>) {
    let bytes: Arc<[u8]> = Arc::from([1]);
    let _ = Attachment::bytes("image/png", bytes);
    let _ = Attachment::bytes("image/png", b"png");
    let _ = Attachment::path("image/png", "/tmp/a.png");
    let _ = Attachment::url("image/png", "https://example.com/a.png");
    let usage =
        Usage::new(1, 2).with_input_detail("cache_read", 1).with_output_detail("reasoning", 1).with_total_cost(0.1);
    let secret = Secret::new("secret");
    assert_eq!((secret.expose(), format!("{secret} {secret:?}")), (&"secret", "[redacted] [redacted]".to_owned()));
    (Attachment::bytes("image/png", vec![1]).named("a"), usage, Secret::from("secret"))
}

/// A value of the library's own.
pub fn records(value: &impl Record) {
    traceable::current().add_metadata("value", value);
}

/// What a program does at its end.
pub async fn ends() -> [Flushed; 3] {
    traceable::init();
    let second = Duration::from_secs(1);
    [traceable::flush(second).await, traceable::flush_blocking(second), traceable::shutdown(second)]
}
