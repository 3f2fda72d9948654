"""URLs without what is secret in them."""

from __future__ import annotations

import pytest

from mlplan.lock.urls import public_url, shows_credentials, without_credentials


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://host/a/b.gz", "https://host/a/b.gz"),
        ("https://ann:key@host:8080/a", "https://host:8080/a"),
        ("https://ann@host/a#part", "https://host/a"),
        ("https://host/a@b?x=c@d", "https://host/a@b?x=c@d"),
        ("https://host/a?versionId=3&token=s", "https://host/a?versionId=3"),
        ("https://host/a?access_token=s", "https://host/a"),
        ("https://host/a?sp=r&se=2030-01-01&sv=2022&sr=b&sig=abc%3D&snapshot=7", "https://host/a?snapshot=7"),
        ("https://host/a?sr=b&se=1", "https://host/a?sr=b&se=1"),
        ("https://host/a?X-Amz-Signature=s&X-Amz-Date=d&response-x=1", "https://host/a?response-x=1"),
        ("https://host/a?sig=${{ secret.sas }}", "https://host/a"),
        ("https://host/${{ secret.path }}/a", "https://host/${{ secret.path }}/a"),
        ("https://host/a?keyword=x&monkey=y", "https://host/a?keyword=x&monkey=y"),
    ],
)
def test_public_url(url: str, public: str) -> None:
    assert public_url(url) == public


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a?v=1", False),
        ("https://host/a?sig=abc", True),
        ("https://host/a?access_token=abc&v=1", True),
        ("https://ann:key@host/a", True),
        ("https://ann@host/a", True),
        ("https://host/a?se=2030&sp=r&sig=${{ secret.SIG }}", False),
        ("https://host/a?${{ secret.SAS }}", False),
        ("https://${{ secret.USER }}:${{ secret.PASSWORD }}@host/a", False),
        ("https://ann:${{ secret.PASSWORD }}@host/a", True),
        ("https://host/a?sig=${{ secret.SIG }}x", True),
        ("https://host/a@b?x=c@d", False),
    ],
)
def test_credentials_in_the_clear_are_noticed(url: str, shown: bool) -> None:
    assert shows_credentials(url) is shown


def test_output_of_programs_loses_credentials() -> None:
    said = "fetching https://ann:key@host/simple, then http://tok@other:1/x (mail: ann@host)"
    assert without_credentials(said) == "fetching https://host/simple, then http://other:1/x (mail: ann@host)"
