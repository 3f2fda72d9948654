"""The page of a code on a terminal."""

from __future__ import annotations

import pytest

from mlplan.codes import every_code, page
from mlplan.views.explain import page_text

PAGE = """\
A model's `path` leads out of the folder.

Why: it would be found missing when
all is done.

- one thing that goes on and
  on
- another

    mlplan apply --only run.train --lock-timeout 10m

```yaml
run: {a: {compute: here, source: scripts, script: train.py}}

model: {}
```

The end.
"""


def test_sentences_are_wrapped_and_examples_left_alone() -> None:
    assert (
        page_text(PAGE, 30)
        == """\
A model's `path` leads out of
the folder.

Why: it would be found missing
when all is done.

- one thing that goes on and
  on
- another

    mlplan apply --only run.train --lock-timeout 10m

```yaml
run: {a: {compute: here, source: scripts, script: train.py}}

model: {}
```

The end.
"""
    )


@pytest.mark.parametrize("width", [60, 118])
def test_no_page_loses_a_word(width: int) -> None:
    for code in every_code():
        assert page_text(page(code.code), width).split() == page(code.code).split()
