"""The index of local files: never wrong about content, and reads nothing twice without need."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.workspace import files as module
from mlplan.workspace.files import FileIndex


class Project:
    """A project folder whose clock stands well after whatever was written to it, unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.cache = folder / "cache"
        self.later_ns = 10_000_000_000
        self.folder.mkdir()
        self.cache.mkdir()

    def open(self) -> FileIndex:
        """The index as the next command finds it."""

        def write(path: str, data: bytes) -> None:
            Path(path).write_bytes(data)

        def now_ns() -> int:
            newest = max((os.stat(path).st_ctime_ns for path in self.folder.rglob("*")), default=0)
            return newest + self.later_ns

        return FileIndex(str(self.folder), str(self.cache), write, now_ns=now_ns)

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(params=["small", "large"])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many files there are: few, or so many that they get a table of their own."""
    if request.param == "large":
        monkeypatch.setattr(module, "LARGE", 4)
    return 9


def fill(project: Project, count: int) -> None:
    for number in range(count):
        project.write(f"data/d{number % 3}/{number}.txt", b"content %d" % number)


def warm(project: Project, ask: Callable[[FileIndex], object]) -> None:
    index = project.open()
    ask(index)
    index.save()


def test_what_did_not_change_is_not_read_again(project: Project, count: int) -> None:
    fill(project, count)
    first = project.open()
    before = first.folder("data")
    assert before.hashed_bytes == 81
    first.save()
    after = project.open().folder("data")
    assert (after.tree, after.hashed_bytes) == (before.tree, 0)
    assert after.tree.files == before.tree.files
    assert (after.tree.count, after.tree.size) == (9, 81)


def test_only_what_changed_is_read(project: Project, count: int) -> None:
    fill(project, count)
    warm(project, lambda index: index.folder("data"))
    project.write("data/d1/1.txt", b"other")
    after = project.open().folder("data")
    assert after.hashed_bytes == 5
    assert {entry.path: entry.sha256 for entry in after.tree.files}["d1/1.txt"] == sha256(b"other").hexdigest()


def same_size_and_time(path: Path) -> None:
    times = os.stat(path)
    path.write_bytes(b"CONTENT 1")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replaced(path: Path) -> None:
    times = os.stat(path)
    other = path.with_name("other")
    other.write_bytes(b"CONTENT 1")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def removed(path: Path) -> None:
    path.unlink()


def renamed(path: Path) -> None:
    path.rename(path.with_name("renamed"))


def added(path: Path) -> None:
    path.with_name("added").write_bytes(b"")


def made_executable(path: Path) -> None:
    path.chmod(0o755)


def made_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("4.txt")


@pytest.mark.parametrize(
    "change", [same_size_and_time, replaced, removed, renamed, added, made_executable, made_a_link]
)
def test_every_change_is_seen(project: Project, count: int, change: Callable[[Path], None], tmp_path: Path) -> None:
    fill(project, count)
    warm(project, lambda index: index.folder("data"))
    before = project.open().folder("data").tree
    change(project.folder / "data" / "d1" / "1.txt")
    seen = project.open().folder("data").tree
    (tmp_path / "fresh").mkdir()
    fresh = FileIndex(str(project.folder), str(tmp_path / "fresh"), lambda path, data: None).folder("data").tree
    assert seen == fresh
    assert seen.files == fresh.files
    assert seen != before


def test_touching_a_file_changes_nothing(project: Project, count: int) -> None:
    fill(project, count)
    warm(project, lambda index: index.folder("data"))
    before = project.open().folder("data").tree
    os.utime(project.folder / "data" / "d1" / "1.txt")
    after = project.open().folder("data")
    assert (after.tree, after.hashed_bytes) == (before, 9)


def test_a_file_written_just_now_is_read_again(project: Project, count: int) -> None:
    fill(project, count)
    project.later_ns = 1_000_000
    warm(project, lambda index: index.folder("data"))
    assert project.open().folder("data").hashed_bytes == 81
    project.later_ns = 10_000_000_000
    warm(project, lambda index: index.folder("data"))
    assert project.open().folder("data").hashed_bytes == 0


def test_listings_of_the_same_folder_do_not_disturb_one_another(project: Project, count: int) -> None:
    fill(project, count)
    paths = sorted((project.folder / "data").rglob("*.txt"))
    even = {path.name: str(path) for path in paths[0::2]}
    odd = {path.name: str(path) for path in paths[1::2]}
    index = project.open()
    index.listing(even)
    index.listing(odd)
    index.save()
    again = project.open()
    assert again.listing(even).hashed_bytes == again.listing(odd).hashed_bytes == 0
    grown = {**even, paths[1].name: str(paths[1])}
    assert project.open().listing(grown).hashed_bytes == 0


def test_a_listing_names_files_as_the_tree_does(project: Project) -> None:
    path = project.write("data/a.txt", b"one")
    listing = project.open().listing({"elsewhere/b.txt": path, "a.txt": "data/a.txt"})
    assert [(entry.path, entry.size) for entry in listing.tree.files] == [("a.txt", 3), ("elsewhere/b.txt", 3)]
    assert project.open().listing({}).tree.files == ()


def test_a_missing_file_of_a_listing_is_refused(project: Project) -> None:
    with pytest.raises(Refusal, match="MLP4205"):
        project.open().listing({"a": "none"})
    with pytest.raises(Refusal, match="MLP4205"):
        project.open().folder("none")


def test_digest_of_one_file(project: Project) -> None:
    project.write("a", b"one")
    index = project.open()
    assert index.digest("a") == sha256(b"one").hexdigest()
    assert index.digest("none") is None
    assert index.digest("a/b") is None
    with pytest.raises(Refusal, match="MLP4205"):
        index.digest(".")


def test_the_meaning_of_python_is_remembered(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("a.py", b"import os  # comment\n")
    warm(project, lambda index: index.python("a.py"))
    monkeypatch.setattr("mlplan.fingerprint.python.python_meaning", None)
    meaning = project.open().python("a.py")
    assert meaning is not None
    assert meaning.imports == ("os",)
    assert project.open().python("none.py") is None


@pytest.mark.parametrize(
    ("name", "content", "value"),
    [
        ("a.json", b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("a.json", b"\xef\xbb\xbf[1]", [1]),
        ("a.yaml", b"a: [1, 2.5, null]\n", {"a": [1, 2.5, None]}),
        ("a.yml", b"d: 2026-03-01\n1: yes\nn: .nan\n", {"d": "2026-03-01", "1": True, "n": "nan"}),
        ("a.yaml", b"", None),
        ("request", b"[1]", [1]),
    ],
)
def test_values(project: Project, name: str, content: bytes, value: object) -> None:
    project.write(name, content)
    index = project.open()
    assert index.value(name) == value
    index.save()
    assert project.open().value(name) == value


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.json", b'{"a": }', "a.json:1:7"),
        ("a.json", b"", "a.json:1:1"),
        ("a.json", b"[NaN]", "a.json:1:1"),
        ("a.json", b"\xff", "a.json:1:1"),
        ("a.json", b"[" * 100_000, "a.json:1:1"),
        ("a.yaml", b"a: 1\nb: [", "a.yaml:2:5"),
        ("a.yaml", b"!!python/object:os.system {}", "a.yaml:1:1"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_its_place(
    project: Project, name: str, content: bytes, place: str
) -> None:
    project.write(name, content)
    with pytest.raises(Refusal) as refused:
        project.open().value(name)
    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.code, str(diagnostic.span)) == ("MLP4206", place)


def test_a_damaged_cache_is_no_cache(project: Project, count: int) -> None:
    fill(project, count)
    project.write("a.py", b"import os")
    project.write("a.yaml", b"a: 1")

    def ask(index: FileIndex) -> list[object]:
        listing = index.folder("data")
        return [
            listing.tree.digest,
            listing.tree.files,
            index.python("a.py"),
            index.value("a.yaml"),
            index.digest("a.py"),
        ]

    warm(project, ask)
    answer = ask(project.open())
    for path in sorted(project.cache.iterdir()):
        whole = path.read_bytes()
        for damaged in (b"", b"{}", b"[]", b"null", b'{"format":1}', *(whole[:n] for n in range(0, len(whole), 7))):
            path.write_bytes(damaged)
            assert ask(project.open()) == answer
        if path.suffix == ".bin":
            for place in range(0, len(whole), 5):
                turned = bytearray(whole)
                turned[place] ^= 4
                path.write_bytes(turned)
                assert ask(project.open()) == answer
        path.write_bytes(whole)


def test_a_cache_that_cannot_be_written_is_no_error(project: Project) -> None:
    def refuse(path: str, data: bytes) -> None:
        raise OSError(30, "Read-only file system")

    project.write("a", b"one")
    index = FileIndex(str(project.folder), str(project.cache), refuse)
    index.folder(".")
    index.save()


def test_nothing_is_written_where_nothing_changed(project: Project) -> None:
    fill(project, 3)
    warm(project, lambda index: index.folder("data"))
    for path in project.cache.iterdir():
        path.unlink()
    index = project.open()
    index.save()
    assert list(project.cache.iterdir()) == []


def test_what_nobody_asks_for_any_more_is_forgotten(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 10_000)
    for number in range(1100):
        project.write(f"old/{number}", b"")
    paths = {str(number): f"old/{number}" for number in range(1100)}
    warm(project, lambda index: index.listing(paths))
    size = (project.cache / "small.bin").stat().st_size
    project.write("new", b"")
    warm(project, lambda index: index.digest("new"))
    assert (project.cache / "small.bin").stat().st_size < size / 10


def test_remembered_are_those_that_this_process_asked_for(project: Project) -> None:
    from mlplan.workspace.reading import walk

    fill(project, 3)
    index = project.open()
    found = walk(str(project.folder / "data"))
    assert index.remembered(found) == [None, None, None]
    index.folder("data")
    assert index.remembered(found) == [sha256(b"content %d" % number).hexdigest() for number in range(3)]


def test_a_folder_that_changes_while_it_is_listed_again_is_refused(project: Project, count: int) -> None:
    fill(project, count)
    warm(project, lambda index: index.folder("data"))
    tree = project.open().folder("data").tree
    project.write("data/d1/1.txt", b"other")
    with pytest.raises(Refusal, match="MLP4204"):
        assert tree.files
