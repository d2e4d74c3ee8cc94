//! Switching tracing on: by `init`, or by the environment at the first traced call.

use std::{error::Error as _, sync::Once};

use traceable_core::{
    EnteredRun, RunBuilder, Scope,
    runtime::{self, Builder, InitError},
};

/// Settings from the environment, and the destinations that it names; more can be added before `init`.
///
/// `TRACEABLE_EXPORT` names destinations, divided by commas: `local` (this machine), `console`, `jsonl:` with a path,
/// `langsmith`, `otlp` (OpenTelemetry), and `traceable` for the server at `TRACEABLE_ENDPOINT`. Where it names none,
/// `TRACEABLE_ENDPOINT` alone names that server, `LANGSMITH_TRACING=true` with a key names LangSmith, and
/// `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names OpenTelemetry's collector. With
/// `TRACEABLE=off` there are none, and `init` leaves tracing off.
///
/// Single destinations can be given less, also where the environment names them:
///
/// ```
/// use traceable::Redaction;
///
/// traceable::builder()?
///     .filter_for("langsmith", |run| !run.tags.iter().any(|tag| tag == "internal"))
///     .redaction_for("langsmith", Redaction::default().emails().pattern(r"\bcase-[0-9]{6}\b"))
///     .init()?;
/// # Ok::<(), traceable::InitError>(())
/// ```
///
/// Of two destinations of one kind, each has its own `filter` and `redact` (of
#[cfg_attr(feature = "spool", doc = "[`Remote`](crate::delivery::Remote) and")]
/// [`Exporter`](crate::export::Exporter)).
///
/// Where runs go to OpenTelemetry and no variable of ours or of LangSmith's names a share of traces,
/// [`OTEL_TRACES_SAMPLER`](Builder::otel_sampler) does.
///
/// # Errors
///
/// When a variable's value is not of its form, or a destination cannot be opened; the error says which.
pub fn builder() -> Result<Builder, InitError> {
    with(&destinations())
}

/// Switches tracing on, with settings and destinations from the environment. See [`builder`]. Where no destination is
/// named, runs go to the console and are kept on this machine.
///
/// Never fails and never panics: should tracing not be possible, one line on standard error says why, and the program
/// runs without. `TRACEABLE=off` leaves tracing off.
pub fn init() {
    if let Err(error) = try_init()
        && !error.is_already_on()
    {
        match error.source() {
            Some(source) => runtime::say(format_args!("tracing stays off: {error}: {source}")),
            None => runtime::say(format_args!("tracing stays off: {error}")),
        };
    }
}

/// As [`init`], for programs that want to know.
///
/// # Errors
///
/// When a variable's value is not of its form, when a destination cannot be opened, when a thread cannot be started, or
/// when tracing is on already.
pub fn try_init() -> Result<(), InitError> {
    if runtime::switch() == Some(false) {
        runtime::switch_off();
        return Ok(());
    }
    let named = destinations();
    let mut builder = with(&named)?;
    if named.is_empty() {
        // The variable may be meant for others in this process, so it is spoken of only where nobody says anything.
        if let (Some(variable), false) = (names_otlp(), cfg!(feature = "otlp")) {
            unheard(variable, "otlp");
        }
        builder = BY_DEFAULT.iter().try_fold(builder, |builder, name| add(builder, name))?;
    }
    builder.init()
}

/// Where runs go when nobody says so.
const BY_DEFAULT: &[&str] = &[
    #[cfg(feature = "console")]
    "console",
    #[cfg(feature = "spool")]
    "local",
];

/// Sends what processes of this program left in the spools of this machine that have died, to the destinations that the
/// environment names (see [`builder`]), and waits until all is acknowledged, until no destination takes anything, or for
/// `timeout`. What LangSmith's SDKs for Python and JavaScript left in `LANGSMITH_FAILED_TRACES_DIR` goes along.
///
/// A program that traces does this by itself, as it goes on; this is for one that must know that nothing is left, such as a
/// job that ends. It needs no `init`, and blocks. More can be said by [`Builder::drain`], also that what was meant for
/// another destination is to be sent to this one.
///
/// ```
/// use std::time::Duration;
///
/// let drained = traceable::drain(Duration::from_secs(10))?;
/// println!("{} sent, {} refused, {} pending", drained.sent, drained.refused, drained.pending());
/// for left in &drained.left {
///     println!("{} records wait for {}: {}", left.records, left.destination, left.why);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When a variable's value is not of its form, when what delivers cannot be started, or when the spools cannot be read.
#[cfg(feature = "spool")]
pub fn drain(timeout: std::time::Duration) -> std::io::Result<runtime::Drained> {
    let builder = builder().map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error))?;
    builder.drain().within(timeout).run()
}

/// Settings from the environment, and these destinations.
fn with(destinations: &[String]) -> Result<Builder, InitError> {
    let mut builder = Builder::from_env()?;
    // These variables are often meant for another library of the program: they count where its backend is ours, too.
    if destinations.iter().any(|name| name == "otlp") {
        builder = builder.otel_sampler();
    }
    destinations.iter().try_fold(builder, |builder, name| add(builder, name))
}

/// The destinations that the environment names.
fn destinations() -> Vec<String> {
    if runtime::switch() == Some(false) {
        return Vec::new();
    }
    let named = std::env::var("TRACEABLE_EXPORT").unwrap_or_default();
    if named.trim().is_empty() {
        implied().into_iter().map(str::to_owned).collect()
    } else {
        named.split(',').map(|name| name.trim().to_owned()).collect()
    }
}

