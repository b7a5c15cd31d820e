"""Detections and threats raised because somebody reported the destination."""

from analytics.catalogue.entries import Entry, Limit
from analytics.detectors import listed

_DIRECTIONS = ("out", "in", "inside", "transit")
_TELEMETRY = ("ip: ts, srcIP, destIP, destPort; Wisdom's report on the destination",)
_FORMULA = "the report's points, reason by reason, plus 5 where the destination answered"
_LIMITS = (
    Limit(
        name="answered",
        value=listed.ANSWERED_POINTS,
        unit="points",
        reason="a channel that opened is worth more than one that was refused",
    ),
    Limit(
        name="most severity from outside",
        value=listed.INBOUND_SEVERITY,
        unit="severity",
        reason="listed addresses knock on every public server all day",
    ),
)
_FALSE_POSITIVES = (
    "an address that has changed hands, or is shared by many sites",
    "researchers, scanners and security products that look at listed places on purpose",
)
_TRIAGE = (
    "Read the reasons: how many independent sources, and how old?",
    (
        "Was the destination answered, and were bytes exchanged? Then collect the host's memory"
        " before it is restarted."
    ),
    "Look for the same destination from other hosts, and for what this host contacted just before.",
)


def _threat(id_: str, title: str, *attack: str) -> Entry:
    flags = sorted(flag for flag, threat in listed.THREATS.items() if threat.id == id_)
    levels = [listed.THREATS[flag].severity for flag in flags]
    rule = ", ".join(f"{flag} {level}" for flag, level in zip(flags, levels, strict=True))
    softens = any(listed.THREATS[flag].softens for flag in flags)
    return Entry(
        id=id_,
        title=title,
        severity=max(levels),
        severity_rule=f"by flag: {rule}; at most 3 from outside"
        + ("; one less where every attempt failed" if softens else ""),
        policy=False,
        attack=attack,
        telemetry=_TELEMETRY,
        directions=_DIRECTIONS,
        formula=_FORMULA,
        limits=_LIMITS,
        false_positives=_FALSE_POSITIVES,
        triage=_TRIAGE,
        version=1,
    )


ENTRIES = (
    _threat("listed_destination", "Contact with a destination on a blocklist", "TA0011:T1071"),
    _threat("c2_communication", "Contact with a command-and-control server", "TA0011:T1071"),
    _threat("sinkholed_destination", "Contact with a researchers' sinkhole", "TA0011:T1071"),
    _threat("ransomware_destination", "Contact with ransomware infrastructure", "TA0040:T1486"),
    _threat("malware_distribution", "Contact with a site that spreads malware", "TA0011:T1105"),
    _threat("credential_capture", "Contact with a site that collects passwords", "TA0001:T1566"),
    _threat("phishing_destination", "Contact with a phishing site", "TA0001:T1566"),
    _threat("imposter_destination", "Contact with a look-alike of a brand", "TA0001:T1566"),
    _threat("cryptomining", "Contact with a mining pool", "TA0040:T1496"),
    _threat("oast_destination", "Contact with an out-of-band testing service", "TA0010:T1567"),
    _threat("malicious_javascript", "Contact with a host of malicious scripts", "TA0001:T1189"),
    _threat("anon_circuit", "Contact with an anonymising network", "TA0011:T1090.003"),
)
