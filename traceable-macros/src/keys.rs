//! The names that the attribute knows, and the search for the one that was meant.

/// The attribute's keys, each as it is written in full.
pub(crate) const KEYS: [(&str, &str); 21] = [
    ("run_type", "run_type = \"llm\""),
    ("name", "name = \"…\""),
    ("tags", "tags = [\"…\"]"),
    ("metadata", "metadata(key = value)"),
    ("inputs", "inputs(argument, key = expression, self.field)"),
    ("skip", "skip(argument)"),
    ("redact", "redact(argument)"),
    ("content", "content = none"),
    ("outputs", "outputs = off"),
    ("process_inputs", "process_inputs = function"),
    ("process_outputs", "process_outputs = function"),
    ("process_chunk", "process_chunk = function"),
    ("reduce_fn", "reduce_fn = function"),
    ("usage", "usage = function"),
    ("stream", "stream = true"),
    ("raw_chunks", "raw_chunks = true"),
    ("enabled", "enabled = condition"),
    ("client", "client = expression"),
    ("parent", "parent = expression"),
    ("project_name", "project_name = \"…\""),
    ("crate", "crate = ::path::to::traceable"),
];

/// Names that other tracing attributes use for what a key does here.
const ALIASES: [(&str, &str); 11] = [
    ("reduce", "reduce_fn"),
    ("reducer", "reduce_fn"),
    ("kind", "run_type"),
    ("type", "run_type"),
    ("project", "project_name"),
    ("fields", "metadata"),
    ("skip_all", "inputs"),
    ("args", "inputs"),
    ("process_output", "process_outputs"),
    ("tag", "tags"),
    ("hide", "redact"),
];

/// The run types that have a meaning of their own; any other text is one too.
const RUN_TYPES: [&str; 14] = [
    "llm",
    "chain",
    "tool",
    "retriever",
    "embedding",
    "prompt",
    "parser",
    "agent",
    "reranker",
    "guardrail",
    "evaluator",
    "router",
    "message",
    "system",
];

/// How a key is written in full.
pub(crate) fn form(key: &str) -> &'static str {
    KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, form)| form)
}

/// The key that was probably meant.
pub(crate) fn nearest_key(unknown: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == unknown).map(|(_, key)| *key);
    alias.or_else(|| nearest(unknown, KEYS.iter().map(|(key, _)| *key), 1 + unknown.len() / 4))
}

/// The known run type that was probably meant by a text that is almost one.
///
/// The first letter must be right: nobody mistypes it, and `pool` is no wrong `tool`.
pub(crate) fn nearest_run_type(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let same_start = RUN_TYPES.iter().copied().filter(|known| known.chars().next() == lower.chars().next());
    nearest(&lower, same_start, 1).filter(|known| *known != text)
}

/// The run type that a variant of `RunType` stands for.
pub(crate) fn run_type_of_variant(variant: &str) -> Option<&'static str> {
    let lower = variant.to_lowercase();
    let mut letters = variant.chars();
    let camel = letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase);
    RUN_TYPES.iter().copied().find(|known| camel && *known == lower)
}

/// The candidate with the fewest edits, if they are not more than `limit`.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>, limit: usize) -> Option<&'a str> {
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .min_by_key(|(edits, _)| *edits)
        .filter(|(edits, _)| *edits <= limit)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, taken away, replaced, or swapped with the next one.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(a != b);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        assert_eq!(distance("chain", "chain"), 0);
        assert_eq!(distance("chian", "chain"), 1);
        assert_eq!(distance("lmm", "llm"), 1);
        assert_eq!(distance("", "llm"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn finds_the_key_that_was_meant() {
        assert_eq!(nearest_key("metdata"), Some("metadata"));
        assert_eq!(nearest_key("reduce"), Some("reduce_fn"));
        assert_eq!(nearest_key("runtype"), Some("run_type"));
        assert_eq!(nearest_key("colour"), None);
    }

    #[test]
    fn takes_only_near_misses_for_mistakes() {
        assert_eq!(nearest_run_type("lmm"), Some("llm"));
        assert_eq!(nearest_run_type("LLM"), Some("llm"));
        assert_eq!(nearest_run_type("tools"), Some("tool"));
        assert_eq!(nearest_run_type("llm"), None);
        assert_eq!(nearest_run_type("pool"), None);
        assert_eq!(nearest_run_type("planner"), None);
    }

    #[test]
    fn knows_the_variants() {
        assert_eq!(run_type_of_variant("Llm"), Some("llm"));
        assert_eq!(run_type_of_variant("LLM"), None);
        assert_eq!(run_type_of_variant("Custom"), None);
    }
}
