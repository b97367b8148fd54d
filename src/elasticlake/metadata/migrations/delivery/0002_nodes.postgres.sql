-- Processes that live: each says so once a second. Its epoch never comes again, so what it owned under that epoch cannot be
-- mistaken for what it owns later. Times are the database's clock.
CREATE TABLE nodes (
    epoch           BIGINT PRIMARY KEY,
    role            TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    started_at_ms   BIGINT NOT NULL,
    heartbeat_at_ms BIGINT NOT NULL
);

-- Which dispatcher, by its epoch, delivers for a webhook. Outcomes are written only under the row's lock and epoch, so a
-- dispatcher that lost its webhook cannot write over its successor.
CREATE TABLE assignments (
    webhook_id TEXT COLLATE "C" PRIMARY KEY,
    epoch      BIGINT NOT NULL
);
CREATE INDEX assignments_by_epoch ON assignments (epoch);
