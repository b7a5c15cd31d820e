import re

import pytest
from hypothesis import given, strategies as st

from destinations import names
from destinations.names import Name, normalise


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("_ldap._tcp.dc._msdcs.corp", "_ldap._tcp.dc._msdcs.corp"),
        ("host", "host"),
        ("-a-.example", "-a-.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
        ("_x.b\u00fccher.example", "_x.xn--bcher-kva.example"),
        ("i\u2764.example", "xn--i-7iq.example"),
        ("example\u3002com", "example.com"),
        ("\uff45xample.com", "example.com"),
    ],
)
def test_a_name_has_one_normal_form(text: str, normal: str) -> None:
    assert normalise(text) == Name(normal, odd=False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a b.example", r"a\x20b.example"),
        ("a..example", "a..example"),
        (".example", ".example"),
        ("a..", r"a\x2e"),
        ('x",\n.example', r"x\x22\x2c\x0a.example"),
        ("back\\slash.example", r"back\x5cslash.example"),
        ("caf\\xC3\\xa9.example", r"caf\xc3\xa9.example"),
        ("nul\x00.example", r"nul\x00.example"),
        ("\u0301a.example", r"\xcc\x81a.example"),
        ("\ud800.example", r"\xed\xa0\x80.example"),
        ("l" * 64 + ".example", "l" * 64 + ".example"),
        ("=cmd.example", r"\x3dcmd.example"),
    ],
)
def test_what_cannot_be_converted_is_kept_escaped_and_marked(text: str, kept: str) -> None:
    assert normalise(text) == Name(kept, odd=True)


@pytest.mark.parametrize("text", ["", ".", "a" * 256, "\u00fc" * 128])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name"):
        normalise(text)


@given(st.text(min_size=1, max_size=60))
def test_normalising_is_total_printable_and_changes_nothing_twice(text: str) -> None:
    try:
        name = normalise(text)
    except ValueError:
        assert text == "." or len(text.encode("utf-8", "surrogatepass")) > 200
        return
    assert re.fullmatch(r"[a-z0-9._\\-]+", name.text)
    assert normalise(name.text).text == name.text
    assert normalise(text.upper() if text.isascii() else text).text.lower() == name.text


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("a.b.example.com", "example.com"),
        ("example.com", "example.com"),
        ("com", None),
        ("a.b.co.uk", "b.co.uk"),
        ("co.uk", None),
        ("user.github.io", "user.github.io"),
        ("www.user.github.io", "user.github.io"),
        ("github.io", None),
        ("dc01.corp", "dc01.corp"),
        ("host", None),
        ("_sip._tcp.example.com", "example.com"),
        ("a..example", None),
        ("", None),
    ],
)
def test_the_registered_domain_follows_the_list_with_its_private_section(
    name: str, registered: str | None
) -> None:
    assert names.registered_domain(name) == registered


def test_a_platforms_customers_are_told_from_owners() -> None:
    assert names.is_under_private_suffix("user.github.io")
    assert names.is_under_private_suffix("github.io")
    assert not names.is_under_private_suffix("www.example.com")
    assert names.is_public_suffix("co.uk")
    assert not names.is_public_suffix("example.co.uk")


def test_the_lists_version_is_known() -> None:
    assert re.match(r"\d{4}-\d\d-\d\d|publicsuffixlist-", names.PSL_VERSION)
