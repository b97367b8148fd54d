-- What owners asked to be sent outside the log's course: replays and backfills. number counts a webhook's jobs, and never
-- comes again. parameters and cursor are JSON; counts hold for what lies before the cursor.
CREATE TABLE jobs (
    id            TEXT COLLATE "C" PRIMARY KEY,
    webhook_id    TEXT COLLATE "C" NOT NULL,
    number        BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    parameters    TEXT NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    cursor        TEXT NOT NULL,
    total         BIGINT,
    scanned       BIGINT NOT NULL DEFAULT 0,
    matched       BIGINT NOT NULL DEFAULT 0,
    delivered     BIGINT NOT NULL DEFAULT 0,
    failed        BIGINT NOT NULL DEFAULT 0,
    skipped       BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    ended_at_ms   BIGINT,
    error         TEXT,
    UNIQUE (webhook_id, number)
);
CREATE INDEX jobs_by_webhook ON jobs (webhook_id, id);
CREATE INDEX jobs_running ON jobs (webhook_id) WHERE status = 'running';

-- A backfilled object, where its first attempt failed: the log may hold no event of it any more.
ALTER TABLE requested_deliveries ADD COLUMN key BYTEA;
