//! What can stand where the cursor is in a query: names of fields, and values that runs have.

use std::sync::Arc;

use axum::{
    extract::{Query as Parameters, State},
    http::header::CACHE_CONTROL,
    response::IntoResponse,
};
use maud::{Markup, html};
use serde::Deserialize;
use traceable_store::{Field, Query, Store, fields};

use super::{App, Place, bar, frame, show};
use crate::{
    http::Refusal,
    print::{self, now},
};

/// How many are proposed.
const LIMIT: usize = 12;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    q: String,
    /// Where the cursor is, in UTF-16 units, as browsers count.
    at: usize,
    /// The page that asks.
    #[serde(default)]
    path: String,
    /// `runs`, or traces.
    #[serde(default)]
    of: String,
}

/// Something that can be put in the place of the word at the cursor.
#[derive(Debug, PartialEq, Eq)]
struct Proposal {
    text: String,
    note: String,
}

/// Answers with the options for the list below the bar, and with what is wrong so far.
pub(super) async fn part(
    State(app): State<Arc<App>>,
    Parameters(place): Parameters<Place>,
    Parameters(Wanted { q, at, path, of }): Parameters<Wanted>,
) -> Result<impl IntoResponse, Refusal> {
    let end = end_of(&q, at);
    let start = start_of(&q[..end]);
    let word = q[start..end].to_owned();
    // Behind the word, a term that is still written is no mistake yet.
    let wrong = Query::parse(&q, now()).err().filter(|wrong| wrong.at() < start || wrong.nearest().is_some());
    let proposals = app.ask(move |store| propose(store, &word, of != "runs")).await?;
    let units = |bytes: usize| q[..bytes].encode_utf16().count();
    let path = if frame::is_tab(&path) { path.as_str() } else { "/" };
    let markup: Markup = html! {
        ul data-from=(units(start)) data-to=(units(end)) {
            @for (n, Proposal { text, note }) in proposals.iter().enumerate() {
                li #{ "proposal-" (n) } role="option" aria-selected="false" data-text=(text) {
                    span { (show::text(text)) } span.hint { (note) }
                }
            }
        }
        @if let Some(wrong) = wrong { (bar::complaint(path, &place, &[], &wrong)) }
    };
    Ok(([(CACHE_CONTROL, "no-store")], markup))
}

/// The byte at which so many UTF-16 units end.
fn end_of(q: &str, units: usize) -> usize {
    let mut seen = 0;
    let cut = q.char_indices().find(|(_, c)| {
        seen += c.len_utf16();
        seen > units
    });
    cut.map_or(q.len(), |(at, _)| at)
}

/// Where the word begins that is written at the end of the text: quotes hold blanks together.
fn start_of(text: &str) -> usize {
    let (mut start, mut is_quoted) = (0, false);
    for (at, c) in text.char_indices() {
        is_quoted ^= c == '"';
        if !is_quoted && (c.is_whitespace() || c == '(') {
            start = at + c.len_utf8();
        }
    }
    start
}

fn propose(store: &Store, word: &str, of_traces: bool) -> traceable_store::Result<Vec<Proposal>> {
    let bare = word.trim_start_matches('-');
    let sign = &word[..word.len() - bare.len()];
    let (scope, bare) = match ["root.", "tree."].into_iter().find_map(|scope| Some((scope, bare.strip_prefix(scope)?)))
    {
        Some((scope, rest)) => (scope, rest),
        None => ("", bare),
    };
    let before = format!("{sign}{scope}");
    match bare.split_once(':') {
        None => names(store, bare, &before, of_traces && scope.is_empty()),
        Some((name, typed)) => values(store, name, typed, &before),
    }
}

fn names(store: &Store, typed: &str, before: &str, of_traces: bool) -> traceable_store::Result<Vec<Proposal>> {
    if let Some(key) = typed.strip_prefix("metadata.") {
        let keys = store.metadata_keys(1_000)?.into_iter().filter(|name| is_near(name, key));
        let named = |key: String| Field::Metadata(key).to_string();
        return Ok(keys
            .take(LIMIT)
            .map(|key| Proposal { text: format!("{before}{}:", named(key)), note: String::new() })
            .collect());
    }
    let of_fields = fields().map(|field| (field.name, field.doc, field.aliases));
    let words = [
        ("has", "whether there is such a field", &[][..]),
        ("since", "not longer ago than, such as 2h", &[]),
        ("until", "before this moment, such as 2026-06-01", &[]),
        ("input", "words in the inputs", &[]),
        ("output", "words in the outputs", &[]),
    ];
    let mut found: Vec<_> = of_fields
        .chain(words)
        .filter(|(name, _, others)| {
            is_near(name, typed) || !typed.is_empty() && others.iter().any(|other| other.starts_with(typed))
        })
        .collect();
    // What begins like that is more likely meant.
    found.sort_by_key(|(name, ..)| !name.starts_with(typed));
    let proposal = |(name, doc, _): (&str, &str, _)| {
        let colon = if name.ends_with('.') { "" } else { ":" };
        // What stands for a trace is seldom the call of a model.
        let tree = if of_traces && matches!(name, "model" | "provider") { "tree." } else { "" };
        Proposal { text: format!("{before}{tree}{name}{colon}"), note: doc.to_owned() }
    };
    Ok(found.into_iter().take(LIMIT).map(proposal).collect())
}

fn values(store: &Store, name: &str, typed: &str, before: &str) -> traceable_store::Result<Vec<Proposal>> {
    if name == "has" {
        return names(store, typed, "", false).map(|names| {
            let of = |Proposal { text, note }: Proposal| Proposal {
                text: format!("{before}has:{}", text.trim_end_matches(':')),
                note,
            };
            names.into_iter().filter(|name| !name.text.ends_with('.')).map(of).collect()
        });
    }
    let Ok(Query::Exists(field)) = Query::parse(&format!("has:{name}"), 0) else { return Ok(Vec::new()) };
    if field == Field::Root {
        let both =
            ["true", "false"].map(|flag| Proposal { text: format!("{before}{name}:{flag}"), note: String::new() });
        return Ok(both.into());
    }
    let typed = typed.trim_start_matches(['=', '~']).trim_matches('"');
    let found = store.values(&field, 500)?.into_iter().filter(|facet| is_near(&facet.value, typed)).take(LIMIT);
    let of = |facet: traceable_store::Facet| Proposal {
        text: format!("{before}{}", super::terms::is(&field, &facet.value)),
        note: print::counted(facet.runs, "run"),
    };
    Ok(found.map(of).collect())
}

fn is_near(name: &str, typed: &str) -> bool {
    typed.is_empty() || name.to_lowercase().contains(&typed.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_cursor_is_found_also_in_quotes_and_behind_wide_letters() {
        let q = "𝛑 name:a \"b c\" (-env:d";
        assert_eq!(&q[start_of(q)..], "-env:d");
        assert_eq!(end_of(q, 2), 4);
        assert_eq!(start_of("a \"b c"), 2);
        assert_eq!(end_of(q, 999), q.len());
    }
}
