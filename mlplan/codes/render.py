"""Codes MLP6xxx: rendering files from templates.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP6001 = Code("MLP6001", "Environment is not pinned")
"""A file can't be rendered, because the lock file doesn't pin the packages that it installs.

Why: a rendered Dockerfile installs exactly what `mlplan.lock` says, with hashes. Without that the same file would
install something else tomorrow.

What to do: pin them, and commit `mlplan.lock`:

    mlplan lock
"""

MLP6002 = Code("MLP6002", "Value can't be rendered")
"""A value of the manifest can't stand at its place in a rendered file.

Why: some places can't hold every text. The name of an image has no spaces, its label no line break. To write
it all the same would change what the file says, so nothing is rendered.

What to do: change the value that the message names.
"""
