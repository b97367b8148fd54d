"""The PostgreSQL engine: the same statements as on SQLite, over connections that never block the event loop."""
