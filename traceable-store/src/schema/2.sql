-- Version 2.

-- The reports of clients that were counted last, so that none counts twice.
CREATE TABLE heard_reports (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

CREATE INDEX scores_by_time ON scores (time, id);
CREATE INDEX scores_by_key ON scores (key, time, id);

-- The last run whose text was looked at: those behind it wait to be indexed, and of those before it, `pending_texts`.
CREATE TABLE texts_seen (n INTEGER NOT NULL) STRICT;
INSERT INTO texts_seen SELECT coalesce(max(n), 0) FROM runs;
