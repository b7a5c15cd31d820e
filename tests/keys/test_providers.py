"""One contract for every place that a root key may lie in."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from crypto.errors import CryptoError, NotAuthentic
from tenants import keys
from tenants.errors import KeyUnavailable
from tenants.keys.providers.aws_kms import AwsKmsProvider
from tenants.keys.providers.calls import Away
from tenants.keys.providers.file import FileProvider
from tenants.keys.providers.vault_transit import VaultTransitProvider
from tenants.keys.providers.wrapping import Provider
from tests.keys.services import Kms, Service, Vault

SECRET, CONTEXT = b"\x07" * 32, b"a row of a tenant"
ARNS = tuple(f"arn:aws:kms:eu-west-1:000000000000:key/{number}" for number in (1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    provider: Provider
    service: Service | None = None


def private(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o400)
    return str(path)


@pytest.fixture(params=["file", "vault_transit", "aws_kms"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "file":
        yield Place(provider=FileProvider(private(tmp_path / "root", "0b" * 32)))
        return
    if request.param == "vault_transit":
        vault = Vault()
        token = private(tmp_path / "token", vault.TOKEN)
        with vault.served() as address:
            provider = VaultTransitProvider(
                address=address, mount="transit", key="root", token_file=token
            )
            yield Place(provider=provider, service=vault)
        return
    kms = Kms(*ARNS)
    with kms.served() as address:
        yield Place(provider=in_kms(address, tmp_path), service=kms)


def in_kms(address: str, tmp_path: Path, arns: tuple[str, ...] = ARNS) -> AwsKmsProvider:
    return AwsKmsProvider(
        region="eu-west-1", keys=arns, address=address,
        credentials_file=private(tmp_path / "aws", "AKIDEXAMPLE\nsecret"),
        clock=lambda: datetime(2026, 5, 1, tzinfo=UTC),
    )  # fmt: skip


def second(provider: Provider) -> int:
    """Return the number of a second version, made where it is not there."""
    return provider.current_version() if provider.name == "aws_kms" else provider.add_version()


def test_what_is_wrapped_is_named_and_unwraps_in_its_context_alone(place: Place) -> None:
    wrapped = place.provider.wrap(SECRET, CONTEXT, version=1)
    assert (wrapped.provider, wrapped.key_id, wrapped.version) == (
        place.provider.name, place.provider.key_id, 1,
    )  # fmt: skip
    assert SECRET not in wrapped.blob
    assert place.provider.unwrap(wrapped, CONTEXT) == SECRET
    with pytest.raises(NotAuthentic):
        place.provider.unwrap(wrapped, CONTEXT + b"2")


def test_a_newer_version_leaves_the_older_one_opening_and_takes_over(place: Place) -> None:
    old = place.provider.wrap(SECRET, CONTEXT, version=1)
    newer = second(place.provider)
    assert newer == place.provider.current_version() == 2
    assert list(place.provider.versions()) == [1, 2]
    assert place.provider.unwrap(old, CONTEXT) == SECRET
    new = place.provider.rewrap(old, CONTEXT, version=2)
    assert new.version == 2
    assert new.blob != old.blob
    assert place.provider.unwrap(new, CONTEXT) == SECRET
    with pytest.raises(NotAuthentic):
        place.provider.rewrap(old, b"another row", version=2)


def test_a_blob_under_a_false_version_does_not_open(place: Place) -> None:
    wrapped = place.provider.wrap(SECRET, CONTEXT, version=1)
    second(place.provider)
    with pytest.raises((KeyUnavailable, CryptoError)):
        place.provider.unwrap(replace(wrapped, version=2), CONTEXT)
    with pytest.raises((KeyUnavailable, CryptoError)):
        place.provider.unwrap(replace(wrapped, version=9), CONTEXT)


def test_check_values_tell_versions_apart_and_stay(place: Place) -> None:
    first = place.provider.check_value(1)
    assert len(first) == 16
    assert place.provider.check_value(second(place.provider)) != first
    assert place.provider.check_value(1) == first


def test_a_destroyed_version_opens_nothing_and_the_other_goes_on(place: Place) -> None:
    old = place.provider.wrap(SECRET, CONTEXT, version=1)
    new = place.provider.rewrap(old, CONTEXT, version=second(place.provider))
    place.provider.destroy(1)
    with pytest.raises((KeyUnavailable, CryptoError)):
        place.provider.unwrap(old, CONTEXT)
    assert place.provider.unwrap(new, CONTEXT) == SECRET
    assert list(place.provider.versions()) == [2]


def test_an_outage_is_unavailable_and_passes(place: Place) -> None:
    if place.service is None:
        return
    wrapped = place.provider.wrap(SECRET, CONTEXT, version=1)
    place.service.away = True
    for call in (
        lambda: place.provider.unwrap(wrapped, CONTEXT),
        lambda: place.provider.wrap(SECRET, CONTEXT, version=1),
        lambda: place.provider.check_value(1),
    ):
        with pytest.raises(Away):
            call()
    place.service.away = False
    assert place.provider.unwrap(wrapped, CONTEXT) == SECRET


def test_a_transit_key_that_ignores_contexts_is_refused(tmp_path: Path) -> None:
    vault = Vault(derived=False)
    token = private(tmp_path / "token", vault.TOKEN)
    with vault.served() as address:
        provider = VaultTransitProvider(
            address=address, mount="transit", key="root", token_file=token
        )
        with pytest.raises(KeyUnavailable, match="not derived"):
            provider.check_value(1)


def test_no_context_of_a_row_stands_in_what_kms_logs(tmp_path: Path) -> None:
    kms = Kms(*ARNS)
    with kms.served() as address:
        in_kms(address, tmp_path).wrap(SECRET, CONTEXT, version=1)
    assert CONTEXT.decode() not in str(kms.seen)


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
def test_in_an_outage_held_keys_go_on_and_new_ones_are_unavailable_at_the_doors(
    vault: Vault, tenant: tuple[UUID, str], client: Client, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    owner, key = tenant
    sealed = keys.seal(owner, keys.SERIES, b"contents", "row", now=now)
    seed = keys.system_seal("totp", b"seed", 1)
    vault.away = True
    begun = time.monotonic()
    for second in range(60):  # a minute by the clock that keys are held by
        monkeypatch.setattr(time, "monotonic", lambda at=begun + second: at)
        assert keys.unseal(owner, keys.SERIES, sealed, "row") == b"contents"
        again = keys.seal(owner, keys.SERIES, b"more", "row", now=now)
        assert keys.unseal(owner, keys.SERIES, again, "row") == b"more"
        assert keys.system_unseal("totp", seed, 1) == b"seed"
    monkeypatch.undo()
    keys.forget()
    with pytest.raises(KeyUnavailable):
        keys.unseal(owner, keys.SERIES, sealed, "row")
    bearer = {"authorization": f"Bearer {key}"}
    event = '{"ts":"2026-05-01T10:00:00Z","srcIP":"10.0.0.1","query":"example.com"}'
    answer = client.post("/v1/events/dns", event, content_type="application/json", headers=bearer)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    vault.away = False
    keys.forget()
    assert keys.unseal(owner, keys.SERIES, sealed, "row") == b"contents"
    assert keys.system_unseal("totp", seed, 1) == b"seed"
