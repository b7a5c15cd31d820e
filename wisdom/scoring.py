"""Points for what lists say, so that a score is the exact sum of its reasons.

Every number is hundredths of a point out of 100.00 and is a judgement with its reason beside it;
calibration against labelled traffic changes this table and nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from destinations.report import FULL_SCORE, Reason, Verdict
from wisdom.index import Match


@dataclass(frozen=True, slots=True)
class Weight:
    """What one source's word for a flag is worth, and why."""

    points: int
    why: str


_MENTION = Weight(5_00, "says what a destination is, not that it is bad")

WEIGHTS: dict[str, Weight] = {
    "apt": Weight(60_00, "reported by name after an analysis"),
    "c2": Weight(60_00, "an observed controller: contact means an infection until explained"),
    "ransomware": Weight(60_00, "an observed controller or leak site, with the gravest outcome"),
    "sinkholed": Weight(60_00, "harmless itself, but only infected hosts ask for it"),
    "botnet": Weight(50_00, "a compromised machine: also reached for other reasons"),
    "capture": Weight(50_00, "collects credentials; contact may be a victim's or a scanner's"),
    "cryptomining": Weight(50_00, "a pool: abuse of resources, sometimes wanted"),
    "dropper": Weight(50_00, "served malware lately; the host may be a victim and clean by now"),
    "malicious_js": Weight(50_00, "serves scripts into visitors' browsers, often a victim itself"),
    "oast": Weight(50_00, "answers attackers' tests and honest ones"),
    "phishing": Weight(50_00, "a page for people: contact is a click, not yet a loss"),
    "imposter": Weight(40_00, "looks like a brand; a third of such names are defensive"),
    "blocklist": Weight(40_00, "on a list that does not say of what: suspicious, not damning"),
    "dshield": Weight(40_00, "a blocklist of scanners: outbound contact is unusual"),
    "popup": Weight(30_00, "a nuisance rather than an intrusion"),
    "tor": Weight(30_00, "hides its user: wanted by some, used by malware"),
    "tor_dns": Weight(30_00, "as tor, through the DNS"),
    "anon": Weight(20_00, "hides its user; mostly policy"),
    "i2p": Weight(20_00, "as anon"),
    "freenet": Weight(20_00, "as anon"),
    "trusted": Weight(0, "good words never take points away: a trusted host may be abused"),
}
"""Points by flag for the first source; a flag that is not here is worth ``_MENTION``."""

CORROBORATION = 15_00
"""At most, for each further independent source: two lists that agree make a c2 host certain enough
(75.00) and a plain blocklist row malicious (55.00), three more fill the scale."""

MALICIOUS_FROM = 50_00  # one specific word, or two independent unspecific ones
SUSPICIOUS_FROM = 25_00  # one unspecific word, or what hides its user

TTL_LISTED = 3_600  # seconds: a row taken off its list stops alarming within the hour
TTL_UNLISTED = 21_600  # seconds: a new listing is noticed within six hours at a quarter of the cost
TTL_UNKNOWING = 300  # seconds: no snapshot yet, so ask again soon
TTL_LEAST = 60  # seconds: rows about to expire do not make engines ask in a loop


def weight(flag: str) -> Weight:
    """Give what one source's word for a flag is worth."""
    return WEIGHTS.get(flag, _MENTION)


def reasons(matches: Iterable[Match]) -> tuple[Reason, ...]:
    """Turn matches into addends: strongest first, then what further independent sources add.

    Of each origin only its strongest word counts, because lists of one publisher repeat each
    other; the rest is shown with no points. What exceeds 100.00 is taken off by a last reason of
    kind ``cap``, so that the sum is exact.
    """
    ordered = sorted(matches, key=_rank)
    heard: set[str] = set()
    found: list[Reason] = []
    total = 0
    for match in ordered:
        points = 0
        if match.feed.origin not in heard:
            points = weight(match.entry.flag).points
            points = min(points, CORROBORATION) if heard else points
        heard.add(match.feed.origin)
        total += points
        found.append(_reason(match, points))
    if total > FULL_SCORE:
        found.append(
            Reason(
                source="scale",
                title="What exceeds the full score",
                kind="cap",
                points=FULL_SCORE - total,
            )
        )
    return tuple(found)


def verdict(score: int, found: Sequence[Reason]) -> Verdict:
    """Name what a score means."""
    if score >= MALICIOUS_FROM:
        return "malicious"
    if score >= SUSPICIOUS_FROM:
        return "suspicious"
    return "noted" if found else "unlisted"


def ttl(matches: Sequence[Match], *, now: int) -> int:
    """Give for how many seconds a report holds: never past the first row that expires."""
    if not matches:
        return TTL_UNLISTED
    soonest = min(match.entry.until for match in matches) - now
    return max(TTL_LEAST, min(TTL_LISTED, soonest))


def _rank(match: Match) -> tuple[int, str, str, str, str, str]:
    """Order matches by weight, and totally, so that equal facts make equal reports."""
    entry = match.entry
    strength = weight(entry.flag).points
    return -strength, match.feed.name, entry.flag, entry.kind, entry.indicator, entry.family


def _reason(match: Match, points: int) -> Reason:
    entry, feed = match.entry, match.feed
    return Reason(
        source=feed.name,
        title=feed.title,
        kind="feed",
        points=points,
        flag=entry.flag,
        indicator=entry.indicator,
        family=entry.family,
        first_seen=_time(entry.first_seen),
        last_seen=_time(entry.last_seen),
        as_of=feed.as_of,
        licence=feed.licence,
        reference=entry.reference,
    )


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
