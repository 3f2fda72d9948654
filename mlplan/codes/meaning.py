"""Codes MLP3xxx: what a manifest means: references, files, ports.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP3101 = Code("MLP3101", "Unknown resource")
"""A reference mentions a resource that the manifest doesn't declare.

Why: there is nothing whose value could be put in its place.

What to do: correct the name (the message offers the nearest one), or declare the resource.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
dataset:
  images: {source: data.csv}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--data, "${{ dataset.image.path }}"]
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
dataset:
  images: {source: data.csv}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--data, "${{ dataset.images.path }}"]
```
"""

MLP3102 = Code("MLP3102", "Unknown attribute")
"""A reference asks a resource for something that it doesn't tell.

Why: each kind tells a few things: a dataset its path, version and digest; a run its outputs, id and metrics; a model
its version, path and digest; a deployment its scoring_uri.

What to do: write one of them; the message lists those of the resource.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
dataset:
  images: {source: data.csv}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--data, "${{ dataset.images.folder }}"]
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
dataset:
  images: {source: data.csv}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--data, "${{ dataset.images.path }}"]
```
"""

MLP3103 = Code("MLP3103", "Malformed reference")
"""What stands between `${{` and `}}` is no reference.

Why: a reference names one value; nothing is computed there. That keeps a manifest readable without running it.

What to do: write `var.NAME`, `env.NAME`, `secret.NAME`, or an attribute of a resource, such as `dataset.NAME.path`.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
variables:
  size: {default: small}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--size, "${{ vars.size }}"]
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
variables:
  size: {default: small}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--size, "${{ var.size }}"]
```
"""

MLP3104 = Code("MLP3104", "Unknown compute")
"""A `compute:` field names a compute that the manifest doesn't declare.

Why: there would be no place for the run or the service.

What to do: correct the name (the message offers the nearest one), or declare the compute.

Broken:

```yaml
version: 1
project: demo
compute:
  gpu-small: {type: local}
run:
  train: {compute: gpu-smal, source: scripts, script: train.py}
```

Mended:

```yaml
version: 1
project: demo
compute:
  gpu-small: {type: local}
run:
  train: {compute: gpu-small, source: scripts, script: train.py}
```
"""

MLP3105 = Code("MLP3105", "Unknown run")
"""A model's `run:` names a run that the manifest doesn't declare.

Why: nothing would make the model.

What to do: correct the name, declare the run, or, for a model that was trained elsewhere, write `file:` instead.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: trian, path: outputs/model.pkl}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: train, path: outputs/model.pkl}
```
"""

MLP3106 = Code("MLP3106", "Unknown model")
"""A deployment serves a model that the manifest doesn't declare.

Why: there would be nothing to serve.

What to do: correct the name, or declare the model. `name:3` pins version 3 of a declared model.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digit], port: 8000}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000}
```
"""

MLP3107 = Code("MLP3107", "Unknown inference")
"""A deployment's `inference:` names one that the manifest doesn't declare.

Why: nothing would say how the models are asked.

What to do: correct the name, declare the inference, or leave it out for a scikit-learn model that serves itself.

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
  service: {compute: laptop, models: [digits], inference: score, port: 8000}
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

MLP3108 = Code("MLP3108", "Resources need each other")
"""Resources need one another in a ring.

Why: each would have to be finished before the other could start.

What to do: take one of the marked references out. Often a third resource, which both use, is what is missing.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  prepare:
    compute: laptop
    source: scripts
    script: train.py
    arguments: ["${{ run.train.outputs }}"]
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: ["${{ run.prepare.outputs }}"]
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  prepare:
    compute: laptop
    source: scripts
    script: train.py
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: ["${{ run.prepare.outputs }}"]
```
"""

MLP3109 = Code("MLP3109", "Reference out of place")
"""A secret, or a value that is known only later, stands where it can't be used.

