-- Facts about the store itself: which master key its secrets were encrypted with.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    display_name  TEXT NOT NULL,
    email         TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- secret is ciphertext under the master key; scope is JSON.
CREATE TABLE access_keys (
    id            TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL,
    secret        BLOB NOT NULL,
    scope         TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX access_keys_by_account ON access_keys (account_id, id);

-- accounts is a JSON list, NULL for every account.
CREATE TABLE tokens (
    id            TEXT PRIMARY KEY,
    hash          BLOB NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    accounts      TEXT,
    access        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- An id never comes again: the log of a deleted bucket keeps those of its lake and pond.
CREATE TABLE lakes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    slug          TEXT NOT NULL UNIQUE,
    account_id    TEXT NOT NULL,
    name          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
);

CREATE TABLE ponds (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    lake_id       INTEGER NOT NULL,
    slug          TEXT NOT NULL,
    name          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (lake_id, slug)
);

-- The log outlives its bucket: a deleted bucket keeps its row (and its id) for the events that still wait.
CREATE TABLE buckets (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    lake_id        INTEGER NOT NULL,
    pond_id        INTEGER NOT NULL,
    account_id     TEXT NOT NULL,
    acl            TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    deleted_at_ms  INTEGER,
    first_sequence INTEGER NOT NULL,
    sequence       INTEGER NOT NULL,
    objects        INTEGER NOT NULL DEFAULT 0,
    size_bytes     INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX buckets_by_name ON buckets (name) WHERE deleted_at_ms IS NULL;
CREATE INDEX buckets_once_named ON buckets (name, id);
CREATE INDEX buckets_by_pond ON buckets (pond_id, name);
CREATE INDEX buckets_by_lake ON buckets (lake_id, name);
CREATE INDEX buckets_by_account ON buckets (account_id, name);

-- The current version of each key, and only that: a listing reads neither delete markers nor history.
-- headers, metadata and checksum are JSON, NULL when empty.
CREATE TABLE objects (
    bucket_id      INTEGER NOT NULL,
    key            BLOB NOT NULL,
    sequence       INTEGER NOT NULL,
    version_id     TEXT,
    size_bytes     INTEGER NOT NULL,
    etag           TEXT NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    content_type   TEXT NOT NULL,
    headers        TEXT,
    metadata       TEXT,
    acl            TEXT NOT NULL,
    checksum       TEXT,
    parts_count    INTEGER,
    inline_id      INTEGER,
    manifest_id    TEXT,
    PRIMARY KEY (bucket_id, key)
) WITHOUT ROWID;

-- Small bodies, apart from the rows that listings read. A new body's id is the greatest, so it goes to the table's end.
CREATE TABLE inline_bodies (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);

-- A large object's blobs in order; a multipart object has one for each part.
CREATE TABLE manifests (
    id          TEXT NOT NULL,
    part_number INTEGER NOT NULL,
    blob_id     TEXT NOT NULL,
    size_bytes  INTEGER NOT NULL,
    checksum    TEXT,
    PRIMARY KEY (id, part_number)
) WITHOUT ROWID;

CREATE INDEX manifests_by_blob ON manifests (blob_id);

-- A blob that is being written: nothing refers to it yet, and the sweep must not take it for an orphan.
CREATE TABLE blob_intents (
    blob_id       TEXT PRIMARY KEY,
    owner         TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Blobs whose last row went; deleted after a grace period, so that readers finish.
CREATE TABLE blob_deletions (
    blob_id       TEXT PRIMARY KEY,
    delete_at_ms  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_deletions_by_time ON blob_deletions (delete_at_ms);

CREATE TABLE uploads (
    id                 TEXT PRIMARY KEY,
    bucket_id          INTEGER NOT NULL,
    key                BLOB NOT NULL,
    account_id         TEXT NOT NULL,
    initiated_at_ms    INTEGER NOT NULL,
    content_type       TEXT NOT NULL,
    headers            TEXT,
    metadata           TEXT,
    acl                TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type      TEXT
) WITHOUT ROWID;
CREATE INDEX uploads_by_key ON uploads (bucket_id, key, id);

CREATE TABLE parts (
    upload_id      TEXT NOT NULL,
    part_number    INTEGER NOT NULL,
    etag           TEXT NOT NULL,
    size_bytes     INTEGER NOT NULL,
    blob_id        TEXT NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    checksum       TEXT,
    PRIMARY KEY (upload_id, part_number)
) WITHOUT ROWID;

CREATE INDEX parts_by_blob ON parts (blob_id);

-- What a completed upload became, so that a client whose answer was lost may ask again.
CREATE TABLE completed_uploads (
    id              TEXT PRIMARY KEY,
    bucket_id       INTEGER NOT NULL,
    key             BLOB NOT NULL,
    etag            TEXT NOT NULL,
    checksum        TEXT,
    completed_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX completed_uploads_by_time ON completed_uploads (completed_at_ms);

-- The log: one row for each event, however many webhooks match.
CREATE TABLE events (
    bucket_id    INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    id           TEXT NOT NULL,
    type         TEXT NOT NULL,
    time_ms      INTEGER NOT NULL,
    key          BLOB NOT NULL,
    size_bytes   INTEGER NOT NULL,
    etag         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    lake         TEXT NOT NULL,
    pond         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    version_id   TEXT,
    metadata     TEXT,
    previous     TEXT,
    principal    TEXT,
    request_id   TEXT,
    PRIMARY KEY (bucket_id, sequence)
) WITHOUT ROWID;
-- A parked key's next event is found here when its head resolves.
CREATE INDEX events_by_key ON events (bucket_id, key, sequence);

-- Exactly one of bucket_id, pond_id, lake_id is set. secret is ciphertext; events and retry_schedule are JSON.
CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    account_id      TEXT NOT NULL,
    bucket_id       INTEGER,
    pond_id         INTEGER,
    lake_id         INTEGER,
    name            TEXT NOT NULL,
    endpoint        TEXT NOT NULL,
    events          TEXT NOT NULL,
    secret          BLOB NOT NULL,
    retry_schedule  TEXT NOT NULL,
    timeout_seconds REAL NOT NULL,
    ordering        TEXT NOT NULL,
    on_dead         TEXT NOT NULL,
    status          TEXT NOT NULL,
    disabled_reason TEXT,
    revision        INTEGER NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    updated_at_ms   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhooks_by_bucket ON webhooks (bucket_id) WHERE bucket_id IS NOT NULL;
CREATE INDEX webhooks_by_pond ON webhooks (pond_id) WHERE pond_id IS NOT NULL;
CREATE INDEX webhooks_by_lake ON webhooks (lake_id) WHERE lake_id IS NOT NULL;

-- Where a webhook began in each bucket that existed when it was made; a bucket made later is seen from its first event.
CREATE TABLE webhook_starts (
    webhook_id TEXT NOT NULL,
    bucket_id  INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, bucket_id)
) WITHOUT ROWID;
