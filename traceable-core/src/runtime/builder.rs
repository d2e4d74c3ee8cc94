//! Switching tracing on and off.

#[cfg(feature = "spool")]
use std::sync::Arc;
use std::{borrow::Cow, fmt, time::Duration};

#[cfg(feature = "spool")]
use super::spooled::{
    SpoolMode, Spooled,
    settings::{self, Wishes},
};
use super::{
    DEFAULT_MAX_BYTES, Overflow, Pipeline,
    clients::{ClientSet, Defaults},
    counters::{self, Stats},
    destination::Destination,
    exit,
    flush::{Flushed, flush_blocking},
    gate::{self, Sampler},
};
#[cfg(feature = "redaction")]
use crate::redact::{PatternError, Redaction};
#[cfg(feature = "spool")]
use crate::{delivery::Remote, restrict::Target, spool::Durability};
use crate::{
    export::Exporter,
    redact::{Content, Hidden, Privacy},
    restrict::{Filters, MAX_FILTERED, Restrictions},
    runtime::restricted::rules,
};

/// Settings of the process's tracing.
///
/// ```no_run
/// # use traceable_core::runtime::Builder;
/// # struct MyExporter;
/// # impl traceable_core::export::Exporter for MyExporter {
/// #     fn name(&self) -> &str { "mine" }
/// #     fn export<'a>(&'a mut self, _: &'a traceable_core::export::Batch)
/// #         -> traceable_core::export::BoxFuture<'a, Result<traceable_core::export::Ack, traceable_core::export::ExportError>> {
/// #         Box::pin(std::future::ready(Ok(Default::default())))
/// #     }
/// # }
/// Builder::new().exporter(MyExporter).sample_rate(0.1).init()?;
/// # Ok::<(), traceable_core::runtime::InitError>(())
/// ```
#[must_use = "nothing happens before `init`"]
pub struct Builder {
    off: bool,
    exporters: Vec<Box<dyn Exporter>>,
    /// What destinations are given less, by their names.
    pub(super) restrictions: Vec<(String, Restrictions)>,
    #[cfg(feature = "spool")]
    remotes: Vec<Arc<dyn Remote>>,
    #[cfg(feature = "spool")]
    spool: Wishes,
    /// `None` where nobody has said it.
    sample_rate: Option<f64>,
    keep_errors: bool,
    max_bytes: usize,
    overflow: Overflow,
    exit_timeout: Duration,
    panic_hook: bool,
    defaults: Defaults,
    content: Content,
    hidden: Hidden,
    #[cfg(feature = "redaction")]
    redaction: Redaction,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exporters: Vec<&str> = self.exporters.iter().map(|exporter| exporter.name()).collect();
        let mut f = f.debug_struct("Builder");
        #[cfg(feature = "spool")]
        f.field("remotes", &self.remotes.iter().map(|remote| remote.identity()).collect::<Vec<_>>());
        f.field("off", &self.off)
            .field("exporters", &exporters)
            .field("sample_rate", &self.sample_rate)
            .field("keep_errors", &self.keep_errors)
            .field("max_bytes", &self.max_bytes)
            .field("overflow", &self.overflow)
            .field("exit_timeout", &self.exit_timeout)
            .field("panic_hook", &self.panic_hook)
            .field("defaults", &self.defaults)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// No destination, every trace, 16 MiB, callers that wait for the spool on overflow, two seconds at the end of the process, credentials redacted.
    pub fn new() -> Self {
        Self {
            off: false,
            exporters: Vec::new(),
            restrictions: Vec::new(),
            #[cfg(feature = "spool")]
            remotes: Vec::new(),
            #[cfg(feature = "spool")]
            spool: Wishes::default(),
            sample_rate: None,
            keep_errors: false,
            max_bytes: DEFAULT_MAX_BYTES,
            overflow: Overflow::default(),
            exit_timeout: Duration::from_secs(2),
            panic_hook: true,
            defaults: Defaults::default(),
            content: Content::default(),
            hidden: Hidden::default(),
            #[cfg(feature = "redaction")]
            redaction: Redaction::default(),
        }
    }