Why: a plan has to know beforehand where a run executes and which files a dataset has. And a secret in a tag or on a
command line would be seen by others, or recorded.

What to do: resources' attributes may stand in a run's `arguments`, `command` and `env` and in an inference's `env`;
secrets in `env`, and in the URLs of a dataset, the file's name aside. For what is known beforehand there are
variables.

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
    arguments: [--token, "${{ secret.API_TOKEN }}"]
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
    env: {API_TOKEN: "${{ secret.API_TOKEN }}"}
```
"""

MLP3201 = Code("MLP3201", "Undeclared variable")
"""A reference mentions a variable that isn't declared under `variables:`.

Why: only declared variables have a type and can be given from outside, so a misspelt one would stay empty.

What to do: correct the name (the message offers the nearest one), or declare it.

Broken:

```yaml
version: 1
project: demo
variables:
  folder: {default: data.csv}
dataset:
  images: {source: "${{ var.foldr }}"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  folder: {default: data.csv}
dataset:
  images: {source: "${{ var.folder }}"}
```
"""

MLP3202 = Code("MLP3202", "Variable without a value")
"""A variable has no default, and no value was given for it.

Why: nothing can be put in its place.

What to do: give it a value, in one of four ways (a later one wins):

    default: VALUE                     in the manifest
    mlplan --var-file values.yaml      a file: names to values
    export MLPLAN_VAR_name=VALUE       in the environment
    mlplan --var name=VALUE            on the command line

Broken:

```yaml
version: 1
project: demo
variables:
  folder: {type: string}
dataset:
  images: {source: "${{ var.folder }}"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  folder: {type: string, default: data.csv}
dataset:
  images: {source: "${{ var.folder }}"}
```
"""

MLP3203 = Code("MLP3203", "Variable has the wrong type")
"""A variable's value isn't of the type that it declares.

Why: it would fail where it is used, far from where it was given. A variable without a `type` is text.

What to do: give a value of the type, or declare another type: string, number, integer or boolean.

Broken:

```yaml
version: 1
project: demo
variables:
  nodes: {default: 2}
compute:
  laptop: {type: local, max_nodes: "${{ var.nodes }}"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  nodes: {type: integer, default: 2}
compute:
  laptop: {type: local, max_nodes: "${{ var.nodes }}"}
```
"""

MLP3204 = Code("MLP3204", "Unused variable", severity="warning")
"""A variable is declared and never used.

Why: setting it would do nothing, which is easily overlooked.

What to do: use it as `${{ var.NAME }}`, or delete it.

Broken:

```yaml
version: 1
project: demo
variables:
  folder: {default: data.csv}
dataset:
  images: {source: data.csv}
```

Mended:

```yaml
version: 1
project: demo
variables:
  folder: {default: data.csv}
dataset:
  images: {source: "${{ var.folder }}"}
```
"""

MLP3205 = Code("MLP3205", "Value for an undeclared variable")
"""A value is given, on the command line or in a file, for a variable that the manifest doesn't declare.

Why: it would do nothing; most often the name is misspelt.

What to do: correct the name (the message offers the nearest one), or declare the variable.
"""

MLP3206 = Code("MLP3206", "Environment variable not set")
"""`${{ env.NAME }}` mentions an environment variable that isn't set.

Why: an empty text in its place would mostly be wrong, and found out late.

What to do: set it, or use a variable with a default:

    export NAME=VALUE

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: "${{ env.DATA_FOLDER }}/data.csv"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  folder: {default: .}
dataset:
  images: {source: "${{ var.folder }}/data.csv"}
```
"""

MLP3207 = Code("MLP3207", "Unknown profile")
"""`--profile` names a profile that the manifest doesn't have.

Why: going on without it would plan another variant of the project than the one asked for.

What to do: correct the name (the message offers the nearest one), or declare it under `profiles:`.
"""

MLP3208 = Code("MLP3208", "Filled-in value doesn't fit")
"""A value that was filled in from a variable or the environment doesn't fit where it stands.

Why: with another value it may fit, so the fault lies in what was given, and the message says where it came from.

What to do: give another value.

Broken:

```yaml
version: 1
project: demo
variables:
  nodes: {type: integer, default: 0}
compute:
  laptop: {type: local, max_nodes: "${{ var.nodes }}"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  nodes: {type: integer, default: 2}
compute:
  laptop: {type: local, max_nodes: "${{ var.nodes }}"}
```
"""

MLP3209 = Code("MLP3209", "Reference inside a value")
"""A variable's or an environment variable's value holds `${{`.

Why: what is filled in isn't looked into again. If it were, whoever sets a variable (a caller, a CI job, a forked
branch) could reach secrets and other resources that the manifest doesn't mention.

What to do: write the reference where the variable is used, and give the variable plain text.

Broken:

```yaml
version: 1
project: demo
variables:
  folder: {default: "${{ env.DATA_FOLDER }}"}
dataset:
  images: {source: "${{ var.folder }}"}
```

Mended:

```yaml
version: 1
project: demo
variables:
  folder: {default: data.csv}
dataset:
  images: {source: "${{ var.folder }}"}
```
"""

MLP3301 = Code("MLP3301", "Missing script")
"""The script of a run isn't there.

Why: the run would fail as soon as it starts.

What to do: correct the path. It is relative to `source`, and `source` to the manifest.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: trian.py}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
```
"""

MLP3302 = Code("MLP3302", "Missing entry script")
"""The entry script of an inference isn't there.

Why: the service could not start.

What to do: correct the path. It is relative to `source`, and `source` to the manifest.

Broken:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: scor.py}
```

Mended:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py}
```
"""

MLP3303 = Code("MLP3303", "Missing source folder")
"""The folder that `source` names isn't there.

Why: it is snapshotted for each run, so there would be no code.

What to do: correct the path; it is relative to the manifest.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: script, script: train.py}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
```
"""

MLP3304 = Code("MLP3304", "Missing dataset file")
"""A file or folder of a dataset isn't there, or nothing matches its pattern.

