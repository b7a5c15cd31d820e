"""The engine boots, checks and serves its routes where Wisdom and Feeds are not."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BOOT = """
import sys
import django
django.setup()
from django.core.management import call_command
from django.urls import get_resolver
call_command("check")
routes = [str(each.pattern) for each in get_resolver().url_patterns]
from config import celery, first_start, sweeper
celery.app.loader.import_default_modules()
loaded = sorted(name for name in sys.modules if name.split(".")[0] in {"wisdom", "feeds"})
print(loaded, len(routes))
"""


def test_the_engine_boots_without_wisdom_and_feeds(tmp_path: Path) -> None:
    shipped = tmp_path / "engine"
    shipped.mkdir()
    for folder in REPOSITORY.iterdir():
        if folder.name not in {"wisdom", "feeds", ".tawny", ".git"}:
            (shipped / folder.name).symlink_to(folder)
    booted = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-c", BOOT],
        cwd=shipped,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.engine",
            "PYTHONPATH": str(shipped),
            "TAWNY_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert booted.returncode == 0, booted.stderr
    assert booted.stdout.splitlines()[-1].startswith("[] ")
