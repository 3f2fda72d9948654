"""Damaged manifests: a whole one, altered in its structure or in its bytes. Deterministic for a seed."""

from __future__ import annotations

import copy
import random
from typing import Any

import yaml

WHOLE = """\
version: 1
project: tutorial-cli
workspace: .mlplan
variables:
  mnist_url: {default: https://example.org/mnist, description: Where the files are}
  regularization: {type: number, default: 0.01}
  nodes: {type: integer, default: 2}
compute:
  cpu-cluster: {type: local, max_nodes: "${{ var.nodes }}"}
  box: {type: docker}
dataset:
  mnist-dataset:
    description: mnist dataset
    tags: {sample-tag: mnist}
    source:
      - ${{ var.mnist_url }}/train-images-idx3-ubyte.gz
      - data/*.csv
    protect: true
run:
  prepare:
    compute: box
    command: [python, prepare.py, "${{ dataset.mnist-dataset.path }}"]
  train:
    compute: cpu-cluster
    source: scripts
    script: train.py
    arguments: [--data, "${{ run.prepare.outputs }}", --regularization, "${{ var.regularization }}", 010, 1.10]
    environment: {python: "3.11", packages: [scikit-learn==1.5.2]}
    env: {OMP_NUM_THREADS: "1", TOKEN: "${{ secret.TOKEN }}"}
    timeout: 2h
    resources: {cpu: 1, memory: 1Gi}
model:
  mymodel:
    run: train
    path: outputs/model.pkl
    framework: {name: scikit-learn, version: 1.5.2}
    require: [accuracy >= 0.90, accuracy >= deployed.accuracy - 0.01]
  other: {file: model.pkl, properties: {from: elsewhere}}
inference:
  scorer:
    source: scripts
    entry_script: score.py
    environment: {file: requirements.txt}
    env: {URL: "${{ deployment.plain.scoring_uri }}"}
deployment:
  myservice:
    compute: cpu-cluster
    models: [mymodel, "other:1"]
    inference: scorer
    port: 6789
    auth: key
    replicas: 1
    test: [{request: testdata.json, expect: [3]}]
  plain: {compute: cpu-cluster, models: [mymodel], port: 6790, host: 0.0.0.0, timeout: 1m30s, max_body: 1Mi}
profiles:
  prod: {workspace: "s3://team/tutorial", deployment: {myservice: {replicas: 3}}, compute: {box: {type: local}}}
moved:
  - {from: run.mnist, to: run.train}
"""
TREE = yaml.safe_load(WHOLE)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""In C where it is there: the other takes longer than all that is tested."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**400, 1.5, float("nan"), float("inf"), "", " ", "a\nb", "\t", "日本", "é" * 70, "no",
    "../../etc/passwd", "/", "~", "s3://x", "run", "train", "mymodel:0", "1.10", "12:30", "2h", "${{", "${{ }}",
    "${{ var.regularization }}", "${{ var.nodes }} h", "${{ env.HOME }}", "${{ run.train.metrics.accuracy }}",
    "${{ secret.X }}", "${{ deployment.myservice.scoring_uri }}", "${{ a.b.c.d }}${{", "**/*", "[", "x" * 5000,
    "\x00", [], {}, [[]], [None], {"": ""}, {"type": "docker"}, {"type": []}, {1: 2}, [{"from": 1}], "accuracy >",
    {"script": "x", "command": ["y"]}, "\u2028", "\ufeff", "\U0001f600",
)  # fmt: skip
PIECES = (
    b"&a ", b"*a", b"<<: *a\n", b"---\n", b"...\n", b"!!python/object:x ", b"? ", b"- ", b": ", b"{", b"}",
    b"[", b"]", b"\t", b"\r", b"\x00", b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"'", b'"', b"|\n",
    b">-\n", b"#", b"%YAML 1.1\n", b"${{ ", b" }}", b"\n", b" ", b"\xc2\x85", b"[" * 100, b"{a: " * 100,
    b"0" * 400, b"1e999", b"@", b"`",
)  # fmt: skip


def mutated(seed: int) -> bytes:
    """One damaged manifest."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        tree = copy.deepcopy(TREE)
        for _ in range(chance.randint(1, 4)):
            _alter(tree, chance)
        flow = chance.choice([None, True, False])
        data = yaml.dump(tree, Dumper=DUMPER, allow_unicode=True, sort_keys=False, default_flow_style=flow)
        return data.encode("utf-8", "surrogatepass")
    altered = bytearray(WHOLE.encode())
    for _ in range(chance.randint(1, 6)):
        _damage(altered, chance)
    return bytes(altered)


def _alter(tree: Any, chance: random.Random) -> None:
    """Changes one place of a tree of lists and mappings."""
    holders = _holders(tree)
    holder = chance.choice(holders)
    key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
    what = chance.randrange(6)
    if what == 0:
        del holder[key]
    elif what in (1, 2):
        holder[key] = copy.deepcopy(chance.choice(VALUES))
    elif what == 3:
        other = chance.choice(holders)
        holder[key] = copy.deepcopy(other if chance.random() < 0.5 else tree)
    elif isinstance(holder, dict):
        word = chance.choice([*WHOLE.split(), "", "x", 3, None, "a b", str(key) + "s", str(key)[1:]])
        holder[word] = holder.pop(key) if what == 4 else copy.deepcopy(holder[key])
    else:
        holder.insert(key, copy.deepcopy(chance.choice(VALUES)))


def _holders(tree: Any) -> list[Any]:
    """Every list and mapping in a tree that holds something."""
    found = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (dict, list)) and node:
            found.append(node)
            waiting += node.values() if isinstance(node, dict) else node
    return found


def _damage(data: bytearray, chance: random.Random) -> None:
    """Changes a few bytes."""
    at = chance.randrange(len(data)) if data else 0
    what = chance.randrange(5)
    if what == 0:
        del data[at : at + chance.choice([1, 1, 2, 5, 40, 400])]
    elif what == 1:
        data[at:at] = chance.choice(PIECES)
    elif what == 2:
        data[at : at + 1] = bytes([chance.randrange(256)])
    elif what == 3:
        end = at + chance.choice([1, 10, 100])
        data[at:at] = data[at:end]
    else:
        data[at : at + chance.choice([1, 3, 8])] = chance.choice(PIECES)
