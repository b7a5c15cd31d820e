"""The corpus of bodies that should not be: each is read as it must be, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.bodies import inflated
from analytics.ingest.events import IP
from analytics.ingest.values import decode_values
from bench.corpus import CASES, honest
from bench.corpus.case import LINE, Case
from bench.corpus.judging import MOST_GROWTH, Answer, fault_of

REPOSITORY = Path(__file__).resolve().parents[3]


def ratio(case: Case) -> float:
    body = case.body()
    return sum(map(len, inflated([body], case.encoding))) / len(body)


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@pytest.fixture(scope="module")
def decoded() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.corpus.decoding"],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert done.stdout, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_body_is_read_as_it_must_be(decoded: dict[str, Any]) -> None:
    assert decoded["faults"] == []


def test_no_body_makes_the_process_grow_by_64_mib(decoded: dict[str, Any]) -> None:
    assert 0 < decoded["growth_bytes"] < MOST_GROWTH


def test_bodies_are_many_and_each_has_a_name() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


def test_what_goes_with_a_good_line_is_measured_against_one() -> None:
    decoded = decode_values(LINE, IP)
    assert (len(decoded.events), decoded.rejected, decoded.strange) == (1, {}, [])


def test_bombs_are_bombs() -> None:
    assert ratio(named("zeros at 1029:1, gzip of 64 MiB")) > 1_000
    assert ratio(named("zeros at 32,000:1, zstd of 512 MiB")) > 30_000


def test_honest_batches_compress_as_bombs_do() -> None:
    beacon, _, identical, *_ = honest.CASES
    assert ratio(beacon) > 91
    assert ratio(identical) > 5_000
    assert {case.accepted for case in honest.CASES} == {honest.BATCH}


def test_no_body_is_a_file_in_disguise() -> None:
    folder = REPOSITORY / "bench" / "corpus"
    assert sum(path.stat().st_size for path in folder.glob("*.py")) < 64 << 10
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".py"}


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        (200, b'{"received":3,"accepted":2,"rejected":{"malformed":1}}', ""),
        (200, b'{"received":3,"accepted":3,"rejected":{}}', "is due"),
        (200, b"[]", "is due"),
        (503, b'{"message":"later"}', "503 where 200 is due"),
    ],
)
def test_an_answer_is_judged_by_status_and_counts(status: int, content: bytes, fault: str) -> None:
    case = Case(name="a", body=bytes, accepted=2, rejected={"malformed": 1})
    found = fault_of(case, Answer(status=status, content=content))
    assert (fault in found) if fault else found == ""


@pytest.mark.parametrize("content", [b"", b"{}", b"<p>", b'{"message":""}', b"\xff"])
def test_a_refusal_without_a_message_is_a_fault(content: bytes) -> None:
    case = Case(name="a", body=bytes, status=400)
    assert fault_of(case, Answer(status=400, content=content))
