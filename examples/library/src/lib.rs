//! A library that annotates its functions for free: whether their calls are recorded is for the program to decide, by
//! the feature `enable` of `traceable`.

use traceable::traceable;

/// The words of a text that are worth searching for.
#[traceable(run_type = "parser")]
pub fn keywords(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    traceable::current().add_metadata("words", &words.len());
    words.into_iter().filter(|word| word.len() > 3).map(str::to_lowercase).collect()
}

/// How alike two texts are, from 0 to 1.
#[traceable]
pub fn likeness(one: &str, other: &str) -> f64 {
    let (ours, theirs) = (keywords(one), keywords(other));
    let shared = ours.iter().filter(|word| theirs.contains(word)).count();
    shared as f64 / ours.len().max(theirs.len()).max(1) as f64
}
