//! Runs as an indented outline, as the tests write it.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use crate::model::{Run, RunId};

/// The runs from the roots down, each with its depth. A run whose parent was not recorded counts as a root.
pub(super) fn outline(runs: &[Run]) -> Vec<(usize, &Run)> {
    let known: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
    let mut below: HashMap<Option<RunId>, Vec<&Run>> = HashMap::new();
    for run in runs {
        below.entry(run.parent_id.filter(|parent| known.contains(parent))).or_default().push(run);
    }
    let mut children = |parent: Option<RunId>| below.remove(&parent).unwrap_or_default().into_iter().rev();
    let mut outline = Vec::with_capacity(runs.len());
    let mut next: Vec<(usize, &Run)> = children(None).map(|root| (0, root)).collect();
    while let Some((depth, run)) = next.pop() {
        outline.push((depth, run));
        next.extend(children(Some(run.id)).map(|child| (depth + 1, child)));
    }
    outline
}

/// A run in one line: its name, its kind where that is not `chain`, and its status where that is not `ok`.
pub(super) fn line(run: &Run) -> String {
    let mut line = run.name.to_string();
    for (word, usual) in [(run.run_type.as_str(), "chain"), (run.status.as_str(), "ok")] {
        if word != usual {
            // Writing to a `String` cannot fail.
            let _ = write!(line, " {word}");
        }
    }
    line
}

/// The outline as text, with `mark` beside the run of this id.
pub(super) fn text(runs: &[Run], marked: Option<RunId>) -> String {
    let mut text = String::new();
    for (depth, run) in outline(runs) {
        let mark = if marked == Some(run.id) { "   <--" } else { "" };
        let _ = writeln!(text, "{:1$}{2}{mark}", "", depth * 2, line(run));
    }
    text
}

/// An outline that a person wrote, in the form of [`text`]: blank lines and the width of a step do not matter, nor that
/// all of it is indented as the code around it.
pub(super) fn tidy(outline: &str) -> String {
    let mut tidy = String::new();
    let mut above: Vec<usize> = Vec::new();
    for line in outline.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        while above.last().is_some_and(|&before| before >= indent) {
            above.pop();
        }
        let _ = writeln!(tidy, "{:1$}{2}", "", above.len() * 2, line.trim());
        above.push(indent);
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn indentation_counts_and_its_width_does_not() {
        let tree = "a\n  b llm\n    c\n  d tool error\ne\n";
        assert_eq!(tidy(tree), tree);
        assert_eq!(
            tidy("\n        a\n            b llm\n              c\n            d tool error\n\n        e"),
            tree
        );
        assert_eq!(tidy("a\n\tb llm\n\t\tc\n\td tool error \ne\r\n"), tree);
        assert_eq!(tidy("\n  \n"), "");
    }
}