    /// Takes the settings that environment variables make; a variable that cannot be read is named in an error.
    ///
    /// - `TRACEABLE`, else `LANGSMITH_TRACING`: `off` leaves tracing off, whatever is said here
    /// - `TRACEABLE_SAMPLE_RATE`, else `LANGSMITH_TRACING_SAMPLING_RATE`: between 0 and 1
    /// - `TRACEABLE_SAMPLE_KEEP_ERRORS`: `on` or `off`
    /// - `TRACEABLE_PROJECT`, else `LANGSMITH_PROJECT`
    /// - `TRACEABLE_ENVIRONMENT`, else `OTEL_DEPLOYMENT_ENVIRONMENT`, else `LITERAL_ENV`
    /// - `TRACEABLE_RELEASE`, else `LANGSMITH_REVISION_ID`
    /// - `TRACEABLE_MAX_BYTES`: bytes
    /// - `TRACEABLE_OVERFLOW`: `spill`, `drop`, or `block:` and milliseconds
    /// - `TRACEABLE_HOME`: the folder of the spool and of all other files of this library
    /// - `TRACEABLE_SPOOL`: `background`, or `inline`
    /// - `TRACEABLE_SPOOL_MAX_BYTES`: bytes of the spool, such as `1GiB`
    /// - `TRACEABLE_DURABILITY`: `process`, `periodic:` and milliseconds, or `every`
    /// - `TRACEABLE_KEEP`: how long runs are kept on this machine, such as `24h`; `TRACEABLE_KEEP_BYTES`: and how many bytes
    /// - `TRACEABLE_EXIT_FLUSH`: milliseconds
    /// - `TRACEABLE_CAPTURE_CONTENT`: `full`, `redacted` or `none`; else `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`,
    ///   of which `false` is `none`
    /// - `LANGSMITH_HIDE_INPUTS`, `LANGSMITH_HIDE_OUTPUTS`, `LANGSMITH_HIDE_METADATA`: `true` leaves that part out
    ///
    /// # Errors
    ///
    /// When a variable's value is not of its form; the error names the variable, the value and the form.
    pub fn from_env() -> Result<Self, InitError> {
        let mut builder = Self { off: switch() == Some(false), ..Self::new() };
        if let Some(rate) = read("TRACEABLE_SAMPLE_RATE", "a number between 0 and 1", parse_rate)? {
            builder.sample_rate = Some(rate);
        } else if let Some(rate) = read("LANGSMITH_TRACING_SAMPLING_RATE", "a number between 0 and 1", parse_rate)? {
            builder.sample_rate = Some(rate);
        }
        if let Some(keep) = read("TRACEABLE_SAMPLE_KEEP_ERRORS", "`on` or `off`", parse_switch)? {
            builder.keep_errors = keep;
        }
        let text = |text: &str| Some(text.to_owned());
        if let Some(project) = read("TRACEABLE_PROJECT", "a name", text)? {
            builder.defaults.project = Some(project.into());
        } else if let Some(project) = read("LANGSMITH_PROJECT", "a name", text)? {
            builder.defaults.project = Some(project.into());
        }
        for name in ["TRACEABLE_ENVIRONMENT", "OTEL_DEPLOYMENT_ENVIRONMENT", "LITERAL_ENV"] {
            let named = read(name, "a name", text)?;
            builder.defaults.environment = builder.defaults.environment.or(named);
        }
        for name in ["TRACEABLE_RELEASE", "LANGSMITH_REVISION_ID"] {
            let named = read(name, "a version", text)?;
            builder.defaults.release = builder.defaults.release.or(named);
        }
        if let Some(bytes) = read("TRACEABLE_MAX_BYTES", "a number of bytes", |text| text.parse().ok())? {
            builder.max_bytes = bytes;
        }
        if let Some(overflow) =
            read("TRACEABLE_OVERFLOW", "`spill`, `drop`, or `block:` and milliseconds", parse_overflow)?
        {
            builder.overflow = overflow;
        }
        #[cfg(feature = "spool")]
        builder.read_spool()?;
        if let Some(millis) = read("TRACEABLE_EXIT_FLUSH", "a number of milliseconds", |text| text.parse().ok())? {
            builder.exit_timeout = Duration::from_millis(millis);
        }
        if let Some(content) = read("TRACEABLE_CAPTURE_CONTENT", "`full`, `redacted` or `none`", parse_content)? {
            builder.content = content;
        } else if read(OTEL_CONTENT, "`true` or `false`", parse_switch)? == Some(false) {
            builder.content = Content::None;
        }
        let hides = |name| read(name, "`true` or `false`", parse_switch).map(|hides| hides == Some(true));
        builder.hidden = Hidden {
            inputs: hides("LANGSMITH_HIDE_INPUTS")?,
            outputs: hides("LANGSMITH_HIDE_OUTPUTS")?,
            metadata: hides("LANGSMITH_HIDE_METADATA")?,
        };
        Ok(builder)
    }

