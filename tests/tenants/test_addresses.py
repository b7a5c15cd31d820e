"""From where a request comes: the last hop that is not ours."""

import pytest
from hypothesis import given, strategies as st

from tenants.addresses import client_address, network_of, normal_network

OURS = ("10.0.0.0/8", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # no proxy of ours wrote that
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9,10.1.1.1 , 10.2.2.2", "203.0.113.9"),
        ("10.0.0.1", "10.9.9.9, 10.1.1.1", "10.9.9.9"),
        ("10.0.0.1", "203.0.113.9, rubbish", ""),
        ("10.0.0.1", "203.0.113.9, ", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8:ffff::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("unix:", "203.0.113.9", ""),
        ("", "203.0.113.9", ""),
    ],
)
def test_it_is_the_right_most_address_that_no_trusted_proxy_has(
    peer: str, forwarded: str, expected: str
) -> None:
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(meta, trusted=OURS) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_gives_an_address_or_nothing(peer: str, forwarded: str) -> None:
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    found = client_address(meta, trusted=("0.0.0.0/0",))
    assert found == "" or network_of(found) != "unknown"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("x", "unknown"),
    ],
)
def test_strangers_are_counted_by_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_network_is_stored_in_one_form() -> None:
    assert normal_network(" 192.0.2.7/24") == "192.0.2.0/24"
    assert normal_network("192.0.2.7") == "192.0.2.7/32"
    with pytest.raises(ValueError, match="x"):
        normal_network("x")
