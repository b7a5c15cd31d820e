"""Which of Django's commands need the embedded servers."""

from contextlib import nullcontext

import pytest

import manage


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings.embedded")


@pytest.mark.parametrize(
    "command",
    ["check", "makemigrations", "help", "test", "drain", "tenant --help", "migrate -h", ""],
)
def test_commands_that_read_no_row_start_nothing(command: str) -> None:
    assert isinstance(manage.servers_for(command.split()), nullcontext)


@pytest.mark.parametrize("command", ["tenant list", "migrate", "staff create ada", "shell"])
def test_commands_that_read_rows_reach_the_servers(command: str) -> None:
    assert not isinstance(manage.servers_for(command.split()), nullcontext)


def test_other_deployments_have_servers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(manage.servers_for(["migrate", "--settings=elsewhere"]), nullcontext)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings.cloud")
    assert isinstance(manage.servers_for(["migrate"]), nullcontext)
