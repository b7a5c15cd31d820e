"""API-8: whether a limit gives what it says where ten times as much is asked."""

import time
from dataclasses import dataclass

import msgspec

from bench.api.asking import Line, Reply
from bench.api.noise import ACCURACY, QUOTA, paced, spend
from bench.api.product import Product

TIMES = 10
SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Requests asked and given over a time, and by which share more or less than the limit."""

    asked: int
    given: int
    due: float
    share: float
    met: bool


def measure(product: Product, *, seconds: float = SECONDS) -> Rates:
    """Ask ten times the quota of a provisional tenant whose burst is used up."""
    made = Line(product.url).ask("POST", "/v1/key/request", b"{}")
    key = msgspec.json.decode(made.content)["key"]

    def ask(line: Line, _number: int) -> Reply:
        return line.ask("GET", "/v1/alerts")

    spend(product.url, key, path="/v1/alerts")
    begun = time.monotonic()
    replies = paced(seconds, TIMES * QUOTA, 4, ask, lambda: Line(product.url, key))
    due = QUOTA * (time.monotonic() - begun)
    given = sum(each.status == 200 for each in replies)
    share = given / due - 1
    return Rates(asked=len(replies), given=given, due=due, share=share, met=abs(share) <= ACCURACY)
