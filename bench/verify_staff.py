"""``make verify``: the bars of staff access (MFA-1 to 7 and 9) at their full size.

Runs the tests that hold them, with the sizes that the bars name, and prints what each measured. The
suite runs the same tests smaller. Some ten minutes on two cores; bars named as arguments run alone.
Exit status 1 where one is not met.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # what our own pytest wrote a moment ago

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar's tests, and the sizes they run at."""

    tests: tuple[str, ...]
    sizes: tuple[tuple[str, int], ...] = ()


BARS = {
    "MFA-1": Bar(tests=("test_gate.py",)),
    "MFA-2": Bar(tests=("test_parallel_proofs.py",), sizes=(("REPEATS", 20),)),
    "MFA-3": Bar(tests=("test_guessing.py",), sizes=(("GUESSERS", 100), ("GUESSES", 100_000))),
    "MFA-4": Bar(tests=("test_a_dump_opens_nothing.py",), sizes=(("PEOPLE", 100),)),
    "MFA-5": Bar(tests=("test_session_keys.py",)),
    "MFA-6": Bar(tests=("test_any_order_of_deeds.py",), sizes=(("MACHINES", 140),)),
    "MFA-7": Bar(tests=("test_passkeys.py", "test_passkey_sign_in.py")),
    "MFA-9": Bar(tests=("test_strangers_lock_nobody_out.py",), sizes=(("WRONG", 10_000),)),
}


def run(name: str, bar: Bar) -> tuple[bool, float, list[str]]:
    """Run a bar's tests; return whether it is met, the seconds, and what was measured."""
    sizes = {f"TAWNY_FULL_{size}": str(count) for size, count in bar.sizes}
    environment = {key: value for key, value in os.environ.items() if key != "TAWNY_HOME"}
    with tempfile.TemporaryDirectory(prefix="tawny-bench-") as folder:
        report = Path(folder) / "report.xml"
        tests = [f"tests/console/{each}" for each in bar.tests]
        options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1"]
        done = subprocess.run(  # noqa: S603 -- our own tests
            [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *tests],
            cwd=REPOSITORY, env={**environment, **sizes}, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            return False, 0.0, [done.stdout[-4_000:]]
        suite = ET.parse(report).getroot()  # noqa: S314 -- see its import
    measured = defaultdict[str, list[str]](list)
    for each in suite.iter("property"):
        measured[each.attrib["name"]].append(each.attrib["value"])
    cases = list(suite.iter("testcase"))
    seconds = sum(float(each.attrib["time"]) for each in cases)
    return True, seconds, measured[name] or [f"{len(cases)} tests"]


def main(arguments: Sequence[str] | None = None, *, write: Callable[[str], Any] = print) -> int:
    """Verify; return the exit status."""
    parser = argparse.ArgumentParser(description="The bars of staff access, at full size.")
    parser.add_argument("bars", nargs="*", help=", ".join(BARS))
    chosen = parser.parse_args(arguments).bars or list(BARS)
    met = []
    for name in chosen:
        is_met, seconds, measured = run(name, BARS[name])
        met.append(is_met)
        write(f"{name}: {'met' if is_met else 'NOT MET'}, {seconds:.0f} s")
        for each in measured:
            write(f"    {each}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
