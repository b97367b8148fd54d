-- What the last failed attempt of a failing webhook ended with.
ALTER TABLE failing_webhooks ADD COLUMN last_error TEXT;

-- Webhooks whose circuit breaker is not closed, as the dispatcher of that epoch told last: true for as long as it owns them.
CREATE TABLE breakers (
    webhook_id  TEXT PRIMARY KEY,
    epoch       INTEGER NOT NULL,
    state       TEXT NOT NULL,
    probe_at_ms INTEGER
) WITHOUT ROWID;
