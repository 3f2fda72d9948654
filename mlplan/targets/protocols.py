"""What a target promises: two small protocols, jobs and services.

Every call is idempotent by key; `observe` only reads. A target imports nothing of the plan or the state: it gets
plain values and gives plain values. `tests/contract/` runs one test over every registered target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from mlplan.diagnostics import Diagnostic
from mlplan.json_types import Json
from mlplan.world import ObservedJob, ObservedService

Progress = Callable[[str, str], None]
"""Called with a stage ("Preparing", "Queued", "Running", "Finalizing", "Transitioning", ...) and a short detail.

It can raise a Refusal, which ends the call as one of its own would; what it raises after a service went live comes
too late and does no harm. `submit` calls it at least once when nobody else can touch the job any more and before it
starts it: an apply that has lost its lease in the meantime stops there. While `deploy` waits for a candidate it calls
it again and again, with the same words where there is nothing new: an apply that is to stop does so there.
"""


class Resources(NamedTuple):
    """What one job or replica may use; None: no limit."""

    cpu: float | None = None
    memory_bytes: int | None = None
    shm_bytes: int | None = None
    gpus: int | None = None


class Environment(NamedTuple):
    """A Python environment by what is locked for it. None in a spec means the interpreter that runs mlplan."""

    digest: str  # of the lock: the same digest is the same environment
    python: str  # "3.11"
    requirements: str  # a requirements.txt with hashes, as text


class Mount(NamedTuple):
    """A folder on this machine that a job reads at a place of its own."""

    source: str  # absolute path here
    placeholder: str  # stands in argv and env for the path at which the job finds it


class JobSpec(NamedTuple):
    """All a target needs to execute one run."""

    key: str  # idempotency key
    name: str  # the run's name in the manifest
    id: str  # the run's id: train-3f2a9c1e0b-1
    code: str  # absolute path of a folder to copy as the job's working folder
    argv: tuple[str, ...]  # argv[0] "python" means the environment's interpreter
    env: Mapping[str, str]  # beyond PATH, HOME, LANG, TMPDIR and the like; secrets resolved
    environment: Environment | None
    mounts: tuple[Mount, ...]  # datasets and other runs' outputs, read-only to the job
    timeout_s: float | None
    resources: Resources
    labels: Mapping[str, str]  # project, address, fingerprint, git revision
    secrets: Sequence[str] = ()  # what is masked in its output


class Collected(NamedTuple):
    """Where an ended job's results are, on this machine, until `Jobs.remove`."""

    outputs: str  # absolute path of its outputs/ folder
    logs: str  # absolute path of its logs folder: std_log.txt and what the script wrote to logs/


class Jobs(Protocol):
    """Executes runs. A job goes on when the process that submitted it dies."""

    def check(self, spec: JobSpec) -> Sequence[Diagnostic]:
        """What is missing to run this job, and how to get it. Changes nothing."""

    def submit(self, spec: JobSpec, progress: Progress) -> None:
        """Starts the job, once per key: a second call with the key of a known job does nothing.

        Raises: Refusal where it can't be started; then nothing is left behind.
        """

    def observe(self, key: str) -> ObservedJob:
        """The job as it is now. Only reads."""

    def logs(self, key: str, *, follow: bool) -> Iterator[str]:
        """Its output so far, line by line without line ends; with `follow`, until it ends."""

    def collect(self, key: str) -> Collected:
        """The results of an ended job."""

    def cancel(self, key: str, *, grace_s: float) -> None:
        """Ends the job and all its processes: asked first, forced after `grace_s`. Returns when none is left."""

    def remove(self, key: str) -> None:
        """Forgets an ended job and what it left on the target."""

    def keys(self) -> Sequence[str]:
        """The keys of all jobs of this project that the target still knows."""


class ServedModel(NamedTuple):
    """One model of a service."""

    name: str
    version: int
    digest: str
    path: str  # absolute path of the folder that holds the version's file or folder
    framework: str  # "scikit-learn" and so on, or ""


