//! `cargo bench --bench peers`: what tracing costs its caller, beside other tracers, in one run.
//!
//! Every tracer does the same work with the same payload into a sink that counts; a difference in what arrives fails
//! the bench. Tracers take turns, in bursts; the lowest burst counts, for a busy machine only ever adds. Queues are
//! flushed between bursts, untimed, but in `process_20kb`, where the CPU time of all threads is what is measured.
//!
//! Arguments, behind `--`: the beginnings of cases' names, `--quick` for fewer rounds, `--json` for one object a line,
//! `--repeat N` to do nothing but N bursts of ours, for a profiler.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its figures")]
#![allow(unreachable_pub, reason = "the modules are of this program only")]
#![allow(clippy::ignored_unit_patterns, reason = "every tracer's span is taken by the same closure")]
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, reason = "as above")]

mod fastrace;
mod measure;
mod otel;
mod ours;
mod report;
mod tracing;
mod workload;

use std::{error::Error, process::ExitCode};

use crate::{
    report::Figures,
    workload::{Bare, Case, Load, Tracer},
};

struct Arguments {
    json: bool,
    quick: bool,
    repeat: Option<usize>,
    filters: Vec<String>,
}

impl Arguments {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut arguments = Self { json: false, quick: false, repeat: None, filters: Vec::new() };
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--json" => arguments.json = true,
                "--quick" => arguments.quick = true,
                "--repeat" => arguments.repeat = Some(given.next().ok_or("--repeat needs a number")?.parse()?),
                // Cargo says so to every bench.
                "--bench" => {}
                flag if flag.starts_with('-') => return Err(format!("unknown argument `{flag}`").into()),
                filter => arguments.filters.push(filter.to_owned()),
            }
        }
        Ok(arguments)
    }

    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.starts_with(filter.as_str()))
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    let load = Load::leak();
    let cases: Vec<Case> = Case::ALL.into_iter().filter(|case| arguments.wants(case.name())).collect();
    if let Some(times) = arguments.repeat {
        return repeat(&cases, times, load);
    }
    let rounds = if arguments.quick { 3 } else { 15 };
    let (off, on): (Vec<Case>, Vec<Case>) = cases.iter().partition(|case| case.is_off());
    let mut figures = Figures::new();
    // Nothing can be switched off again, so what is measured off comes first.
    let tracers: [&dyn Tracer; 4] = [&Bare, &ours::Ours::off(), &fastrace::Fastrace::off(), &tracing::Tracing::off()];
    measure(&tracers, &off, rounds, load, &mut figures)?;
    let (ours, tracing) = (ours::Ours::on()?, tracing::Tracing::on()?);
    let tracers: [&dyn Tracer; 5] = [&Bare, &ours, &fastrace::Fastrace::on(), &otel::Otel::on(), &tracing];
    measure(&tracers, &on, rounds, load, &mut figures)?;
    for case in cases {
        report::case(case, &figures, arguments.json);
    }
    if arguments.wants("startup_off") {
        let (bare, off) = measure::startup(if arguments.quick { 50 } else { 300 })?;
        report::startup(bare, off, arguments.json);
    }
    Ok(())
}

fn measure(
    tracers: &[&dyn Tracer],
    cases: &[Case],
    rounds: usize,
    load: &'static Load,
    figures: &mut Figures,
) -> Result<(), String> {
    for _ in 0..rounds {
        for &case in cases {
            for tracer in tracers {
                let sample = measure::visit(*tracer, case, load).map_err(|loss| loss.to_string())?;
                figures.entry((case, tracer.name())).or_insert(sample).lower(sample);
            }
        }
    }
    Ok(())
}

/// Some bursts of ours and nothing else. A profiler collects inside of `profiled`.
fn repeat(cases: &[Case], times: usize, load: &'static Load) -> Result<(), Box<dyn Error>> {
    let ours: Box<dyn Tracer> =
        if cases.iter().all(|case| case.is_off()) { Box::new(ours::Ours::off()) } else { Box::new(ours::Ours::on()?) };
    for &case in cases {
        ours.run(case, load, case.shape());
        ours.settle();
        for _ in 0..times {
            profiled(&*ours, case, load);
            ours.settle();
        }
        println!("{}: {} calls", case.name(), times as u64 * case.shape().calls());
    }
    Ok(())
}

#[inline(never)]
fn profiled(ours: &dyn Tracer, case: Case, load: &'static Load) {
    ours.run(case, load, case.shape());
}