Why: the dataset would be empty or incomplete.

What to do: correct the path or the pattern, or add the files. Paths are relative to the manifest; for files on the
network write the whole URL.

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: dat.csv}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  images: {source: data.csv}
```
"""

MLP3305 = Code("MLP3305", "Missing model file")
"""The file of a model isn't there.

Why: there would be nothing to register.

What to do: correct the path; it is relative to the manifest. For a model that a run makes, write `run:` and `path:`.

Broken:

```yaml
version: 1
project: demo
model:
  digits: {file: models/digits.pkl}
```

Mended:

```yaml
version: 1
project: demo
model:
  digits: {file: model.pkl}
```
"""

MLP3306 = Code("MLP3306", "Missing environment file")
"""The file that lists an environment's packages isn't there.

Why: the environment could not be built.

What to do: correct the path; it is relative to the manifest.

Broken:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {file: requirement.txt}}
```

Mended:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {file: requirements.txt}}
```
"""

MLP3307 = Code("MLP3307", "Missing test request")
"""The file with a test request of a deployment isn't there.

Why: a new service could not be asked before it takes traffic, so it would never take it.

What to do: correct the path, which is relative to the manifest, or write the request's body into that file as JSON.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{request: test.json}]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{request: testdata.json}]}
```
"""

MLP3308 = Code("MLP3308", "Path leads out of the project")
"""A path inside the project is a link to something outside of it.

Why: nothing outside the project's folder is read unless the manifest says so. A reviewer who reads the path would
believe that the file is part of the project.

What to do: copy the file into the project, or write the path that the link leads to.
"""

MLP3309 = Code("MLP3309", "Script outside its source")
"""A script stands outside of the folder that `source` names.

Why: a run gets a snapshot of `source` and nothing else, so the script would not be there.

