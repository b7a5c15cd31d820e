"""What the source may not do, and that each rule sees what breaks it (SUP-5)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings.base import REPOSITORY
from tests.code_rules import (
    MAY_CONNECT,
    NAMES_ONLY,
    PACKAGES,
    Breach,
    breaches,
    sources,
)

BROKEN = {
    "unsafe-module": "from pickle import loads",
    "connects": "import httpx",
    "evaluates": "eval(text)",
    "raw-sql": "Alert.objects.raw(f'SELECT {name}')",
    "logs-a-request": "log.info('taken', body=request.body)",
}
BROKEN_FOR_RUFF = {
    "S301": "import pickle\npickle.loads(text)",
    "S307": "eval(text)",
    "S501": "import httpx\nhttpx.get(url, verify=False)",
    "S506": "import yaml\nyaml.load(text, Loader=yaml.Loader)",
    "S602": "import subprocess\nsubprocess.run(command, shell=True)",
    "S608": 'cursor.execute(f"SELECT * FROM alert WHERE id = {given}")',
    "S610": "Alert.objects.extra(where=[given])",
    "S611": "from django.db.models.expressions import RawSQL\nRawSQL(given, ())",
    "S701": "import jinja2\njinja2.Environment(autoescape=False)",
    "S308": "from django.utils.safestring import mark_safe\nmark_safe(given)",
    "S324": "import hashlib\nhashlib.md5(text)",
    "S113": "import httpx\nhttpx.get(url, timeout=None)",
}


def test_no_module_of_the_product_breaks_a_rule() -> None:
    walked = list(sources(REPOSITORY))
    assert {path.split("/")[0] for path, _ in walked} == set(PACKAGES)
    assert [each for path, text in walked for each in breaches(path, text)] == []


@pytest.mark.parametrize(("rule", "text"), BROKEN.items())
def test_each_rule_sees_what_breaks_it(rule: str, text: str) -> None:
    assert list(breaches("analytics/views/new.py", text)) == [
        Breach(rule=rule, where="analytics/views/new.py:1")
    ]


@pytest.mark.parametrize("name", [*MAY_CONNECT, *NAMES_ONLY])
def test_each_exception_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in (MAY_CONNECT, NAMES_ONLY):
        monkeypatch.delitem(table, name, raising=False)
    found = {
        each.where.split(":")[0]
        for path, text in sources(REPOSITORY)
        for each in breaches(path, text)
    }
    assert found
    assert all(path == name or path.startswith(f"{name}/") for path in found)


@pytest.mark.parametrize(("code", "text"), BROKEN_FOR_RUFF.items())
def test_the_linter_is_set_to_see_the_rest(code: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    (tmp_path / "analytics").mkdir()
    new = tmp_path / "analytics" / "new.py"
    new.write_text(text + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json", str(new)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert code in {each["code"] for each in json.loads(done.stdout)}


def test_the_security_linter_finds_nothing_of_high_severity() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "-lll", "-f", "json", *PACKAGES, "client/src"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["results"] == []
    assert report["errors"] == []
    assert report["metrics"]["_totals"]["loc"] > 10_000
