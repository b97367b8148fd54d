-- How far each webhook is in each bucket's log: every sequence up to it is resolved, or its key has a lane.
-- The counts say what became of the events passed.
CREATE TABLE positions (
    webhook_id TEXT NOT NULL,
    bucket_id  INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    delivered  INTEGER NOT NULL DEFAULT 0,
    dead       INTEGER NOT NULL DEFAULT 0,
    canceled   INTEGER NOT NULL DEFAULT 0,
    expired    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, bucket_id)
) WITHOUT ROWID;

-- A failing key, parked: its head event and when that is attempted again. Later events of the key wait in the log.
-- ordering is the webhook's when the lane was parked: it says what the lane's key means.
CREATE TABLE lanes (
    webhook_id         TEXT NOT NULL,
    bucket_id          INTEGER NOT NULL,
    key                BLOB NOT NULL,
    head_sequence      INTEGER NOT NULL,
    attempts           INTEGER NOT NULL,
    next_attempt_at_ms INTEGER NOT NULL,
    ordering           TEXT NOT NULL,
    PRIMARY KEY (webhook_id, bucket_id, key)
) WITHOUT ROWID;
CREATE INDEX lanes_by_time ON lanes (webhook_id, next_attempt_at_ms);

-- Deliveries that ended without success: visible until redelivered.
CREATE TABLE dead_deliveries (
    webhook_id TEXT NOT NULL,
    bucket_id  INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    key        BLOB NOT NULL,
    attempts   INTEGER NOT NULL,
    died_at_ms INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, bucket_id, sequence, generation)
) WITHOUT ROWID;

-- Deliveries that a person asked for: redeliveries (sequence > 0) and tests (sequence 0), outside the log's order.
CREATE TABLE requested_deliveries (
    webhook_id         TEXT NOT NULL,
    bucket_id          INTEGER NOT NULL,
    sequence           INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    status             TEXT NOT NULL,
    attempts           INTEGER NOT NULL,
    requested_at_ms    INTEGER NOT NULL,
    next_attempt_at_ms INTEGER,
    PRIMARY KEY (webhook_id, bucket_id, sequence, generation)
) WITHOUT ROWID;
CREATE INDEX requested_deliveries_waiting ON requested_deliveries (next_attempt_at_ms) WHERE next_attempt_at_ms IS NOT NULL;
