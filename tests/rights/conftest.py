"""Every test signs a log of its own, and pays nothing for passphrases."""

from pathlib import Path
from typing import Any

import pytest

from crypto import stream


@pytest.fixture(autouse=True)
def _own_log(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("log")
    settings.CHECKPOINT_FILE = str(folder / "checkpoint")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "COST", 2)
