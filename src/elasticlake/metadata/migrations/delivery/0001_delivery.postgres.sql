-- How far each webhook is in each bucket's log: every sequence up to it is resolved, or its key has a lane.
-- The counts say what became of the events passed.
CREATE TABLE positions (
    webhook_id TEXT COLLATE "C" NOT NULL,
    bucket_id  BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    delivered  BIGINT NOT NULL DEFAULT 0,
    dead       BIGINT NOT NULL DEFAULT 0,
    canceled   BIGINT NOT NULL DEFAULT 0,
    expired    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, bucket_id)
) WITH (fillfactor = 50);

-- A failing key, parked: its head event and when that is attempted again. Later events of the key wait in the log.
-- ordering is the webhook's when the lane was parked: it says what the lane's key means.
CREATE TABLE lanes (
    webhook_id         TEXT COLLATE "C" NOT NULL,
    bucket_id          BIGINT NOT NULL,
    key                BYTEA NOT NULL,
    head_sequence      BIGINT NOT NULL,
    attempts           BIGINT NOT NULL,
    next_attempt_at_ms BIGINT NOT NULL,
    ordering           TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (webhook_id, bucket_id, key)
);
CREATE INDEX lanes_by_time ON lanes (webhook_id, next_attempt_at_ms);

-- Deliveries that ended without success: visible until redelivered.
CREATE TABLE dead_deliveries (
    webhook_id TEXT COLLATE "C" NOT NULL,
    bucket_id  BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    key        BYTEA NOT NULL,
    attempts   BIGINT NOT NULL,
    died_at_ms BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, bucket_id, sequence, generation)
);

-- Deliveries that a person asked for: redeliveries (sequence > 0) and tests (sequence 0), outside the log's order.
CREATE TABLE requested_deliveries (
    webhook_id         TEXT COLLATE "C" NOT NULL,
    bucket_id          BIGINT NOT NULL,
    sequence           BIGINT NOT NULL,
    generation         BIGINT NOT NULL,
    status             TEXT COLLATE "C" NOT NULL,
    attempts           BIGINT NOT NULL,
    requested_at_ms    BIGINT NOT NULL,
    next_attempt_at_ms BIGINT,
    PRIMARY KEY (webhook_id, bucket_id, sequence, generation)
);
CREATE INDEX requested_deliveries_waiting ON requested_deliveries (next_attempt_at_ms) WHERE next_attempt_at_ms IS NOT NULL;