/// The destination that other variables mean where `TRACEABLE_EXPORT` says nothing: our own first, then a peer's.
fn implied() -> Option<&'static str> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let traces_to_langsmith =
        ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING"]
            .into_iter()
            .any(|name| std::env::var(name).is_ok_and(|value| value.trim().eq_ignore_ascii_case("true")));
    let has_key = ["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"]
        .into_iter()
        .chain(["LANGSMITH_RUNS_ENDPOINTS", "LANGCHAIN_RUNS_ENDPOINTS"])
        .any(is_set);
    if is_set("TRACEABLE_ENDPOINT") {
        if cfg!(feature = "remote") {
            return Some("traceable");
        }
        unheard("TRACEABLE_ENDPOINT", "remote");
    }
    match (traces_to_langsmith, has_key) {
        (true, true) if cfg!(feature = "langsmith") => return Some("langsmith"),
        (true, true) => unheard("LANGSMITH_TRACING", "langsmith"),
        (true, false) if cfg!(feature = "langsmith") => {
            runtime::say(format_args!(
                "LANGSMITH_TRACING is on, but no key is there: make one at https://smith.langchain.com under Settings, and \
                 set LANGSMITH_API_KEY; until then no run goes to LangSmith"
            ));
        }
        _ => {}
    }
    #[cfg(feature = "otlp")]
    if names_otlp().is_some() {
        // They may be meant for others in this process: what cannot be done here is no reason to leave tracing off.
        match traceable_exporters::Otlp::from_env() {
            Ok(otlp) => return otlp.map(|_| "otlp"),
            Err(error) => runtime::say(format_args!("no run goes to OpenTelemetry: {error}")),
        };
    }
    None
}

/// The variable that names a place for OpenTelemetry's spans, unless others say that there are to be none.
fn names_otlp() -> Option<&'static str> {
    let says = |name| std::env::var(name).unwrap_or_default().trim().to_ascii_lowercase();
    let exporters = says("OTEL_TRACES_EXPORTER");
    let is_off = says("OTEL_SDK_DISABLED") == "true"
        || !(exporters.is_empty() || exporters.split(',').any(|exporter| exporter.trim() == "otlp"));
    let names = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    names.into_iter().find(|name| !is_off && !says(name).is_empty())
}

/// Says that a variable asks for what this program is not built with.
fn unheard(variable: &str, feature: &str) {
    runtime::say(format_args!(
        "{variable} is set, but this program is built without the feature `{feature}` of `traceable`, so no run goes there"
    ));
}

/// Adds a destination by its name.
#[allow(clippy::needless_pass_by_value, reason = "only without destinations is the builder not passed on")]
fn add(builder: Builder, name: &str) -> Result<Builder, InitError> {
    #[cfg(feature = "console")]
    if name == "console" {
        let console = traceable_exporters::Console::new();
        #[cfg(feature = "spool")]
        let console = match traceable_core::spool::data_home() {
            Ok(home) => console.viewer(home),
            Err(_) => console,
        };
        return Ok(builder.exporter(console));
    }
    #[cfg(feature = "spool")]
    if name == "local" {
        return Ok(builder.local(true));
    }
    #[cfg(feature = "jsonl")]
    if let Some(path) = name.strip_prefix("jsonl:") {
        let file = traceable_exporters::JsonLines::append(path);
        return Ok(builder.exporter(file.map_err(|error| InitError::destination(name, error))?));
    }
    #[cfg(feature = "langsmith")]
    if name == "langsmith" {
        let all = traceable_exporters::LangSmith::all_from_env();
        let all = all.map_err(|error| InitError::destination(name, error.into()))?;
        return Ok(all.into_iter().fold(builder, Builder::remote));
    }
    #[cfg(feature = "otlp")]
    if name == "otlp" {
        let otlp = traceable_exporters::Otlp::from_env();
        let otlp = otlp.map_err(|error| InitError::destination(name, error.into()))?;
        return Ok(otlp.into_iter().fold(builder, Builder::remote));
    }
    #[cfg(feature = "remote")]
    if name == "traceable" {
        let server = traceable_exporters::Traceable::from_env();
        return Ok(builder.remote(server.map_err(|error| InitError::destination(name, error.into()))?));
    }
    drop(builder);
    Err(InitError::unknown_destination(name))
}

/// A run of this name, to be begun by hand: for what no function stands for.
///
/// ```
/// let answer = traceable::run("guess").run_type("llm").input("question", "which film?").call(|guess| {
///     guess.add_metadata("attempt", &1);
///     "The Godfather"
/// });
/// # assert_eq!(answer, "The Godfather");
/// ```
#[track_caller]
pub fn run(name: impl AsRef<str>) -> RunBuilder {
    runtime::ask(BOOT);
    traceable_core::run(name)
}

/// Begins a run of this name and makes it the current one until the answer is dropped. For code without an `.await`;
/// elsewhere use [`run`] with [`RunBuilder::future`].
///
/// ```
/// let trace = traceable::start_trace("guess the film");
/// // Runs that begin here are parts of it.
/// trace.set_result("The Godfather");
/// trace.add_metadata("attempt", &1);
/// ```
#[track_caller]
#[must_use = "dropped, the run ends"]
pub fn start_trace(name: impl AsRef<str>) -> EnteredRun {
    run(name).enter()
}

/// Says something of all runs that begin in a stretch of code, and of all below them.
///
/// ```
/// # fn answer(_: &str) {}
/// traceable::scope().thread("conversation-7").user("ada@example.com").tag("beta").call(|| {
///     // Every run that begins here belongs to this conversation and this user.
///     answer("why?");
/// });
/// ```
pub fn scope() -> Scope {
    runtime::ask(BOOT);
    traceable_core::scope()
}

/// Called by the first traced call of a process that has not called `init`.
pub const BOOT: fn() = || {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if runtime::switch() == Some(true) {
            init();
        }
    });
};
