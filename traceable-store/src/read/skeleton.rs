//! A trace as columns: what a tree of a hundred thousand rows is drawn from, without a body or a [`Row`](crate::Row).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use traceable_core::model::{RunId, Status};

use super::rows::{TOTALS, Totals, id, status, totals};
use crate::{Result, Store, ingest::blob, row::to_dollars};

/// Characters of a preview.
const PREVIEW: usize = 120;

/// A trace as columns of one length: the runs as a tree shows them, each before its children, children by their start.
///
/// Times and durations are nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Skeleton {
    /// The trace's sums.
    pub totals: Totals,
    /// What [`Store::run_at`] finds each run by. It stays the same while others come.
    pub numbers: Vec<i64>,
    /// The place of each run's parent in these columns; `None` where there is none, or it is missing.
    pub parents: Vec<Option<u32>>,
    /// How many runs are above it.
    pub depths: Vec<u32>,
    /// The place of its name in `all_names`.
    pub names: Vec<u32>,
    /// Each name once.
    pub all_names: Vec<String>,
    /// The place of its kind in `all_types`.
    pub types: Vec<u32>,
    /// Each kind of work once.
    pub all_types: Vec<String>,
    /// When it began, from the start of the trace on.
    pub starts: Vec<i64>,
    /// How long it took; `None` while it is open.
    pub durations: Vec<Option<i64>>,
    /// From its start to the first chunk of the answer.
    pub first_tokens: Vec<Option<i64>>,
    /// How it stands.
    pub statuses: Vec<Status>,
    /// Tokens of prompt and answer.
    pub tokens: Vec<Option<u64>>,
    /// US dollars.
    pub costs: Vec<Option<f64>>,
    /// The first 120 characters of its answer's preview, or of what was asked.
    pub previews: Vec<Option<String>>,
}

/// What is read of a run.
struct Bone {
    number: i64,
    id: RunId,
    parent: Option<RunId>,
    name: u32,
    run_type: u32,
    start: i64,
    duration: Option<i64>,
    first_token: Option<i64>,
    status: Status,
    tokens: Option<u64>,
    cost: Option<f64>,
    preview: Option<String>,
}

impl Store {
    /// A trace as columns.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn skeleton(&self, trace: RunId) -> Result<Option<Skeleton>> {
        self.read(|connection| {
            let sql = format!("SELECT {TOTALS} FROM traces t WHERE t.id = ?");
            let found = connection.prepare_cached(&sql)?.query_row([blob(trace)], |row| totals(row, 0)).optional()?;
            let Some(totals) = found else { return Ok(None) };
            let (mut names, mut types) = (Words::default(), Words::default());
            let bones = bones(connection, trace, &mut names, &mut types)?;
            let mut skeleton = Skeleton::of(totals, bones);
            (skeleton.all_names, skeleton.all_types) = (names.all, types.all);
            Ok(Some(skeleton))
        })
    }

    /// The run of a trace that has this number in its [`Skeleton`].
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn run_at(&self, trace: RunId, number: i64) -> Result<Option<RunId>> {
        self.read(|connection| {
            let sql = "SELECT id FROM runs WHERE n = ? AND trace_id = ?";
            let values = params![number, blob(trace)];
            Ok(connection.prepare_cached(sql)?.query_row(values, |row| id(row, 0)).optional()?)
        })
    }

    /// The number that a run has in the [`Skeleton`] of its trace.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn number_of(&self, id: RunId) -> Result<Option<i64>> {
        self.read(|connection| {
            let sql = "SELECT n FROM runs WHERE id = ? AND start_time IS NOT NULL";
            Ok(connection.prepare_cached(sql)?.query_row([blob(id)], |row| row.get(0)).optional()?)
        })
    }
}

/// Words, each once.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    places: HashMap<String, u32>,
}

impl Words {
    fn place(&mut self, word: &str) -> u32 {
        if let Some(place) = self.places.get(word) {
            return *place;
        }
        let place = self.all.len() as u32;
        self.all.push(word.to_owned());
        self.places.insert(word.to_owned(), place);
        place
    }
}

