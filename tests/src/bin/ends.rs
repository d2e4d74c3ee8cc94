//! A traced program that ends in the way it is told: `ends WAY FILE [COUNT]`. Runs go to FILE as JSON Lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unsafe_code)]

use std::time::Duration;

use traceable::{
    Content, Redaction, builder, current, export,
    exporters::{JsonLines, Otlp},
    traceable,
};

#[traceable]
fn work(n: usize) -> usize {
    n + 1
}

#[traceable]
fn outer(count: usize) -> usize {
    (0..count).map(work).sum()
}

#[traceable]
fn panics(n: usize) {
    work(n);
    panic!("on purpose, in a test");
}

/// Fails for every fourth number, below a root that does not.
#[traceable]
fn shaky(n: usize) -> Result<usize, String> {
    if n.is_multiple_of(4) { Err("on purpose, in a test".into()) } else { Ok(work(n)) }
}

#[traceable]
fn shaky_root(n: usize) {
    work(n);
    let _ = shaky(n);
}

/// Two runs of one id, which a run and a scope have chosen.
fn chosen(n: usize) {
    let id = traceable::RunId::from_u128(0x0190_163d_8694_7000_8000_0000_0000_0000 + n as u128);
    traceable::run("chosen").id(id).call(|_| ());
    traceable::scope().run_id(id).call(|| traceable::run("chosen").call(|_| ()));
}

/// Content, a password in it, and what is redacted only where that was asked for.
const PLANTED: &str = concat!("the tulip of ann@example.com, password", "=hunter2");

fn many(count: usize) {
    for n in 0..count {
        work(n);
    }
}

/// Says in every place of a run what it is told, and fails below with a password in its error.
#[traceable(run_type = "llm", metadata(told = secret, ls_model_name = "gpt-4o-mini"))]
fn answers(secret: &str) -> serde_json::Value {
    current().add_event("asked", secret);
    current().attach("note", &traceable::Attachment::bytes("text/plain", secret.as_bytes()));
    let told = secret.to_owned();
    let below = traceable::wrap(move || {
        let _ = fails(&told);
    });
    std::thread::spawn(below).join().unwrap();
    serde_json::json!({
        "choices": [{ "message": { "role": "assistant", "content": secret } }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 },
    })
}

#[traceable]
fn fails(secret: &str) -> Result<(), String> {
    Err(format!("no answer to {} letters, {}", secret.len(), PLANTED.rsplit(' ').next().unwrap()))
}

/// Takes its time over every batch.
struct Slow;

impl export::Exporter for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn export<'a>(
        &'a mut self,
        _: &'a export::Batch,
    ) -> export::BoxFuture<'a, Result<export::Ack, export::ExportError>> {
        std::thread::sleep(Duration::from_millis(200));
        Box::pin(std::future::ready(Err(export::ExportError::retry("the backend is down"))))
    }
}

/// Never takes anything, and never says so.
struct Stuck;

impl export::Exporter for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn export<'a>(
        &'a mut self,
        _: &'a export::Batch,
    ) -> export::BoxFuture<'a, Result<export::Ack, export::ExportError>> {
        Box::pin(std::future::pending())
    }
}

/// Takes everything at once.
struct Nowhere;

impl export::Exporter for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn export<'a>(
        &'a mut self,
        _: &'a export::Batch,
    ) -> export::BoxFuture<'a, Result<export::Ack, export::ExportError>> {
        Box::pin(std::future::ready(Ok(export::Ack::default())))
    }
}

