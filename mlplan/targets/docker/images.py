"""Images: what `mlplan/render/` rendered, built by the engine, tagged by all that decides them.

    mlplan/<project>-<name>:<digest>      one for a run or a service; built anew only when something in it changed
    mlplan/environment:<digest>           its stage `deps`, kept where the older builder would throw it away

By BuildKit where it is asked for and the engine has it for us, else by the engine's older builder: `builds.py`.

An image without a change is never built again, and of a changed one only the layers that changed: environment, then
code, then models.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.json_types import digest_of
from mlplan.render.dockerfiles import Image, environment_files
from mlplan.targets.docker.archives import Entry, texts
from mlplan.targets.docker.builds import Order, WantsSession, run_build
from mlplan.targets.docker.engine import LABEL, is_full, labels_of, refused, with_prefix

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import Progress

PROXIES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
)


class Recipe(NamedTuple):
    """All that an image is built from."""

    image: Image
    render: Callable[[Image], Mapping[str, str]]  # to files, by path in the context
    entries: Sequence[Entry]  # the user's own: code, models, and the runtime
    home: str  # whose image it is

    @property
    def files(self) -> Mapping[str, str]:
        """What is rendered, by path in the context."""
        return self.render(self.image)

    @property
    def constant(self) -> Mapping[str, str]:
        """The same without the revision, which alone is no reason to build."""
        return self.render(self.image._replace(revision=""))

    @property
    def for_older_builder(self) -> Recipe:
        """The same without what only BuildKit understands."""
        return self._replace(image=self.image._replace(buildkit=False))


def build(engine: Engine, recipe: Recipe, progress: Progress) -> dict[str, Any]:
    """The image, as the engine shows it: the one that is there, or built now.

    Raises: Refusal (MLP8204 to MLP8206) where it can't be built; nothing is left of it then.
    """
    base = ensure_base(engine, recipe.image.base_image, progress)
    content = _content_digest(recipe.entries)
    older = recipe.for_older_builder
    name, older_name = (_named(one, base, content) for one in (recipe, older))
    for digest, tag in (name, older_name):
        found = engine.image(tag)
        if found is not None and labels_of(found).get("fingerprint") == digest:
            return found
    if recipe.image.buildkit and has_buildkit(engine):
        try:
            return _build(engine, recipe, base, name, progress)
        except WantsSession:
            progress("Preparing", "image: BuildKit is the docker command's alone here, so the older builder is asked")
    return _build(engine, older, base, older_name, progress)


def _build(engine: Engine, recipe: Recipe, base: str, name: Named, progress: Progress) -> dict[str, Any]:
    """The image, built now by the one builder that the recipe is for. Raises: Refusal, WantsSession."""
    if recipe.image.python and not recipe.image.buildkit:
        _keep_environment(engine, recipe, base, progress)
    arguments = {
        "MLPLAN_FINGERPRINT": name.digest,
        "MLPLAN_REVISION": recipe.image.revision,
        **index_arguments(os.environ),
    }
    run_build(engine, _order(recipe, name.tag, arguments), [*texts(recipe.files), *recipe.entries], progress)
    made = engine.image(name.tag)
    if made is None:
        raise Refusal([refused(f"Image {name.tag} can't be built", "it is gone right after it was made")])
    return made


def ensure_base(engine: Engine, name: str, progress: Progress) -> str:
    """The id of the base image, fetched where it isn't here. Raises: Refusal (MLP8204)."""
    found = engine.image(name)
    if found is None:
        import docker.errors

        progress("Preparing", f"fetching the base image {name}")
        try:
            for message in engine.client.api.pull(name, stream=True, decode=True):
                if "error" in message:
                    raise Refusal([_no_base(name, str(message["error"]))])
                if message.get("status") and message.get("id") and not message.get("progressDetail"):
                    progress("Preparing", f"base image: {message['id']} {message['status'].lower()}")
        except docker.errors.APIError as error:
            raise Refusal([_no_base(name, str(error.explanation or error))]) from error
        found = engine.image(name)
    if found is None:
        raise Refusal([_no_base(name, "it was fetched, but isn't here")])
    return str(found["Id"])


class Named(NamedTuple):
    """What an image is known by."""

    digest: str  # over everything that decides it, and whose it is
    tag: str


def _named(recipe: Recipe, base: str, content: str) -> Named:
    """What a recipe's image is known by; `content` is the digest of its entries. Whose it is counts, too: two
    projects that build the same at the same time share layers, but would take a common name from one another."""
    files = dict(recipe.constant)
    digest = digest_of({"home": recipe.home, "base": base, "files": files, "content": content})
    return Named(digest, f"mlplan/{_repository(recipe.image)}:{digest[:20]}")


