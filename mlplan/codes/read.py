"""Codes MLP1xxx: reading the manifest, the lock file and plan files.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP1001 = Code("MLP1001", "Manifest not found")

MLP1002 = Code("MLP1002", "Manifest can't be read")

MLP1003 = Code("MLP1003", "Not UTF-8")

MLP1004 = Code("MLP1004", "Empty manifest")

MLP1005 = Code("MLP1005", "Not YAML")

MLP1006 = Code("MLP1006", "Tab in the indentation")

MLP1007 = Code("MLP1007", "More than one document")

MLP1008 = Code("MLP1008", "Duplicate key")

MLP1009 = Code("MLP1009", "Alias grows without bound")

MLP1010 = Code("MLP1010", "Merge key")

MLP1011 = Code("MLP1011", "Tag without meaning")

MLP1012 = Code("MLP1012", "Key is no plain word")

MLP1013 = Code("MLP1013", "Value is read differently elsewhere", severity="warning")

MLP1014 = Code("MLP1014", "Control character")

MLP1015 = Code("MLP1015", "Variable file can't be read")

MLP1016 = Code("MLP1016", "Nested too deep")

MLP1017 = Code("MLP1017", "Number out of reach")

MLP1018 = Code("MLP1018", "Unknown anchor")

MLP1019 = Code("MLP1019", "Manifest is no mapping")

MLP1101 = Code("MLP1101", "Lock file is damaged")
"""A line of `mlplan.lock` isn't one that mlplan writes, or two lines contradict each other.

Why: what is pinned decides what is installed and which data counts, so no line is skipped or guessed.

What to do: restore the file from version control. Or delete it; mlplan then resolves everything anew, which may
choose newer packages:

    mlplan lock
"""

MLP1102 = Code("MLP1102", "Merge conflict in the lock file")
"""`mlplan.lock` holds the marks of a merge that was not settled.

Why: both sides pinned something else at the same place, and only one of them can count.

What to do: take the file from one of the branches, then let mlplan add what it lacks:

    git checkout --ours mlplan.lock
    mlplan lock
"""

MLP1103 = Code("MLP1103", "Lock file is newer")
"""`mlplan.lock` was written by a newer version of mlplan, in a format that this one doesn't read.

Why: an entry that isn't understood may be the one that matters.

What to do: use the version of mlplan that wrote it:

    pip install --upgrade mlplan
"""

MLP1104 = Code("MLP1104", "Lock file can't be written")
"""`mlplan.lock` couldn't be written beside the manifest.

Why: what was resolved or downloaded has to be pinned before it is used, or the next apply may get something else.
The old file is as it was.

What to do: see to the folder's permissions and its free space, then try again.
"""

MLP1105 = Code("MLP1105", "Lock file is incomplete")
"""The manifest asks for packages or URLs that `mlplan.lock` doesn't pin.

Why: whoever applies this first decides what they are, and another may get something else.

What to do: pin them, and commit the file:

    mlplan lock
"""

MLP1106 = Code("MLP1106", "Lock file has unused entries", severity="warning")
"""`mlplan.lock` pins packages or URLs that nothing in the manifest asks for any more.

Why: it does no harm, but who reads the file takes them for something that counts.

What to do: drop them, and commit the file:

    mlplan lock
"""

MLP1201 = Code("MLP1201", "Not a plan file")
"""A file given as a plan can't be read as one.

Why: it is no JSON, or it isn't what `mlplan plan --out` writes. Nothing was applied.

What to do: plan again, into a file:

    mlplan plan --out plan.json
"""

MLP1202 = Code("MLP1202", "Plan file of another format")
"""A plan file was written by an mlplan whose format this one doesn't read.

Why: a field that isn't understood may be the one that matters, so nothing of it is guessed.

What to do: use the mlplan that wrote the file, or plan again with this one:

    mlplan plan --out plan.json
"""

MLP1203 = Code("MLP1203", "Plan file was altered")
"""A plan file doesn't have the digest that stands in it.

