"""`mlplan.lock`: what the manifest leaves open, pinned. Packages with hashes, URLs with size and sha256.

`lockfile.py` is the file itself (pure), `environment.py` turns a spec's `environment` into a request,
`resolve.py` asks uv.
"""
