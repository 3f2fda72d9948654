"""The workspace: the log, the lease, artifacts by content, the index of local files. See `protocols.py`."""