Why: it was edited, cut or damaged after it was written. What was reviewed is not what would be applied, so it isn't.

What to do: plan again, and hand on the file as it is:

    mlplan plan --out plan.json
"""

MLP1301 = Code("MLP1301", "Malformed package in an environment file")
"""A line of a requirements.txt, pyproject.toml or conda file names no package that can be installed.

Why: packages are looked up by name on a Python index and pinned by version; a path, a bare URL or a mistyped version
can't be.

What to do: write it as pip takes it: `scikit-learn==1.5.2`, `numpy>=1.26,<3`, `name @ https://host/name-1.0.whl`.
"""

MLP1302 = Code("MLP1302", "Option can't be taken over")
"""An environment file holds an option that has no meaning for a lock file, or would make it
say less than it seems to.

Why: an option that is accepted and does nothing is worse than one that is refused.

What to do: what the message says for this option. Taken over are `-r`, `-c`, `--index-url`, `--extra-index-url`,
`--find-links`, `--no-index`, `--pre`, `--no-binary` and `--only-binary`.
"""

MLP1303 = Code("MLP1303", "Credentials in an environment file")
"""The URL of a package index holds a user name or a password.

Why: the file is committed, and what it says reaches plans and logs.

What to do: take them from environment variables, which uv fills in when it asks the index:

    --index-url https://${INDEX_USER}:${INDEX_PASSWORD}@HOST/simple
"""

MLP1304 = Code("MLP1304", "Included file can't be read")
"""A requirements file includes (`-r`, `-c`) a file that isn't there, can't be read, or includes it in turn.

Why: without it, what the environment asks for isn't known.

What to do: mend the path, which is relative to the file that it stands in.
"""

MLP1305 = Code("MLP1305", "Hashes of an environment file are not used", severity="warning")
"""A requirements file pins packages by `--hash`.

Why: mlplan resolves for every platform and keeps the index's own hashes in `mlplan.lock`, so those in the file would
be a second list that can contradict it.

What to do: nothing has to be done. To silence this, leave the hashes out and commit `mlplan.lock`.
"""

MLP1306 = Code("MLP1306", "Part of a conda file isn't used", severity="warning")
"""A conda file says something that counts for conda alone: a build, a channel, variables, a name of its own.

Why: mlplan builds environments with uv from a Python index.

What to do: what the message says for this part; where nothing is lost, leave it.
"""

MLP1307 = Code("MLP1307", "Packages that only conda has")
"""A conda file asks for compilers, CUDA, system libraries or languages other than Python.

Why: mlplan builds environments with uv from a Python index, which doesn't have them. An environment without them
would fail later, in the middle of a run.

What to do: remove what the script doesn't need; packages such as `torch` bring their CUDA libraries along. What
has to be there, install on the machine, or write a Dockerfile with it for compute of type docker.
"""

MLP1308 = Code("MLP1308", "Environment file can't be understood")
"""A pyproject.toml or conda file is no TOML or YAML, or doesn't say what it depends on in a way that can be read.

Why: a plan reads files and runs nothing, so dependencies have to be written out.

What to do: what the message says; a requirements.txt always works:

    environment: {file: requirements.txt}
"""

MLP1309 = Code("MLP1309", "Package of the retired service left out", severity="warning")
"""An environment asks for packages (`azureml-sdk` and the like) that tied scripts to a service which is gone.

Why: what scripts commonly use of them, mlplan answers itself, without their many dependencies; installed beside it
they would be in its way.

What to do: remove them from the list. Scripts that import `azureml.core` run unchanged.
"""

MLP1310 = Code("MLP1310", "No Python for this environment")
"""An environment file asks for a version of Python that can't be had any more, or not yet.

Why: packages and the scoring runtime need a Python that is still maintained.

What to do: say in the manifest which one to take; it goes before what the file says:

    environment: {file: conda.yml, python: "3.11"}
"""
