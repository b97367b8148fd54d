"""A load generator for any S3 endpoint, and for the events that an ElasticLake server makes of the load.

Read `plan.py` first: it is the order in which everything is measured. `client.py` and `signer.py` are the hot path;
`null_server.py` is the bare ASGI application whose speed is the ceiling that each result is compared with.
`engine_shapes.py` is the order of what concerns the delivery engine; `docs/benchmark.md` says how that is measured.
"""
