"""What `bench.verify_keys` runs beside itself, and what it fills its deployment with.

``python bench/keys_load.py rotate`` rotates the root key; ``load FOLDER`` serves 50 requests a
second until the file ``stop`` is there, then prints what it did and what failed.
"""

import itertools
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

PER_SECOND = 50
KEYED = 50
"""Tenants that events are sent for; every tenant's rows are read."""
REQUESTS, EVENTS = 4, 10_000
"""Of ENC-8: requests, and events in each: parts, segments and runs of tens of kilobytes."""


def fill(tenants: int, *, folder: Path, now: datetime) -> None:
    """Make tenants with both of their keys and two data keys each, past the ORM: it is set-up."""
    from audit.actors import shell  # noqa: PLC0415 -- models need the apps
    from crypto import envelope  # noqa: PLC0415 -- see above
    from crypto.ids import uuid7  # noqa: PLC0415 -- see above
    from crypto.random import random_bytes  # noqa: PLC0415 -- see above
    from tenants import keys  # noqa: PLC0415 -- see above
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above
    from tenants.keys import keyring  # noqa: PLC0415 -- see above
    from tenants.keys.custody import _data_context, _epoch  # noqa: PLC0415 -- see above
    from tenants.keys.providers import primary_provider  # noqa: PLC0415 -- see above
    from tenants.models import Tenant  # noqa: PLC0415 -- see above

    provider, epoch = primary_provider(), _epoch(now)
    made = [uuid7(now) for _ in range(tenants)]
    Tenant.objects.bulk_create(
        [Tenant(id=each, name=f"{each}.example", created_at=now) for each in made], batch_size=1000
    )
    wrapped, under_them, read = [], [], []
    for tenant in made:
        owned = {
            purpose: envelope.DataKey(id=uuid7(now), secret=random_bytes(32))
            for purpose in ("index", "wrap")
        }
        for purpose, key in owned.items():
            bound = keyring.context_of(key.id, keys.tenant_context(tenant, purpose))
            blob = provider.wrap(key.secret, bound, version=1).blob
            wrapped.append((tenant, key.id, purpose, 1, "file", "root", 1, blob, key.check, now))
        held = {
            series_class: envelope.DataKey(id=uuid7(now), secret=random_bytes(32))
            for series_class in (keys.INBOX, keys.SERIES)
        }
        under = owned["wrap"]
        for series_class, key in held.items():
            blob = envelope.wrap(key=key, under=under, context=_data_context(tenant))
            under_them.append((tenant, key.id, series_class, epoch, under.id, blob, key.check, now))
        context = envelope.context(tenant, keys.SERIES, "row")
        sealed = envelope.seal(key=held[keys.SERIES], plaintext=b"kept", context=context)
        read.append((str(tenant), sealed.hex()))
    _copy("tawny_keys", "tenant_key (tenant_id, id, purpose, version, provider, key_id,"
          " root_version, wrapped, check_value, created_at)", wrapped)  # fmt: skip
    _copy("tawny", "data_key (tenant_id, id, series_class, epoch, under, wrapped, check_value,"
          " created_at)", under_them)  # fmt: skip
    new = [
        create_tenant(name=f"{number}.keyed.example", actor=shell(), reason="bench", now=now)
        for number in range(KEYED)
    ]
    (folder / "rows").write_text(json.dumps(read))
    (folder / "api_keys").write_text(json.dumps([each.api_key for each in new]))


