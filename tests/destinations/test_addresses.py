import ipaddress

import pytest
from hypothesis import given, strategies as st

from destinations import addresses


@given(st.ip_addresses())
def test_every_address_survives_packing_and_rendering(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    packed = addresses.parse(str(address))
    assert len(packed) == 16
    shown = ipaddress.ip_address(addresses.render(packed))
    mapped = getattr(address, "ipv4_mapped", None)
    assert shown == (address if mapped is None else mapped)


def test_an_ipv4_address_and_its_mapped_form_are_one() -> None:
    plain = addresses.parse("192.0.2.1")
    assert plain == addresses.parse("::ffff:192.0.2.1") == addresses.parse("::FFFF:C000:201")
    assert addresses.render(plain) == "192.0.2.1"
    assert addresses.is_ipv4(plain)
    assert not addresses.is_ipv4(addresses.parse("2001:db8::1"))


def test_a_zone_is_cut() -> None:
    assert addresses.parse("fe80::1%eth0") == addresses.parse("fe80::1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1.2.3",
        "127.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "0x7f.0.0.1",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4%eth0",
        "fe80::1%",
        "[::1]",
        "::1::",
        "12345::",
        "\uff11.2.3.4",
        "1.2.3.4\x00",
        "::1\x00",
        "example.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        addresses.parse(text)


def test_only_sixteen_bytes_render() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        addresses.render(b"\x7f\x00\x00\x01")
