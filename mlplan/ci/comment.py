"""Posts a Markdown file as the one comment of mlplan on a pull or merge request: made once, then brought up to date.

    python -I -m mlplan.ci.comment [--name NAME] FILE

The comment is found again by a marker in its first line, which a reader doesn't see. Where it may not be posted (a
pull request from a fork has a token that only reads) or the server doesn't answer, that is said and nothing fails:
the plan stands in the log and in the summary as well. Standard library alone.

    GitHub   GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_TOKEN
    GitLab   CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID, MLPLAN_COMMENT_TOKEN (may write notes)
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LONGEST = 65_536
"""How many characters a comment may have on GitHub; GitLab takes more."""

_PAGE = 100
_CUT = "\n\n*Cut here; all of it stands in the summary of the job.*\n"


class Forge(NamedTuple):
    """Where the comments of one request are, and how they are changed there."""

    comments: str  # URL of the list
    one: str  # URL of one of them, with {id}
    method: str  # that changes one
    headers: Mapping[str, str]


class Unavailable(Exception):
    """The comment can't be posted. Its text says why."""


def forge_of(environ: Mapping[str, str]) -> Forge:
    """The forge that this job runs on. Raises: Unavailable where it runs for no request, or has no token."""
    if environ.get("CI_API_V4_URL"):
        return _gitlab(environ)
    if environ.get("GITHUB_API_URL"):
        return _github(environ)
    raise Unavailable("this is no job of GitHub or GitLab")


def _github(environ: Mapping[str, str]) -> Forge:
    with open(environ["GITHUB_EVENT_PATH"], encoding="utf-8") as stream:
        event = json.load(stream)
    number = (event.get("pull_request") or event.get("issue") or {}).get("number")
    if not number:
        raise Unavailable("the job runs for no pull request")
    token = environ.get("GITHUB_TOKEN", "")
    if not token:
        raise Unavailable("there is no token")
    issues = f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}/issues"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    return Forge(f"{issues}/{number}/comments", f"{issues}/comments/{{id}}", "PATCH", headers)


def _gitlab(environ: Mapping[str, str]) -> Forge:
    number = environ.get("CI_MERGE_REQUEST_IID")
    if not number:
        raise Unavailable("the job runs for no merge request")
    token = environ.get("MLPLAN_COMMENT_TOKEN", "")
    if not token:
        raise Unavailable("MLPLAN_COMMENT_TOKEN isn't set; it holds a token that may write notes")
    notes = f"{environ['CI_API_V4_URL']}/projects/{environ['CI_PROJECT_ID']}/merge_requests/{number}/notes"
    return Forge(notes, notes + "/{id}", "PUT", {"PRIVATE-TOKEN": token})


def body_of(text: str, name: str) -> str:
    """The comment for a text: the marker in front, cut where it would be too long."""
    head = f"{marker(name)}\n"
    if len(head) + len(text) <= LONGEST:
        return head + text
    return head + text[: LONGEST - len(head) - len(_CUT)].rpartition("\n")[0] + _CUT


def marker(name: str) -> str:
    """The line by which the comment of one project is found again."""
    return f"<!-- mlplan {re.sub(r'[^A-Za-z0-9._/ -]|--+', '_', name).strip()} -->"


def post(forge: Forge, body: str) -> str:
    """What was done: "created", "updated" or "unchanged". Raises: Unavailable."""
    first_line = body.partition("\n")[0]
    for comment in _comments(forge):
        said = str(comment.get("body") or "").replace("\r\n", "\n")
        if said.partition("\n")[0] != first_line:
            continue
        if said.rstrip() == body.rstrip():
            return "unchanged"
        try:
            _ask(forge, forge.method, forge.one.format(id=comment["id"]), body)
        except urllib.error.HTTPError as error:
            if error.code in (403, 404):  # somebody else's, with our marker in it
                continue
            raise
        return "updated"
    _ask(forge, "POST", forge.comments, body)
    return "created"


def _comments(forge: Forge) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        found = _ask(forge, "GET", f"{forge.comments}?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def _ask(forge: Forge, method: str, url: str, body: str | None = None) -> Any:
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "mlplan", **forge.headers}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> int:
    """Posts the file named on the command line. Returns 0 also where it can't be posted."""
    parser = argparse.ArgumentParser(prog="mlplan.ci.comment", description="Post a file as mlplan's one comment.")
    parser.add_argument("--name", default="", help="tells the comments of several projects apart")
    parser.add_argument("file")
    asked = parser.parse_args()
    with open(asked.file, encoding="utf-8") as stream:
        body = body_of(stream.read(), asked.name)
    try:
        done = post(forge_of(os.environ), body)
    except urllib.error.HTTPError as error:
        may_not = " (does the token only read, as that of a fork does?)" if error.code in (401, 403, 404) else ""
        print(f"No comment posted: the server answered {error.code}{may_not}.", file=sys.stderr)
    except (Unavailable, OSError, ValueError) as why:
        print(f"No comment posted: {why}.", file=sys.stderr)
    else:
        print(f"Comment {done}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