def _copy(database: str, where: str, rows: list[tuple[Any, ...]]) -> None:
    from config.embedded import roles, state  # noqa: PLC0415 -- the home is known by now

    reached = state.connection()
    assert reached is not None
    with (
        roles.connect(reached, user="postgres", database=database) as session,
        session.cursor().copy(f"COPY {where} FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def sealed_of(tenant: UUID, chunks: int, *, now: datetime) -> list[bytes]:
    """Seal chunks of a tenant's."""
    from tenants import keys  # noqa: PLC0415 -- models need the apps

    return [keys.seal(tenant, keys.SERIES, b"chunk", each, now=now) for each in range(chunks)]


def openable(tenant: UUID, sealed: list[bytes]) -> int:
    """Return how many of a tenant's chunks open."""
    from crypto.errors import CryptoError  # noqa: PLC0415 -- models need the apps
    from tenants import keys  # noqa: PLC0415 -- see above
    from tenants.errors import KeyUnavailable  # noqa: PLC0415 -- see above

    opened = 0
    for number, each in enumerate(sealed):
        try:
            opened += keys.unseal(tenant, keys.SERIES, each, number) == b"chunk"
        except (CryptoError, KeyUnavailable):
            continue
    return opened


def share_of_crypto(*, now: datetime) -> dict[str, Any]:
    """Accept requests and give them effect; return sealing's and opening's share of the CPU."""
    from analytics.actions.effect import take_effect  # noqa: PLC0415 -- models need the apps
    from audit.actors import shell  # noqa: PLC0415 -- see above
    from crypto import envelope  # noqa: PLC0415 -- see above
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above
    from tenants.leases import TERM  # noqa: PLC0415 -- see above
    from tenants.models import Work  # noqa: PLC0415 -- see above
    from tenants.models.work import claim  # noqa: PLC0415 -- see above

    new = create_tenant(name="enc8.example", actor=shell(), reason="bench", now=now)
    client = _client()
    spent, octets, calls = [0.0], [0], [0]

    def metered(deed: Callable[..., bytes]) -> Callable[..., bytes]:
        def run(**named: Any) -> bytes:
            begun = time.thread_time()
            said = deed(**named)
            spent[0] += time.thread_time() - begun
            octets[0] += max(len(said), len(named.get("sealed", b"")))
            calls[0] += 1
            return said

        return run

    bodies = [_body(number) for number in range(REQUESTS + 1)]
    real = envelope.seal, envelope.unseal
    envelope.seal, envelope.unseal = metered(real[0]), metered(real[1])
    begun = 0.0
    try:
        for number, body in enumerate(bodies):
            if number == 1:  # the first pays for imports and keys
                spent[0], octets[0], calls[0], begun = 0.0, 0, 0, _used()
            answer = client.post(
                "/v1/events/ip", body, content_type="application/json",
                headers={"authorization": f"Bearer {new.api_key}"},
            )  # fmt: skip
            assert answer.status_code == 200, answer.content
            work = Work.objects.filter(queue="ingest", state="pending").latest("created_at")
            lease = claim(work.id, lease=TERM)
            assert lease is not None
            take_effect(lease, listed=lambda _destinations: False, now=_now())
        total = _used() - begun
    finally:
        envelope.seal, envelope.unseal = real
    return {
        "events": REQUESTS * EVENTS, "envelopes": calls[0],
        "bytes_an_envelope": octets[0] // max(calls[0], 1), "cpu_seconds": round(total, 3),
        "crypto_seconds": round(spent[0], 4), "share": round(spent[0] / total, 5),
        "seconds_at_64_KiB": round(_at_64_kib(), 7),
    }  # fmt: skip


def _at_64_kib(times: int = 2_000) -> float:
    """Return the seconds that one chunk of 64 KiB costs, sealed and opened."""
    from crypto import envelope  # noqa: PLC0415 -- models need the apps

    key = envelope.DataKey(id=UUID(int=1), secret=bytes(range(32)))
    plain = os.urandom(1 << 16)
    begun = time.thread_time()
    for _ in range(times):
        sealed = envelope.seal(key=key, plaintext=plain, context=b"row")
        envelope.unseal(key=lambda _: key, sealed=sealed, context=b"row")
    return (time.thread_time() - begun) / times


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- a bench is its own caller


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _body(number: int) -> bytes:
    source = random.Random(number)  # noqa: S311 -- bench input
    begun = _now() - timedelta(hours=2)
    return b"\n".join(
        json.dumps(
            {
                "ts": (begun + timedelta(milliseconds=source.randrange(3_600_000))).isoformat(),
                "srcIP": f"10.{source.randrange(4)}.{source.randrange(50)}.{source.randrange(250)}",
                "destIP": f"203.0.{source.randrange(255)}.{source.randrange(255)}",
                "destPort": 443, "proto": "tcp", "bytesIn": source.randrange(1 << 20),
                "bytesOut": source.randrange(1 << 16), "duration": source.random() * 60,
                "connID": f"C{source.getrandbits(60):x}", "connState": "SF",
            }
        ).encode()
        for _ in range(EVENTS)
    )  # fmt: skip


def _client() -> Any:
    from django.test import Client  # noqa: PLC0415 -- models need the apps

    return Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")


def load(folder: Path) -> dict[str, int]:
    """Send events and read rows, in turn, `PER_SECOND`, until told to stop; return what failed."""
    from tenants import keys  # noqa: PLC0415 -- models need the apps

    rows = json.loads((folder / "rows").read_text())
    api_keys = json.loads((folder / "api_keys").read_text())
    source, client = random.Random(), _client()  # noqa: S311 -- which row to read
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    begun = time.monotonic()
    did = {"reads": 0, "writes": 0, "failed": 0}
    for number in itertools.count():
        if (folder / "stop").exists():
            break
        time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        if number % 2:
            tenant, sealed = source.choice(rows)
            try:
                ok = keys.unseal(UUID(tenant), keys.SERIES, bytes.fromhex(sealed), "row") == b"kept"
            except Exception:  # noqa: BLE001 -- whatever it is, the read failed
                ok = False
            did["reads"] += 1
        else:
            event = {"ts": _now().isoformat(), "srcIP": "10.1.2.3", "query": "a.example"}
            answer = client.post(
                "/v1/events/dns", json.dumps(event), content_type="application/json",
                headers={"authorization": f"Bearer {source.choice(api_keys)}"},
            )  # fmt: skip
            ok = answer.status_code == 200
            did["writes"] += 1
        did["failed"] += not ok
    did["seconds"] = round(time.monotonic() - begun)
    return did


def rotate() -> None:
    """Rotate the root key, or go on with a rotation."""
    from audit.actors import shell  # noqa: PLC0415 -- models need the apps
    from tenants.actions import rotation  # noqa: PLC0415 -- see above

    def tell(step: str, done: int, total: int) -> None:
        sys.stderr.write(f"{step} {done}/{total}\n")
        sys.stderr.flush()

    rotation.rotate(actor=shell(), reason="bench", now=_now(), progress=tell)


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "rotate":
        rotate()
    else:
        sys.stdout.write(json.dumps(load(Path(sys.argv[2]))) + "\n")
