"""The command line: the REST API for people and scripts, and the doors to the server (`serve`, `check`)."""