    #[cfg(feature = "spool")]
    fn read_spool(&mut self) -> Result<(), InitError> {
        const BYTES: &str = "a number of bytes, with `KiB`, `MiB` or `GiB` where that is meant";
        const TIME: &str = "a number with `s`, `m`, `h` or `d`";
        let spool = &mut self.spool;
        if let Some(mode) = read("TRACEABLE_SPOOL", "`background` or `inline`", settings::parse_mode)? {
            spool.mode = mode;
        }
        let form = "`process`, `every`, or `periodic:` and milliseconds";
        if let Some(durability) = read("TRACEABLE_DURABILITY", form, settings::parse_durability)? {
            spool.durability = durability;
        }
        spool.max_bytes = read("TRACEABLE_SPOOL_MAX_BYTES", BYTES, settings::parse_bytes)?;
        spool.keep = read("TRACEABLE_KEEP", TIME, settings::parse_time)?;
        spool.keep_bytes = read("TRACEABLE_KEEP_BYTES", BYTES, settings::parse_bytes)?;
        Ok(())
    }

    /// Adds a backend over a network. What is for it lies in the spool until it has taken it, also over the end of the
    /// process.
    #[cfg(feature = "spool")]
    pub fn remote(mut self, remote: impl Remote + 'static) -> Self {
        self.remotes.push(Arc::new(remote));
        self
    }

    /// Whether runs are kept on this machine for whoever looks at them here, also where no other destination is named.
    #[cfg(feature = "spool")]
    pub fn local(mut self, keep: bool) -> Self {
        self.spool.is_local = keep;
        self
    }

    /// The folder of the spool; without, as [`data_home`](crate::spool::data_home) says.
    #[cfg(feature = "spool")]
    pub fn home(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.spool.home = Some(folder.into());
        self
    }

    /// When a run counts as recorded.
    #[cfg(feature = "spool")]
    pub fn spool_mode(mut self, mode: SpoolMode) -> Self {
        self.spool.mode = mode;
        self
    }

