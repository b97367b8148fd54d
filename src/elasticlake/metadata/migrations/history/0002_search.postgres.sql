-- Attempts are searched by time, status and key, the newest first. These take the place of the indexes by number alone.
CREATE INDEX attempts_by_time ON attempts (webhook_id, status, started_at_ms, id);
CREATE INDEX attempts_by_key ON attempts (webhook_id, key, started_at_ms, id);
DROP INDEX attempts_by_webhook;
DROP INDEX attempts_by_status;