/// The resident set in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let mut args = std::env::args().skip(1);
    let way = args.next().unwrap();
    let file = args.next().unwrap();
    let count: usize = args.next().map_or(1_000, |count| count.parse().unwrap());
    match way.as_str() {
        // The environment decides; nobody calls `init`.
        "env" => {
            many(count);
            println!("enabled {}", traceable::is_enabled());
            return;
        }
        // As "env", with what must not be seen.
        "secrets" => {
            answers(PLANTED);
            return;
        }
        // As "env", in a program that traces nothing itself.
        "score" => {
            for n in 0..count {
                traceable::feedback(traceable::RunId::from_u128(n as u128), "stars").score(n as f64).send();
            }
            return;
        }
        "slow" => return slow(count),
        "stuck" => return stuck(count),
        "crowded" => return crowded(),
        "handles" => return handles(count),
        "served" => return served(count),
        "endless" => return endless(&file, count),
        way => {
            let builder = builder().unwrap().exporter(JsonLines::append(&file).unwrap());
            let builder = match way {
                "secrets-full" => builder.content(Content::Full),
                "secrets-none" => builder.content(Content::None),
                "secrets-own" => builder.redaction(Redaction::default().emails().key("flower").pattern("tul[a-z]+")),
                _ => builder,
            };
            builder.init().unwrap();
        }
    }
    match way.as_str() {
        "return" => many(count),
        "secrets-full" | "secrets-none" | "secrets-own" => drop(answers(PLANTED)),
        "shaky" => (0..count).for_each(shaky_root),
        "chosen" => (0..count).for_each(chosen),
        "exit" => {
            many(count);
            std::process::exit(3);
        }
        "exit-in-thread" => {
            many(count);
            std::thread::spawn(|| std::process::exit(3)).join().unwrap();
        }
        "exit-inside" => {
            #[traceable]
            fn leaves(count: usize) {
                many(count);
                std::process::exit(3);
            }
            leaves(count);
        }
        "panic" => panics(count),
        "panic-in-thread" => {
            let _ = std::thread::spawn(move || panics(count)).join();
        }
        "runtime-gone" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async { many(count) });
            runtime.shutdown_background();
        }
        "flush-in-async" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                many(count);
                assert!(traceable::flush(Duration::from_secs(30)).await.delivered);
                assert!(traceable::flush_blocking(Duration::from_secs(30)).delivered);
            });
            println!("lines {}", std::fs::read_to_string(&file).unwrap().lines().count());
        }
        "shutdown" => {
            many(count);
            assert!(traceable::shutdown(Duration::from_secs(30)).delivered);
            many(count);
            assert!(!traceable::is_enabled());
        }
        "fork" => fork(count),
        "stray" => {
            outer(1);
            #[traceable]
            fn loses_it() {
                std::thread::spawn(|| (0..3).map(work).sum::<usize>()).join().unwrap();
            }
            loses_it();
        }
        other => panic!("unknown way {other}"),
    }
}

const CALLER: &str = "20240531T160837123456Z0190163d-8694-7000-8000-00000000002a";

/// Traces in the parent, in its child, and in a run that is open while the process forks.
fn fork(count: usize) {
    #[traceable]
    fn forks(count: usize) -> i32 {
        // SAFETY: the child calls only this program's own code and ends by `exit`, as programs that fork do.
        let child = unsafe { libc::fork() };
        many(count);
        child
    }
    many(count);
    assert!(traceable::flush_blocking(Duration::from_secs(30)).delivered);
    // Another thread is about to take any lock of ours when the process forks.
    std::thread::spawn(|| {
        loop {
            drop(traceable::Context::from_headers([("langsmith-trace", CALLER)]));
        }
    });
    let child = forks(count);
    if child == 0 {
        for _ in 0..100 {
            traceable::Context::from_headers([("langsmith-trace", CALLER)])
                .scope(|| traceable::run("served").call(|_| ()));
        }
        std::process::exit(0);
    }
    let mut status = 0;
    // SAFETY: waits for the child made above; `status` is a valid place for its status.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(status, 0);
}

/// Handles to an open run are made and dropped while the backend is down.
fn handles(count: usize) {
    const BOUND: usize = 16 << 20;
    traceable::Builder::new().exporter(Slow).max_bytes(BOUND).exit_timeout(Duration::from_millis(100)).init().unwrap();
    traceable::run("root").call(|_| {
        many(300_000);
        let before = resident();
        for _ in 0..count {
            drop(traceable::Context::current());
        }
        println!("grown {}", resident().saturating_sub(before));
    });
}

