"""The benchmark works and tells the truth about counts; how fast anything is, is not asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.ingest import main
from bench.served import ROUNDS

REPOSITORY = Path(__file__).resolve().parents[2]
EVENTS, BATCH = 2_000, 800


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench.ingest",
            "--events", str(EVENTS), "--batch", str(BATCH), "--seed", "7", "--json",
        ],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_report_has_the_documented_members(report: dict[str, Any]) -> None:
    assert set(report) == {
        "schema", "measured_at", "machine", "input", "wisdom", "run_wall_seconds", "kinds", "mix",
        "served", "missing_probes",
    }  # fmt: skip
    assert set(report["machine"]) == {"cpu", "cores", "python", "system"}
    assert report["input"] == {
        "source": "synthetic", "seed": 7, "batch": BATCH, "by_file": False, "gzip_level": 6,
    }  # fmt: skip
    assert set(report["kinds"]) == {"dns", "ip"}
    for kind in report["kinds"].values():
        assert set(kind) == {
            "counts", "gzip_bytes", "inflated_bytes", "floor", "accepted", "processed", "ratios",
            "sealed_bytes_per_event", "resident_bytes", "stages",
        }  # fmt: skip


def test_every_member_of_the_report_is_documented(report: dict[str, Any]) -> None:
    text = (REPOSITORY / "docs" / "benchmarks.md").read_text("utf-8")
    members = {*report, *report["kinds"]["dns"], *report["kinds"]["dns"]["counts"], *report["mix"]}
    members |= set(report["served"][0])
    assert {name for name in members if f"`{name}`" not in text} == set()


def test_the_web_server_is_measured_with_one_and_with_two_processes(report: dict[str, Any]) -> None:
    served = report["served"]
    assert [(each["kind"], each["processes"]) for each in served] == [
        ("dns", 1), ("dns", 2), ("ip", 1), ("ip", 2),
    ]  # fmt: skip
    for each in served:
        assert each["events"] == ROUNDS * EVENTS
        assert each["events_per_second"] > 0
        assert each["wall_ratio"] > 0


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_every_event_is_read_accepted_and_in_effect(report: dict[str, Any], kind: str) -> None:
    counts = report["kinds"][kind]["counts"]
    assert counts["sent"] == EVENTS
    assert counts["requests"] == 3
    assert counts["received"] == counts["accepted"] == counts["effective"] == EVENTS
    assert counts["days"] > 0


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_rates_and_ratios_follow_from_what_was_spent(report: dict[str, Any], kind: str) -> None:
    found = report["kinds"][kind]
    for name in ("floor", "accepted", "processed"):
        pace = found[name]
        assert pace["events_per_cpu_second"] == pytest.approx(EVENTS / pace["cpu_seconds"])
        assert pace["events_per_wall_second"] == pytest.approx(EVENTS / pace["wall_seconds"])
    share = found["floor"]["cpu_seconds"] / found["processed"]["cpu_seconds"]
    assert found["ratios"]["processed_to_floor"] == pytest.approx(share)
    assert found["processed"]["cpu_seconds"] > found["accepted"]["cpu_seconds"] > 0


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_the_stages_add_up_to_the_whole(report: dict[str, Any], kind: str) -> None:
    found = report["kinds"][kind]
    total = sum(stage["cpu_us_per_event"] for stage in found["stages"])
    # what lies between the meter and the stages is the meter's own reading
    assert total == pytest.approx(found["processed"]["cpu_seconds"] / EVENTS * 1e6, rel=0.2)
    named = {(stage["phase"], stage["stage"]) for stage in found["stages"]}
    assert {
        ("accept", "inflate"), ("accept", "decode"), ("accept", "check"), ("accept", "pack"),
        ("accept", "commit"), ("effect", "columns: time"), ("effect", "encode"),
        ("effect", "fingerprint"),
        ("effect", "windows"), ("effect", "commit"), ("evaluate", "read"),
    } <= named  # fmt: skip


@pytest.mark.parametrize("kind", ["dns", "ip"])
def test_series_identities_and_inbox_are_counted_apart(report: dict[str, Any], kind: str) -> None:
    sealed = report["kinds"][kind]["sealed_bytes_per_event"]
    assert sealed["identities"] > 8  # 64 bits an event that no code can shorten
    assert sealed["segments"] > 0
    assert sealed["inbox"] > 0


def test_no_probe_lost_its_function(report: dict[str, Any]) -> None:
    assert report["missing_probes"] == []


def test_the_mix_lies_between_its_kinds(report: dict[str, Any]) -> None:
    mix = report["mix"]
    assert mix["share"] == {"dns": 0.6, "ip": 0.4}
    rates = [kind["accepted"]["events_per_cpu_second"] for kind in report["kinds"].values()]
    assert min(rates) <= mix["accepted_events_per_cpu_second"] <= max(rates)


def test_a_path_that_is_not_there_is_told_before_a_server_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path / "none.log")]) == 2
    assert "none.log" in capsys.readouterr().err


def test_logs_without_an_event_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing here\n", "ascii")
    assert main(["--data", str(tmp_path)]) == 2
    assert "no dns or ip event" in capsys.readouterr().err


def test_a_count_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["--events", "0"])
    assert refusal.value.code == 2
    assert "not positive" in capsys.readouterr().err