class ServiceSpec(NamedTuple):
    """All a target needs to host one service."""

    key: str
    name: str  # the deployment's name
    project: str
    models: tuple[ServedModel, ...]
    digest: str  # over its models: what the service must say that it serves
    code: str | None  # absolute path of the inference's source folder, snapshotted; None: no code
    code_name: str  # the basename of the source folder, as the entry script's parent is called
    entry_script: str | None  # relative to the source folder; None: no-code scikit-learn
    env: Mapping[str, str]
    environment: Environment | None
    host: str  # "127.0.0.1" unless told otherwise
    port: int
    replicas: int
    resources: Resources
    keys_file: str | None  # absolute path of a file with the service's keys (JSON); None: auth none
    settings: Mapping[str, Json]  # further settings of the scoring runtime, as they stand in the manifest
    labels: Mapping[str, str]
    about: Mapping[str, Json] = {}  # settings by which it tells of itself: digests of code and manifest, a sample
    collect: Mapping[str, Json] | None = None  # what it keeps of requests, in a `folder` of this machine
    secrets: Sequence[str] = ()  # what is masked in its output


class KeptFile(NamedTuple):
    """A file of what a service keeps of its requests."""

    path: str  # relative: <model>/<version>/<designation>/<yyyy>/<mm>/<dd>/<name>.jsonl
    lines: Iterable[bytes]  # to be read before the next file is asked for


class Endpoint(NamedTuple):
    """Where a service that is not yet live can be asked."""

    url: str  # "http://127.0.0.1:41234", without a trailing slash
    key: str  # a valid key, or "" for auth none


Verify = Callable[[Endpoint], None]
"""Asks a candidate; raises Refusal where it must not take traffic."""


class Services(Protocol):
    """Hosts services. A service goes on when the process that deployed it ends."""

    def check(self, spec: ServiceSpec) -> Sequence[Diagnostic]:
        """What is missing, and what to do. Changes nothing."""

    def in_the_way(self, name: str, host: str, port: int) -> Sequence[Diagnostic]:
        """That a program listens there which this service's next generation can't take the port over from. Changes
        nothing."""

    def deploy(self, spec: ServiceSpec, verify: Verify, progress: Progress) -> ObservedService:
        """Starts a candidate beside what serves, lets `verify` ask it, and only then switches over to it.

        Once per key: where the service with this key is live already, it is verified and kept.
        Raises: Refusal where it doesn't come up or `verify` raises; then the candidate is gone and what served
        before still does. Its message carries the last lines of the candidate's log.
        """

    def observe(self, name: str) -> ObservedService:
        """The service as it is now: what it says it serves, asked of itself. Only reads."""

    def logs(self, name: str, *, follow: bool) -> Iterator[str]:
        """Its log, line by line."""

    def refused(self, name: str) -> str:
        """The path of a file with the log of the last candidate, where that one did not go live; "" where it did.

        It goes with the service, and with what the target's `clear` removes.
        """

    def kept(self, name: str) -> Iterator[KeptFile]:
        """What it keeps of its requests elsewhere than in the `folder` of its spec's `collect`."""

    def delete(self, name: str) -> None:
        """Ends the service and all its processes, frees its port, removes what it left. Fine where it is gone.

        What it kept of its requests is in the `folder` of its spec's `collect` afterwards.
        """

    def names(self) -> Sequence[str]:
        """The names of all services of this project that the target still knows, candidates' leftovers included."""


def _keep_nothing() -> None:
    """Removes nothing: what `Target.clear` does on a target that keeps nothing."""


def _nothing() -> Sequence[str]:
    """What `Target.unused` names on such a target."""
    return ()


class Target(NamedTuple):
    """One target, opened for one project."""

    jobs: Jobs
    services: Services
    clear: Callable[[], None] = _keep_nothing
    """Removes what the target keeps for later runs and services, such as images, as far as nothing uses it. Asked
    when its compute is removed, and by `mlplan gc`."""
    unused: Callable[[], Sequence[str]] = _nothing
    """Names what `clear` would remove now, in a user's words. Only reads."""


class TargetType(Protocol):
    """What a target's module offers the registry."""

    def open(self, home: str, project: str, compute: Mapping[str, Json]) -> Target:
        """The target for a compute's spec. `home` is the project's local folder (`.mlplan`), absolute."""