    /// When what is in the spool is forced to the disk.
    #[cfg(feature = "spool")]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.spool.durability = durability;
        self
    }

    /// Bytes of the spool. Beyond, the oldest goes, and is counted.
    #[cfg(feature = "spool")]
    pub fn spool_max_bytes(mut self, bytes: u64) -> Self {
        self.spool.max_bytes = Some(bytes);
        self
    }

    /// How long runs are kept on this machine when all backends have them, and how many bytes of them.
    #[cfg(feature = "spool")]
    pub fn keep(mut self, time: Duration, bytes: u64) -> Self {
        self.spool.keep = Some(time);
        self.spool.keep_bytes = Some(bytes);
        self
    }

    /// Adds a destination.
    pub fn exporter(mut self, exporter: impl Exporter + 'static) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// Keeps this share of traces, between 0 and 1. Decided by the trace's id, for all of its runs together.
    pub fn sample_rate(mut self, rate: f64) -> Self {
        self.sample_rate = Some(rate);
        self
    }

    /// Takes the share of traces that OpenTelemetry's variables name, where nobody has named one.
    ///
    /// - `OTEL_TRACES_SAMPLER`: `always_on`, `always_off`, `traceidratio`, or one of these behind `parentbased_`. Of a
    ///   trace that another process has begun, that process decides in any case.
    /// - `OTEL_TRACES_SAMPLER_ARG`: the share for `traceidratio`, between 0 and 1; 1 when nobody says otherwise
    ///
    /// A value that is none of these is said, and changes nothing.
    pub fn otel_sampler(mut self) -> Self {
        self.sample_rate = self.sample_rate.or_else(|| super::sampler::from_env(&|name| std::env::var(name).ok()));
        self
    }

    /// Whether traces that the sample leaves out are kept if one of their runs fails. Off by default.
    ///
    /// All of them are then recorded. A trace's runs wait in memory until one fails, and then all are delivered, or until
    /// the root has ended without a failure; what fails after that is not seen. When what waits exceeds a quarter of
    /// [`Builder::max_bytes`], the oldest trace is given up and counted as `held_full`. Processes that are called meanwhile
    /// are told that the trace is not sampled.
    pub fn keep_errors(mut self, keep: bool) -> Self {
        self.keep_errors = keep;
        self
    }

    /// The memory that runs may hold between the application and its destinations, in bytes.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// What happens to a run that finds no room.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How long the end of the process may be held up to deliver the last runs.
    pub fn exit_timeout(mut self, timeout: Duration) -> Self {
        self.exit_timeout = timeout;
        self
    }

    /// Whether a panic hook notes what panics say, so that the run that panics can say it too. On by default; the hook
    /// that was installed before is still called.
    pub fn panic_hook(mut self, install: bool) -> Self {
        self.panic_hook = install;
        self
    }

    /// The project that traces are filed under.
    pub fn project(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.defaults.project = Some(name.into());
        self
    }

    /// The environment that runs are from which do not say another, such as `production`.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.defaults.environment = Some(name.into());
        self
    }

    /// The version of the deployed code, as runs say that do not say another: a semantic or calendar version, or a commit.
    pub fn release(mut self, version: impl Into<String>) -> Self {
        self.defaults.release = Some(version.into());
        self
    }

    /// How much of the content of runs is handed to destinations; [`Content::Redacted`] when nobody says otherwise.
    pub fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// What is redacted beside credentials.
    #[cfg(feature = "redaction")]
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// Leaves out the inputs of all runs, and their variables.
    pub fn hide_inputs(mut self, hide: bool) -> Self {
        self.hidden.inputs = hide;
        self
    }

    /// Leaves out the outputs of all runs, their expected answers and their chunks.
    pub fn hide_outputs(mut self, hide: bool) -> Self {
        self.hidden.outputs = hide;
        self
    }

    /// Leaves out the metadata of all runs.
    pub fn hide_metadata(mut self, hide: bool) -> Self {
        self.hidden.metadata = hide;
        self
    }

    #[cfg_attr(not(feature = "redaction"), allow(clippy::unnecessary_wraps, reason = "patterns may be wrong"))]
    fn privacy(&self) -> Result<Privacy, InitError> {
        Ok(Privacy {
            content: self.content,
            hidden: self.hidden,
            #[cfg(feature = "redaction")]
            redactor: crate::sync::Arc::new(
                self.redaction.build().map_err(|error| InitError { kind: Kind::Pattern(error) })?,
            ),
        })
    }

    /// Sends what processes left in the spools of this machine to the backends that were added by [`Builder::remote`], with
    /// all other settings left out of account. Tracing need not be on, and is not switched on.
    ///
    /// ```no_run
    /// # fn drain(film_club: impl traceable_core::delivery::Remote + 'static) -> std::io::Result<()> {
    /// use std::time::Duration;
    /// use traceable_core::runtime::Builder;
    ///
    /// let drained = Builder::new().remote(film_club).drain().within(Duration::from_secs(60)).run()?;
    /// for left in &drained.left {
    ///     eprintln!("{} records wait for {}: {}", left.records, left.destination, left.why);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "spool")]
    pub fn drain<'a>(self) -> super::Drain<'a> {
        let targets = self.targets().map_err(std::io::Error::other);
        let destinations = self.remotes.iter().map(|remote| remote.identity()).collect();
        let mut settings = crate::spool::Settings::new(crate::spool::data_home().ok(), destinations);
        let rules = targets.iter().flatten().map(|(_, rules)| rules.written());
        settings.redactions = rules.collect();
        self.spool.apply(&mut settings);
        super::Drain::new(targets, settings)
    }

    #[cfg(feature = "spool")]
    fn remote_restrictions(&self) -> Vec<Restrictions> {
        let of = |remote: &Arc<dyn Remote>| self.restrictions_of(&remote.identity().name, remote.restrictions());
        self.remotes.iter().map(of).collect()
    }

    /// The backends with what they replace.
    #[cfg(feature = "spool")]
    fn targets(&self) -> Result<Vec<Target>, InitError> {
        let with_rules =
            |(remote, restrictions): (&Arc<dyn Remote>, _)| Ok((Arc::clone(remote), rules(&restrictions)?));
        self.remotes.iter().zip(self.remote_restrictions()).map(with_rules).collect()
    }

    /// Switches tracing on, unless the environment switches it off.
    ///
    /// # Errors
    ///
    /// When it is on already, when a thread cannot be started, or when a pattern of the redaction is no regular expression.
    pub fn init(self) -> Result<(), InitError> {
        if self.off {
            gate::close();
            return Ok(());
        }
        let pipeline = Pipeline::get_or_make().map_err(InitError::thread)?;
        if gate::default_client_listens() {
            return Err(InitError { kind: Kind::AlreadyOn });
        }
        let privacy = self.privacy()?;
        let exporters = self.exporters.iter().map(|to| self.restrictions_of(to.name(), to.restrictions()));
        let exporters: Vec<Restrictions> = exporters.collect();
        let names = self.exporters.iter().map(|exporter| exporter.name().to_owned());
        #[cfg(feature = "spool")]
        let (remotes, targets, names) = {
            let names = names.chain(self.remotes.iter().map(|remote| remote.identity().name));
            (self.remote_restrictions(), self.targets()?, names)
        };
        #[cfg(not(feature = "spool"))]
        let remotes = Vec::new();
        self.say_unknown(&names.collect::<Vec<_>>());
        let filters = Filters::new(&remotes, &exporters, &self.defaults).map_err(InitError::filtered)?;
        let rules = exporters.iter().map(rules).collect::<Result<Vec<_>, _>>()?;
        let with_rules = self.exporters.into_iter().zip(rules).map(|(exporter, rules)| rules.exporter(exporter));
        let destinations: Result<Vec<_>, _> = with_rules.map(Destination::start).collect();
        let destinations = destinations.map_err(InitError::thread)?;
        #[cfg(feature = "spool")]
        let spooled = Spooled::open(targets, &self.spool).map_err(InitError::thread)?;
        #[cfg(not(feature = "spool"))]
        let spooled = None;
        let listens = !destinations.is_empty() || spooled.is_some();
        pipeline.set_bounds(self.max_bytes, self.overflow, spooled.is_some());
        #[cfg(feature = "spool")]
        super::set_inline(spooled.is_some() && self.spool.mode == SpoolMode::Inline);
        pipeline.clients.set_default(ClientSet { destinations, spooled, defaults: self.defaults, privacy, filters });
        exit::set_exit_timeout(self.exit_timeout);
        if self.panic_hook {
            exit::install_panic_hook();
        }
        gate::set_default_client(listens, Sampler::new(self.sample_rate.unwrap_or(1.0), self.keep_errors));
        if !gate::is_on() {
            gate::open();
        }
        Ok(())
    }
}

