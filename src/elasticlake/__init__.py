"""ElasticLake: S3-compatible object storage that turns every change into a signed, ordered, replayable webhook.

The package's map is in ARCHITECTURE.md. `elasticlake` alone is the command line and what it needs to talk REST;
`elasticlake[server]` adds the object store and the dispatcher.
"""

__version__ = "0.1.0"
