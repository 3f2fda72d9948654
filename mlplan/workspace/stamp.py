"""Stamps: whether a great many files are as they were, told from their stat alone and on all cores.

A stamp is a digest over name, mode, size, times and inode of every file. It says nothing but same or not; what
changed is found by `reading.walk`. Two stamps are compared only if they were made by the same mlplan, so its format
is nobody else's business.

Python threads would wait for one another here, so large trees are looked at by forked processes, which share what is
read so far and answer with digests. Where forking isn't sound (other threads run) or not to be had, one process does
it all and comes to the same stamp.
"""

from __future__ import annotations

import marshal
import os
import stat
import struct
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from mlplan.workspace.parallel import cores

SLICE = 2000
"""Names looked at as one task."""

TASKS = 16
"""Tasks that a tree is split into at least, if it has as many folders."""

WORTH_FORKING = 20_000
"""Files below which one process is faster."""

_FACTS = attrgetter("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_BY_FD = os.stat in os.supports_dir_fd and os.listdir in os.supports_fd


class Stamp(NamedTuple):
    """What was found."""

    digest: str
    files: int
    size: int  # in bytes
    newest_ns: int  # when the last of them changed, by the file system's clock


MOST_TASKS = 4096
"""Tasks that a tree is split into at most: so many fit into a pipe."""


class _Task(NamedTuple):
    """A part of the tree: some names of one folder that are no folders, or whole folders with all below them."""

    folder: str  # of the names; "" for names that are absolute paths
    names: Sequence[str] = ()
    below: Sequence[str] = ()


class Complicated(Exception):
    """A link to a folder, a special file or one that can't be read: only a full walk can tell."""


def stamp_folder(folder: str, *, expected: int = 0) -> Stamp:
    """The stamp of all files below a folder. `expected` is how many there were the last time.

    Raises: Complicated.
    """
    return _stamp(_split(folder), expected)


def stamp_paths(paths: Sequence[str]) -> Stamp:
    """The stamp of these files, given by absolute path. Raises: Complicated."""
    step = max(SLICE, -(-len(paths) // MOST_TASKS))
    return _stamp([_Task("", paths[start : start + step]) for start in range(0, len(paths), step)], len(paths))


def _stamp(tasks: Sequence[_Task], expected: int) -> Stamp:
    processes = min(cores(), len(tasks)) if expected >= WORTH_FORKING and _may_fork() else 1
    try:
        parts = _forked(tasks, processes) if processes > 1 else [_look(task) for task in tasks]
    except OSError as error:
        raise Complicated from error
    digest = sha256(b"".join(bytes.fromhex(part.digest) for part in parts)).hexdigest()
    newest_ns = max((part.newest_ns for part in parts), default=0)
    return Stamp(digest, sum(p.files for p in parts), sum(p.size for p in parts), newest_ns)


def _may_fork() -> bool:
    """Whether this process has no other thread, not even one of a library: a forked one could wait for it forever."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _split(folder: str) -> list[_Task]:
    """The parts of a tree: folders taken apart, the first ones first, until there are TASKS of them."""
    tasks: list[_Task] = []
    folders = [folder]
    while folders and len(folders) + len(tasks) < TASKS:
        current = folders.pop(0)
        try:
            with os.scandir(current) as found:
                entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found)
        except OSError as error:
            raise Complicated from error
        names = [name for name, is_folder in entries if not is_folder]
        step = max(SLICE, -(-len(names) * 2 * TASKS // MOST_TASKS))
        tasks.extend(_Task(current, names[start : start + step]) for start in range(0, len(names), step))
        folders.extend(f"{current}/{name}" for name, is_folder in entries if is_folder)
    step = -(-len(folders) * 2 // MOST_TASKS) or 1
    tasks.extend(_Task("", below=folders[start : start + step]) for start in range(0, len(folders), step))
    return tasks


def _look(task: _Task) -> Stamp:
    look = _Look()
    found = look.at(task.folder, task.names) if task.folder else look.at_paths(task.names)
    if found:
        raise Complicated  # it was no folder a moment ago
    for folder in task.below:
        look.enter(folder)
    return look.stamp()


class _Look:
    """One task, done."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._count = self._size = self._newest_ns = 0

    def enter(self, folder: str) -> None:
        """Looks at a folder and all below it."""
        for below in self.at(folder, sorted(os.listdir(folder))):
            self.enter(f"{folder}/{below}")

    def at(self, folder: str, names: Sequence[str]) -> list[str]:
        """Looks at these names of a folder. Returns those that are folders."""
        fd = os.open(folder, os.O_RDONLY) if _BY_FD else -1
        try:
            return self._take(folder, names, self._by_fd(fd) if _BY_FD else lambda name: os.lstat(f"{folder}/{name}"))
        finally:
            if fd >= 0:
                os.close(fd)

    def at_paths(self, paths: Sequence[str]) -> list[str]:
        """Looks at files by path, through links. Returns those that are folders."""
        return self._take("", paths, os.stat)

    def stamp(self) -> Stamp:
        """What was seen."""
        return Stamp(self._digest.hexdigest(), self._count, self._size, self._newest_ns)

    @staticmethod
    def _by_fd(fd: int) -> Callable[[str], os.stat_result]:
        look = os.stat
        return lambda name: look(name, dir_fd=fd, follow_symlinks=False)

    def _take(self, folder: str, names: Sequence[str], look: Callable[[str], os.stat_result]) -> list[str]:
        folders: list[str] = []
        all_facts: list[tuple[int, int, int, int, int]] = []
        keep = all_facts.append
        for name in names:
            facts = _FACTS(look(name))
            if facts[0] & 0o170000 != stat.S_IFREG:
                if stat.S_ISDIR(facts[0]):
                    folders.append(name)
                    continue
                facts = self._through_link(f"{folder}/{name}")
            keep(facts)
        self._digest.update(b"\0".join((os.fsencode(folder), os.fsencode("\0".join(names)))))
        self._digest.update(marshal.dumps(all_facts, 2))
        self._count += len(all_facts)
        self._size += sum(facts[1] for facts in all_facts)
        self._newest_ns = max(self._newest_ns, max((facts[3] for facts in all_facts), default=0))
        return folders

    @staticmethod
    def _through_link(path: str) -> tuple[int, int, int, int, int]:
        facts: tuple[int, int, int, int, int] = _FACTS(os.stat(path))
        if not stat.S_ISREG(facts[0]):
            raise Complicated
        return facts


_ANSWER = struct.Struct("<I32sQQQ")


def _forked(tasks: Sequence[_Task], processes: int) -> list[Stamp]:
    """The stamps of all tasks, made by this process and forked ones, each taking the next task when it is free."""
    queue_out, queue_in = os.pipe()
    answers_out, answers_in = os.pipe()
    children: list[int] = []
    try:
        # A pipe takes MOST_TASKS numbers without anybody reading, and answers as short as these are never split.
        os.write(queue_in, b"".join(struct.pack("<I", index) for index in range(len(tasks))))
        os.close(queue_in)
        queue_in = -1
        for _ in range(processes - 1):
            child = os.fork()
            if child == 0:
                _work_and_exit(tasks, queue_out, answers_in)
            children.append(child)
        os.close(answers_in)
        answers_in = -1
        stamps = dict(_work(tasks, queue_out))
        with os.fdopen(answers_out, "rb", closefd=False) as stream:
            while answer := stream.read(_ANSWER.size):
                index, digest, *numbers = _ANSWER.unpack(answer)
                stamps[index] = Stamp(digest.hex(), *numbers)
        if len(stamps) < len(tasks):
            raise Complicated
        return [stamps[index] for index in range(len(tasks))]
    finally:
        for fd in (queue_out, queue_in, answers_out, answers_in):
            if fd >= 0:
                os.close(fd)
        for child in children:
            os.waitpid(child, 0)


def _work(tasks: Sequence[_Task], queue: int) -> list[tuple[int, Stamp]]:
    done = []
    while token := os.read(queue, 4):
        (index,) = struct.unpack("<I", token)
        done.append((index, _look(tasks[index])))
    return done


def _work_and_exit(tasks: Sequence[_Task], queue: int, answers: int) -> None:
    """What a forked process does: nothing of the parent's is flushed, closed or cleaned up by it."""
    try:
        for index, found in _work(tasks, queue):
            digest = bytes.fromhex(found.digest)
            os.write(answers, _ANSWER.pack(index, digest, found.files, found.size, found.newest_ns))
    except BaseException:
        os._exit(1)
    os._exit(0)
