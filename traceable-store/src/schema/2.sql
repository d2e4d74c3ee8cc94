-- Version 2.

-- The reports of clients that were counted last, so that none counts twice.
CREATE TABLE heard_reports (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

-- The traces that changed last, a row for each in each commit. The number only grows.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    trace_id BLOB NOT NULL
) STRICT;

CREATE INDEX scores_by_time ON scores (time, id);
CREATE INDEX scores_by_key ON scores (key, time, id);
