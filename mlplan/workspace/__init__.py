"""The workspace: the log, the lease, artifacts by content, the index of local files.

`protocols.py` is all that the rooms above see of it, `open.py` opens one. It lives in a folder or a bucket:

    store.py                             the small store that log, checkpoint and lease are written to
    folder.py, bucket.py, memory.py      where that is; sealed.py: the same, encrypted (sealing.py, keys.py)
    log.py, lease.py                     commits, and who may make them; witness.py: what was seen of them last
    artifacts.py, trees.py, views.py     bytes by digest, folders of them, and copies that jobs and services read
    packs.py, parts.py                   many small files as one, one large file as several
    shared_artifacts.py, fetching.py     artifacts in a bucket, with a copy here
    transfer.py, archive.py              all of it, taken elsewhere
    files.py, reading.py, table.py       the user's files by content, remembered by their stat (stamp.py)
    git.py, revision.py, checkout.py     what git knows of the project, revisions side by side (revision_tree.py)
    here.py, process.py                  which checkout this is, and which process
"""
