//! Sends a server as much as it takes, of its own process, and looks at what that does to it.
//!
//! `load SERVER SECONDS [--json]`: the program, and how long each protocol is sent. Rates and memory are printed; lost runs,
//! runs that are there twice and more than 300 MiB of memory make it fail.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod client;
mod server;
mod work;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use client::Client;
use server::{Memory, Server};
use work::{LangSmith, Otlp, Work};

/// Connections that send at once.
const CLIENTS: u64 = 4;

/// Memory of the server that it must not exceed.
const MAX_MIB: f64 = 300.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (program, seconds) = (arguments.next().unwrap(), arguments.next().unwrap().parse().unwrap());
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&program, home.path());
    let idle = server.memory();
    println!("idle: {idle:.0} MiB");
    let (mut sent, mut is_well) = (0, true);
    for (protocol, goal) in [("LangSmith", 3_000.0), ("OTLP", 5_000.0)] {
        let stop = AtomicBool::new(false);
        let runs = AtomicU64::new(0);
        let begun = Instant::now();
        let memory = thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (stop, runs, address) = (&stop, &runs, server.address);
                scope.spawn(move || {
                    let number = client + if protocol == "OTLP" { CLIENTS } else { 0 };
                    let work: &mut dyn Work =
                        if protocol == "OTLP" { &mut Otlp::new(number) } else { &mut LangSmith::new(number) };
                    let mut client = Client::new(address);
                    while !stop.load(Ordering::Relaxed) {
                        runs.fetch_add(send(&mut client, work), Ordering::Relaxed);
                    }
                });
            }
            let memory = watch(&server, Duration::from_secs(seconds));
            stop.store(true, Ordering::Relaxed);
            memory
        });
        let runs = runs.into_inner();
        sent += runs;
        let rate = runs as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{protocol}: {rate:.0} runs/s ({goal}), {runs} runs; at most {:.0} MiB, and {:+.1} MiB in 5 minutes",
            memory.most(),
            memory.slope() * 300.0
        );
        is_well &= memory.most() <= MAX_MIB;
    }
    let there = server.end(home.path());
    println!("sent and answered: {sent}; there: {there}");
    if is_well && there == sent { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sends a piece of work until all of it is answered, and says how many runs that were.
fn send(client: &mut Client, work: &mut dyn Work) -> u64 {
    let piece = work.next();
    for request in piece.requests {
        // What was not taken is sent again, the same.
        while !client.post(request.path, &request.kind, &request.body) {
            thread::sleep(Duration::from_millis(50));
        }
    }
    piece.runs
}

fn watch(server: &Server, time: Duration) -> Memory {
    let begun = Instant::now();
    let mut memory = Memory::default();
    while begun.elapsed() < time {
        thread::sleep(Duration::from_millis(500));
        memory.add(begun.elapsed(), server.memory());
    }
    memory
}
