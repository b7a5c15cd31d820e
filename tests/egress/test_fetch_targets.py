"""A tap on ``connect`` shows where a socket really went."""

import socket
from collections.abc import Sequence

import pytest

from egress import Policy, RedirectRefused, TargetRefused, UrlRefused, fetch
from tests.egress.servers import QUICK, Answer, plain, serving, to


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    made: list[object] = []
    real = socket.socket.connect

    def tapped(self: socket.socket, address: tuple[str, int]) -> None:
        made.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", tapped)
    return made


# -- where it never goes

INSIDE = (
    "0.0.0.0",  # noqa: S104 -- nothing is bound to it
    "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd00::1",
    "fe80::1", "fec0::1", "ff02::1", "100::1", "5f00::1",
)  # fmt: skip


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_in_the_url_that_is_not_public_gets_no_connection(
    text: str, connections: list[object]
) -> None:
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(TargetRefused):
        fetch(f"https://{host}/", policy=Policy(), limits=QUICK)
    assert connections == []


@pytest.mark.parametrize("text", INSIDE)
def test_a_name_that_resolves_to_such_an_address_gets_no_connection(
    text: str, connections: list[object]
) -> None:
    with pytest.raises(TargetRefused):
        fetch("https://list.example/", policy=Policy(), limits=QUICK, resolve=to(text))
    assert connections == []


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "017700000001", "0"])
def test_a_number_that_a_resolver_would_take_for_loopback_gets_no_connection(
    host: str, connections: list[object]
) -> None:
    with pytest.raises(UrlRefused):
        fetch(f"https://{host}/", policy=Policy(), limits=QUICK)
    assert connections == []


def test_localhost_by_the_systems_own_resolver_gets_no_connection(
    connections: list[object],
) -> None:
    with pytest.raises(TargetRefused):
        fetch("https://localhost/", policy=Policy(), limits=QUICK)
    assert connections == []


@pytest.mark.parametrize("mixed", [("8.8.8.8", "127.0.0.1"), ("2606:4700::1111", "10.0.0.1")])
def test_one_bad_address_among_good_ones_spoils_the_name(
    mixed: tuple[str, str], connections: list[object]
) -> None:
    with pytest.raises(TargetRefused):
        fetch("https://list.example/", policy=Policy(), limits=QUICK, resolve=to(*mixed))
    assert connections == []


def test_a_resolver_that_flips_its_answer_is_asked_once(connections: list[object]) -> None:
    with serving(plain(b"192.0.2.7\n")) as server:
        answers = [["127.0.0.1"], ["10.0.0.1"]]
        asked: list[str] = []

        def flip(host: str, _port: int) -> Sequence[str]:
            asked.append(host)
            return answers.pop(0)

        got = fetch(
            f"http://list.example:{server.port}/", policy=server.policy, limits=QUICK, resolve=flip
        )
        assert got.body == b"192.0.2.7\n"
        assert asked == ["list.example"]
        assert connections == [("127.0.0.1", server.port)]
        assert f"Host: list.example:{server.port}".encode() in server.requests[0]


def test_a_proxy_in_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, connections: list[object]
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with serving(plain(b"x")) as server:
        assert fetch(server.url, policy=server.policy, limits=QUICK).body == b"x"
        assert connections == [("127.0.0.1", server.port)]


# -- redirects


def redirect(location: str) -> Answer:
    return plain(b"", f"Location: {location}", status="302 Found")


def test_a_redirect_is_not_followed_unless_asked_for() -> None:
    with serving(redirect("/other")) as server, pytest.raises(RedirectRefused):
        fetch(server.url, policy=server.policy, limits=QUICK)


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "https://user@list.example/",
    ],
)
def test_a_redirect_to_a_closed_target_is_not_followed(
    location: str, connections: list[object]
) -> None:
    with (
        serving(redirect(location)) as server,
        pytest.raises((TargetRefused, UrlRefused)),
    ):
        fetch(server.url, policy=server.open(redirects=3), limits=QUICK)
    assert connections == [("127.0.0.1", server.port)]


def test_a_loop_of_redirects_ends() -> None:
    with serving(redirect("/list")) as server:
        with pytest.raises(RedirectRefused):
            fetch(server.url, policy=server.open(redirects=3), limits=QUICK)
        assert len(server.requests) == 4


def test_a_key_does_not_follow_a_redirect_to_another_origin() -> None:
    with serving(plain(b"moved here")) as second:
        with serving(redirect(f"http://127.0.0.1:{second.port}/new")) as first:
            policy = Policy(allow=first.policy.allow + second.policy.allow, redirects=1)
            got = fetch(first.url, policy=policy, limits=QUICK, headers={"Auth-Key": "k"})
        assert got.body == b"moved here"
        assert got.final_url == f"http://127.0.0.1:{second.port}/new"
        assert b"Auth-Key: k" in first.requests[0]
        assert b"Auth-Key" not in second.requests[0]
