"""The dashboard at `/ui`: pages for a browser, over the same services as the REST API."""
