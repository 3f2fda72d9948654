"""References filled in at the moment of use: values, secrets, and folders that a job reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.kinds.references import attribute_of
from mlplan.manifest.references import ATTRIBUTES, as_text, find
from mlplan.targets.protocols import Mount

if TYPE_CHECKING:
    from mlplan.kinds.protocol import Effects
    from mlplan.manifest.references import Mention


class Filling:
    """Fills references in strings, and remembers the folders that the job will read, and the secrets."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        self.mounts: dict[str, Mount] = {}
        self.secrets: dict[str, str] = {}  # by name

    def text(self, text: str) -> str:
        """The string with each reference replaced by its value, or by the placeholder of a folder."""
        parts, at = [], 0
        for mention in find(text):
            parts += [text[at : mention.start], self._value(mention)]
            at = mention.end
        return "".join([*parts, text[at:]])

    def text_here(self, text: str) -> str:
        """The same for a process of this machine: a folder by its path."""
        filled = self.text(text)
        for mount in self.mounts.values():
            filled = filled.replace(mount.placeholder, mount.source)
        return filled

    def _value(self, mention: Mention) -> str:
        if mention.scope == "secret":
            self.secrets[mention.name] = self.effects.secret_value(mention.name)
            return self.secrets[mention.name]
        address = Address(mention.scope, mention.name)
        outputs = self.effects.known(address).outputs
        folder = {"path": "digest", "outputs": "outputs"}.get(mention.attribute)
        if folder is None or mention.scope not in ATTRIBUTES:
            return as_text(attribute_of(outputs, mention.attribute))
        digest = str(attribute_of(outputs, folder))
        if digest not in self.mounts:
            view = self.effects.reading.artifacts.view(digest)
            self.mounts[digest] = Mount(view, f"@mlplan:{digest[:16]}@")
        return self.mounts[digest].placeholder + self._inside(address.kind, digest)

    def _inside(self, kind: str, digest: str) -> str:
        """Of a model that is one file or folder, the path is that file's or folder's, not its parent's."""
        if kind != "model":
            return ""
        tops = {entry.path.split("/")[0] for entry in self.effects.reading.artifacts.tree(digest).files}
        return f"/{tops.pop()}" if len(tops) == 1 else ""