/// What the environment says of tracing as a whole: `TRACEABLE`, else `LANGSMITH_TRACING` or one of the names that it had
/// before.
#[must_use]
pub fn switch() -> Option<bool> {
    const NAMES: [&str; 5] =
        ["TRACEABLE", "LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING"];
    NAMES.into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        match value.trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "1" | "yes" => Some(true),
            "off" | "false" | "0" | "no" => Some(false),
            _ => None,
        }
    })
}

fn read<T>(name: &'static str, form: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, InitError> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.to_string_lossy();
    match parse(text.trim()) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(InitError { kind: Kind::Variable { name, value: text.into_owned(), form } }),
    }
}

/// OpenTelemetry's switch for the content of messages.
const OTEL_CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

fn parse_content(text: &str) -> Option<Content> {
    match text.to_ascii_lowercase().as_str() {
        "full" => Some(Content::Full),
        "redacted" => Some(Content::Redacted),
        "none" => Some(Content::None),
        _ => None,
    }
}

/// A switch. OpenTelemetry also has names for where content goes: all but the first mean that it does.
fn parse_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "false" | "0" | "off" | "no" | "no_content" => Some(false),
        "true" | "1" | "on" | "yes" | "span_only" | "event_only" | "span_and_event" => Some(true),
        _ => None,
    }
}

fn parse_rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))
}

