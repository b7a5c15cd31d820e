"""Signature Version 4 against figures of the test suite that AWS publishes."""

from datetime import UTC, datetime

import pytest

from crypto.sigv4 import Credentials, signed_headers

EXAMPLE = Credentials(access="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "headers", "names", "signature"),
    [
        (
            "GET", {}, "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST", {}, "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET", {"my-header1": "value2,value2,value1"}, "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET", {"my-header1": "value1,value2,value3"}, "host;my-header1;x-amz-date",
            "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790",
        ),
    ],
)  # fmt: skip
def test_the_published_signatures(
    method: str, headers: dict[str, str], names: str, signature: str
) -> None:
    sent = signed_headers(
        EXAMPLE, method=method, path="/", headers={"host": "example.amazonaws.com", **headers},
        body=b"", region="us-east-1", service="service", now=AT,
    )  # fmt: skip
    assert sent["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_a_session_token_is_signed_and_a_secret_is_not_shown() -> None:
    temporary = Credentials(access="A", secret="hidden", session="token")
    sent = signed_headers(
        temporary, method="POST", path="/", headers={"host": "h"}, body=b"{}", region="r",
        service="kms", now=AT,
    )  # fmt: skip
    assert "host;x-amz-date;x-amz-security-token" in sent["authorization"]
    assert sent["x-amz-security-token"] == "token"
    assert "hidden" not in repr(temporary)
