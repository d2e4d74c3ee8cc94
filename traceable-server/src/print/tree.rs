//! A trace as a tree: a line a run, its children below it.

use std::collections::{HashMap, HashSet};

use traceable_core::model::{RunId, Status};
use traceable_store::Row;

use super::{BOLD, DIM, Look, PLAIN, RED, dollars, duration, fit, line, mark, tokens, width};

/// Levels that are drawn; what is deeper is drawn at the last of them.
const MAX_LEVELS: usize = 24;

/// The requests over HTTP that a library has noted below each call of a model or a database, by that call. They say
/// nothing that the call does not say, so long as they went well and there is one.
fn requests(rows: &[Row]) -> HashMap<RunId, Vec<RunId>> {
    let calls =
        rows.iter().filter(|row| matches!(row.run_type.as_str(), "llm" | "embedding" | "retriever" | "reranker"));
    let calls: HashSet<RunId> = calls.map(|row| row.id).collect();
    let parents: HashSet<RunId> = rows.iter().filter_map(|row| row.parent_id).collect();
    let mut requests: HashMap<RunId, Vec<RunId>> = HashMap::new();
    for row in rows.iter().filter(|row| row.run_type.as_str() == "http" && row.status == Status::Ok) {
        if let Some(call) = row.parent_id.filter(|parent| calls.contains(parent) && !parents.contains(&row.id)) {
            requests.entry(call).or_default().push(row.id);
        }
    }
    requests
}

/// The lines of a tree. The rows are in the order of their starts; a run whose parent is missing stands at the left.
pub(crate) fn tree(rows: &[Row], look: Look) -> Vec<String> {
    let folded: HashSet<RunId> = requests(rows).into_values().filter(|of| of.len() == 1).flatten().collect();
    let rows: Vec<&Row> = rows.iter().filter(|row| !folded.contains(&row.id)).collect();
    let known: HashSet<RunId> = rows.iter().map(|row| row.id).collect();
    let mut below: HashMap<Option<RunId>, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let parent = row.parent_id.filter(|parent| known.contains(parent) && *parent != row.id);
        below.entry(parent).or_default().push(at);
    }
    let mut drawn = Vec::with_capacity(rows.len());
    // Without recursion: a trace may be ten thousand runs deep.
    let mut stack: Vec<(usize, Vec<bool>)> = Vec::new();
    let push = |stack: &mut Vec<(usize, Vec<bool>)>, of: Option<RunId>, rails: &[bool], is_top: bool| {
        let children = below.get(&of).map_or(&[][..], Vec::as_slice);
        for (place, child) in children.iter().enumerate().rev() {
            let mut rails = rails.to_vec();
            if !is_top && rails.len() < MAX_LEVELS {
                rails.push(place + 1 < children.len());
            }
            stack.push((*child, rails));
        }
    };
    push(&mut stack, None, &[], true);
    while let Some((at, rails)) = stack.pop() {
        let last = rails.len().saturating_sub(1);
        let rail = |(level, goes_on): (usize, &bool)| match (level == last, goes_on) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        };
        let before: String = rails.iter().enumerate().map(rail).collect();
        let has_children = below.contains_key(&Some(rows[at].id));
        let under: String = rails.iter().map(|goes_on| if *goes_on { "│  " } else { "   " }).collect();
        drawn.push((at, before, under + if has_children { "│  " } else { "   " }));
        push(&mut stack, Some(rows[at].id), &rails, false);
    }
    let names = drawn.iter().map(|(at, before, _)| width(before) + 2 + width(&title(rows[*at]))).max();
    let names = names.unwrap_or(0).min(look.width * 9 / 20);
    let mut lines = Vec::new();
    for (at, before, under) in &drawn {
        lines.push(run(rows[*at], before, names, look));
        if let Some(error) = rows[*at].error.as_deref().and_then(|error| error.lines().next()) {
            let room = look.width.saturating_sub(width(under)).max(20);
            lines.push(look.paint(DIM, under) + &look.paint(RED, &fit(&line(error), room)));
        }
    }
    lines
}

fn title(row: &Row) -> String {
    let kind = row.run_type.as_str();
    let kind = if kind == "chain" { String::new() } else { format!(" {}", line(kind)) };
    line(&row.name) + &kind
}

fn run(row: &Row, before: &str, names: usize, look: Look) -> String {
    let (sign, style) = mark(row.status);
    let title = title(row);
    let room = names.saturating_sub(width(before) + 2).max(8);
    let title = fit(&title, room);
    let gap = " ".repeat((names + 2).saturating_sub(width(before) + 2 + width(&title)).max(1));
    let took = row.latency.map_or_else(|| "open".to_owned(), duration);
    let mut facts = vec![format!("{took:>8}")];
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        let of = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), tokens);
        facts.push(format!("{}→{} tok", of(row.input_tokens), of(row.output_tokens)));
    }
    facts.extend(row.cost.map(dollars));
    facts.extend(row.first_token.map(|first| format!("first {}", duration(first))));
    let facts = facts.join(" · ");
    let used = width(before) + 2 + width(&title) + gap.len() + width(&facts) + 2;
    let both = [row.input_preview.as_deref(), row.output_preview.as_deref()].map(|text| text.map(line));
    let said = match both {
        [Some(input), Some(output)] => format!("{input} → {output}"),
        [Some(input), None] => input,
        [None, Some(output)] => format!("→ {output}"),
        [None, None] => String::new(),
    };
    let said = if look.width > used + 8 { fit(&said, look.width - used).into_owned() } else { String::new() };
    let name_style = if row.error.is_some() { RED } else { BOLD };
    let line = [
        look.paint(DIM, before),
        look.paint(style, sign),
        " ".into(),
        look.paint(name_style, &title),
        gap,
        look.paint(PLAIN, &facts),
        "  ".into(),
        look.paint(DIM, &said),
    ];
    line.concat().trim_end().to_owned()
}
