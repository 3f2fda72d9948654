"""URLs without what is secret in them: as the lock file knows them, and as messages show them. Pure.

Credentials come in two places: before the host (`https://user:key@host/`) and in the query, where signed links carry
their signature and its terms (`?sig=...`). Both change while the content stays, so neither may name an entry.
"""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(?<=://)[^/?#\s@]*@")
_CREDENTIAL = re.compile(
    r"(?:.*[-_.])?(?:sig|signature|token|key|apikey|secret|password|passwd|pwd|credentials?|auth|authorization|jwt|sas)",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|expires|policy|key-pair-id",
    re.IGNORECASE,
)
_MENTION = re.compile(r"\$\{\{.*?\}\}")
_SAS_TERMS = frozenset(
    "se sp sv sr st spr sip ss srt skoid sktid skt ske sks skv saoid suoid scid sdd".split()  # noqa: SIM905  # readable
)
"""What accompanies `sig` in a shared access signature; too short to mean a secret anywhere else."""


def public_url(url: str) -> str:
    """The URL without userinfo, fragment and the parts of its query that are secret or belong to a signature.

    `${{ secret.NAME }}` stays as it is written: it holds no secret, only its name.
    """
    url = _USERINFO.sub("", url.partition("#")[0], count=1)
    base, question, query = url.partition("?")
    if not question:
        return url
    pairs = query.split("&")
    names = [pair.partition("=")[0] for pair in pairs]
    signed = "sig" in names
    kept = [
        pair
        for pair, name in zip(pairs, names, strict=True)
        if not (_CREDENTIAL.fullmatch(name) or _TERM.fullmatch(name) or (signed and name in _SAS_TERMS))
    ]
    return f"{base}?{'&'.join(kept)}" if kept else base


def shows_credentials(url: str) -> bool:
    """Whether a URL holds a credential in the clear: beside the `${{ secret.NAME }}` that it mentions."""
    base, _, query = _MENTION.sub("", url).partition("#")[0].partition("?")
    user = _USERINFO.search(base)
    if user is not None and user[0].strip(":@"):
        return True
    pairs = [pair.partition("=") for pair in query.split("&")]
    return any(value and _CREDENTIAL.fullmatch(name) for name, _, value in pairs)


def without_credentials(text: str) -> str:
    """Any text, such as a program's output, with the userinfo of every URL in it left out."""
    return _USERINFO.sub("", text)
