-- How often a webhook's expression had no answer for an event, as the webhook is defined (a changed one begins anew), and
-- for which event it was so last.
CREATE TABLE where_errors (
    webhook_id    TEXT PRIMARY KEY,
    revision      INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    last_error    TEXT NOT NULL,
    last_bucket   TEXT NOT NULL,
    last_sequence INTEGER NOT NULL
) WITHOUT ROWID;
