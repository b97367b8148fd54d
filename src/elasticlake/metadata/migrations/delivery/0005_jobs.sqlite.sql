-- What owners asked to be sent outside the log's course: replays and backfills. number counts a webhook's jobs, and never
-- comes again. parameters and cursor are JSON; counts hold for what lies before the cursor.
CREATE TABLE jobs (
    id            TEXT PRIMARY KEY,
    webhook_id    TEXT NOT NULL,
    number        INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    parameters    TEXT NOT NULL,
    status        TEXT NOT NULL,
    cursor        TEXT NOT NULL,
    total         INTEGER,
    scanned       INTEGER NOT NULL DEFAULT 0,
    matched       INTEGER NOT NULL DEFAULT 0,
    delivered     INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0,
    skipped       INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER,
    error         TEXT,
    UNIQUE (webhook_id, number)
) WITHOUT ROWID;
CREATE INDEX jobs_by_webhook ON jobs (webhook_id, id);
CREATE INDEX jobs_running ON jobs (webhook_id) WHERE status = 'running';

-- A backfilled object, where its first attempt failed: the log may hold no event of it any more.
ALTER TABLE requested_deliveries ADD COLUMN key BLOB;
