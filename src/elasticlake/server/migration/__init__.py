"""`elasticlake migrate-data`: everything of a data folder, moved to PostgreSQL and an object store."""
