"""Which sources are watched and what they may contact, by groups."""

import pytest

from analytics.actions.scoping import (
    Group,
    domain_value,
    network_value,
    scope_of,
    source_value,
)
from destinations.addresses import parse

HOST = parse("192.0.2.10")
NEIGHBOUR = parse("192.0.2.77")
ELSEWHERE = parse("2001:db8::1")
OFFICE = Group(
    inclusions=["192.0.2.0/24", "laptop.example", "*.lab.example", "02:00:5e:00:53:01", "Ann"],
    exclusions=["192.0.2.64/26", "printer.example"],
    domains=["*.trusted.example", "exact.example"],
    cidrs=["198.51.100.0/24", "2001:db8:1::/48"],
)


def test_without_groups_every_source_is_watched_and_nothing_trusted() -> None:
    scoping = scope_of([])
    assert scoping.covers(ELSEWHERE)
    assert not scoping.trusts(ELSEWHERE, "198.51.100.1")


def test_a_group_that_includes_nothing_watches_nothing() -> None:
    assert not scope_of([Group()]).covers(HOST)


@pytest.mark.parametrize(
    ("source", "known_as", "watched"),
    [
        (HOST, (), True),
        (ELSEWHERE, (), False),
        (NEIGHBOUR, (), False),
        (HOST, ("printer.example",), False),
        (HOST, ("PRINTER.example.",), False),
        (ELSEWHERE, ("laptop.example",), True),
        (ELSEWHERE, ("LAPTOP.EXAMPLE",), True),
        (ELSEWHERE, ("notlaptop.example",), False),
        (ELSEWHERE, ("a.b.lab.example",), True),
        (ELSEWHERE, ("lab.example",), True),
        (ELSEWHERE, ("xlab.example",), False),
        (ELSEWHERE, ("", "02-00-5E-00-53-01"), True),
        (ELSEWHERE, ("", "0200.5e00.5301"), True),
        (ELSEWHERE, ("", "02:00:5e:00:53:02"), False),
        (ELSEWHERE, ("", "", "ann"), True),
        (ELSEWHERE, ("", "", "anne"), False),
        (NEIGHBOUR, ("laptop.example",), False),
    ],
)
def test_a_source_is_watched_where_a_group_names_it_and_does_not_exclude_it(
    source: bytes, known_as: tuple[str, ...], *, watched: bool
) -> None:
    assert scope_of([OFFICE]).covers(source, *known_as) is watched


def test_an_exclusion_takes_a_source_out_of_its_own_group_alone() -> None:
    scoping = scope_of([OFFICE, Group(inclusions=["192.0.2.77"])])
    assert scoping.covers(NEIGHBOUR)


@pytest.mark.parametrize(
    ("destination", "trusted"),
    [
        ("198.51.100.200", True), ("198.51.101.1", False), ("2001:db8:1::9", True),
        ("trusted.example", True), ("a.trusted.example", True), ("untrusted.example", False),
        ("exact.example", True), ("sub.exact.example", False), ("203.0.113.1", False),
    ],
)  # fmt: skip
def test_a_destination_is_trusted_by_network_and_by_name(
    destination: str, *, trusted: bool
) -> None:
    assert scope_of([OFFICE]).trusts(HOST, destination) is trusted


def test_trust_is_for_the_groups_own_sources() -> None:
    scoping = scope_of([OFFICE, Group(inclusions=["2001:db8::/64"])])
    assert scoping.trusts(HOST, "exact.example")
    assert not scoping.trusts(ELSEWHERE, "exact.example")


def test_a_source_in_two_groups_is_trusted_with_what_both_trust() -> None:
    strict = Group(inclusions=["192.0.2.10"], domains=["both.example"])
    easy = Group(inclusions=["192.0.2.0/24"], domains=["both.example", "one.example"])
    scoping = scope_of([strict, easy])
    assert scoping.trusts(HOST, "both.example")
    assert not scoping.trusts(HOST, "one.example")
    assert scoping.trusts(parse("192.0.2.11"), "one.example")


@pytest.mark.parametrize(
    ("value", "kept"),
    [("10.1.2.3/8", "10.0.0.0/8"), (" 192.0.2.1 ", "192.0.2.1/32"), ("::/128", "::/128"),
     ("FC00::/7", "fc00::/7"), ("host.example", "host.example"), ("CORP\\ann", "CORP\\ann"),
     ("ann@corp.example", "ann@corp.example"), ("02:00:5e:00:53:01", "02:00:5e:00:53:01"),
     ("*.lab.example", "*.lab.example")],
)  # fmt: skip
def test_a_source_is_kept_in_one_spelling(value: str, kept: str) -> None:
    assert source_value(value) == kept
    assert source_value(kept) == kept


@pytest.mark.parametrize("value", ["", " ", "x" * 256, "10.0.0.0/33", "a/b", "a\nb", "*.", "a*b"])
def test_what_names_no_source_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        source_value(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("*.Internal", "*.internal"), ("B\u00fccher.example.", "xn--bcher-kva.example"),
     ("_dmarc.example", "_dmarc.example")],
)  # fmt: skip
def test_a_domain_is_kept_in_one_spelling(value: str, kept: str) -> None:
    assert domain_value(value) == kept


@pytest.mark.parametrize("value", ["", "*.", "a b.example", "*.*.example", "x." * 200])
def test_what_is_no_domain_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        domain_value(value)


@pytest.mark.parametrize("value", ["", "host.example", "10.0.0.0/40", "10.0.0.1-10.0.0.9"])
def test_what_is_no_network_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="neither a network nor an address"):
        network_value(value)
