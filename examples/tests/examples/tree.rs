//! The attribute and runs by hand: what becomes a run, and where it stands in the tree.

use std::process::Command;

use crate::support::{Page, example};

#[test]
fn errors() {
    let page = Page::of(&mut example("errors"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(
        page.tree(),
        [
            "✓ total",
            "├─ ✓ price",
            "└─ ✓ price",
            "✗ total",
            "├─ ✓ price",
            "└─ ✗ price",
            "✓ cheapest retriever",
            "✗ nth tool",
        ],
        "{}",
        page.err
    );
    assert!(page.err.contains("     invalid digit found in string\n"), "{}", page.err);
    assert!(page.err.contains("  panicked: index out of bounds: the len is 2 but the index is 2 ("), "{}", page.err);
}

#[test]
fn manual() {
    let page = Page::of(&mut example("manual"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    let tree = page.tree();
    let trace = |root: &str| -> Vec<&str> {
        let from = tree.iter().position(|run| *run == root).unwrap_or_else(|| panic!("no {root} in\n{}", page.err));
        let below = tree[from + 1..].iter().take_while(|run| run.starts_with(['├', '└', '│', ' ']));
        below.copied().collect()
    };
    assert_eq!(trace("✓ guess the film"), ["├─ ✓ chat llm", "└─ ✓ chat llm"], "{}", page.err);
    assert_eq!(
        trace("✗ trace"),
        [
            "├─ ✓ system system",
            "├─ ✓ message message",
            "│  ├─ ✓ agent agent",
            "│  │  └─ ✓ tool tool",
            "│  └─ ✓ generation llm",
            "└─ ✗ message message",
            "   └─ ✓ agent agent",
            "      └─ ✗ tool tool",
        ],
        "{}",
        page.err
    );
    assert!(page.err.contains("invalid digit found in string\n"), "{}", page.err);
    assert_eq!(trace("✓ Chat Request"), ["├─ ✓ Weather Station tool", "└─ ✓ LLM Call llm"], "{}", page.err);
    assert_eq!(trace("✗ Chat Request"), ["├─ ✓ Weather Station tool", "└─ ✗ LLM Call"], "{}", page.err);
    assert!(page.err.contains("19→6 tok · $0.002"), "{}", page.err);
    assert_eq!(
        trace("✓ My Agent agent"),
        ["├─ ✓ kinds retriever", "├─ ✓ look tool", "└─ ✓ answer llm"],
        "{}",
        page.err
    );
    for said in ["feedback 1 THUMBS_UP", "conciseness 0.9", "thread thread-7 · Cats · of ada@example.com", "“right”"]
    {
        assert!(page.err.contains(said), "{said} is not in\n{}", page.err);
    }
}

#[test]
fn streams() {
    let page = Page::of(&mut example("streams"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(page.out.ends_with("and remembered all but two.\nA crab crossed the …\n"), "{}", page.out);
    assert_eq!(page.tree(), ["✓ tell llm", "⊘ tell llm"], "{}", page.err);
    assert!(page.err.contains("and remembered all but two.\"\n"), "{}", page.err);
    assert!(page.err.contains("→ \"A crab crossed the"), "{}", page.err);
}

#[test]
fn threads() {
    let page = Page::of(&mut example("threads"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(
        page.tree(),
        [
            "✓ research",
            "├─ ✓ fetch retriever",
            "└─ ✓ best",
            "   ├─ ✓ score reranker",
            "   ├─ ✓ score reranker",
            "   └─ ✓ score reranker",
        ],
        "{}",
        page.err
    );
}

#[test]
fn conversation() {
    let page = Page::of(&mut example("conversation"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(page.out, "Jasmine is steeped for two minutes. Is that what you meant?\nI do not know.\n");
    assert_eq!(page.tree(), ["✓ reply agent", "└─ ✓ search retriever", "✓ reply agent", "└─ ✓ search retriever"]);
    for line in
        ["thread chat-7 · How long is tea steeped? · of ada@example.com", "reader 1 THUMBS_UP", "chat-7 solved 0.5"]
    {
        assert!(page.err.contains(line), "{line} is not in\n{}", page.err);
    }
}

#[test]
fn a_library_is_seen_by_who_asks() {
    let page = Page::of(&mut example("library"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    let likeness = ["├─ ✓ likeness", "│  ├─ ✓ keywords parser", "│  └─ ✓ keywords parser"];
    assert_eq!(page.tree()[..4], [&["✓ nearest retriever"], &likeness[..]].concat());

    // And costs no dependency who does not.
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "-p", "traceable-example-library", "-e", "normal", "--prefix", "none", "--offline"]);
    let tree = Page::of(tree.env_remove("CARGO_TARGET_DIR"));
    assert!(tree.out.contains("traceable-macros") && !tree.out.contains("traceable-core"), "{}", tree.out);
    assert!(!tree.out.contains("serde"), "{}", tree.out);
}
