//! Chrome's trace events, which Perfetto shows: a process a trace, and in it as many threads as runs overlap.

use serde_json::json;
use traceable_store::{Result, Row, Trace};

pub(super) fn write(trace: &Trace, out: &mut Vec<u8>) -> Result<()> {
    // The same whenever it is exported; they read numbers of 32 bits.
    let pid = trace.head.as_u128() as u32 >> 1;
    let name = trace.runs.iter().find(|row| row.id == trace.head).map_or("", |head| head.name.as_str());
    let name = json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": name } });
    serde_json::to_writer(&mut *out, &name)?;
    let until = trace.runs.iter().map(|row| row.end_time.unwrap_or(row.start_time)).max().unwrap_or_default();
    let mut lanes: Vec<Vec<i64>> = Vec::new();
    for row in &trace.runs {
        let end = row.end_time.unwrap_or(until).max(row.start_time);
        let event = json!({
            "ph": "X",
            "name": row.name,
            "cat": row.run_type,
            "pid": pid,
            "tid": lane(&mut lanes, row.start_time, end),
            "ts": row.start_time as f64 / 1e3,
            "dur": end.saturating_sub(row.start_time) as f64 / 1e3,
            "args": arguments(row),
        });
        out.extend_from_slice(b",\n");
        serde_json::to_writer(&mut *out, &event)?;
    }
    Ok(())
}

/// The first lane on which the run stands behind, or inside of, all others.
fn lane(lanes: &mut Vec<Vec<i64>>, start: i64, end: i64) -> usize {
    for (number, open) in lanes.iter_mut().enumerate() {
        while open.last().is_some_and(|last| *last <= start) {
            open.pop();
        }
        if open.last().is_none_or(|last| *last >= end) {
            open.push(end);
            return number;
        }
    }
    lanes.push(vec![end]);
    lanes.len() - 1
}

fn arguments(row: &Row) -> serde_json::Value {
    json!({
        "id": row.id,
        "status": row.status,
        "error": row.error,
        "model": row.model,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost": row.cost,
        "input": row.input_preview,
        "output": row.output_preview,
    })
}
