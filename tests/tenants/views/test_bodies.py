"""No body of any kind gets another answer than a 4xx that says why."""

import gzip
import json
from typing import Any

import pytest

from tests.tenants.doors import post

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PATHS = ("/v1/key/request", "/v1/key/reset", "/v1/account/register")
BAD = {
    "nothing": b"",
    "blank": b"  \n",
    "text": b"platform=x",
    "a number": b"7",
    "an array": b'[{"email": "a@example.org"}]',
    "null": b"null",
    "cut": b'{"email": "a@exa',
    "two objects": b"{}{}",
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000,
    "a BOM": b"\xef\xbb\xbf{}",
    "UTF-16": json.dumps({"email": "a"}).encode("utf-16"),
    "invalid UTF-8": b'{"email": "\xff"}',
    "a lone surrogate": b'{"email": "\\ud800"}',
    "not a number": b'{"a": NaN}',
}


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGNUP_OPEN = True


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_object_is_400(name: str, path: str, tenant: tuple[Any, str]) -> None:
    answer = post(path, BAD[name], key=tenant[1])
    assert answer.status_code == 400
    assert answer.json()["message"] == "Failed to parse request body"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\u0000"}', b'{"a": 1, "a": 2}', b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"email": {"a": []}}', b'{"email": "\\u0000"}', b'{"email": " "}', b'{"details": []}',
        b'{"details": {"name": 1, "email": 2}}', b'{"a": 1e400}',
    ],
)  # fmt: skip
def test_odd_objects_are_no_failure_of_ours(
    path: str, body: bytes, tenant: tuple[Any, str]
) -> None:
    answer = post(path, body, key=tenant[1])
    assert answer.status_code in {200, 400}
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("path", PATHS)
def test_64_kib_are_read_and_no_more(path: str, tenant: tuple[Any, str]) -> None:
    large = b'{"a": "' + b"x" * (64 << 10) + b'"}'
    assert post(path, large, key=tenant[1]).status_code == 413
    bomb = gzip.compress(large * 500)
    assert post(path, bomb, key=tenant[1], HTTP_CONTENT_ENCODING="gzip").status_code == 413


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("br", b"{}", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}")[:-4], 400),
        ("gzip", gzip.compress(b"{}") + b"more", 400),
        ("deflate", b"\x00\x01", 400),
    ],
)
def test_what_cannot_be_inflated_is_refused(
    path: str, encoding: str, body: bytes, expected: int, tenant: tuple[Any, str]
) -> None:
    answer = post(path, body, key=tenant[1], HTTP_CONTENT_ENCODING=encoding)
    assert answer.status_code == expected
    assert answer.json()["message"]
