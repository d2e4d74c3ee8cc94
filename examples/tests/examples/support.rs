//! Programs, and what they leave.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// An example's program, which stands beside this test, without the settings of whoever runs the test.
pub(crate) fn example(name: &str) -> Command {
    let test = env::current_exe().unwrap();
    let target = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program: PathBuf = target.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not there: `cargo build -p traceable-examples --examples`", program.display());

    let mut command = Command::new(program);
    let ours = |name: &OsString| {
        let name = name.to_string_lossy();
        ["OPENAI_", "TRACEABLE", "LANGSMITH_", "RUST_"].iter().any(|prefix| name.starts_with(prefix))
    };
    env::vars_os().map(|(name, _)| name).filter(ours).for_each(|name| {
        command.env_remove(name);
    });
    // A busy machine must not cut off what is delivered at the end.
    command.env("TRACEABLE_EXIT_FLUSH", "600000").env("TRACEABLE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/home"));
    command.env("COLUMNS", "200").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// What a run of a program left.
pub(crate) struct Page {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Page {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::read(command.output().unwrap())
    }

    pub(crate) fn read(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The runs in their tree: branch, mark, name and kind of each.
    pub(crate) fn tree(&self) -> Vec<&str> {
        let runs = self.err.lines().filter_map(|line| {
            let mark = line.find(['✓', '✗', '⊘', '…']).filter(|&at| line[..at].chars().all(|c| " ├└│─".contains(c)))?;
            let end = line[mark..].find("  ").map_or(line.len(), |length| mark + length);
            Some(&line[..end])
        });
        runs.collect()
    }

    /// The line of the first run of this name.
    pub(crate) fn run(&self, name: &str) -> &str {
        let is_run = |line: &str| [" ns  ", " µs  ", " ms  ", " s  "].iter().any(|unit| line.contains(unit));
        let line = self.err.lines().find(|line| line.split(' ').any(|word| word == name) && is_run(line));
        line.unwrap_or_else(|| panic!("no run {name} in\n{}", self.err))
    }
}
