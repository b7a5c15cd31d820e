"""Answer about destinations from a snapshot; with none, say so and know nothing."""

from collections.abc import Sequence
from datetime import datetime

from destinations import addresses, names
from destinations.report import Destination, Report
from wisdom import scoring
from wisdom.index import Lookup, Match, Snapshot


def reports(
    destinations: Sequence[Destination], snapshot: Snapshot | None, *, now: datetime
) -> tuple[Report, ...]:
    """Report on each destination, in the order given.

    Without a snapshot every report is empty, names no version, and holds for minutes only.
    """
    seconds = int(now.timestamp())
    if snapshot is None:
        return tuple(
            _report(destination, (), version="", ttl=scoring.TTL_UNKNOWING)
            for destination in destinations
        )
    with snapshot.lookup(now=seconds) as lookup:
        return tuple(
            _report(
                destination,
                matches := _matches(lookup, destination),
                version=snapshot.version,
                ttl=scoring.ttl(matches, now=seconds),
            )
            for destination in destinations
        )


def _matches(lookup: Lookup, destination: Destination) -> Sequence[Match]:
    if destination.kind == "name":
        value = destination.value
        return lookup.name(value, names.registered_domain(value))
    return lookup.address(addresses.parse(destination.value), destination.port)


def _report(
    destination: Destination, matches: Sequence[Match], *, version: str, ttl: int
) -> Report:
    found = scoring.reasons(matches) if matches else ()
    score = sum(reason.points for reason in found)
    domain = names.registered_domain(destination.value) if destination.kind == "name" else None
    return Report(
        destination=destination,
        flags=tuple(dict.fromkeys(reason.flag for reason in found if reason.flag)),
        labels=tuple(
            dict.fromkeys(f"{reason.flag}:{reason.family}" for reason in found if reason.family)
        ),
        domain=domain or "",
        score=score,
        verdict=scoring.verdict(score, found),
        reasons=found,
        ttl=ttl,
        snapshot=version,
        psl=names.PSL_VERSION,
    )
