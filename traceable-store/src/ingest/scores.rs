//! Scores: kept by their own id, whether or not what they are about is there.

use rusqlite::params;
use traceable_core::model::{Score, ScoreTarget};

use super::{Batch, blob};
use crate::Result;

impl Batch<'_> {
    /// A score. One that was sent again replaces the one before, unless it is older.
    pub(super) fn score(&mut self, score: &Score) -> Result<()> {
        let (run, thread) = match &score.target {
            ScoreTarget::Run(id) | ScoreTarget::Trace(id) => (Some(blob(*id)), None),
            ScoreTarget::Thread(thread) => (None, Some(thread)),
            _ => (None, None),
        };
        let number = score.score.filter(|number| number.is_finite());
        // What has no number is found by its text.
        let label = score.label.clone().or_else(|| score.value.as_ref().and_then(super::labels::text));
        let sql = "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
            run_id = excluded.run_id, thread_id = excluded.thread_id, key = excluded.key, number = excluded.number,
            label = excluded.label, source = excluded.source, user = excluded.user, time = excluded.time,
            data = excluded.data WHERE excluded.time >= time AND excluded.data <> data";
        let written = self.tx.prepare_cached(sql)?.execute(params![
            blob(score.id),
            run,
            thread,
            score.key,
            number,
            label,
            score.source.as_str(),
            score.user,
            score.time,
            serde_json::to_string(&Score { score: number, ..score.clone() })?,
        ])?;
        self.ingested.repeated += usize::from(written == 0);
        Ok(())
    }
}