def _content_digest(entries: Iterable[Entry]) -> str:
    """The digest over all that an image is built from beside what is rendered."""
    content = hashlib.sha256()
    for entry in entries:
        content.update(f"{entry.path}\0{entry.mode:o}\0".encode())
        content.update(_entry_digest(entry))
    return content.hexdigest()


def _entry_digest(entry: Entry) -> bytes:
    if entry.source is None:
        return hashlib.sha256(entry.data or b"").digest()
    digest = hashlib.sha256()
    with open(entry.source, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.digest()


def has_buildkit(engine: Engine) -> bool:
    """Whether the engine builds by BuildKit when it is asked to."""
    version = engine.read("/version") or {}
    names = [str(component.get("Name", "")) for component in version.get("Components") or ()]
    major, _, minor = str(version.get("ApiVersion", "1.0")).partition(".")
    return (int(major), int(minor)) >= (1, 39) and not any("podman" in name.lower() for name in names)


def remove_images(
    engine: Engine, labels: Mapping[str, str], *, keep: Iterable[str] = (), nameless: bool = False
) -> None:
    """Removes our images with these labels that no container uses, but for those with the ids in `keep`; or only the
    `nameless` ones, which a failed build left.

    A name that somebody else gave to one of them stays, and the image with it.
    """
    kept = set(keep)
    filters: dict[str, Any] = {"label": [f"{LABEL}{name}={value}" for name, value in labels.items()]}
    for image in engine.client.api.images(filters=filters | ({"dangling": True} if nameless else {})):
        tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
        if image["Id"] not in kept:
            for name in [tag for tag in tags if tag.startswith("mlplan/")] if tags else [image["Id"]]:
                _remove_image(engine, name)


def unused_images(engine: Engine, labels: Mapping[str, str]) -> list[str]:
    """The names of our images with these labels that no container uses."""
    wanted = {"label": [f"{LABEL}{name}={value}" for name, value in labels.items()]}
    used = {container["ImageID"] for container in engine.read("/containers/json", all=1) or ()}
    listed = [image for image in engine.read("/images/json", filters=wanted) or () if image["Id"] not in used]
    return sorted(tag for image in listed for tag in image.get("RepoTags") or () if tag.startswith("mlplan/"))


def _remove_image(engine: Engine, name: str) -> None:
    import docker.errors

    try:
        engine.client.api.remove_image(name)
    except docker.errors.APIError as error:
        if error.status_code not in (404, 409):  # gone meanwhile, or in use: both as it should be
            raise Refusal([refused(f"Image {name} can't be removed", str(error.explanation))]) from error


def index_arguments(environ: Mapping[str, str]) -> dict[str, str]:
    """What of this machine's settings a build needs to reach the network and the package index."""
    found = {name: environ[name] for name in PROXIES if environ.get(name)}
    index = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or environ.get("PIP_INDEX_URL")
    if index and not has_password(index):
        found |= {"UV_DEFAULT_INDEX": index, "PIP_INDEX_URL": environ.get("PIP_INDEX_URL") or index}
    return found


def has_password(url: str) -> bool:
    """Whether a URL tells a password."""
    return "@" in url.partition("://")[2].partition("/")[0]


def index_warnings(environ: Mapping[str, str]) -> list[Diagnostic]:
    """What of those settings is not passed on, and why."""
    held = [n for n in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") if has_password(environ.get(n, ""))]
    return [
        codes.MLP8210.diagnostic(
            f"{name} holds a password, which would stay readable in an image's history. The public index is used.",
            hint="Use a mirror that asks for no password where images are built.",
        )
        for name in held
    ]


def _keep_environment(engine: Engine, recipe: Recipe, base: str, progress: Progress) -> None:
    """Builds the stage `deps` under a name of its own: the older builder keeps layers only for what has a name."""
    files = environment_files(dict(recipe.constant))
    tag = f"mlplan/environment:{digest_of({'home': recipe.home, 'base': base, 'files': files})[:20]}"
    if engine.image(tag) is None:
        run_build(engine, _order(recipe, tag, index_arguments(os.environ), "deps"), texts(recipe.files), progress)


def _order(recipe: Recipe, tag: str, arguments: Mapping[str, str], stage: str = "") -> Order:
    labels = with_prefix({"home": recipe.home})
    return Order(tag, recipe.image.address, stage, arguments, labels, buildkit=recipe.image.buildkit)


def _repository(image: Image) -> str:
    """A repository's name for an image: lower case, without what such a name can't hold."""
    name = re.sub(r"[^a-z0-9]+", "-", f"{image.project}-{image.address}".lower()).strip("-")
    return name[:100]


def _no_base(name: str, reason: str) -> Diagnostic:
    if is_full(reason):
        return refused(f"The base image {name} can't be fetched", reason)
    return codes.MLP8204.diagnostic(
        f"The base image {name} is not here and can't be fetched: {reason}",
        hint=f"Fetch it by hand to see why, or name another `base_image`:\n    docker pull {name}",
    )
