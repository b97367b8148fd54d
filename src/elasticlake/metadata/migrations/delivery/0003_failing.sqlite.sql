-- Webhooks that have not had one success since an attempt failed, as they are defined (a changed one begins anew).
CREATE TABLE failing_webhooks (
    webhook_id  TEXT PRIMARY KEY,
    revision    INTEGER NOT NULL,
    since_ms    INTEGER NOT NULL,
    is_notified INTEGER NOT NULL
) WITHOUT ROWID;

-- What webhooks tell of each other: an event of no bucket, sent to those of the same account that subscribed to its kind.
-- An id never comes again: it is the sequence of the event's deliveries, which may outlive it.
CREATE TABLE operational_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id   TEXT NOT NULL,
    account_id TEXT NOT NULL,
    type       TEXT NOT NULL,
    time_ms    INTEGER NOT NULL,
    document   TEXT NOT NULL
);
CREATE INDEX operational_events_by_time ON operational_events (time_ms);

-- Events that were not sent because a later one of their key says more; and in a lane, how many its head stands for.
ALTER TABLE positions ADD COLUMN coalesced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN coalesced INTEGER NOT NULL DEFAULT 0;

-- The last event of the batch that a lane's head begins; 0 where the head goes alone.
ALTER TABLE lanes ADD COLUMN end_sequence INTEGER NOT NULL DEFAULT 0;
