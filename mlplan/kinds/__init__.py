"""Kinds: what each section of the manifest means. One folder a kind, one line each in `registry.py` and `effects.py`.

`protocol.py` says what a kind offers: facts and parts (`<kind>/desired.py`), effects (`<kind>/effects.py`). Planning
them all is `planning.py`; between two revisions, `comparing.py` with `revision.py` and `baseline.py`. What several
kinds share:

    code.py, environment.py, references.py, secrets.py     parts of a fingerprint
    filling.py, placing.py, keeping.py, versions.py        what effects need
    elsewhere.py, data_in_code.py, pinned.py               what is told, and what is left open
"""
