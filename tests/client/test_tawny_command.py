"""The ``tawny`` command as its users see it, whatever they do with it."""

import os
import subprocess
import sys

import pytest

import tawny
from tawny.cli import run
from tests.client.alert_pages import one_page
from tests.client.loopback import KEY, Answer, Service


@pytest.mark.parametrize(
    ("status", "code"), [(401, 3), (403, 3), (429, 4), (503, 4), (400, 1), (404, 1)]
)
def test_the_exit_code_says_whether_the_key_or_a_limit_was_in_the_way(
    service: Service, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    service.usual = lambda _: Answer(status, {"message": "the reason"}, {"Retry-After": "900"})
    assert run(["alerts"]) == code
    assert f"tawny: {status}: the reason" in capsys.readouterr().err


def test_an_address_that_only_redirects_gives_exit_code_1(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = lambda _: Answer(302, {}, {"Location": "https://tawny.example/"})
    assert run(["alerts"]) == 1
    assert "302 to https://tawny.example/" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["send", "zeek"],
        ["send", "zeek", "/no/such/file"],
        ["alerts", "--min-severity", "9"],
        ["alerts", "-o", "xml"],
        ["alerts", "--url", "tawny.example"],
        ["alerts", "--max-age", "60"],
        ["lookup"],
        ["completion", "tcsh"],
    ],
)
def test_wrong_usage_gives_exit_code_2(
    service: Service, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err
    assert service.requests == []


def test_a_missing_key_is_wrong_usage(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TAWNY_KEY")
    assert run(["alerts"]) == 2
    assert run(["lookup", "x.example"]) == 2
    assert "TAWNY_KEY" in capsys.readouterr().err
    assert service.requests == []


def test_an_option_of_the_command_wins_over_the_groups_and_that_over_the_environment(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.usual = one_page
    monkeypatch.setenv("TAWNY_URL", "http://192.0.2.1:1")
    assert run(["--url", service.url, "alerts"]) == 0
    assert run(["--url", "http://192.0.2.1:1", "alerts", "--url", service.url]) == 0
    keys = {request.headers["Authorization"] for request in service.requests}
    assert len(keys) == 1
    assert run(["--key", "other", "alerts", "--url", service.url]) == 0
    assert service.requests[-1].headers["Authorization"] not in keys


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert tawny.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["alerts"], ["lookup"], ["doctor"], ["completion"], ["send", "zeek"]],
)
def test_help_has_examples(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "tawny" in shown.partition("Examples:")[2]
    assert KEY not in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_TAWNY_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("tawny ", {"doctor", "send", "alerts", "lookup", "open-export", "completion"}),
        ("tawny lo", {"lookup"}),
        ("tawny alerts -o ", {"json", "table", "ocsf"}),
        ("tawny alerts --ch", {"--checkpoint"}),
    ],
)
def test_commands_and_options_are_completed(typed: str, completed: set[str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tawny"],
        env=os.environ
        | {
            "_TAWNY_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.partition(",")[2] for line in answer.stdout.splitlines()} == completed


def test_colours_are_for_terminals_and_not_with_no_color(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = lambda _: Answer(body={"flags": ["c2"], "verdict": "malicious"})
    red = "\x1b[1;31m"
    assert run(["lookup", "x.example"]) == 0
    assert red not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert run(["lookup", "x.example"]) == 0
    assert red in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["lookup", "x.example"]) == 0
    assert "31m" not in capsys.readouterr().out


def test_reading_alerts_does_not_load_the_formats() -> None:
    code = (
        "import sys, tawny.cli; tawny.cli.run(['alerts', '-h']); print('send' in str(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "False"


def test_a_reader_of_the_output_that_goes_away_is_no_fault(service: Service) -> None:
    service.usual = one_page
    command = [sys.executable, "-m", "tawny", "alerts", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_the_key_is_never_printed(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.usual = lambda _: Answer(401, {"message": "no"})
    for arguments in (["--help"], ["alerts"], ["lookup", "x.example"], ["doctor", "--json"]):
        run(arguments)
    run(["--key", KEY, "alerts", "--nonsense"])
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err
