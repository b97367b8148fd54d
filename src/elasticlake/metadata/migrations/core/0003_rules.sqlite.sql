-- What a webhook's owner asks for beyond the basics, as JSON; what of it is confidential, encrypted; and until when a
-- secret that is being replaced still signs.
ALTER TABLE webhooks ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE webhooks ADD COLUMN sealed BLOB;
ALTER TABLE webhooks ADD COLUMN overlap_ends_at_ms INTEGER;
