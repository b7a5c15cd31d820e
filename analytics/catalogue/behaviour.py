"""Detections made from a pair's own events."""

from analytics.catalogue.entries import Entry, Limit
from analytics.detectors import beacon, failed_contact, sessions

_EVERY_DIRECTION = ("out", "in", "inside", "transit")

BEACON = Entry(
    id=beacon.DETECTION,
    title="Regular contacts to one destination: beacon",
    severity=3,
    severity_rule="3 from 20 nats where the contact leaves the network (out, transit);"
    " 2 otherwise; how rare the destination is then raises or lowers it",
    policy=False,
    attack=("TA0011:T1071", "TA0011:T1029"),
    telemetry=(
        (
            "ip: ts, srcIP, destIP; better with connID, connState, bytesIn, bytesOut, and times"
            " finer than a second"
        ),
    ),
    directions=_EVERY_DIRECTION,
    formula="max over looks, period p, jitter j, misses m, noise v of"
    " ln L(beacon) - ln(0.52/j) - 2 ln(0.97/(1-v)) - max ln L(aperiodic), in nats, at most 60",
    limits=(
        Limit(
            name="candidate",
            value=beacon.CANDIDATE,
            unit="nats",
            reason="about 1 % of aperiodic days reach it; kept for joining with other evidence,"
            " never an alert alone",
        ),
        Limit(
            name="alert",
            value=beacon.ALERT,
            unit="nats",
            reason="reached by 0.2 % of aperiodic days, all looks taken together",
        ),
        Limit(
            name="strong, and alert from outside",
            value=beacon.STRONG,
            unit="nats",
            reason="chance is out of the question; what is left is which clock it is",
        ),
        Limit(
            name="cap",
            value=beacon.CAP,
            unit="nats",
            reason="more certainty than this changes no decision, so the search ends",
        ),
        Limit(
            name="least contacts",
            value=beacon.STANDARD.contacts,
            unit="contacts",
            reason="five gaps are the fewest that tell a period from chance",
        ),
        Limit(
            name="least span",
            value=beacon.STANDARD.span,
            unit="s",
            reason="a loop that ran for two minutes is not persistence",
        ),
        Limit(
            name="least contacts from outside",
            value=beacon.INBOUND.contacts,
            unit="contacts",
            reason="password guessers make some 30 evenly spaced sessions and leave",
        ),
        Limit(
            name="least span from outside",
            value=beacon.INBOUND.span,
            unit="s",
            reason="they are done within the hour; a standing channel comes back all day",
        ),
    ),
    false_positives=(
        (
            "push services, telemetry, update and licence checks, monitoring agents, mail polling:"
            " real beacons of wanted software"
        ),
        "chance: about one aperiodic pair-day in 500",
        "from outside: uptime monitors and patient password guessers",
    ),
    triage=(
        (
            "Whose is the destination, and how many of your hosts contact it? One host and an"
            " unknown owner is the case to open."
        ),
        (
            "Compare the period with the software on the host: whole minutes are schedulers, odd"
            " periods with 10 to 50 % jitter are command-and-control defaults."
        ),
        (
            "Which process opens the connection? Look at the first contact's time for what was"
            " installed then."
        ),
        (
            "Equal sizes in both directions say that nothing was asked yet; a change of size says"
            " that something was."
        ),
    ),
    version=1,
)

FAILED_CONTACT = Entry(
    id=failed_contact.DETECTION,
    title="Persistent contacts that all fail: beacon without an answer",
    severity=3,
    severity_rule="3 where the attempts are clockwork (20 nats) and leave the network; 2 otherwise",
    policy=False,
    attack=("TA0011:T1071", "TA0011:T1008"),
    telemetry=("ip: ts, srcIP, destIP, destPort, connState (or pktsIn, bytesIn and bytesOut)",),
    directions=tuple(sorted(direction.value for direction in failed_contact.DIRECTIONS)),
    formula="min(30, beacon nats of the attempt times where at least 8)"
    " + min(10, 2 ln(attempts/20)) + min(6, 2 ln(span/600 s))",
    limits=(
        Limit(
            name="alert",
            value=failed_contact.ALERT,
            unit="points",
            reason="clockwork for half an hour, or some 150 failures over 3.4 hours without it",
        ),
        Limit(
            name="least attempts",
            value=failed_contact.FEWEST,
            unit="contacts",
            reason="fewer are a short outage",
        ),
        Limit(
            name="least span",
            value=failed_contact.SHORTEST_SPAN,
            unit="s",
            reason="shorter is one program's retries",
        ),
        Limit(
            name="least share of failures",
            value=failed_contact.SHARE,
            unit="share of contacts",
            reason="a server that answers now and then is overloaded, not gone",
        ),
        Limit(
            name="share on the three most used ports",
            value=failed_contact.FEW_PORTS_SHARE,
            unit="share of attempts",
            reason="a caller knows its ports; a scan of one host tries many",
        ),
    ),
    false_positives=(
        "a server that was switched off while its clients stayed configured",
        "a firewall rule that drops a wanted service",
    ),
    triage=(
        (
            "Was the destination ever answered? A service that stopped is an outage; one that"
            " never worked was never yours."
        ),
        "Is the destination on a list, or was it a sinkhole's? Malware outlives its servers.",
        "Which process keeps trying? Retries of wanted software name themselves in its log.",
    ),
    version=1,
)

LONG_SESSION = Entry(
    id=sessions.DETECTION,
    title="Connection kept open for hours: long-lived session",
    severity=3,
    severity_rule="1 from 1 h, 2 from 4 h, 3 from 12 h; at most 2 where the session does not"
    " leave the network",
    policy=False,
    attack=("TA0011:T1571", "TA0011:T1572"),
    telemetry=("ip: ts, srcIP, destIP, duration; better with connID and connState",),
    directions=_EVERY_DIRECTION,
    formula="longest answered connection of the day: 20, 40, 60, 80 points at 1, 4, 8, 12 h,"
    " linear between",
    limits=tuple(
        Limit(
            name=f"threshold {number}",
            value=threshold.seconds,
            unit="s",
            reason=f"{threshold.reason}: {threshold.points:.0f} points",
        )
        for number, threshold in enumerate(sessions.THRESHOLDS, start=1)
    ),
    false_positives=(
        "push and chat services, databases, backups, VPN and remote desktops in use",
        "servers whose clients hold connections open",
    ),
    triage=(
        "What is the destination port's service, and do its sessions normally last?",
        "Compare bytes with hours: an idle shell is small, a tunnel or backup is large.",
        "Is it still open? Then the host can tell which process holds it.",
    ),
    version=1,
)