/// Requests of other processes, each with a scope, a handle and a run of a chosen id.
fn served(count: usize) {
    traceable::Builder::new().exporter(Nowhere).init().unwrap();
    let serve = |n: usize| {
        let caller = format!("20240531T160837123456Z0190163d-8694-7000-8000-{n:012x}");
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e{n:06x}-00f067aa0ba902b7-01");
        let headers = [("langsmith-trace", &caller), ("traceparent", &parent)];
        // Half of the callers know OpenTelemetry only.
        let context = traceable::Context::from_headers(headers.into_iter().skip(n % 2));
        let id = traceable::RunId::from_u128(n as u128 + 1);
        traceable::scope().parent(context).thread(format!("t-{n}")).run_id(id).call(|| {
            traceable::run("served").call(|run| {
                let handle = run.context();
                std::hint::black_box(handle.headers());
                work(n);
            });
        });
    };
    // As many as are remembered on purpose.
    (0..count).for_each(serve);
    assert!(traceable::flush_blocking(Duration::from_secs(30)).delivered);
    let before = resident();
    (count..2 * count).for_each(serve);
    assert!(traceable::flush_blocking(Duration::from_secs(30)).delivered);
    println!("grown {} dropped {:?}", resident().saturating_sub(before), traceable::stats().dropped);
}

/// A million runs while the backend is down: memory stays, callers go on, drops are counted.
fn slow(count: usize) {
    const BOUND: usize = 16 << 20;
    traceable::Builder::new().exporter(Slow).max_bytes(BOUND).exit_timeout(Duration::from_millis(100)).init().unwrap();
    work(0);
    let before = resident();
    let mut slowest = Duration::ZERO;
    for n in 0..count {
        let start = std::time::Instant::now();
        work(n);
        slowest = slowest.max(start.elapsed());
    }
    let dropped: u64 = traceable::stats().dropped.values().sum();
    let grown = resident().saturating_sub(before);
    println!("grown {grown} dropped {dropped} slowest_ms {}", slowest.as_millis());
}

/// A destination that takes nothing beside a backend that is down.
fn stuck(count: usize) {
    let down = Otlp::builder().endpoint("http://127.0.0.1:1").build().unwrap();
    let builder = builder().unwrap().exporter(Stuck).remote(down);
    builder.exit_timeout(Duration::from_millis(100)).init().unwrap();
    many(count);
}

/// Files of runs that find no room.
fn crowded() {
    #[traceable]
    fn look(image: &traceable::Attachment, text: &str) -> traceable::Attachment {
        let _ = text;
        image.clone()
    }
    let bytes: std::sync::Arc<[u8]> = vec![7; 1 << 20].into();
    let image = traceable::Attachment::bytes("image/png", std::sync::Arc::clone(&bytes));
    traceable::Builder::new().exporter(Null).max_bytes(8 << 20).init().unwrap();
    let text = "x".repeat(1 << 20);
    while traceable::stats().dropped.get("queue_full").is_none_or(|dropped| *dropped < 100) {
        look(&image, &text);
    }
    assert!(traceable::shutdown(Duration::from_secs(60)).delivered);
    // One is the program's own, one is in its attachment.
    println!("held {}", std::sync::Arc::strong_count(&bytes) - 2);
}

/// Takes everything and keeps nothing.
struct Null;

impl export::Exporter for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn export<'a>(
        &'a mut self,
        _: &'a export::Batch,
    ) -> export::BoxFuture<'a, Result<export::Ack, export::ExportError>> {
        Box::pin(std::future::ready(Ok(export::Ack::default())))
    }
}

/// One root that stays open over all its children.
fn endless(file: &str, count: usize) {
    builder()
        .unwrap()
        .exporter(JsonLines::append(file).unwrap())
        .overflow(traceable::Overflow::Block(Duration::from_secs(600)))
        .exit_timeout(Duration::from_secs(600))
        .init()
        .unwrap();
    #[traceable]
    fn root(count: usize) {
        outer(1_000);
        let before = resident();
        many(count);
        let grown = resident().saturating_sub(before);
        println!("grown {grown} dropped {:?}", traceable::stats().dropped);
    }
    root(count);
}
