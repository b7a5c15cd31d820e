import pytest

from destinations import addresses
from egress import Allow, Policy, TargetRefused, UrlRefused, is_public
from egress.policy import target_of

NOT_PUBLIC = (
    "0.0.0.0",  # noqa: S104 -- nothing is bound to it
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1",
    "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fec0::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1",
    "169.253.255.255", "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.0.3.1", "198.17.255.255",
    "198.20.0.1", "223.255.255.255", "2001:200::1", "2606:4700::1111", "2a00::1",
    "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
)  # fmt: skip


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_everybodys_is_not_public(text: str) -> None:
    assert not is_public(addresses.parse(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_an_ordinary_internet_address_is_public(text: str) -> None:
    assert is_public(addresses.parse(text))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://list.example/",
        "file:///etc/passwd",
        "gopher://list.example/",
        "https://",
        "https:///path",
        "//list.example/x",
        "https://user@list.example/",
        "https://user:secret@list.example/",
        "https://list.example:99999/",
        "https://list.example:port/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://%31%32%37.0.0.1/",
        "https://list.example\\@other.example/",
        "https://list.example/a b",
        "https://list.example/a\r\nHost: other.example",
        "\thttps://list.example/",
        "https://list..example/",
        "https://list.example/" + "a" * 2_048,
    ],
)
def test_what_is_no_plain_url_is_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(UrlRefused):
        target_of(url)


@pytest.mark.parametrize(
    ("url", "host", "authority"),
    [
        ("https://LIST.example./a?b#c", "list.example", "list.example"),
        ("https://bücher.example/", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://[2001:DB8::1]:8443/", "2001:db8::1", "[2001:db8::1]:8443"),
        ("http://192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_url_is_taken_apart_into_a_normalised_target(url: str, host: str, authority: str) -> None:
    target = target_of(url)
    assert (target.host, target.authority) == (host, authority)


def test_plain_http_and_other_ports_are_closed_by_default() -> None:
    for url in ("http://list.example/", "https://list.example:8443/"):
        with pytest.raises(UrlRefused):
            Policy().check_target(target_of(url))


def test_a_host_rule_opens_a_port_but_no_private_address() -> None:
    policy = Policy(allow=(Allow.of_host("List.example", scheme="http", port=80),))
    target = target_of("http://list.example/")
    policy.check_target(target)
    policy.check_address(target, addresses.parse("8.8.8.8"))
    with pytest.raises(TargetRefused):
        policy.check_address(target, addresses.parse("10.0.0.1"))
    with pytest.raises(UrlRefused):
        policy.check_target(target_of("http://other.example/"))


def test_a_network_rule_opens_its_addresses_for_its_port_only() -> None:
    policy = Policy(allow=(Allow.of_network("10.0.0.0/8", scheme="https", port=443),))
    target = target_of("https://list.example/")
    policy.check_address(target, addresses.parse("10.1.2.3"))
    with pytest.raises(TargetRefused):
        policy.check_address(target, addresses.parse("192.168.0.1"))
    with pytest.raises(UrlRefused):
        policy.check_target(target_of("https://list.example:8443/"))


def test_a_rule_names_a_host_or_a_network() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Allow(scheme="https", port=443)
