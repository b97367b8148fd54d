-- The webhook that another was made from, by an entry of its bucket's S3 notification configuration; null for most.
ALTER TABLE webhooks ADD COLUMN derived_from TEXT;
CREATE INDEX webhooks_by_origin ON webhooks (derived_from) WHERE derived_from IS NOT NULL;
