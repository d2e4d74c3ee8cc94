//! Secrets that are split over the chunks of a stream.
//!
//! The texts that stand at one place of every chunk are searched as one. A secret leaves its mark in the chunk that it
//! begins in and is cut out of those behind, so that times and count stay.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use super::{
    Redactor,
    json::{Edit, apply},
    text::Hit,
    tokens::{Broken, Token, Tokens, unescape},
};

/// The texts at one place, one behind the other.
#[derive(Default)]
struct Joined {
    text: String,
    /// Of each: its document, its place there, and where it begins in `text`.
    pieces: Vec<(usize, Range<usize>, usize)>,
}

/// The texts by their places.
type Places = HashMap<u64, Joined>;

impl Redactor {
    /// Chunks that are a document each. Answers those that change.
    pub(super) fn split_chunks(&self, documents: &[&str]) -> Vec<(usize, String)> {
        let mut places = Places::new();
        for (number, document) in documents.iter().enumerate() {
            // What is no JSON is withheld afterwards.
            let _ = collect(number, document, usize::MAX, &mut places);
        }
        self.search(documents, places, false)
    }

    /// Chunks that are the elements of the list at this depth. With `live`, there may be more to come.
    pub(super) fn chunk_list(&self, document: &str, depth: usize, live: bool) -> Option<String> {
        let mut places = Places::new();
        collect(0, document, depth, &mut places).ok()?;
        self.search(&[document], places, live).pop().map(|(_, changed)| changed)
    }

    fn search(&self, documents: &[&str], places: Places, live: bool) -> Vec<(usize, String)> {
        let mut edits: HashMap<usize, Vec<Edit>> = HashMap::new();
        for joined in places.into_values() {
            if live || self.suspects(&joined.text) {
                let hits = self.hits(&joined.text, live);
                joined.edit(&hits, &mut edits);
            }
        }
        edits.into_iter().filter_map(|(number, edits)| Some((number, apply(documents[number], edits)?))).collect()
    }
}

impl Joined {
    /// Makes edits of hits, which are in order.
    fn edit(&self, hits: &[Hit], edits: &mut HashMap<usize, Vec<Edit>>) {
        let mut first = 0;
        for (at, (document, place, start)) in self.pieces.iter().enumerate() {
            let end = self.pieces.get(at + 1).map_or(self.text.len(), |(.., next)| *next);
            while hits.get(first).is_some_and(|hit| hit.end <= *start) {
                first += 1;
            }
            let here = hits[first..].iter().take_while(|hit| hit.start < end);
            let (mut new, mut from, mut touched) = (String::new(), *start, false);
            for hit in here {
                touched = true;
                if hit.start >= *start {
                    new.push_str(&self.text[from..hit.start]);
                    hit.by.push_to(&mut new);
                }
                from = hit.end.min(end);
            }
            if touched {
                new.push_str(&self.text[from..end]);
                edits.entry(*document).or_default().push(Edit::new(place.clone(), &new));
            }
        }
    }
}

/// Adds the texts of a document to their places. The list at `depth` is that of the chunks: where in it a text stands
/// makes no difference.
fn collect(number: usize, document: &str, depth: usize, places: &mut Places) -> Result<(), Broken> {
    // For each open container: its place, whether it is a list, and the place of what comes next in it.
    let mut levels: Vec<(u64, bool, u64)> = Vec::new();
    let mut tokens = Tokens::new(document);
    while let Some(token) = tokens.next()? {
        let in_chunks = levels.len() == depth;
        let here = match levels.last_mut() {
            Some((place, true, next)) => {
                if !matches!(token, Token::Close) && !in_chunks {
                    *next += 1;
                }
                below(*place, *next)
            }
            Some((_, false, next)) => *next,
            None => 0,
        };
        match token {
            Token::Open { list } => levels.push((here, list, 0)),
            Token::Close => drop(levels.pop()),
            Token::Name(name) => {
                if let Some((place, _, next)) = levels.last_mut() {
                    *next = below(*place, &document[name]);
                }
            }
            Token::Text(place) => {
                let joined = places.entry(here).or_default();
                joined.pieces.push((number, place.clone(), joined.text.len()));
                joined.text.push_str(&unescape(&document[place]));
            }
            Token::Plain => {}
        }
    }
    Ok(())
}

fn below(place: u64, step: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (place, step).hash(&mut hasher);
    hasher.finish()
}
