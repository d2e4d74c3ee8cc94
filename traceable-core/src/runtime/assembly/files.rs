//! What the files of a run are called: by the argument that they were, and never two alike.

use std::collections::{HashMap, HashSet};

use crate::model::Attachment;

/// Characters of a name that are kept.
const MAX_NAME: usize = 128;

/// The names of a run's files.
#[derive(Default)]
pub(super) struct Names {
    used: HashSet<String>,
    /// The last number that was put behind a name.
    last: HashMap<String, u32>,
}

impl Names {
    /// The name of a file that was captured: its own, else that of the argument, with a number where it was one of many
    /// or where the name is used.
    pub(super) fn of_captured(&mut self, file: &Attachment, argument: &str, alone: bool) -> String {
        let own = !file.name.is_empty();
        let base = clean(if own { &file.name } else { argument });
        let mut name = base.clone();
        let mut numbered = own || alone;
        while !numbered || self.used.contains(&name) {
            numbered = true;
            let last = self.last.entry(base.clone()).or_default();
            *last += 1;
            name = format!("{base}_{last}");
        }
        self.used.insert(name.clone());
        name
    }

    /// The name of a file that was added by hand, which replaces one of the same name.
    pub(super) fn of_added(&mut self, name: &str) -> String {
        let name = clean(name);
        self.used.insert(name.clone());
        name
    }
}

/// A name that every backend takes: LangSmith takes names apart at dots, and a slash would make a path.
pub(super) fn clean(name: &str) -> String {
    let is_taken_apart = |c: char| matches!(c, '.' | '/' | '\\') || c.is_control();
    let clean: String = name.chars().take(MAX_NAME).map(|c| if is_taken_apart(c) { '_' } else { c }).collect();
    if clean.is_empty() { "attachment".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_have_one_name() {
        let mut names = Names::default();
        let unnamed = Attachment::default();
        let own = |name: &str| Attachment::default().named(name);
        assert_eq!(names.of_captured(&unnamed, "image", true), "image");
        assert_eq!(names.of_captured(&unnamed, "images", false), "images_1");
        assert_eq!(names.of_captured(&unnamed, "images", false), "images_2");
        assert_eq!(names.of_captured(&unnamed, "image", true), "image_1");
        assert_eq!(names.of_captured(&own("images_3"), "images", false), "images_3");
        assert_eq!(names.of_captured(&unnamed, "images", false), "images_4");
        assert_eq!(names.of_captured(&own("../a.png"), "x", true), "___a_png");
        assert_eq!(names.of_captured(&own("../a.png"), "x", true), "___a_png_1");
        assert_eq!(names.of_added("a.b"), "a_b");
        assert_eq!(names.of_captured(&unnamed, "a_b", true), "a_b_1");
        assert_eq!(clean(""), "attachment");
        assert_eq!(clean(&"é".repeat(1000)).chars().count(), MAX_NAME);
    }
}