What to do: write the path relative to `source`, or set `source` to a folder that holds both.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: ../scripts/train.py}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
```
"""

MLP3310 = Code("MLP3310", "Address that can't be downloaded")
"""A dataset's source is a URL of a kind that mlplan doesn't download.

Why: mlplan speaks http and https. Taking the text for a path would only say that no such file exists.

What to do: give an http or https address; most buckets have one, signed where it must be. Or copy the files into the
project and name their paths.

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: "s3://bucket/images.tar.gz"}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  images: {source: "https://bucket.example.org/images.tar.gz"}
```
"""

MLP3401 = Code("MLP3401", "Malformed package")
"""An item of `packages` isn't a package as pip takes it.

Why: the environment could not be resolved. The usual cause is conda's single `=`, or an option of pip.

What to do: write a name, and a version if it counts: `scikit-learn==1.5.2`, `numpy>=1.26,<3`. Options of pip, local
paths and the like belong into a requirements.txt, named by `file:`.

Broken:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {packages: [scikit-learn=1.5.2]}}
```

Mended:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {packages: [scikit-learn==1.5.2]}}
```
"""

MLP3402 = Code("MLP3402", "Port used twice")
"""Two deployments listen on the same port of the same machine.

Why: only one of them could start.

What to do: give one of them another port.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  stable: {compute: laptop, models: [digits], port: 8000}
  canary: {compute: laptop, models: [digits], port: 8000}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  stable: {compute: laptop, models: [digits], port: 8000}
  canary: {compute: laptop, models: [digits], port: 8001}
```
"""

MLP3403 = Code("MLP3403", "Move can't be made")
"""An entry of `moved` doesn't lead from an old address to a new one.

Why: `moved` says that a resource has another name now and keeps its history. The old name must be gone, the new one
declared, both of the same kind, and each named once. A compute and a deployment have no history that could be kept:
services are known by their names, so one under a new name is another one.

What to do: correct the entry, or delete it once everyone who uses the project has applied it.

Broken:

```yaml
version: 1
project: demo
dataset:
  images: {source: data.csv}
moved:
  - {from: dataset.pictures, to: dataset.image}
```

Mended:

```yaml
version: 1
project: demo
dataset:
  images: {source: data.csv}
moved:
  - {from: dataset.pictures, to: dataset.images}
```
"""

MLP3404 = Code("MLP3404", "Malformed gate")
"""An item of `require` can't be read as a gate.

Why: a gate that isn't understood would let every model pass.

What to do: compare one metric with a number, or with the same or another metric of the version in service now. The
comparisons are `>=`, `<=`, `>`, `<`, `==` and `!=`.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: train, path: outputs/model.pkl, require: [accuracy at least 0.9]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: train, path: outputs/model.pkl, require: [accuracy >= 0.9, accuracy >= deployed.accuracy - 0.01]}
```
"""

MLP3405 = Code("MLP3405", "Model can't serve itself")
"""A deployment has no entry script, but its models can't serve themselves.

Why: without code, mlplan knows how to ask one thing: a single scikit-learn model.

What to do: write an entry script and name it in an inference; or, if it is a scikit-learn model, say so with
`framework: {name: scikit-learn}`.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl}
deployment:
  service: {compute: laptop, models: [digits], port: 8000}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000}
```
"""

MLP3406 = Code("MLP3406", "Field without effect", severity="warning")
"""A field is written that the chosen compute can't honour.

Why: it would be accepted and do nothing. The message says why this type of compute can't.

What to do: delete it, or choose another compute.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py, resources: {gpus: 1}}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
```
"""

MLP3407 = Code("MLP3407", "Package listed twice")
"""An environment lists the same package twice.

Why: the two may ask for different versions, and which of them was meant can't be told. Spelling doesn't count:
`scikit_learn` is `scikit-learn`.

What to do: keep one of them.

