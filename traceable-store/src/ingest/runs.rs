//! Records of runs: kept as they came, put together, and the run's row made of that.

use rusqlite::{Connection, OptionalExtension as _, params};
use traceable_core::model::{Progress, RunId};

use super::{Batch, blob, labels};
use crate::{
    Result,
    read::row_of,
    record::{self, Merged, Packed, Parcel, Record},
    row::{Row, to_nanos},
};

/// Records of a run that are kept one by one. Beyond that they are put together; what then still comes for a lower rank is
/// taken as if it had been the first to come.
pub(crate) const SLOTS: i64 = 64;

/// Both take the same values in the same order.
const INSERT: &str =
    "INSERT INTO runs (trace_id, parent_id, project, name, run_type, status, start_time, end_time, latency,
    first_token, error, provider, model, thread_id, session_id, user, environment, release, input_tokens, output_tokens,
    total_tokens, cost, tags, attachments, input_preview, output_preview, id, head)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?27, ?1 = ?27)";
const UPDATE: &str = "UPDATE runs SET trace_id = ?, parent_id = ?, project = ?, name = ?, run_type = ?, status = ?,
    start_time = ?, end_time = ?, latency = ?, first_token = ?, error = ?, provider = ?, model = ?, thread_id = ?,
    session_id = ?, user = ?, environment = ?, release = ?, input_tokens = ?, output_tokens = ?, total_tokens = ?, cost = ?,
    tags = ?, attachments = ?, input_preview = ?, output_preview = ?, head = CASE id WHEN ?1 THEN 1 ELSE head END
    WHERE id = ?27";

fn row_of_merged(merged: &Merged) -> Row {
    Row { attachments: merged.files.len() as u64, ..Row::of(&merged.run) }
}

/// The key of a run's record in `bodies`. The records of a run lie together, and need no index.
pub(crate) fn key(n: i64, slot: i64) -> i64 {
    n * SLOTS + slot
}

/// The records of a run, in the order in which they came.
pub(crate) fn records_of(connection: &Connection, n: i64) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached("SELECT body FROM bodies WHERE key BETWEEN ? AND ? ORDER BY key")?;
    let mut rows = statement.query([key(n, 0), key(n, SLOTS - 1)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(Record::decode(row.get_ref(0)?.as_blob().unwrap_or_default())?);
    }
    Ok(records)
}

