-- How often a webhook's expression had no answer for an event, as the webhook is defined (a changed one begins anew), and
-- for which event it was so last.
CREATE TABLE where_errors (
    webhook_id    TEXT COLLATE "C" PRIMARY KEY,
    revision      BIGINT NOT NULL,
    errors        BIGINT NOT NULL,
    last_error    TEXT NOT NULL,
    last_bucket   TEXT COLLATE "C" NOT NULL,
    last_sequence BIGINT NOT NULL
);
