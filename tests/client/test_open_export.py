"""``tawny open-export``: an archive opens whole, into a new folder, or leaves nothing."""

import io
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import tawny.sealed
from crypto import stream
from crypto.stream import Passphrase, Recipient, Sealer
from tawny.cli import run
from tawny.sealed import Identity, Unopened

WORDS = "a passphrase for tests"
TO = Passphrase(text=WORDS, cost=2)


def sealed(plain: bytes, to: Passphrase | Recipient = TO) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(out.write, to)
    sealer.write(plain)
    sealer.close()
    return out.getvalue()


def packed(*members: tuple[str, bytes], manifest: Any = None, kind: bytes = b"0") -> bytes:
    out = io.BytesIO()
    told = [
        {"name": name, "octets": len(content), "sha256": sha256(content).hexdigest(), "lines": 1}
        for name, content in members
    ]
    said = {"members": told, "sections": {"account": 1}, "tenant": "t"}
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for name, content in (
            *members,
            ("manifest.json", json.dumps(said if manifest is None else manifest).encode()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name != "manifest.json":
                member.type = kind
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def words(tmp_path: Path) -> str:
    path = tmp_path / "words"
    path.write_text(WORDS + "\n")
    return str(path)


def opens(tmp_path: Path, words: str, content: bytes) -> int:
    (tmp_path / "archive").write_bytes(content)
    return run(
        ["open-export", str(tmp_path / "archive"), "--passphrase-file", words,
         "--into", str(tmp_path / "out")]
    )  # fmt: skip


def test_an_archive_is_unpacked_and_counted(
    tmp_path: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = packed(("account/00000.ndjson.gz", b"x" * 200_000))
    assert opens(tmp_path, words, sealed(content)) == 0
    assert capsys.readouterr().out == "account: 1\n"
    assert (tmp_path / "out/account/00000.ndjson.gz").read_bytes() == b"x" * 200_000
    assert opens(tmp_path, words, sealed(content)) == 1  # the folder is there already
    assert "exists already" in capsys.readouterr().err


def test_an_identity_is_made_once_and_opens_what_is_sealed_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = tmp_path / "identity"
    assert run(["open-export", "--new", str(identity)]) == 0
    assert identity.stat().st_mode & 0o777 == 0o600
    recipient = Recipient.parse(capsys.readouterr().out)
    (tmp_path / "archive").write_bytes(sealed(packed(("account/0", b"x")), recipient))
    arguments = ["open-export", str(tmp_path / "archive"), "--identity", str(identity), "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"tenant": "t", "sections": {"account": 1}}
    kept = Identity.parse(identity.read_text())
    assert stream.Identity.parse(kept.encode()).recipient == recipient
    assert run(["open-export", "--new", str(identity)]) == 1
    assert "exists already" in capsys.readouterr().err


WRONG: dict[str, Callable[[], bytes]] = {
    "cut short": lambda: sealed(packed(("a/0", b"x" * 200_000)))[:-30],
    "a flipped bit": lambda: bytes([*sealed(packed(("a/0", b"x")))[:-1], 0]),
    "not ours": lambda: b"PK\x03\x04 something else",
    "empty": lambda: b"",
    "another passphrase": lambda: sealed(packed(("a/0", b"x")), Passphrase(text="x", cost=2)),
    "a path out of the folder": lambda: sealed(packed(("../out-of-it", b"x"))),
    "an absolute path": lambda: sealed(packed(("/etc/out-of-it", b"x"))),
    "a link": lambda: sealed(packed(("a/link", b""), kind=b"2")),
    "a member that the manifest does not name": lambda: sealed(
        packed(("a/0", b"x"), manifest={"members": [], "sections": {}})
    ),
    "a manifest that is none": lambda: sealed(packed(("a/0", b"x"), manifest=[])),
    "no tar": lambda: sealed(b"x" * 2_000),
    "no manifest": lambda: sealed(b"\0" * 10_240),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_whole_leaves_nothing(tmp_path: Path, words: str, what: str) -> None:
    assert opens(tmp_path, words, WRONG[what]()) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"archive", "words"}


def test_without_a_file_the_usage_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["open-export"]) == 2
    assert "name the archive" in capsys.readouterr().err


@given(plain=st.binary(max_size=200_000), identity=st.booleans())
def test_the_clients_reader_is_the_services(plain: bytes, *, identity: bool) -> None:
    mine = Identity.new()
    to = Recipient.parse(mine.recipient) if identity else TO
    by: Any = mine if identity else WORDS
    octets = sealed(plain, to)
    assert b"".join(tawny.sealed.opened(io.BytesIO(octets), by)) == plain
    other = stream.Identity.parse(mine.encode()) if identity else TO
    assert b"".join(stream.opened(io.BytesIO(octets), other)) == plain


def test_a_header_that_asks_for_all_memory_is_refused() -> None:
    octets = sealed(b"x")
    with pytest.raises(Unopened, match="too much"):
        list(tawny.sealed.opened(io.BytesIO(octets.replace(b'"n":2', b'"n":1099511627776')), WORDS))