fn bones(connection: &Connection, trace: RunId, names: &mut Words, types: &mut Words) -> Result<Vec<Bone>> {
    let sql = format!(
        "SELECT n, id, parent_id, name, run_type, start_time, latency, first_token, status, total_tokens, cost,
            substr(coalesce(output_preview, input_preview), 1, {PREVIEW})
            FROM runs WHERE trace_id = ? AND start_time IS NOT NULL ORDER BY start_time, id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([blob(trace)])?;
    let mut bones = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| Ok::<_, crate::Error>(row.get_ref(column)?.as_str().unwrap_or_default());
        let parent: Option<[u8; 16]> = row.get(2)?;
        bones.push(Bone {
            number: row.get(0)?,
            id: id(row, 1)?,
            parent: parent.map(|id| RunId::from_u128(u128::from_be_bytes(id))),
            name: names.place(text(3)?),
            run_type: types.place(text(4)?),
            start: row.get(5)?,
            duration: row.get(6)?,
            first_token: row.get(7)?,
            status: status(text(8)?),
            tokens: row.get::<_, Option<i64>>(9)?.map(|n| n as u64),
            cost: row.get::<_, Option<i64>>(10)?.map(to_dollars),
            preview: row.get(11)?,
        });
    }
    Ok(bones)
}

impl Skeleton {
    /// Puts runs, which are in the order of their start, in the order of the tree.
    fn of(totals: Totals, bones: Vec<Bone>) -> Self {
        let places: HashMap<RunId, usize> = bones.iter().enumerate().map(|(at, bone)| (bone.id, at)).collect();
        let parents: Vec<Option<usize>> =
            bones.iter().map(|bone| places.get(&bone.parent?).copied().filter(|at| bones[*at].id != bone.id)).collect();
        let mut children = vec![Vec::new(); bones.len()];
        let mut tops = Vec::new();
        for (at, parent) in parents.iter().enumerate() {
            parent.map_or(&mut tops, |parent| &mut children[parent]).push(at);
        }
        let mut bones: Vec<Option<Bone>> = bones.into_iter().map(Some).collect();
        let length = bones.len();
        let mut skeleton = Self {
            numbers: Vec::with_capacity(length),
            parents: Vec::with_capacity(length),
            depths: Vec::with_capacity(length),
            names: Vec::with_capacity(length),
            all_names: Vec::new(),
            types: Vec::with_capacity(length),
            all_types: Vec::new(),
            starts: Vec::with_capacity(length),
            durations: Vec::with_capacity(length),
            first_tokens: Vec::with_capacity(length),
            statuses: Vec::with_capacity(length),
            tokens: Vec::with_capacity(length),
            costs: Vec::with_capacity(length),
            previews: Vec::with_capacity(length),
            totals,
        };
        // Behind the tops, whatever is left: runs that are each other's parents hang below none.
        for top in tops.into_iter().chain(0..length) {
            let mut open = vec![(top, None)];
            while let Some((at, above)) = open.pop() {
                let Some(bone) = bones[at].take() else { continue };
                let place = skeleton.numbers.len() as u32;
                skeleton.push(bone, above);
                open.extend(children[at].iter().rev().map(|child| (*child, Some(place))));
            }
        }
        skeleton
    }

    fn push(&mut self, bone: Bone, parent: Option<u32>) {
        let depth = parent.and_then(|parent| self.depths.get(parent as usize)).map_or(0, |above| above + 1);
        self.numbers.push(bone.number);
        self.parents.push(parent);
        self.depths.push(depth);
        self.names.push(bone.name);
        self.types.push(bone.run_type);
        self.starts.push(bone.start.saturating_sub(self.totals.start_time));
        self.durations.push(bone.duration);
        self.first_tokens.push(bone.first_token);
        self.statuses.push(bone.status);
        self.tokens.push(bone.tokens);
        self.costs.push(bone.cost);
        self.previews.push(bone.preview);
    }
}
