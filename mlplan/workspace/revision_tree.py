"""The files of one commit as a project's folder would show them: what stands where, links followed, nothing written.

It answers what `mlplan.manifest.files.Disk` asks of a folder, and says which entries a path of the manifest needs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from mlplan.workspace.git import LINK, SUBMODULE, entries, normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplan.workspace.git import Entry, Objects, Repository

MOST_LINKS = 40
"""Links on one path beyond which it counts as leading nowhere."""


class RevisionTree:
    """What a commit holds. Paths are as the manifest in the repository's folder writes them; those that are given
    back are from the top of the repository."""

    def __init__(self, repository: Repository, commit: str, objects: Objects) -> None:
        self.repository = repository
        self._objects = objects
        self.commit = commit
        self._entries = entries(repository.top, commit, repository.prefix)
        self._everything = not repository.prefix
        self._folders: dict[str, set[str]] = {}
        self._links: dict[str, str] = {}
        self._look()

    def kind(self, path: str) -> Literal["file", "folder", ""]:
        """What stands there; "" for nothing, for a link to nothing or out of the repository, for what is outside."""
        place = self.place(path)
        if place is None:
            return ""
        entry = self._entries.get(place)
        if entry is not None:
            return "folder" if entry.mode == SUBMODULE else "file"
        return "folder" if place in self._folders else ""

    def names(self, folder: str) -> list[str]:
        """The names in a folder; none where there is no such folder."""
        place = self.place(folder)
        return sorted(self._folders.get(place, ())) if place is not None else []

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder, links left out."""
        place = self.place(folder)
        if place is None:
            return []
        return [name for name in self.names(folder) if f"{place}/{name}".lstrip("/") in self._folders]

    def is_outside(self, path: str) -> bool:
        """Never: what lies outside of the repository isn't seen at all."""
        return False

    def place(self, path: str) -> str | None:
        """Where a path leads, from the top, links followed; None where that is out of the repository."""
        found = self.repository.inside(path)
        return None if found is None else self._follow(found)

    def submodule(self, path: str) -> str:
        """The commit of the submodule that a path lies in, or that lies below it; "" where there is none."""
        place = self.place(path)
        if place is None:
            return ""
        found = sorted(
            entry.object
            for where, entry in self._entries.items()
            if entry.mode == SUBMODULE and (_is_below(where, place) or _is_below(place, where))
        )
        return ",".join(found)

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None where there is none."""
        place = self.place(path)
        entry = self._entries.get(place) if place is not None else None
        if entry is None or entry.mode == SUBMODULE:
            return None
        (content,) = self._objects.contents([entry.object])
        return content

    def needed(self, paths: Iterable[str]) -> dict[str, Entry]:
        """All entries that these files and folders consist of, links on the way and what they lead to included."""
        found: dict[str, Entry] = {}
        waiting = [(place, 0) for path in paths if (place := self.repository.inside(path)) is not None]
        seen: set[str] = set()
        while waiting:
            place, links = waiting.pop()
            if place in seen or links > MOST_LINKS:
                continue
            seen.add(place)
            self._see(place)
            link = self._link_on(place)
            if link is not None:
                found[link] = self._entries[link]
                leads_to = self._through(link, place)
                waiting += [(leads_to, links + 1)] if leads_to is not None else []
            elif place in self._entries:
                found[place] = self._entries[place]
            else:
                waiting += [(f"{place}/{name}".lstrip("/"), links) for name in self._folders.get(place, ())]
        return found

    def _follow(self, place: str) -> str | None:
        """Where a place is in truth, all links followed; None for what leads nowhere."""
        leads_to: str | None = place
        for _ in range(MOST_LINKS):
            if leads_to is None:
                return None
            self._see(leads_to)
            link = self._link_on(leads_to)
            if link is None:
                return leads_to
            leads_to = self._through(link, leads_to)
        return None

    def _through(self, link: str, place: str) -> str | None:
        """The place that lies behind the link on the way to it; None where the link leads out of the repository."""
        text = self._links[link]
        return None if os.path.isabs(text) else normal(os.path.dirname(link), text + place[len(link) :])

    def _link_on(self, place: str) -> str | None:
        """The first link on the way to a place."""
        if not self._links:
            return None
        parts = place.split("/")
        return next((way for n in range(1, len(parts) + 1) if (way := "/".join(parts[:n])) in self._links), None)

    def _see(self, place: str) -> None:
        """Lists the rest of the repository when something beyond the folder is asked for."""
        if not self._everything and not f"{place}/".startswith(self.repository.prefix):
            self._entries = entries(self.repository.top, self.commit)
            self._everything = True
            self._look()

    def _look(self) -> None:
        links = [path for path, entry in self._entries.items() if entry.mode == LINK]
        texts = self._objects.contents([self._entries[path].object for path in links])
        self._links = {path: text.decode(errors="surrogateescape") for path, text in zip(links, texts, strict=True)}
        self._folders = {"": set()}
        for path in self._entries:
            while path:
                folder, _, name = path.rpartition("/")
                known = folder in self._folders
                self._folders.setdefault(folder, set()).add(name)
                if known:
                    break
                path = folder


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder's own or below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
