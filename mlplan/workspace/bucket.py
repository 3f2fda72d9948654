"""A bucket as a store: S3, Azure Blob Storage, Google Cloud Storage, through obstore.

All three create an object only if it is absent, which is what the log stands on. Credentials are found where each
cloud's own tools look for them; they are in no message: of what a server says, only its error code is passed on.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from configparser import ConfigParser
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace import parts
from mlplan.workspace.keys import KEY
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.sealing import MAGIC
from mlplan.workspace.store import Stored

if TYPE_CHECKING:
    from mlplan.codes import Code
    from mlplan.workspace.protocols import OnBytes

T = TypeVar("T")

TRIES = 6
"""How often a request is tried again that failed in a way that may pass."""

BACKOFF = {"init_backoff": timedelta(milliseconds=800), "max_backoff": timedelta(seconds=10), "base": 2.0}
"""How long it waits before each of them, some ten seconds in all: a network that is away is away for seconds."""

TIMEOUT_S = 120.0
"""How long one request may take, its content included."""

_MISSING_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|The specified bucket does not exist", re.IGNORECASE)
_SKEW = re.compile(r"RequestTimeTooSkewed|RequestExpired", re.IGNORECASE)
_REGION = re.compile(
    r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|301 Moved|redirect without LOCATION",
    re.IGNORECASE,
)
_BROKEN_OFF = re.compile("request or response body error")
"""What obstore says of an answer that ended in its middle, which it doesn't ask for again in every case."""
_DENIED = re.compile(r"\b40[13]\b")
_ERROR_CODE = re.compile(r"<Code>(\w+)</Code>")
_SETTING = re.compile(r"source: ([A-Z]\w+)(?= \{|,)")  # obstore's own names of what is wrong
_STATUS = re.compile(r"status code: (\d{3} [\w ]+)|Received (redirect) without")


