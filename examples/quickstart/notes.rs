//! The notes of the shop, and looking something up in them.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;
use tokio::time::sleep;
use traceable::traceable;

const NOTES: &str = include_str!("notes.md");

/// A passage, in the form that LangSmith shows as a document.
#[derive(Debug, Serialize)]
pub struct Document {
    pub page_content: String,
    pub r#type: &'static str,
    pub metadata: Place,
}

/// Where a passage stands, and how well it fits.
#[derive(Debug, Serialize)]
pub struct Place {
    pub title: String,
    pub score: f64,
}

/// The passages that share the most words with the query; those that share none are left out.
#[traceable(run_type = "retriever", name = "search_notes")]
pub async fn search(query: &str, limit: usize) -> Vec<Document> {
    // Stands for the way to an index on another machine.
    sleep(Duration::from_millis(15)).await;

    let wanted = words(query);
    let mut documents: Vec<Document> = NOTES
        .split("\n## ")
        .skip(1)
        .filter_map(|section| {
            let (title, text) = section.split_once('\n')?;
            let shared = words(section).intersection(&wanted).count();
            let score = shared as f64 / wanted.len().max(1) as f64;
            let metadata = Place { title: title.to_owned(), score };
            (shared > 0).then(|| Document {
                page_content: text.trim().replace('\n', " "),
                r#type: "Document",
                metadata,
            })
        })
        .collect();
    documents.sort_by(|a, b| b.metadata.score.total_cmp(&a.metadata.score));
    documents.truncate(limit);
    documents
}

/// The words of a text that say something: those of four letters and more, without case and plural.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(|word| word.to_lowercase().trim_end_matches('s').to_owned())
        .filter(|word| word.chars().count() >= 4)
        .collect()
}
