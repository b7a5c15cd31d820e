"""URLs as sensors and proxies write them, in the one form in which they are stored."""

import pytest
from hypothesis import given, strategies as st

from destinations.urls import normalise, parse


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("http://www.example.com/a?b=c#d", "http://www.example.com/a?b=c#d"),
        ("HTTP://WWW.Example.COM/Path", "http://www.example.com/Path"),
        ("http://www.example.com:80/", "http://www.example.com/"),
        ("https://www.example.com:8443/", "https://www.example.com:8443/"),
        ("http://www.example.comwww.example.com:443", "http://www.example.comwww.example.com:443"),
        ("www.example.com/path", "www.example.com/path"),
        ("www.example.com:443", "www.example.com:443"),
        ("//www.example.com/x", "www.example.com/x"),
        ("  http://www.example.com  ", "http://www.example.com"),
        ("http://192.0.2.1/x", "http://192.0.2.1/x"),
        ("http://[2001:DB8:0::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://www.example.com:/x", "http://www.example.com/x"),
        ("http://www.example.com/a b\n", "http://www.example.com/a%20b"),
        ("http://www.example.com?q=1", "http://www.example.com?q=1"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("ftp://files.example:21/x", "ftp://files.example/x"),
    ],
)
def test_a_url_has_one_form(written: str, stored: str) -> None:
    assert normalise(written) == stored


@pytest.mark.parametrize("who", ["user", "user:secret", "a@b:c@d", ":secret"])
@pytest.mark.parametrize("scheme", ["http://", "", "//"])
def test_no_credential_is_kept(scheme: str, who: str) -> None:
    stored = normalise(f"{scheme}{who}@www.example.com/x@y")
    assert stored == f"{scheme.strip('/') and 'http://'}www.example.com/x@y"


@pytest.mark.parametrize(
    "written",
    ["", "http://", "http:///path", "/path", "?q", "http://:80/", "http://a.example:99999/",
     "http://a.example:x/", "http://[2001:db8::zz]/", "about:blank", "x" * 300 + "/", "http://."],
)  # fmt: skip
def test_what_has_no_host_or_a_wrong_port_is_no_url(written: str) -> None:
    with pytest.raises(ValueError, match=r"URL|name|address|port"):
        parse(written)


@pytest.mark.parametrize(
    ("written", "port"),
    [("http://a.example/", 80), ("https://a.example/", 443), ("a.example:8443", 8443),
     ("a.example", None), ("gopher://a.example/", None)],
)  # fmt: skip
def test_the_port_that_a_client_connects_to_is_known(written: str, port: int | None) -> None:
    assert parse(written).effective_port == port


@given(
    st.text(max_size=60) | st.from_regex(r"(https?://)?[a-z@:\[\]0-9./?#%-]{0,40}", fullmatch=True)
)
def test_the_stored_form_is_stored_as_it_is(text: str) -> None:
    try:
        stored = normalise(text)
    except ValueError:
        return
    assert normalise(stored) == stored
    assert stored.isprintable()
