-- Version 1. Times are nanoseconds since the epoch, costs are billionths of a US dollar, ids are 16 bytes.

CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL
) STRICT;

-- A run as lists show it. `n` is the run's number in all other tables. Without a start the run is not known yet: only
-- patches or files of it have come.
CREATE TABLE runs (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    trace_id BLOB NOT NULL,
    parent_id BLOB,
    head INTEGER NOT NULL DEFAULT 0,
    project INTEGER NOT NULL,
    name TEXT NOT NULL,
    run_type TEXT NOT NULL,
    status TEXT NOT NULL,
    start_time INTEGER,
    end_time INTEGER,
    latency INTEGER,
    first_token INTEGER,
    error TEXT,
    provider TEXT,
    model TEXT,
    thread_id TEXT,
    session_id TEXT,
    user TEXT,
    environment TEXT,
    release TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    cost INTEGER,
    tags TEXT NOT NULL,
    attachments INTEGER NOT NULL,
    input_preview TEXT,
    output_preview TEXT
) STRICT;
CREATE INDEX runs_by_trace ON runs (trace_id, start_time);
CREATE INDEX runs_by_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_by_time ON runs (start_time);
CREATE INDEX runs_by_project ON runs (project, start_time);
CREATE INDEX runs_by_name ON runs (name, start_time);
CREATE INDEX heads ON runs (start_time) WHERE head = 1;
CREATE INDEX runs_by_model ON runs (model, start_time) WHERE model IS NOT NULL;
CREATE INDEX runs_by_thread ON runs (thread_id, start_time) WHERE thread_id IS NOT NULL;
CREATE INDEX runs_by_user ON runs (user, start_time) WHERE user IS NOT NULL;
CREATE INDEX runs_with_error ON runs (start_time) WHERE error IS NOT NULL;

-- The records of a run, compressed, in the order in which they came: the key is 64 times the run's number and a place.
CREATE TABLE bodies (
    key INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE traces (
    id BLOB PRIMARY KEY,
    head INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    end_time INTEGER,
    first_token_at INTEGER,
    runs INTEGER NOT NULL,
    open INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tags (without a key) and metadata: each pair once, and the runs that have it.
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    number REAL,
    UNIQUE (key, value)
) STRICT;
CREATE TABLE run_labels (
    label INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (label, n)
) STRICT, WITHOUT ROWID;

-- The runs whose text is not in `texts` yet.
CREATE TABLE pending_texts (n INTEGER PRIMARY KEY) STRICT;
CREATE VIRTUAL TABLE texts USING fts5(
    input, output, other,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE blobs (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
CREATE TABLE blob_uses (
    hash BLOB NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (hash, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_uses_by_run ON blob_uses (n);

CREATE TABLE scores (
    id BLOB PRIMARY KEY,
    run_id BLOB,
    thread_id TEXT,
    key TEXT NOT NULL,
    number REAL,
    label TEXT,
    source TEXT NOT NULL,
    user TEXT,
    time INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX scores_by_run ON scores (run_id, key) WHERE run_id IS NOT NULL;
CREATE INDEX scores_by_thread ON scores (thread_id) WHERE thread_id IS NOT NULL;

-- `time` is that of the last run; `said` is what was said, each with the moment when.
CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    user TEXT,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX threads_by_time ON threads (time);
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE INDEX users_by_time ON users (time);

CREATE TABLE progress (
    id BLOB PRIMARY KEY,
    time INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE TABLE reports (
    reason TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL
) STRICT;

CREATE TABLE positions (
    directory TEXT NOT NULL,
    segment INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    PRIMARY KEY (directory, segment)
) STRICT, WITHOUT ROWID;

-- What other programs may read. See `traceable_store::views`.
CREATE VIEW view_runs AS SELECT
    lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-'
        || substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21)) AS id,
    lower(substr(hex(r.trace_id), 1, 8) || '-' || substr(hex(r.trace_id), 9, 4) || '-' || substr(hex(r.trace_id), 13, 4)
        || '-' || substr(hex(r.trace_id), 17, 4) || '-' || substr(hex(r.trace_id), 21)) AS trace_id,
    CASE WHEN r.parent_id IS NOT NULL THEN lower(substr(hex(r.parent_id), 1, 8) || '-' || substr(hex(r.parent_id), 9, 4)
        || '-' || substr(hex(r.parent_id), 13, 4) || '-' || substr(hex(r.parent_id), 17, 4) || '-'
        || substr(hex(r.parent_id), 21)) END AS parent_id,
    p.name AS project, r.name, r.run_type, r.status,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.start_time / 1e9, 'unixepoch') AS start_time,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.end_time / 1e9, 'unixepoch') AS end_time,
    r.latency / 1e9 AS latency, r.first_token / 1e9 AS first_token, r.error, r.provider, r.model, r.thread_id,
    r.session_id, r.user, r.environment, r.release, r.input_tokens, r.output_tokens, r.total_tokens,
    r.cost / 1e9 AS cost, r.tags, r.attachments, r.input_preview, r.output_preview
FROM runs r JOIN projects p ON p.id = r.project WHERE r.start_time IS NOT NULL;

CREATE VIEW view_traces AS SELECT
    v.*, t.runs, t.open, t.errors, t.input_tokens AS trace_input_tokens, t.output_tokens AS trace_output_tokens,
    t.total_tokens AS trace_total_tokens, t.cost / 1e9 AS trace_cost,
    (t.first_token_at - t.start_time) / 1e9 AS trace_first_token
FROM traces t JOIN runs r ON r.n = t.head JOIN view_runs v
    ON v.id = lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-'
        || substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21));

CREATE VIEW view_metadata AS SELECT
    lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-'
        || substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21)) AS run_id,
    l.key, l.value, l.number
FROM labels l JOIN run_labels x ON x.label = l.id JOIN runs r ON r.n = x.n WHERE l.key <> '';

CREATE VIEW view_scores AS SELECT
    CASE WHEN s.run_id IS NOT NULL THEN lower(substr(hex(s.run_id), 1, 8) || '-' || substr(hex(s.run_id), 9, 4) || '-'
        || substr(hex(s.run_id), 13, 4) || '-' || substr(hex(s.run_id), 17, 4) || '-' || substr(hex(s.run_id), 21)) END
        AS run_id,
    s.thread_id, s.key, s.number, s.label, s.source, s.user,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.time / 1e9, 'unixepoch') AS time, s.data ->> '$.comment' AS comment
FROM scores s;
