"""Codes MLP1xxx: reading the manifest, the lock file and plan files.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP1001 = Code("MLP1001", "Manifest not found")
"""There is no manifest at the place where mlplan looked.

Why: everything mlplan does starts from the manifest. It is looked for as `mlplan.yaml` in the folder in which the
command runs, or in the one given by `-C`.

What to do: go to the project's folder, name the file, or begin a project:

    mlplan -C path/to/project plan
    mlplan -f other.yaml plan
    mlplan init
"""

MLP1002 = Code("MLP1002", "Manifest can't be read")
"""The manifest is there, but its bytes can't be had: it is a folder, or may not be read.

Why: nothing can be said about a manifest that can't be read, so mlplan stops before it does anything.

What to do: give yourself the right to read it, or name another file with `-f FILE`.
"""

MLP1003 = Code("MLP1003", "Not UTF-8")
"""The file holds bytes that are no UTF-8 text.

Why: YAML is Unicode text. Guessing another encoding would silently turn names and paths into others.

What to do: save the file as UTF-8 in your editor. On a command line:

    iconv -f LATIN1 -t UTF-8 mlplan.yaml > fixed.yaml
"""

MLP1004 = Code("MLP1004", "Empty manifest")
"""The file holds nothing, or nothing but comments.

Why: an empty manifest would mean that nothing of the project is wanted any more, and that is never guessed.

What to do: write at least the format and the project's name; `mlplan init` writes a whole project.

Broken:

```yaml
# to be written
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP1005 = Code("MLP1005", "Not YAML")
"""The text breaks YAML's grammar, so where things begin and end can't be told.

Why: past such a place every reading is a guess. mlplan stops at the first one, so there may be more after it.

What to do: look at the mark and the line above it. Common causes: a quote or a bracket that isn't closed, a line
indented further than its neighbours, `: ` inside a value without quotes, `${{ }}` inside [ ] or { } without quotes.

Broken:

```yaml
version: 1
project: "demo
```

Mended:

```yaml
version: 1
project: "demo"
```
"""

MLP1006 = Code("MLP1006", "Tab in the indentation")
"""A line is indented by a tab.

Why: YAML tells what belongs to what by counting spaces. A tab has no agreed width, so it is forbidden there.

What to do: replace tabs by spaces. Most editors can do that for the whole file, and on each press of the key.

Broken:

```yaml
version: 1
project: demo
compute:
\tlaptop: {type: local}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
```
"""

MLP1007 = Code("MLP1007", "More than one document")
"""A line `---` starts another document in the same file.

Why: a manifest is one document. What stands in the second one would be left out without a word.

What to do: delete the line, or move what follows it into a file of its own.

Broken:

```yaml
version: 1
project: demo
---
compute:
  laptop: {type: local}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
```
"""

MLP1008 = Code("MLP1008", "Duplicate key")
"""A mapping has the same key twice.

Why: most YAML readers keep the last one and forget the first without a word. Which one was meant can't be told.

What to do: keep one of the two, or rename one.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
  laptop: {type: local, max_nodes: 2}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 2}
```
"""

MLP1009 = Code("MLP1009", "Alias grows without bound")
"""Aliases (`*name`) repeat what an anchor (`&name`) marks, here without end or beyond any sensible size.

Why: a few lines of aliases of aliases stand for billions of values, enough to fill a machine's memory.

What to do: write the values out where they are needed.

Broken:

```yaml
version: 1
project: demo
variables: &all
  size: {default: *all}
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP1010 = Code("MLP1010", "Merge key")
"""The key `<<` merges a mapping into another one in YAML 1.1. Manifests are YAML 1.2, where it doesn't.

Why: an editor that checks the manifest against its schema wouldn't see the merged keys, or see them otherwise.

What to do: write the keys out. For variants of a whole project there are profiles.

Broken:

```yaml
version: 1
project: demo
compute:
  small: &small {type: local}
  large: {<<: *small, max_nodes: 4}
