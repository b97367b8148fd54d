"""The REST API under `/v1`: resources over the services, problem documents for errors, and its own description."""
