-- Every attempt, as information. One partition a day (UTC), so that a day is dropped whole.
CREATE TABLE attempts (
    day                DATE NOT NULL,
    id                 BIGINT NOT NULL,
    webhook_id         TEXT COLLATE "C" NOT NULL,
    bucket_id          BIGINT NOT NULL,
    sequence           BIGINT NOT NULL,
    generation         BIGINT NOT NULL,
    attempt            BIGINT NOT NULL,
    event_id           TEXT COLLATE "C" NOT NULL,
    event              TEXT COLLATE "C" NOT NULL,
    key                BYTEA NOT NULL,
    started_at_ms      BIGINT NOT NULL,
    duration_ms        DOUBLE PRECISION NOT NULL,
    status_code        BIGINT,
    error_class        TEXT COLLATE "C",
    error              TEXT COLLATE "C",
    request_headers    TEXT COLLATE "C" NOT NULL,
    request_body       BYTEA NOT NULL,
    response_headers   TEXT COLLATE "C" NOT NULL,
    response_body      BYTEA NOT NULL,
    status             TEXT COLLATE "C" NOT NULL,
    next_attempt_at_ms BIGINT
) PARTITION BY RANGE (day);
CREATE INDEX attempts_by_webhook ON attempts (webhook_id, id);
CREATE INDEX attempts_by_status ON attempts (webhook_id, status, id);
CREATE INDEX attempts_by_delivery ON attempts (webhook_id, bucket_id, sequence, generation, attempt);
CREATE SEQUENCE attempt_ids;
