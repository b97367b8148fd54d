-- What was done to the installation itself, when and by whom. A row goes with the change that it tells of; of what the other
-- databases hold, just after. account_id is NULL for what belongs to no account, or to one that is gone; detail is JSON.
CREATE TABLE activity (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms      INTEGER NOT NULL,
    actor_kind   TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    account_id   TEXT,
    action       TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject      TEXT NOT NULL,
    bucket       TEXT,
    detail       TEXT,
    request_id   TEXT
);
CREATE INDEX activity_by_time ON activity (time_ms, id);
CREATE INDEX activity_by_actor ON activity (actor_id, time_ms, id);
CREATE INDEX activity_by_subject ON activity (subject, time_ms, id);
CREATE INDEX activity_by_account ON activity (account_id, time_ms, id);
