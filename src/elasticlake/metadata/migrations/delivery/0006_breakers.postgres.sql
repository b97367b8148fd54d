-- What the last failed attempt of a failing webhook ended with.
ALTER TABLE failing_webhooks ADD COLUMN last_error TEXT;

-- Webhooks whose circuit breaker is not closed, as the dispatcher of that epoch told last: true for as long as it owns them.
CREATE TABLE breakers (
    webhook_id  TEXT COLLATE "C" PRIMARY KEY,
    epoch       BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    probe_at_ms BIGINT
);