```

Mended:

```yaml
version: 1
project: demo
compute:
  small: {type: local}
  large: {type: local, max_nodes: 4}
```
"""

MLP1011 = Code("MLP1011", "Tag without meaning")
"""A value carries a tag such as `!!python/object` or `!secret`.

Why: tags tell a reader to build something else than what is written. mlplan builds nothing: a manifest holds plain
values.

What to do: delete the tag and write the value. For secrets there is `${{ secret.NAME }}`.

Broken:

```yaml
version: 1
project: !name demo
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP1012 = Code("MLP1012", "Key is no plain word")
"""A key is empty, a list or a mapping.

Why: keys are names. YAML allows any value as a key, JSON and the manifest's schema don't. The usual cause is a brace
or a bracket at the start of a line that should have been quoted.

What to do: write a word, or quote the line.

Broken:

```yaml
version: 1
project: demo
compute:
  [laptop]: {type: local}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
```
"""

MLP1013 = Code("MLP1013", "Value is read differently elsewhere", severity="warning")
"""A value without quotes means one thing here and another thing to other YAML readers, or to a person.

Why: by YAML 1.2, `no`, `12:30` and `2024-01-01` are text and `010` is ten; a YAML 1.1 reader takes them for false,
750, a date and eight. `1.10` as a number is 1.1. mlplan takes text as it is written, but another tool that reads the
same file may not.

What to do: quote what is text, and write numbers without leading zeros.

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: data.csv, tags: {country: no}}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  images: {source: data.csv, tags: {country: "no"}}
```
"""

MLP1014 = Code("MLP1014", "Control character")
"""The text holds a control character.

Why: such characters can't be seen and mostly come from a broken copy. YAML forbids them.

What to do: delete it; the mark shows where it is. Inside double quotes it can be written as an escape: "\\x07".
"""

MLP1015 = Code("MLP1015", "Variable file can't be read")
"""A file of variables can't be read, or holds something else than names and their values.

Why: it was asked for on the command line, so going on without its values would give another project.

What to do: check the path, which is relative to the folder in which mlplan runs. The file is YAML or JSON, names to
values:

    regularization: 0.5
    data_url: https://example.org/data
"""

MLP1016 = Code("MLP1016", "Nested too deep")
"""Lists or mappings are nested far deeper than any manifest needs.

Why: nothing in a manifest is more than eight levels deep. Such a depth is a slip, or made to exhaust the reader.

What to do: close the brackets that were opened before the mark.

Broken:

```yaml
version: 1
project: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[demo]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP1017 = Code("MLP1017", "Number out of reach")
"""A number is infinite, is not a number (`.nan`), or has far too many digits.

Why: JSON has no such numbers, so neither the schema nor a fingerprint could hold it.

What to do: write a number that fits, or quote it if it is text.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: .inf}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 64}
```
"""

MLP1018 = Code("MLP1018", "Unknown anchor")
"""An alias (`*name`) stands for something that nothing above it marks with `&name`.

Why: YAML knows only anchors that come before. The usual cause is text that starts with a star.

What to do: correct the name, or quote the text.

Broken:

```yaml
version: 1
project: demo
dataset:
  tables: {source: *.csv}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  tables: {source: "*.csv"}
```
"""

MLP1019 = Code("MLP1019", "Manifest is no mapping")
"""The file holds a list or a single value.

Why: a manifest is a mapping: keys such as `version`, `project` and `run`, each with its value.

What to do: write keys, without a dash before them.

Broken:

```yaml
- version: 1
- project: demo
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP1020 = Code("MLP1020", "Given text isn't UTF-8")
"""A value from the command line or the environment, or the path of the project's folder, holds bytes that are no
UTF-8 text.

Why: it becomes part of what is recorded, which is Unicode text, and guessing another encoding would turn it into
something else.

What to do: give it anew from a terminal that writes UTF-8 (`locale` says what yours does), or rename the folder.
"""


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