class BucketStore:
    """`Store` in a bucket."""

    def __init__(self, url: str, remote: Any) -> None:
        self._url = url
        self._remote = remote

    def __repr__(self) -> str:
        return self._url

    def create(self, name: str, data: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        def put() -> bool:
            try:
                obstore.put(self._remote, name, data, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

        return self._ask(name, put)

    def replace(self, name: str, data: bytes) -> None:
        import obstore

        self._ask(name, lambda: obstore.put(self._remote, name, data, use_multipart=False))

    def get(self, name: str) -> bytes | None:
        data = self.read(name)
        if data is not None and data.startswith(MAGIC):
            hint = f"provide its key in {KEY}, or a command that prints it in {KEY}_COMMAND"
            raise Refusal([codes.MLP4406.diagnostic(f"{self._url}/{name} is encrypted.", hint=hint)])
        return data

    def get_many(self, names: Sequence[str]) -> list[bytes | None]:
        return in_parallel(self.get, names, threads=parts.AT_ONCE)

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        import obstore

        def collect() -> list[str]:
            # The server leaves out what sorts up to the offset: so it is one that sorts just before `first`.
            pages = obstore.list(self._remote, folder, offset=f"{folder}/{first[:-1]}" if first else None)
            return [entry["path"].removeprefix(f"{folder}/") for page in pages for entry in page]

        return sorted(name for name in self._ask(folder, collect) if name >= first and "/" not in name)

    def head(self, name: str) -> Stored | None:
        import obstore

        found = self._ask_for(name, lambda: obstore.head(self._remote, name))
        if found is None:
            return None
        return Stored(found["size"], (self._now() - found["last_modified"]).total_seconds())

    def delete(self, name: str) -> None:
        import obstore

        self._ask_for(name, lambda: obstore.delete(self._remote, name))

    def has(self, name: str, size: int) -> bool:
        return parts.has(self, name, size)

    def upload(self, name: str, path: str, on_bytes: OnBytes | None = None) -> None:
        parts.upload(self, name, path, on_bytes)

    def download(self, name: str, write: Callable[[bytes], object], start: int = 0) -> bool:
        return parts.download(self, name, write, start)

    def sizes(self, folder: str) -> Mapping[str, int]:
        return parts.sizes(self.objects(folder))

    def read(self, name: str) -> bytes | None:
        """The bytes of an object as they are, or None where there is none."""
        import obstore

        return self._ask_for(name, lambda: obstore.get(self._remote, name).bytes().to_bytes())

    def object_size(self, name: str) -> int | None:
        """The size of an object, or None where there is none: half of what `head` asks."""
        import obstore

        found = self._ask_for(name, lambda: obstore.head(self._remote, name))
        return None if found is None else found["size"]

    def objects(self, folder: str) -> Mapping[str, int]:
        """Names (without the folder) and sizes of all objects below a folder."""
        import obstore

        def collect() -> dict[str, int]:
            pages = obstore.list(self._remote, folder)
            return {entry["path"].removeprefix(f"{folder}/"): entry["size"] for page in pages for entry in page}

        return self._ask(folder, collect)

    def _now(self) -> datetime:
        """The time by the clock that stamps objects here; by this machine's, for who may only read: that one can't
        take a lease because of it."""
        import obstore

        name = "lease/clock.json"  # one for all: whoever writes it last makes it later by a moment
        try:
            self.replace(name, b"{}")
        except Refusal as refused:
            if refused.diagnostics[0].code != codes.MLP4402.code:
                raise
            return datetime.now(timezone.utc)
        return self._ask(name, lambda: obstore.head(self._remote, name)["last_modified"])

    def _ask_for(self, name: str, request: Callable[[], T]) -> T | None:
        """An answer, or None where there is no such object. A bucket that is missing is not an empty one."""
        try:
            return self._ask(name, request)
        except FileNotFoundError:
            return None

    def _ask(self, name: str, request: Callable[[], T]) -> T:
        from obstore.exceptions import BaseError

        tries = 0
        while True:
            try:
                return request()
            except FileNotFoundError as error:
                if _MISSING_BUCKET.search(str(error)):
                    raise self._refusal(name, error) from None
                raise
            except (BaseError, OSError) as error:
                tries += 1
                if tries > TRIES or not _BROKEN_OFF.search(str(error)):
                    raise self._refusal(name, error) from None  # its text may hold a signed address
                time.sleep(0.1 * 2**tries)

    def _refusal(self, name: str, error: Exception) -> Refusal:
        code, hint = _sort_out(error)
        return Refusal([code.diagnostic(f"{self._url}/{name}: {_told(error)}.", hint=hint)])


def open_bucket(url: str) -> BucketStore:
    """The store at s3://bucket/prefix, az://container/prefix or gs://bucket/prefix. Asks nobody yet.

    Raises: Refusal MLP4411 where the environment's settings are no use.
    """
    from obstore.exceptions import BaseError

    try:
        return BucketStore(url.rstrip("/"), _remote(url))
    except (BaseError, ValueError) as error:
        names = _SETTING.findall(str(error)) or [type(error).__name__]  # its text may quote a file of credentials
        raise _unusable(
            url, max(names, key=len)
        ) from None  # nested ones, such as Os in OpenCredentials in Credential


def _unusable(url: str, told: str) -> Refusal:
    hint = "check what is set in this environment; docs/workspaces.md lists what is looked for"
    return Refusal([codes.MLP4411.diagnostic(f"{url}: {told}.", hint=hint)])


def _remote(url: str) -> Any:
    from obstore.store import AzureStore, GCSStore, S3Store

    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.strip("/").partition("/")
    endpoint = _endpoint(scheme)
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise _unusable(url, f"{' or '.join(_ENDPOINTS[scheme])} doesn't begin with http:// or https://")
    patience: dict[str, Any] = {
        "retry_config": {"max_retries": TRIES, "retry_timeout": timedelta(seconds=45), "backoff": BACKOFF},
        "client_options": {
            "timeout": timedelta(seconds=TIMEOUT_S),
            "connect_timeout": timedelta(seconds=5),
            "allow_http": endpoint.startswith("http://"),
        },
    }
    if scheme == "s3":
        return S3Store(bucket, prefix=prefix or None, **_aws_settings(os.environ), **patience)
    if scheme == "az":
        account = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or os.environ.get("AZURE_STORAGE_ACCOUNT")
        named: dict[str, Any] = {"account_name": account} if account else {}
        return AzureStore(bucket, prefix=prefix or None, **named, **patience)
    emulator: dict[str, Any] = {"base_url": endpoint, "bearer_token": "none"} if endpoint else {}
    return GCSStore(bucket, prefix=prefix or None, **emulator, **patience)


_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "gs": ("STORAGE_EMULATOR_HOST",),
}


def _endpoint(scheme: str) -> str:
    """Where a server stands that isn't the cloud's own: for self-hosted stores, and for tests."""
    return next((os.environ[name] for name in _ENDPOINTS[scheme] if os.environ.get(name)), "")


def _aws_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """What obstore doesn't know by itself: the shared files of the AWS tools, by profile."""
    # Objects are removed one by one: in bulk each costs the same, and some servers' permissions don't know bulk.
    found: dict[str, Any] = {"disable_bulk_delete": True}
    if _endpoint("s3"):
        found["endpoint"] = _endpoint("s3")
    profile = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    home = os.path.expanduser("~/.aws")
    config = _read_ini(environ.get("AWS_CONFIG_FILE") or f"{home}/config")
    keys = _read_ini(environ.get("AWS_SHARED_CREDENTIALS_FILE") or f"{home}/credentials").get(profile, {})
    settings = config.get(profile if profile == "default" else f"profile {profile}", {})
    if not environ.get("AWS_ACCESS_KEY_ID") and keys.get("aws_access_key_id"):
        names = {
            "aws_access_key_id": "access_key_id",
            "aws_secret_access_key": "secret_access_key",
            "aws_session_token": "session_token",
        }
        found.update({ours: keys[theirs] for theirs, ours in names.items() if keys.get(theirs)})
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or settings.get("region")
    if region:
        found["region"] = region
    return found


def _read_ini(path: str) -> dict[str, Mapping[str, str]]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except Exception:  # a file of another program's, in whatever state: as if it weren't there
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def _sort_out(error: Exception) -> tuple[Code, str]:
    """What kind of failure it is, and what to check."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    text = str(error)
    if _MISSING_BUCKET.search(text):
        return codes.MLP4401, "check its name, or create it; mlplan creates no buckets"
    if _SKEW.search(text):
        return codes.MLP4403, "set this machine's clock; `timedatectl` tells whether it is synchronised"
    if _REGION.search(text):
        return codes.MLP4404, "name the bucket's region, for example in AWS_REGION"
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or _DENIED.search(_told(error)):
        return (
            codes.MLP4402,
            "check which credentials are in force and what they allow; docs/workspaces.md has policies",
        )
    return codes.MLP4405, "check the network, then start the command again; what was recorded is whole"


def _told(error: Exception) -> str:
    """The server's error code or status, or what kind of failure it was."""
    found = _ERROR_CODE.search(str(error)) or _STATUS.search(str(error))
    if found:
        return found[found.lastindex or 1].strip()
    kind = type(error).__name__  # GenericError says nothing more
    return "no answer" if kind == "GenericError" else f"no answer ({kind})"
