"""What the answers of the service show before any key: way, encryption, readiness, clock."""

from email.utils import parsedate_to_datetime

from tawny.checkup.values import Check, Heard, Lost, State

OK = 200
DAY = 86_400
CERTIFICATE_DAYS = 14  # a renewal that failed once is tried again by most programs within a week
SLOW_SECONDS = 1.0  # a page of alerts then takes longer to ask for than to read
CLOCK_SECONDS = 5.0  # windows of ten minutes hardly feel less; a machine with NTP keeps within one
FUTURE_SECONDS = DAY  # events further ahead are rejected as ts_future
DATE_SECONDS = 0.5  # half of what the Date header's whole seconds leave open


def reachable(heard: Heard | Lost) -> Check:
    """Judge whether the service answers at its address."""
    if isinstance(heard, Lost):
        return Check(name="reachable", state=State.FAILED, said=heard.said, todo=heard.todo)
    if 300 <= heard.status < 400:
        return Check(
            name="reachable",
            state=State.FAILED,
            said=f"it redirects to {heard.location or 'nowhere'}; redirects are not followed",
            todo="set TAWNY_URL to where it redirects, without /healthz",
        )
    if heard.status != OK:
        return Check(
            name="reachable",
            state=State.FAILED,
            said=f"/healthz answered {heard.status}",
            todo="check TAWNY_URL: another program may answer, or something before the service",
        )
    return Check(name="reachable", said=f"first answer after {_milliseconds(heard.seconds)}")


def encrypted(heard: Heard, *, now: float) -> Check:
    """Judge the certificate's remaining days."""
    if heard.tls is None:
        return Check(name="TLS", state=State.SKIPPED, said="not used")
    if heard.certificate is None:
        return Check(name="TLS", said=heard.tls)
    days = int((heard.certificate - now) // DAY)
    if days < CERTIFICATE_DAYS:
        return Check(
            name="TLS",
            state=State.WARNING,
            said=f"{heard.tls}, the certificate ends in {days} days",
            todo="renew the server's certificate",
        )
    return Check(name="TLS", said=f"{heard.tls}, the certificate is valid for {days} days more")


def ready(heard: Heard | Lost) -> Check:
    """Judge whether the service has everything it serves with."""
    if isinstance(heard, Lost):
        return Check(name="ready", state=State.FAILED, said=heard.said, todo=heard.todo)
    if heard.status != OK:
        text = " ".join(heard.body[:200].decode("utf-8", "replace").split())
        return Check(
            name="ready",
            state=State.FAILED,
            said=f"/readyz answered {heard.status}" + (f": {text}" if text else ""),
            todo="wait a minute; then look at the service's logs",
        )
    return Check(name="ready", said="everything serves")


def latency(heard: Heard) -> Check:
    """Judge how long an answer takes on a connection that is open."""
    said = f"an answer takes {_milliseconds(heard.seconds)}"
    if heard.seconds < SLOW_SECONDS:
        return Check(name="latency", said=said)
    return Check(
        name="latency", state=State.WARNING, said=said, todo="look for load there or loss between"
    )


def clock(heard: Heard, *, today: float | None) -> Check:
    """Compare this machine's clock with the service's, by its ``today`` or the Date header.

    The service's moment lies between asking and the answer: half of that, and half of the Date
    header's second, is the error.
    """
    middle = (heard.asked + heard.came) / 2
    within = (heard.came - heard.asked) / 2
    if today is None:
        dated = _date(heard.date)
        if dated is None:
            return Check(name="clock", state=State.SKIPPED, said="the service tells no time")
        today, within = dated + DATE_SECONDS, within + DATE_SECONDS
    ahead = middle - today
    if abs(ahead) <= CLOCK_SECONDS + within:
        return Check(name="clock", said=f"agrees with the service's within {abs(ahead):.1f} s")
    said = f"is {_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the service's"
    if ahead > FUTURE_SECONDS:
        return Check(
            name="clock",
            state=State.FAILED,
            said=f"{said}: events of now are rejected there",
            todo="set this machine's clock (NTP)",
        )
    return Check(
        name="clock", state=State.WARNING, said=said, todo="set this machine's clock (NTP)"
    )


def _date(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * DAY else f"{seconds / DAY:.0f} days"