Broken:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {packages: [joblib, joblib==1.4.2]}}
```

Mended:

```yaml
version: 1
project: demo
inference:
  scorer: {source: scripts, entry_script: score.py, environment: {packages: [joblib==1.4.2]}}
```
"""

MLP3408 = Code("MLP3408", "Gate without metrics")
"""A model that comes from a file has gates.

Why: gates look at the metrics of the run that makes a model. A file has none, so they could never be met.

What to do: delete `require`, or let a run make the model.

Broken:

```yaml
version: 1
project: demo
model:
  digits: {file: model.pkl, require: [accuracy >= 0.9]}
```

Mended:

```yaml
version: 1
project: demo
model:
  digits: {file: model.pkl}
```
"""

MLP3409 = Code("MLP3409", "Service open to the network without a key", severity="warning")
"""A service listens to the network and asks for no key.

Why: whoever reaches the machine may use it, at your cost and with your data.

What to do: write `auth: key`, or leave out `host`, so that only this machine reaches it.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, host: 0.0.0.0, auth: none}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, host: 0.0.0.0, auth: key}
```
"""

MLP3410 = Code("MLP3410", "Not a model below the outputs")
"""A model's `path` leads out of the folder `outputs` of its run, or names that folder itself.

Why: of a run, `outputs` and `logs` are kept and nothing else, so a model elsewhere would be found missing when all of
the training is done.

What to do: let the script write the model below `outputs`, into a file or a folder of its own.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: train, path: ../model.pkl}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
model:
  digits: {run: train, path: outputs/model.pkl}
```
"""

MLP3411 = Code("MLP3411", "File of golden requests can't be read")
"""The file that `requests` of a deployment's test names holds no golden requests that could be read: it isn't JSON,
isn't UTF-8, or is empty.

Why: a new service would be compared with the live one by something else than you think, or by nothing, and that would
be found out when all of the training is done.

What to do: write one request a line, or all of them as one JSON list:

    {"request": {"data": [[5.1, 3.5]]}, "expect": [0], "tolerance": 1e-6, "name": "small"}

Only `request` is needed. What a service has collected can be such a file, too:

    mlplan service data NAME --export golden.jsonl

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{requests: data.csv}]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{requests: golden.jsonl}]}
```
"""

MLP3412 = Code("MLP3412", "Malformed golden request")
"""An item in a file of golden requests isn't one: it has no `request`, a field that there isn't, or a tolerance that
is no number.

Why: what can't be asked, or held against the answer as you meant it, would let a new service pass.

What to do: mend it at the place that the message names. A golden request may have `request` (the body), `expect` (the
answer), `tolerance` (how far apart, relatively, two numbers may be) and `name`; only `request` is needed. A file with
the body of one request, and nothing around it, is named by `request` in place of `requests`.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{requests: testdata.json}]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{request: testdata.json}]}
```
"""

MLP3413 = Code("MLP3413", "Test request isn't JSON")
"""The file with a test request of a deployment isn't JSON.

Why: the service would be asked something that it can only refuse, so it would never take traffic.

What to do: write the body of one request as JSON. A file with many requests, one a line, is named by `requests` in
place of `request`.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{request: golden.jsonl}]}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
model:
  digits: {file: model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: [digits], port: 8000, test: [{requests: golden.jsonl}]}
```
"""

MLP3414 = Code("MLP3414", "Script can't be read by Python")
"""A run's script, or an inference's entry script, isn't valid Python.

Why: the run would end, or the service not start, as soon as Python reads it. It is a warning where the environment
asks for a newer Python than the one that runs mlplan, or leaves that to a file: that one may be able to read it.

What to do: mend the script at the place shown. Only this script is looked at, not what it imports, and nothing of it
is executed. If it is written for a newer Python, write which one into `python` of its environment.

Broken:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: python2.py}
```

Mended:

```yaml
version: 1
project: demo
compute:
  laptop: {type: local}
run:
  train: {compute: laptop, source: scripts, script: train.py}
```
"""
