"""``tawny lookup`` as its users see it."""

import io
import json
import sys
from typing import Any
from urllib.parse import unquote

import pytest

from tawny.cli import run
from tests.client.loopback import Answer, Request, Service

LISTED: dict[str, Any] = {
    "destination": {"kind": "name", "value": "bad.example"},
    "flags": ["c2", "young"],
    "labels": ["c2:Family"],
    "domain": "bad.example",
    "score": 6505,
    "verdict": "malicious",
    "reasons": [
        {
            "source": "abuse", "title": "A list", "kind": "feed", "points": 6000, "flag": "c2",
            "family": "Family", "indicator": "bad.example", "first_seen": "2026-10-01T00:00:00Z",
            "last_seen": "2026-11-02T00:00:00Z", "as_of": "2026-11-20T08:00:00Z",
        },
        {"source": "model", "kind": "classifier", "points": 505, "flag": "young"},
    ],
    "note": "Answered here.",
}  # fmt: skip


def known(request: Request) -> Answer:
    what = unquote(request.path.partition("q=")[2])
    if what == "bad.example":
        return Answer(body=LISTED)
    if what == "\x1b[2J":
        return Answer(400, {"message": f"{what} is not a name", "code": "invalid_query"})
    return Answer(body={"flags": []})


def spaced(line: str) -> str:
    return " ".join(line.split())


def test_a_destination_is_shown_with_the_reasons_under_it(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = known
    assert run(["lookup", "bad.example", "tcp:[2001:db8::1]:443"]) == 0
    captured = capsys.readouterr()
    assert [spaced(line) for line in captured.out.splitlines()] == [
        "destination verdict score flags labels",
        "bad.example malicious 65.05 c2, young c2:Family",
        "60.00 A list: bad.example, c2:Family, seen 2026-10-01 to 2026-11-02, list of 2026-11-20",
        "5.05 model: young",
        "Answered here.",
        "tcp:[2001:db8::1]:443 unflagged - -",
    ]
    assert "\x1b" not in captured.out
    assert captured.err == ""


def test_json_is_what_the_service_said_one_object_a_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = known
    assert run(["lookup", "--json", "bad.example", "192.0.2.7"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [{"query": "bad.example"} | LISTED, {"query": "192.0.2.7", "flags": []}]


def test_what_is_no_destination_does_not_keep_the_others_back(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = known
    assert run(["lookup", "\x1b[2J", "bad.example"]) == 2
    captured = capsys.readouterr()
    assert "malicious" in captured.out
    assert captured.err == "tawny: \\x1b[2J is not a name\n"
    assert run(["lookup", "--json", "\x1b[2J", "bad.example"]) == 2
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first)["error"]["code"] == "invalid_query"
    assert json.loads(second)["verdict"] == "malicious"


def test_destinations_are_read_from_standard_input(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = known
    monkeypatch.setattr(sys, "stdin", io.StringIO("a.example\n\n  b.example \n"))
    assert run(["lookup", "--json", "-", "c.example"]) == 0
    told = [json.loads(line)["query"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (503, 4)])
def test_a_refusal_ends_the_looking_up(service: Service, status: int, code: int) -> None:
    service.usual = lambda _: Answer(status, {"message": "no"}, {"Retry-After": "900"})
    assert run(["lookup", "a.example", "b.example"]) == code
    assert len(service.requests) == 1


def test_a_family_cannot_steer_the_terminal(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = {"source": "\x1b[1m", "points": 1, "indicator": "[red]\u202e"}
    hostile = {"flags": ["\x1b[2J"], "labels": ["c2:\x07"], "reasons": [reason]}
    service.usual = lambda _: Answer(body=hostile)
    assert run(["lookup", "x.example"]) == 0
    out = capsys.readouterr().out
    assert "[red]" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