impl Batch<'_> {
    /// Takes in records of one run.
    pub(super) fn run(&mut self, id: RunId, packed: Vec<Packed>) -> Result<()> {
        let sql = "SELECT n FROM runs WHERE id = ?";
        let known: Option<i64> = self.tx.prepare_cached(sql)?.query_row([blob(id)], |row| row.get(0)).optional()?;
        let mut packed = self.without_repeated(known, packed)?;
        if packed.is_empty() {
            return Ok(());
        }
        if let Some(n) = known {
            return self.more_of(n, id, packed);
        }
        let more = packed.split_off(packed.len().min(SLOTS as usize));
        let n = self.new_run(id, packed)?;
        if more.is_empty() { Ok(()) } else { self.more_of(n, id, more) }
    }

    /// Leaves out what is there already, and what comes twice.
    fn without_repeated(&mut self, n: Option<i64>, packed: Vec<Packed>) -> Result<Vec<Packed>> {
        let mut hashes: Vec<[u8; 16]> = Vec::new();
        if let Some(n) = n {
            let mut statement = self.tx.prepare_cached("SELECT hash FROM bodies WHERE key BETWEEN ? AND ?")?;
            let found = statement.query_map([key(n, 0), key(n, SLOTS - 1)], |row| row.get(0))?;
            hashes = found.collect::<Result<_, _>>()?;
        }
        let mut new = Vec::with_capacity(packed.len());
        for one in packed {
            if hashes.contains(&one.parcel.hash) {
                self.ingested.repeated += 1;
            } else {
                hashes.push(one.parcel.hash);
                new.push(one);
            }
        }
        Ok(new)
    }

    /// Writes a run of which nothing is there, and answers its number. The records are at most [`SLOTS`].
    fn new_run(&mut self, id: RunId, packed: Vec<Packed>) -> Result<i64> {
        let (records, parcels): (Vec<_>, Vec<_>) = packed.into_iter().map(|one| (one.record, one.parcel)).unzip();
        let merged = Merged::of(records);
        let mut rows = None;
        if merged.is_known {
            self.ingested.new.push(id);
            let row = row_of_merged(&merged);
            self.write_row(INSERT, &row)?;
            rows = Some((None, row));
        } else {
            let sql = "INSERT INTO runs (id, trace_id, project, name, run_type, status, tags, attachments)
                VALUES (?1, ?1, 0, '', '', '', '[]', 0)";
            self.tx.prepare_cached(sql)?.execute([blob(id)])?;
        }
        let n = self.tx.last_insert_rowid();
        for (slot, parcel) in parcels.into_iter().enumerate() {
            self.write(key(n, slot as i64), parcel)?;
        }
        self.settle(n, None, &merged, rows)?;
        Ok(n)
    }

    fn more_of(&mut self, n: i64, id: RunId, packed: Vec<Packed>) -> Result<()> {
        let old = records_of(self.tx, n)?;
        let before = Merged::of(old.iter().cloned());
        let merged = Merged::of(self.add(n, old, packed)?);
        if merged.is_known {
            let list = if before.is_known { &mut self.ingested.merged } else { &mut self.ingested.new };
            list.push(id);
        }
        let mut rows = None;
        if merged.is_known {
            let old = if before.is_known { Some(row_of(self.tx, n)?) } else { None };
            let row = row_of_merged(&merged);
            self.write_row(UPDATE, &row)?;
            rows = Some((old, row));
        }
        self.settle(n, Some(&before), &merged, rows)
    }

    /// Writes more records; answers all.
    fn add(&mut self, n: i64, mut records: Vec<Record>, packed: Vec<Packed>) -> Result<Vec<Record>> {
        let mut slots = records.len() as i64;
        for Packed { record, parcel } in packed {
            if slots >= SLOTS {
                records = vec![record::compact(records)];
                let (hash, body) = records[0].encode()?;
                let sql = "DELETE FROM bodies WHERE key BETWEEN ? AND ?";
                self.tx.execute(sql, [key(n, 0), key(n, SLOTS - 1)])?;
                self.write(key(n, 0), Parcel { blobs: Vec::new(), hash, body })?;
                slots = 1;
            }
            self.write(key(n, slots), parcel)?;
            records.push(record);
            slots += 1;
        }
        Ok(records)
    }

    fn write(&mut self, key: i64, Parcel { blobs, hash, body }: Parcel) -> Result<()> {
        self.tx.prepare_cached("INSERT INTO bodies VALUES (?, ?, ?)")?.execute(params![key, hash, body])?;
        for (hash, bytes) in blobs {
            let sql = "INSERT OR IGNORE INTO blobs VALUES (?, ?)";
            self.tx.prepare_cached(sql)?.execute(params![hash.as_bytes(), bytes])?;
        }
        Ok(())
    }

    /// Makes labels, files and sums agree with the row that was written, and with the one before.
    fn settle(
        &mut self,
        n: i64,
        before: Option<&Merged>,
        now: &Merged,
        rows: Option<(Option<Row>, Row)>,
    ) -> Result<()> {
        let tx = self.tx;
        let blobs = now.blobs();
        if before.map(Merged::blobs).unwrap_or_default() != blobs {
            tx.prepare_cached("DELETE FROM blob_uses WHERE n = ?")?.execute([n])?;
            for hash in blobs {
                tx.prepare_cached("INSERT INTO blob_uses VALUES (?, ?)")?.execute(params![hash.as_bytes(), n])?;
            }
        }
        let Some((old, row)) = rows else { return Ok(()) };
        let old_labels = before.filter(|before| before.is_known).map(|before| labels::labels_of(&before.run));
        self.labels.replace(tx, n, &old_labels.unwrap_or_default(), &labels::labels_of(&now.run))?;
        if n <= self.texts_seen {
            tx.prepare_cached("INSERT OR IGNORE INTO pending_texts VALUES (?)")?.execute([n])?;
        }
        self.count(n, old.as_ref(), &row);
        if row.end_time.is_some() && self.has_progress {
            tx.prepare_cached("DELETE FROM progress WHERE id = ?")?.execute([blob(row.id)])?;
        }
        for (seen, who) in [(&mut self.threads, &row.thread_id), (&mut self.users, &row.user)] {
            let Some(who) = who else { continue };
            match seen.get_mut(who) {
                Some(last) => *last = row.start_time.max(*last),
                None => {
                    seen.insert(who.clone(), row.start_time);
                }
            }
        }
        Ok(())
    }

    fn project(&mut self, name: &str) -> Result<i64> {
        if let Some((known, id)) = &self.project
            && known == name
        {
            return Ok(*id);
        }
        let id = self.project_id(name)?;
        self.project = Some((name.to_owned(), id));
        Ok(id)
    }

    fn project_id(&self, name: &str) -> Result<i64> {
        let sql = "SELECT id FROM projects WHERE name = ?";
        let known = self.tx.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        self.tx.execute("INSERT INTO projects (name, time) VALUES (?, ?)", params![name, self.now])?;
        Ok(self.tx.last_insert_rowid())
    }

    fn write_row(&mut self, sql: &str, row: &Row) -> Result<()> {
        let project = self.project(&row.project)?;
        // Without `..`, so that a new field cannot be forgotten here.
        #[rustfmt::skip]
        let Row {
            id, trace_id, parent_id, project: _, name, run_type, status, start_time, end_time, latency, first_token, error,
            provider, model, thread_id, session_id, user, environment, release, input_tokens, output_tokens, total_tokens,
            cost, tags, attachments, input_preview, output_preview,
        } = row;
        self.tx.prepare_cached(sql)?.execute(params![
            blob(*trace_id),
            parent_id.map(blob),
            project,
            name,
            run_type.as_str(),
            status.as_str(),
            start_time,
            end_time,
            latency,
            first_token,
            error,
            provider,
            model,
            thread_id,
            session_id,
            user,
            environment,
            release,
            input_tokens.map(|n| n as i64),
            output_tokens.map(|n| n as i64),
            total_tokens.map(|n| n as i64),
            cost.map(to_nanos),
            serde_json::to_string(tags)?,
            *attachments as i64,
            input_preview,
            output_preview,
            blob(*id),
        ])?;
        Ok(())
    }

    /// The stream of an open run so far. What came later is kept; after the end, nothing.
    pub(super) fn progress(&mut self, progress: &Progress) -> Result<()> {
        let sql = "SELECT 1 FROM runs WHERE id = ? AND end_time IS NOT NULL";
        let has_ended = self.tx.prepare_cached(sql)?.exists([blob(progress.id)])?;
        let sql = "INSERT INTO progress VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
            SET time = excluded.time, data = excluded.data WHERE excluded.time >= time";
        let data = serde_json::to_string(progress)?;
        let is_news =
            !has_ended && self.tx.prepare_cached(sql)?.execute(params![blob(progress.id), progress.time, data])? == 1;
        if is_news {
            self.ingested.progressed.push(progress.id);
        } else {
            self.ingested.repeated += 1;
        }
        Ok(())
    }
}
