"""Codes MLP2xxx: what the published schema of the manifest catches.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP2001 = Code("MLP2001", "Unknown key")
"""A key is written that has no meaning at this place.

Why: a key that isn't known would do nothing, and you would believe that it does.

What to do: correct the spelling (the message offers the nearest key), or move it to where it belongs. All keys, with
what they mean:

    mlplan schema manifest

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_node: 2}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 2}
```
"""

MLP2002 = Code("MLP2002", "Missing key")
"""Something that has to be written isn't.

Why: there is no value that would be right for everyone, so none is assumed.

What to do: add the key. Where the message names two keys, one of them is needed.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {max_nodes: 2}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 2}
```
"""

MLP2003 = Code("MLP2003", "Wrong type")
"""A value is of another type than its key asks for: a number where text belongs, a list where a mapping belongs.

Why: turning one into the other would be a guess. `3.10` as a number is 3.1, which is another Python.

What to do: quote text that looks like a number; write `true` and `false` without quotes; put dashes before the items
of a list and none before the keys of a mapping.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    environment: {python: 3.10, packages: [joblib]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    environment: {python: "3.10", packages: [joblib]}
```
"""

MLP2004 = Code("MLP2004", "Unknown choice")
"""A value isn't one of those that its key allows.

Why: each of the allowed values is something mlplan knows how to do; another one would be ignored or fail later.

What to do: write one of the values in the message.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: locl}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
```
"""

MLP2005 = Code("MLP2005", "Out of range")
"""A number is too small or too large.

Why: beyond these bounds it has no meaning: there is no port 80000, and no service with 0 replicas.

What to do: write a number inside the bounds in the message.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 0}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local, max_nodes: 1}
```
"""

MLP2006 = Code("MLP2006", "Wrong form")
"""A text hasn't the form that its key asks for: a duration without its unit, a version that is none.

Why: `timeout: "90"` could be seconds or minutes. A unit leaves no doubt.

What to do: write it as in the message: `90s`, `2h`, `1h30m` for durations, `512Mi`, `2Gi` for sizes.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py, timeout: "90"}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py, timeout: 90s}
```
"""

MLP2007 = Code("MLP2007", "Name can't be used")
"""A resource, a variable or a profile has a name with characters that names can't have, or a name that is too long.

Why: names become parts of addresses (`run.train`), of paths and of references; spaces, dots and the like would break
them.

What to do: use letters, digits, `-` and `_`, at most 64 of them.

Broken:

```yaml
version: 1
project: demo
compute:
  my laptop: {type: local}
```

Mended:

```yaml
version: 1
project: demo
compute:
  my-laptop: {type: local}
```
"""

MLP2008 = Code("MLP2008", "Keys exclude each other")
"""Two keys stand side by side of which only one can hold.

Why: each says the same thing in another way, and following one would silently drop the other.

What to do: delete one of the two.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    command: [python, train.py]
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
```
"""

MLP2009 = Code("MLP2009", "Nothing given")
"""A list or a text is empty that has to hold something.

Why: a dataset without files or a deployment without models could never be made.

What to do: write a value, or delete the whole resource.

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: []}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  images: {source: [data.csv]}
```
"""

MLP2010 = Code("MLP2010", "Unknown manifest version")
"""The manifest says it is written in a format that this mlplan doesn't know.

Why: what its keys mean could have changed, so nothing is guessed.

What to do: write `version: 1`, or use the version of mlplan that the manifest was written for.

Broken:

```yaml
version: 2
project: demo
```

Mended:

```yaml
version: 1
project: demo
```
"""

MLP2011 = Code("MLP2011", "Repeated item")
"""A list has the same item twice where each may stand once.

Why: a model that is served twice by one service would be found under one name only.

What to do: delete one of the two.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
inference:
  scorer: {source: scripts, entry_script: score.py}
deployment:
  service: {compute: laptop, models: [digits, digits], inference: scorer, port: 8000}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
inference:
  scorer: {source: scripts, entry_script: score.py}
deployment:
  service: {compute: laptop, models: [digits], inference: scorer, port: 8000}
```
"""
