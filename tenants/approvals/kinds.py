"""What may need a second person, and who that may be. Whoever does a deed registers its kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tenants.errors import UnfitTerms
from tenants.models import Pending

LASTS = timedelta(hours=72)
"""An approval given later is given without what was known when it was asked for; three days bridge
a weekend."""


class Subject(StrEnum):
    """What a deed is done to."""

    TENANT = "tenant"  # the tenant sees it in its own feed of the log
    STAFF = "staff"  # who it is done to is no second person
    OTHER = "other"


Outcome = Mapping[str, str | int]
CarryOut = Callable[[Pending, datetime], Outcome]
"""Does the deed at a time, again if need be, and returns what the log says of it. Raises
`UnfitTerms` for what cannot be done."""


def accept(_subject: str, _parameters: Mapping[str, str]) -> None:
    """Find nothing wrong with what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of deed.

    ``check`` raises `UnfitTerms` for a subject or parameters that make no sense. A ``quick`` kind
    is carried out by whoever approves, at once. One that does not ``wait`` needs a second person
    whatever their number. With ``sealed`` a sealed account is a second person too. ``whom`` names
    the parameter that says who gets something by it: that account is no second person.
    """

    name: str
    carry_out: CarryOut
    words: Callable[[Pending], str]
    check: Callable[[str, Mapping[str, str]], None] = accept
    subject: Subject = Subject.OTHER
    quick: bool = False
    waits: bool = True
    sealed: bool = False
    whom: str = ""
    lasts: timedelta = LASTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Staff, by account id: owners that count as a person, every active owner, sealed accounts.

    ``settled`` are accounts of any role that are nobody's second account of today.
    """

    counting: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()


def _nobody(_now: datetime) -> Circle:
    return Circle()


_kinds: dict[str, Kind] = {}
_circle: list[Callable[[datetime], Circle]] = [_nobody]


def register(
    kind: str,
    carry_out: CarryOut,
    words: Callable[[Pending], str],
    *,
    check: Callable[[str, Mapping[str, str]], None] = accept,
    subject: Subject = Subject.OTHER,
    quick: bool = False,
    waits: bool = True,
    sealed: bool = False,
    whom: str = "",
    lasts: timedelta = LASTS,
) -> None:
    """Make a kind of deed known; called once, when the apps are ready."""
    _kinds[kind] = Kind(
        name=kind, carry_out=carry_out, words=words, check=check, subject=subject, quick=quick,
        waits=waits, sealed=sealed, whom=whom, lasts=lasts,
    )  # fmt: skip


def kind_named(name: str) -> Kind:
    """Return a kind; raises `UnfitTerms` for one that this deployment does not have."""
    kind = _kinds.get(name)
    if kind is None:
        raise UnfitTerms(f"this deployment does nothing named {name}")
    return kind


def kinds() -> Mapping[str, Kind]:
    """Return every kind by name."""
    return dict(_kinds)


def people_by(circle: Callable[[datetime], Circle]) -> None:
    """Say who knows the owners: the console, which is above."""
    _circle[0] = circle


def people(*, now: datetime) -> Circle:
    """Return who counts at `now`."""
    return _circle[0](now)
