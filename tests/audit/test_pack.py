"""A pack says what the entries of a period show, and nothing that they do not."""

import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from audit.events import EventType, Outcome
from audit.pack.controls import CONTROLS, OUTSIDE, PCI, outside
from audit.record import record, tally
from audit.sequencer import Sequencer
from crypto.signatures import SigningKey
from tests.audit.conftest import ORIGIN, STAFF, Clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

TENANTS = [UUID(int=n + 1) for n in range(3)]
NASTY = '<script>alert("x")</script>|\u202e\x1b[2J'
PCI_IDS = {f"10.2.1.{n}" for n in range(1, 8)} | {"10.2.2", "10.3.4", "10.5.1"}


@pytest.fixture
def pack(
    settings: Any,
    clock: Clock,
    start: Callable[[], Sequencer],
    checkpoint_path: Path,
    tmp_path: Path,
) -> Path:
    """Reads of three tenants before, in and after a period of a day, with a silence of two days."""
    settings.AUDIT_ORIGIN, settings.CHECKPOINT_FILE = ORIGIN, str(checkpoint_path)
    one, begun = start(), clock()
    for hours in (0, 30, 31, 32, 90, 200):
        clock.time = begun.replace()
        clock.move(hours=hours)
        for n, tenant in enumerate(TENANTS[: 2 if hours < 90 else 3]):
            record(
                event=EventType.STAFF_READ, actor=STAFF, now=clock(), tenant=tenant,
                resource=f"alert/{n}", reason=NASTY, detail={"grant": f"g{n}", "ticket": f"T-{n}"},
            )  # fmt: skip
        outcome = Outcome.DENIED
        record(event=EventType.AUTH_DENIED, actor=STAFF, now=clock(), outcome=outcome)
        tally(event=EventType.EVENTS_ACCEPTED, actor=STAFF, tenant=None, now=clock(), items=50)
        clock.move(minutes=2)
        one.step(flush=True)
    folder = tmp_path / "pack"
    since, until = (begun.replace(day=2, hour=17), begun.replace(day=5, hour=18))
    call_command(
        "audit", "pack", str(folder), "--since", since.isoformat(), "--until", until.isoformat(),
        "--json",
    )  # fmt: skip
    return folder


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes())


def test_every_event_is_evidence_of_a_control_or_said_to_be_of_none() -> None:
    assert outside() == set()
    named = {event for each in CONTROLS for event in each.events}
    assert named <= set(EventType)
    assert not named & OUTSIDE.keys()
    assert all(OUTSIDE.values())
    assert {each.id for each in CONTROLS if each.framework == PCI} == PCI_IDS
    ids = [(each.framework, each.id) for each in CONTROLS]
    assert len(set(ids)) == len(ids)
    wanted = {"A.5.28", "A.8.15", "A.8.16", "A.8.17", "CC6.1", "CC7.2"}
    assert wanted <= {each.id for each in CONTROLS}
    assert all(each.events and each.about and each.shown for each in CONTROLS)


def test_a_pack_counts_what_its_entries_show(pack: Path, signer: SigningKey) -> None:
    scope = read(pack, "scope.json")
    assert (scope["origin"], scope["key"]) == (ORIGIN, signer.verifying.encode())
    assert scope["tenants_with_entries"] == 3
    reads = next(
        event
        for control in read(pack, "controls.json")
        if control["control"] == "10.2.1.1"
        for event in control["events"]
        if event["event"] == "staff.read"
    )
    done = subprocess.run(
        [sys.executable, "-I", str(pack / "bundle" / "verify.py"), "--json", "--vkey",
         scope["key"]],
        capture_output=True, text=True, timeout=60, env={}, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["ok"]
    entries = read(pack / "bundle", "coverage.json")["events"]
    assert reads["entries"] == entries["staff.read"] == 9
    assert scope["first_index"] <= reads["first"] <= reads["last"] <= scope["last_index"]
    assert set(reads["examples"]) <= set(range(scope["first_index"], scope["last_index"] + 1))
    accepted = next(
        event
        for control in read(pack, "controls.json")
        for event in control["events"]
        if event["event"] == "events.accepted"
    )
    assert accepted["items"] == 50 * accepted["entries"]
    accesses = read(pack, "staff-accesses.json")
    assert accesses["by_tenant"] == {str(TENANTS[0]): 4, str(TENANTS[1]): 4, str(TENANTS[2]): 1}
    assert (accesses["accesses"][0]["grant"], accesses["accesses"][0]["ticket"]) == ("g0", "T-0")
    assert [each["to"] > each["from"] for each in read(pack, "gaps.json")] == [True]


def test_a_pack_names_keys_people_and_the_deployment_as_of_now(pack: Path) -> None:
    assert read(pack, "deployment.json")["postgresql"]
    assert read(pack, "primitives.json")
    for name in ("keys", "access-review", "tenants"):
        assert (pack / f"{name}.json").exists()
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=pack, check=True)  # noqa: S607 -- the auditor's own tool


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {"src", "href", "onload"} & {name for name, _ in attrs}


def test_what_a_person_reads_runs_nothing_and_loads_nothing(pack: Path) -> None:
    read_page, page = Page(), (pack / "report.html").read_text()
    read_page.feed(page)
    assert {"table", "h1", "h2"} <= set(read_page.tags)
    assert "script" not in read_page.tags
    text = (pack / "report.md").read_text()
    assert "10.2.1.6" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_pack_needs_a_period_and_a_folder_of_its_own(pack: Path) -> None:
    period = ["--since", "2026-05-02", "--until", "2026-05-01"]
    with pytest.raises(CommandError, match="comes before"):
        call_command("audit", "pack", str(pack / "x"), *period)
    with pytest.raises(CommandError, match="not empty"):
        call_command("audit", "pack", str(pack), "--since", period[3], "--until", period[1])
