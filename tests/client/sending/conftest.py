"""A world of its own for each test."""

from pathlib import Path

import pytest

from tests.client.sending.world import Disk, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(root=tmp_path, disk=Disk(monkeypatch))
