import ipaddress

import numpy as np
import pytest
from hypothesis import given, strategies as st

from destinations import addresses, networks
from destinations.networks import DEFAULT_HOME, Direction, Networks, direction


def whole(text: str) -> ipaddress.IPv6Network:
    """The slow twin's view: every network inside the IPv6 space."""
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network):
        return network
    return ipaddress.IPv6Network(f"::ffff:{network.network_address}/{96 + network.prefixlen}")


def obvious(cidrs: list[str], packed: bytes) -> bool:
    return any(ipaddress.IPv6Address(packed) in whole(cidr) for cidr in cidrs)


cidrs = st.lists(
    st.one_of(
        st.builds(
            lambda value, bits: str(ipaddress.ip_network((value, bits), strict=False)),
            st.integers(0, 2**32 - 1),
            st.integers(0, 32),
        ),
        st.builds(
            lambda value, bits: str(
                ipaddress.ip_network((value.to_bytes(16, "big"), bits), strict=False)
            ),
            st.integers(0, 2**128 - 1),
            st.integers(0, 128),
        ),
    ),
    max_size=8,
)


@given(cidrs, st.lists(st.binary(min_size=16, max_size=16), max_size=20))
def test_scalar_and_vector_membership_agree_with_the_obvious_way(
    texts: list[str], others: list[bytes]
) -> None:
    home = Networks.of(texts)
    edges = [bound for text in texts for bound in networks.span(text)]
    near = {(edge + step) % 2**128 for edge in edges for step in (-1, 0, 1)}
    packed = [value.to_bytes(16, "big") for value in near] + others
    expected = [obvious(texts, each) for each in packed]
    assert [home.contains(each) for each in packed] == expected
    column = networks.pairs(packed)
    assert column.shape == (len(packed), 2)
    assert home.members(column).tolist() == expected


def test_trailing_zero_bytes_are_told_apart() -> None:
    home = Networks.of(["10.0.0.0/32", "2001:db8::/128"])
    texts = ["10.0.0.0", "10.0.0.1", "2001:db8::", "2001:db8::1", "::"]
    column = networks.pairs(addresses.parse(text) for text in texts)
    assert home.members(column).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "example.com", ""])
def test_a_text_that_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits"):
        Networks.of([text])


def test_pairs_want_whole_addresses() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        networks.pairs([b"short"])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("10.1.2.3", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.0.1", True),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("169.254.1.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("127.0.0.1", False),
    ],
)
def test_home_is_private_shared_unique_local_and_link_local(text: str, inside: bool) -> None:  # noqa: FBT001 -- a row of the table
    assert DEFAULT_HOME.contains(addresses.parse(text)) is inside


HERE, THERE = addresses.parse("10.0.0.1"), addresses.parse("192.0.2.1")


@pytest.mark.parametrize(
    ("source", "destination", "local_orig", "local_resp", "expected"),
    [
        (HERE, THERE, None, None, Direction.OUT),
        (THERE, HERE, None, None, Direction.IN),
        (HERE, HERE, None, None, Direction.INSIDE),
        (THERE, THERE, None, None, Direction.TRANSIT),
        (HERE, None, None, None, Direction.OUT),
        (THERE, None, None, None, Direction.TRANSIT),
        (THERE, THERE, True, None, Direction.OUT),
        (THERE, THERE, None, True, Direction.IN),
        (HERE, HERE, False, False, Direction.TRANSIT),
        (HERE, None, None, True, Direction.INSIDE),
    ],
)
def test_the_sensors_word_wins_over_the_networks(
    source: bytes,
    destination: bytes | None,
    local_orig: bool | None,  # noqa: FBT001 -- a row of the table
    local_resp: bool | None,  # noqa: FBT001 -- a row of the table
    expected: Direction,
) -> None:
    assert direction(source, destination, DEFAULT_HOME, local_orig, local_resp) == expected


def test_directions_of_columns_are_codes_into_the_list() -> None:
    codes = networks.directions(
        np.array([True, False, True, False]), np.array([False, True, True, False])
    )
    assert [networks.DIRECTIONS[code] for code in codes] == ["out", "in", "inside", "transit"]
