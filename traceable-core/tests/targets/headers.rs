//! The lines `name: value` of a request's head.

use serde_json::Value;
use traceable_core::propagation::{Outgoing, Remote};

/// What is read is bounded, and comes back when it is sent on.
pub(crate) fn run(data: &[u8]) {
    let lines: Vec<(String, &[u8])> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((String::from_utf8_lossy(&line[..colon]).trim().to_owned(), &line[colon + 1..]))
        })
        .collect();
    let Some(remote) = Remote::from_headers(lines.iter().map(|(name, value)| (name, *value))) else { return };
    is_bounded(&remote);

    let outgoing = Outgoing {
        dotted_order: remote.dotted_order.clone(),
        trace_id: remote.otel.as_ref().map_or(0, |otel| otel.trace_id),
        span_id: remote.otel.as_ref().and_then(|otel| otel.parent_span_id).unwrap_or(0),
        tracestate: remote.otel.as_ref().and_then(|otel| otel.tracestate.clone()),
        sampled: remote.otel.as_ref().is_some_and(|otel| otel.sampled),
        metadata: remote.metadata.clone(),
        tags: remote.tags.clone(),
        project: None,
    };
    let headers = outgoing.headers();
    is_sendable(&headers, 0);
    let again = Remote::from_headers(headers).unwrap();
    assert_eq!((&again.dotted_order, &again.otel, again.sampled), (&remote.dotted_order, &remote.otel, remote.sampled));
    // What was there may be longer when it is written again: other encoders leave more as it is.
    assert!(again.metadata.iter().all(|(name, value)| remote.metadata.get(name) == Some(value)));
    assert!(again.tags.iter().all(|tag| remote.tags.contains(tag)));

    let theirs = || lines.iter().filter(|line| line.0.eq_ignore_ascii_case("baggage")).map(|line| line.1);
    let beside = outgoing.headers_beside(theirs());
    is_sendable(&beside, theirs().map(|line| line.len() + 1).sum());
    let baggage = beside.iter().find(|(name, _)| *name == "baggage").map_or("", |(_, value)| value);
    let ours = ["langsmith-metadata", "langsmith-tags"];
    assert!(baggage.split(',').all(|entry| {
        let name = entry.split('=').next().unwrap_or_default();
        !name.starts_with("langsmith-") || ours.contains(&name)
    }));
}

fn is_bounded(remote: &Remote) {
    assert!(remote.dotted_order.is_some() || remote.otel.is_some());
    assert!(remote.dotted_order.is_some() || (remote.metadata.is_empty() && remote.tags.is_empty()));
    assert!(remote.metadata.len() <= 64 && remote.tags.len() <= 64);
    assert!(remote.metadata.keys().chain(&remote.tags).all(|name| name.len() <= 256));
    assert!(remote.metadata.values().all(|value| match value {
        Value::String(text) => text.len() <= 1024,
        value => value.to_string().len() <= 1024,
    }));
    let size: usize = remote.metadata.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    assert!(size + remote.tags.iter().map(String::len).sum::<usize>() <= 4 * 8 * 1024);
    if let Some(otel) = &remote.otel {
        assert!(otel.trace_id != 0 && otel.parent_span_id.is_some_and(|id| id != 0));
        assert!(otel.tracestate.as_ref().is_none_or(|state| state.len() <= 512));
    }
}

fn is_sendable(headers: &[(&'static str, String)], theirs: usize) {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(size <= 8 * 1024 + theirs);
    assert!(headers.iter().all(|(_, value)| value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))));
}
