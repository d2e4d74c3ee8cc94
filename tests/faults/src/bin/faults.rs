//! Runs the rows and prints the table; ends with 1 when a row does not hold.
//!
//! `faults [--short] [--only ROW,ROW] [--jobs N] [--kills N] [--spool-mib N] [--down SECONDS] [--window-ms N]
//! [--patience SECONDS] [--json FILE] [--abort-producer FILE] [--pipeline NAME] [--list]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

use std::{
    collections::VecDeque,
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant},
};

use traceable_faults::harness::{Outcome, Settings, Task, markdown, progress, tasks};

struct Args {
    settings: Settings,
    only: Option<Vec<String>>,
    jobs: usize,
    json: Option<PathBuf>,
    is_list: bool,
}

impl Args {
    fn read() -> Result<Self, String> {
        let is_short = std::env::args().any(|arg| arg == "--short");
        let programs = std::env::current_exe().map_err(|error| error.to_string())?;
        let settings = Settings {
            is_short,
            window: Duration::from_millis(20),
            // A pause after 401 lasts a minute.
            patience: Duration::from_secs(90),
            kills: if is_short { 10 } else { 50 },
            pipeline: "langsmith".into(),
            programs: programs.parent().unwrap().to_owned(),
            spool_mib: if is_short { 32 } else { 1_024 },
            down_seconds: 600,
            abort_producer: None,
        };
        let mut read = Self { settings, only: None, jobs: 1, json: None, is_list: false };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text:?} is no number"));
            let settings = &mut read.settings;
            match &*arg {
                "--short" => {}
                "--list" => read.is_list = true,
                "--only" => read.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--jobs" => read.jobs = number(value()?)?.max(1) as usize,
                "--json" => read.json = Some(value()?.into()),
                "--kills" => settings.kills = number(value()?)? as u32,
                "--spool-mib" => settings.spool_mib = number(value()?)?,
                "--down" => settings.down_seconds = number(value()?)?,
                "--window-ms" => settings.window = Duration::from_millis(number(value()?)?),
                "--patience" => settings.patience = Duration::from_secs(number(value()?)?),
                "--pipeline" => settings.pipeline = value()?,
                "--abort-producer" => settings.abort_producer = Some(value()?.into()),
                other => return Err(format!("{other} is not known")),
            }
        }
        Ok(read)
    }

    fn tasks(&self) -> Result<Vec<Task>, String> {
        let mut tasks = tasks(&self.settings);
        if let Some(only) = &self.only {
            if let Some(unknown) = only.iter().find(|name| tasks.iter().all(|task| task.name != **name)) {
                return Err(format!("there is no row {unknown}"));
            }
            tasks.retain(|task| only.iter().any(|name| name == task.name));
        }
        Ok(tasks)
    }
}

fn main() -> ExitCode {
    let read = Args::read().and_then(|args| args.tasks().map(|tasks| (args, tasks)));
    let (args, tasks) = match read {
        Ok(read) => read,
        Err(problem) => {
            eprintln!("faults: {problem}");
            return ExitCode::from(2);
        }
    };
    if args.is_list {
        tasks.iter().for_each(|task| println!("{}", task.name));
        return ExitCode::SUCCESS;
    }
    let outcomes = run(&args, &tasks);
    println!("{}", markdown(&outcomes));
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_vec_pretty(&outcomes).unwrap()).expect("the JSON can be written");
    }
    let bad: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).collect();
    for outcome in &bad {
        println!("row {} ({}) does not hold:", outcome.row, outcome.what);
        outcome.problems.iter().for_each(|problem| println!("  - {problem}"));
    }
    let skipped = outcomes.iter().filter(|outcome| outcome.skipped.is_some()).count();
    let run = outcomes.len() - skipped;
    println!(
        "{} of {run} rows hold{}",
        run - bad.len(),
        if skipped > 0 { format!(", {skipped} skipped") } else { String::new() }
    );
    ExitCode::from(u8::from(!bad.is_empty()))
}

/// Runs the tasks, a few at a time, and gives their outcomes in order.
fn run(args: &Args, tasks: &[Task]) -> Vec<Outcome> {
    let start = Instant::now();
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..tasks.len()).collect());
    let outcomes = Mutex::new(vec![None; tasks.len()]);
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                loop {
                    let Some(at) = waiting.lock().unwrap().pop_front() else { return };
                    let task = &tasks[at];
                    progress(&format!("[{:>4} s] row {} begins", start.elapsed().as_secs(), task.name));
                    let outcome = task.run(&args.settings);
                    let Outcome { made, lost, left_in_window, problems, skipped, .. } = &outcome;
                    progress(&format!(
                        "[{:>4} s] row {}, {}: {lost} of {made} lost, {left_in_window} in the window, {}",
                        start.elapsed().as_secs(),
                        task.name,
                        outcome.what,
                        match skipped {
                            Some(why) => why,
                            None if problems.is_empty() => "holds",
                            None => "DOES NOT HOLD",
                        },
                    ));
                    outcomes.lock().unwrap()[at] = Some(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap().into_iter().flatten().collect()
}
