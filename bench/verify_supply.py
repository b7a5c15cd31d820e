"""SUP-2: a tampered wheel does not install, the lock installs offline, the bill names everything.

Downloads what ``requirements.txt`` locks once, installs it with no index, flips one bit of each
file in turn and tries to install that, and compares the bill of materials with what is installed.

    .venv/bin/python bench/verify_supply.py [--json] [--bill FILE]
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LOCK = REPOSITORY / "requirements.txt"
REFUSED = "DO NOT MATCH THE HASHES"
"""What pip says of a file that is not the locked one."""
_LISTING = """
import importlib.metadata as metadata, json
print(json.dumps(sorted({each.metadata["Name"] for each in metadata.distributions()})))
"""


class Supply:
    """The lock's files in a folder, and an environment that was installed from them alone."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        venv.create(folder / "venv", with_pip=True)

    def pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the environment's pip."""
        return subprocess.run(  # noqa: S603 -- an interpreter that was made here
            [str(self.python), "-m", "pip", "--disable-pip-version-check", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def download(self) -> int:
        """Fetch what the lock names; return the number of files."""
        done = self.pip(
            "download",
            "-q",
            "--require-hashes",
            "--no-deps",
            "-d",
            str(self.files),
            "-r",
            str(LOCK),
        )
        if done.returncode:
            raise SystemExit(f"what the lock names could not be fetched:\n{done.stderr[-2000:]}")
        return len(list(self.files.iterdir()))

    def install_offline(self) -> bool:
        """Install the lock from the folder, with no index."""
        done = self.pip(*self._offline(self.files), "-r", str(LOCK))
        return done.returncode == 0

    def refuses(self, file: Path) -> bool:
        """Flip a bit in the middle of a file and say whether pip then refuses it."""
        apart = self.folder / "apart"
        shutil.rmtree(apart, ignore_errors=True)
        apart.mkdir()
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        (apart / file.name).write_bytes(content)
        requirement = apart / "requirement.txt"
        requirement.write_text(locked(file.name))
        done = self.pip(
            *self._offline(apart), "--target", str(apart / "target"), "-r", str(requirement)
        )
        return done.returncode != 0 and REFUSED in done.stderr

    def installed(self) -> set[str]:
        """Return the distributions of the environment, by their normal name."""
        done = subprocess.run(  # noqa: S603 -- as above
            [str(self.python), "-c", _LISTING], capture_output=True, text=True, check=True
        )
        return {normal(each) for each in json.loads(done.stdout)}

    def billed(self, bill: Path) -> set[str]:
        """Write the bill of materials (CycloneDX) and return the names on it."""
        subprocess.run(  # noqa: S603 -- our own interpreter
            [
                sys.executable,
                "-m",
                "cyclonedx_py",
                "environment",
                str(self.python),
                "-o",
                str(bill),
            ],
            capture_output=True,
            check=True,
        )
        return {normal(each["name"]) for each in json.loads(bill.read_text())["components"]}

    @staticmethod
    def _offline(files: Path) -> tuple[str, ...]:
        return ("install", "-q", "--no-index", "--no-deps", "--require-hashes", "-f", str(files))


def normal(name: str) -> str:
    """Return a distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: str) -> str:
    """Return the lock's own lines for a file's distribution."""
    name = normal(file.split("-", maxsplit=1)[0])
    lines = LOCK.read_text().splitlines()
    for first, line in enumerate(lines):
        if normal(line.partition("==")[0]) == name:
            last = first
            while lines[last].endswith("\\"):
                last += 1
            return "\n".join(lines[first : last + 1]) + "\n"
    raise SystemExit(f"{file} is not of the lock")


def main() -> int:
    """Run all three; return 0 where every one holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    parser.add_argument("--bill", type=Path, default=REPOSITORY / "build" / "sbom.cdx.json")
    given = parser.parse_args()
    given.bill.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        supply = Supply(Path(folder))
        count = supply.download()
        say(f"{count} files are locked")
        offline = supply.install_offline()
        say(f"installed without an index: {'yes' if offline else 'NO'}")
        passed = [file.name for file in sorted(supply.files.iterdir()) if not supply.refuses(file)]
        say(f"refused with one bit flipped: {count - len(passed)} of {count}")
        odd = supply.installed() ^ supply.billed(given.bill)
        say(f"on the bill or installed, not both: {len(odd)}")
    found = {
        "files": count,
        "offline": offline,
        "tampered_refused": count - len(passed),
        "tampered_passed": passed,
        "bill_difference": sorted(odd),
    }
    if given.json:
        sys.stdout.write(json.dumps(found) + "\n")
    return int(not offline or bool(passed) or bool(odd))


def say(text: str) -> None:
    """Print a line to the terminal at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