fn parse_overflow(text: &str) -> Option<Overflow> {
    match text.split_once(':') {
        None if text == "spill" => Some(Overflow::Spill),
        None if text == "drop" => Some(Overflow::Drop),
        Some(("block", millis)) => millis.parse().ok().map(|millis| Overflow::Block(Duration::from_millis(millis))),
        _ => None,
    }
}

/// Why tracing was not switched on.
#[derive(Debug)]
pub struct InitError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    AlreadyOn,
    Thread(std::io::Error),
    Variable {
        name: &'static str,
        value: String,
        form: &'static str,
    },
    Destination {
        name: String,
        error: std::io::Error,
    },
    UnknownDestination(String),
    #[cfg(feature = "redaction")]
    Pattern(PatternError),
}

impl InitError {
    fn thread(error: std::io::Error) -> Self {
        Self { kind: Kind::Thread(error) }
    }

    #[cfg(feature = "redaction")]
    pub(super) fn pattern(error: PatternError) -> Self {
        Self { kind: Kind::Pattern(error) }
    }

    fn filtered(at: usize) -> Self {
        let error = std::io::Error::other(format!("only the first {MAX_FILTERED} destinations can have a filter"));
        Self::destination(format!("number {}", at + 1), error)
    }

    /// A destination could not be opened.
    #[must_use]
    pub fn destination(name: impl Into<String>, error: std::io::Error) -> Self {
        Self { kind: Kind::Destination { name: name.into(), error } }
    }

    /// There is no destination of this name, or not with the features that this program was built with.
    #[must_use]
    pub fn unknown_destination(name: impl Into<String>) -> Self {
        Self { kind: Kind::UnknownDestination(name.into()) }
    }

    /// Whether tracing was on already.
    #[must_use]
    pub fn is_already_on(&self) -> bool {
        matches!(self.kind, Kind::AlreadyOn)
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::AlreadyOn => f.write_str("tracing is on already: `init` is called once, or again after `shutdown`"),
            Kind::Thread(_) => f.write_str("tracing could not be switched on: a thread could not be started"),
            Kind::Destination { name, .. } => write!(f, "the destination `{name}` could not be opened"),
            Kind::UnknownDestination(name) => write!(
                f,
                "there is no destination `{name}`: use `local`, `console`, `jsonl:` and a path, `langsmith`, `otlp` or \
                 `traceable`, each with its feature switched on (`spool` for `local`, `remote` for `traceable`)"
            ),
            #[cfg(feature = "redaction")]
            Kind::Pattern(error) => error.fmt(f),
            Kind::Variable { name, value, form } => {
                write!(f, "the environment variable {name} is {value:?}, but it must be {form}")
            }
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Thread(error) | Kind::Destination { error, .. } => Some(error),
            #[cfg(feature = "redaction")]
            Kind::Pattern(error) => Some(error),
            Kind::AlreadyOn | Kind::Variable { .. } | Kind::UnknownDestination(_) => None,
        }
    }
}

/// Switches tracing off and delivers what was recorded, waiting at most `timeout`.
///
/// Runs that are open now are delivered as far as they are. `init` may be called again afterwards.
pub fn shutdown(timeout: Duration) -> Flushed {
    let Some(pipeline) = Pipeline::get() else { return Flushed::NOTHING };
    gate::set_default_client(false, Sampler::new(1.0, false));
    let flushed = flush_blocking(timeout);
    pipeline.clients.set_default(ClientSet::default());
    flushed
}

/// Switches tracing off for good, also for whatever the environment says, until `init` is called.
pub fn switch_off() {
    gate::close();
}

/// Whether calls are recorded now.
#[must_use]
pub fn is_enabled() -> bool {
    gate::is_on() && gate::default_client_listens()
}

/// Whether a call may be recorded now, by whatever client: what an integration asks before it does anything. One relaxed
/// load.
#[inline]
#[must_use]
pub fn may_record() -> bool {
    gate::is_on()
}

/// What this process has recorded so far, and what it had to drop.
#[must_use]
pub fn stats() -> Stats {
    match Pipeline::get() {
        Some(pipeline) => counters::snapshot(pipeline.pool.bytes_in_use(), pipeline.drops()),
        None => counters::snapshot(0, counters::drops()),
    }
}
