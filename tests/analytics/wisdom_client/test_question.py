"""Questions as people and clients write them."""

import pytest

from analytics.wisdom_client.question import MAX_LENGTH, destination_of, written
from destinations.report import Destination


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("q=www.example.com", "www.example.com"),
        ("q=tcp:[2001:db8::1]:443", "tcp:[2001:db8::1]:443"),
        ("q=tcp%3A%5B2001%3Adb8%3A%3A1%5D%3A443", "tcp:[2001:db8::1]:443"),
        ("p=splunk&q=example.com&threats=all", "example.com"),
        ("q=http://example.com/a?b=c&d=e", "http://example.com/a?b=c"),
        ("q=http://example.com/?q=b", "http://example.com/?q=b"),
        ("q=%20example.com%20", "example.com"),
        ("q=a+b.example", "a+b.example"),
        ("q=b\u00c3\u00bccher.example", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"),
        ("q=", ""),
    ],
)
def test_the_question_is_read_from_the_raw_query(query: str, question: str) -> None:
    assert written(query) == question


@pytest.mark.parametrize("query", ["", "x=y", "qq=example.com", "q=%ff", "q=\u2603"])
def test_a_query_without_a_question_is_refused_with_a_text(query: str) -> None:
    with pytest.raises(ValueError, match=r"The parameter q is"):
        written(query)


@pytest.mark.parametrize(
    "text",
    [
        "www.example.com",
        "WWW.Example.COM.",
        "https://www.example.com",
        "HTTPS://user:pass@www.example.com:8443/a/b?c=d#e",
        "www.example.com:443",
        "www.example.com/a",
        "//www.example.com/a",
        "tcp:www.example.com:443",
    ],
)
def test_a_name_is_found_in_whatever_surrounds_it(text: str) -> None:
    assert destination_of(text) == Destination("name", "www.example.com")


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("192.0.2.1", Destination("address", "192.0.2.1")),
        ("192.0.2.1:8443", Destination("address", "192.0.2.1", 8443)),
        ("tcp:192.0.2.1:443", Destination("address", "192.0.2.1", 443, "tcp")),
        ("UDP:192.0.2.1:53", Destination("address", "192.0.2.1", 53, "udp")),
        ("udp:192.0.2.1", Destination("address", "192.0.2.1", None, "udp")),
        ("icmp:192.0.2.1:0", Destination("address", "192.0.2.1", None, "icmp")),
        ("icmp:192.0.2.1:8", Destination("address", "192.0.2.1", None, "icmp")),
        ("tcp:192.0.2.1:0", Destination("address", "192.0.2.1", None, "tcp")),
        ("tcp:[2001:db8::1]:443", Destination("address", "2001:db8::1", 443, "tcp")),
        ("tcp:2001:db8::1", Destination("address", "2001:db8::1", None, "tcp")),
        ("[2001:db8::1]:443", Destination("address", "2001:db8::1", 443)),
        ("[2001:DB8:0::1]", Destination("address", "2001:db8::1")),
        ("2001:db8::1", Destination("address", "2001:db8::1")),
        ("::ffff:192.0.2.1", Destination("address", "192.0.2.1")),
        ("http://192.0.2.1/x", Destination("address", "192.0.2.1", 80, "tcp")),
        ("https://[2001:db8::1]/x", Destination("address", "2001:db8::1", 443, "tcp")),
        ("http://192.0.2.1:8080", Destination("address", "192.0.2.1", 8080, "tcp")),
    ],
)
def test_an_address_is_found_with_its_port_and_protocol(
    text: str, destination: Destination
) -> None:
    assert destination_of(text) == destination


def test_a_name_in_another_script_is_asked_about_in_a_labels() -> None:
    text = "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"
    assert destination_of(text) == Destination("name", "xn--bcher-kva.example")


@pytest.mark.parametrize("name", ["_dmarc.example.com", "localhost", "a.b.invalid"])
def test_underscores_single_labels_and_unknown_suffixes_are_names(name: str) -> None:
    assert destination_of(name) == Destination("name", name)


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "a b.example", "192.0.2.256", "192.0.2", "1.2.3.4.5", "http://", "tcp:",
        "tcp::443", "[2001:db8::1", "2001:db8::zz", "192.0.2.1:99999", "192.0.2.1:http", "\x00",
        "a..example", "x" * (MAX_LENGTH + 1), "ftp:[::1", "<script>", "sctp:192.0.2.1:80",
        "a" * 300,
    ],
)  # fmt: skip
def test_what_is_no_destination_is_refused_with_a_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"parameter q|is not a|is neither"):
        destination_of(text)
