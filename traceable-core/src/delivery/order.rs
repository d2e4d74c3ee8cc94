//! What was read from the source and is not done with: what waits, what is on its way, and how far everything is done.
//!
//! Pieces are named by the mark of their first change. A piece that is cut in two keeps its place, so that what comes
//! before the lowest piece is done with, whatever happened above it.

use std::collections::BTreeMap;

use super::{Entry, Mark};
use crate::model::{RunChange, RunId};

/// Changes that travel together.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) entries: Vec<Entry>,
    /// How often its only change was made smaller.
    pub(super) cuts: u32,
}

impl Piece {
    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }

    fn first(&self) -> Mark {
        self.entries.first().map_or_else(Mark::default, |entry| entry.mark)
    }

    /// Two pieces of about half the changes each.
    pub(super) fn halves(self) -> (Self, Self) {
        let at = self.entries.len() / 2;
        self.split(at)
    }

    /// Two pieces of about half the bytes each, and at least one change.
    pub(super) fn halves_by_bytes(self) -> (Self, Self) {
        let half = self.bytes() / 2;
        let mut bytes = 0;
        let at = self.entries.iter().position(|entry| {
            bytes += entry.bytes;
            bytes > half
        });
        let most = self.entries.len().saturating_sub(1);
        self.split(at.unwrap_or(most).clamp(1.min(most), most))
    }

    fn split(mut self, at: usize) -> (Self, Self) {
        let mut behind = self.entries.split_off(at);
        // Whoever encodes the second half alone must not take an end for a whole run.
        let begun: Vec<RunId> = self.entries.iter().filter_map(start_of).collect();
        for entry in &mut behind {
            entry.announced |= matches!(&entry.change, RunChange::End(run) if begun.contains(&run.id));
        }
        (self, Self { entries: behind, cuts: 0 })
    }
}

fn start_of(entry: &Entry) -> Option<RunId> {
    if let RunChange::Start(run) = &entry.change { Some(run.id) } else { None }
}

#[derive(Debug)]
enum State {
    Waits(Piece),
    Sent,
    Done,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Order {
    pieces: BTreeMap<Mark, (Mark, State)>,
    in_flight: usize,
}

impl Order {
    /// Takes in a piece, at the place of its marks.
    pub(super) fn put(&mut self, piece: Piece) {
        if let Some(last) = piece.entries.last() {
            self.pieces.insert(piece.first(), (last.mark, State::Waits(piece)));
        }
    }

    /// The lowest piece that waits, which is on its way now.
    pub(super) fn send(&mut self) -> Option<Piece> {
        let (_, state) = self.pieces.values_mut().find(|(_, state)| matches!(state, State::Waits(_)))?;
        let State::Waits(piece) = std::mem::replace(state, State::Sent) else { return None };
        self.in_flight += 1;
        Some(piece)
    }

    /// Whether this piece is on its way; it is not any more.
    pub(super) fn returned(&mut self, first: Mark) -> bool {
        let is_sent = matches!(self.pieces.get(&first), Some((_, State::Sent)));
        self.in_flight -= usize::from(is_sent);
        is_sent
    }

    /// A piece that was on its way is done with. Answers how far everything is, where that is further than before.
    pub(super) fn done(&mut self, first: Mark) -> Option<Mark> {
        if let Some((_, state)) = self.pieces.get_mut(&first) {
            *state = State::Done;
        }
        let mut reached = None;
        while let Some(lowest) = self.pieces.first_entry().filter(|lowest| matches!(lowest.get().1, State::Done)) {
            reached = Some(lowest.remove().0);
        }
        reached
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }
}
