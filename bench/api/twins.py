"""API-10: a hundred parallel requests with one Idempotency-Key."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from bench.api.asking import Line, Reply, lines
from bench.api.product import Product

TWINS = 100
EVENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """How the twins were answered, with how many different receipts, and what was stored."""

    answers: dict[int, int]
    receipts: int
    stored: int
    other_body: int
    met: bool


def measure(product: Product) -> Twins:
    """Send them all at once, each over a connection of its own; then another body."""
    _, key = product.tenant("twins.example")
    together = threading.Barrier(TWINS)

    def ask(_number: int) -> Reply:
        line = Line(product.url, key)
        together.wait()
        return line.ask("POST", "/v1/events/ip", lines(EVENTS), Idempotency_Key='"twins"')

    with ThreadPoolExecutor(TWINS) as pool:
        replies = list(pool.map(ask, range(TWINS)))
    line = Line(product.url, key)
    other = line.ask("POST", "/v1/events/ip", lines(1), Idempotency_Key='"twins"')
    answers = {
        status: sum(each.status == status for each in replies)
        for status in {each.status for each in replies}
    }
    receipts = len({each.content for each in replies if each.status == 200})
    stored = _events_today(line)
    return Twins(
        answers=answers,
        receipts=receipts,
        stored=stored,
        other_body=other.status,
        met=answers.keys() <= {200, 409}
        and receipts == 1
        and stored == EVENTS
        and other.status == 422,
    )


def _events_today(line: Line) -> int:
    told = msgspec.json.decode(line.ask("GET", "/v1/account/status").content)
    events: int = told["limits"]["eventsToday"]
    return events
