"""What a lock lacks and what nothing uses."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.lock.check import check_lock, pruned, with_environment, with_urls, without_url
from mlplan.lock.resolve import counts_for, locked_packages, nearest_packages
from mlplan.lock.types import EMPTY, EnvironmentRequest, LockedEnvironment, LockedUrl

TRAIN, SCORE, DATA = Address("run", "train"), Address("deployment", "score"), Address("dataset", "data")
ONE, TWO = EnvironmentRequest("3.11", ("numpy",)), EnvironmentRequest("3.11", ("pandas",))
LOCKED = LockedEnvironment(ONE.digest, "3.11", ("numpy==2.0 --hash=sha256:00",))
URL = LockedUrl("https://h/x", 1, "0" * 64)
LOCK = with_urls(with_environment(EMPTY, LOCKED), [URL])


def test_a_lock_that_fits() -> None:
    check = check_lock(LOCK, {TRAIN: ONE, SCORE: ONE}, {DATA: ["https://h/x"]})
    assert check.diagnostics() == []
    assert pruned(LOCK, check) == LOCK


def test_each_thing_missing_is_an_error_and_the_unused_one_warning() -> None:
    check = check_lock(LOCK, {TRAIN: TWO}, {DATA: ["https://h/y"]})
    assert [(d.code, d.severity, d.address, d.detail) for d in check.diagnostics()] == [
        ("MLP1105", "error", TRAIN, "The packages of run.train are not pinned."),
        ("MLP1105", "error", DATA, "https://h/y of dataset.data is not pinned."),
        ("MLP1106", "warning", None,
         f"Nothing asks for an environment of Python 3.11 ({ONE.digest[:16]}), https://h/x."),
    ]  # fmt: skip
    assert pruned(LOCK, check) == EMPTY


def test_a_url_can_be_forgotten() -> None:
    assert without_url(LOCK, "https://h/x").urls == {}
    assert without_url(LOCK, "https://h/y") == LOCK


def test_uvs_output_becomes_one_line_a_package() -> None:
    output = (
        "--index-url https://host.example/simple\n# comment\n"
        "numpy==2.2.6 ; python_full_version < '3.11' \\\n    --hash=sha256:22 \\\n    --hash=sha256:11\n"
        "six==1.16.0 \\\n    --hash=sha256:33\n    # via -r wanted.in\n"
    )
    assert locked_packages(output) == [
        "numpy==2.2.6 ; python_full_version < '3.11' --hash=sha256:11 --hash=sha256:22",
        "six==1.16.0 --hash=sha256:33",
    ]


def test_markers_that_never_hold_for_the_python_dont_count() -> None:
    assert counts_for("a==1 --hash=sha256:00", "3.11")
    assert counts_for("a==1 ; sys_platform == 'win32'", "3.11")
    assert counts_for("a==1 ; python_full_version == '3.11.*'", "3.11")
    assert counts_for("a==1 ; python_full_version < '3.11.4'", "3.11")
    assert not counts_for("a==1 ; python_full_version < '3.11.4'", "3.11.4")
    assert not counts_for("a==1 ; python_full_version >= '3.12' and sys_platform == 'linux'", "3.11")
    assert counts_for("a==1 ; platform_python_implementation == 'PyPy'", "3.11")


def test_versions_are_preferred_from_the_environment_that_is_most_like_it() -> None:
    other = LockedEnvironment("b" * 64, "3.11", ("numpy==1.0", "pandas==2.0"))
    lock = with_environment(LOCK, other)
    assert nearest_packages(lock, EnvironmentRequest("3.11", ("numpy", "pandas"))) == other.packages
    assert nearest_packages(lock, EnvironmentRequest("3.12", ("numpy",))) == ()
    assert nearest_packages(lock, EnvironmentRequest("3.11", ("scipy",))) == ()
