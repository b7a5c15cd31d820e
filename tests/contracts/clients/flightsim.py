"""``flightsim``, the public traffic generator: it asks Open Wisdom for targets, without a key.

Go matches names in any case. Of addresses it uses those with a port, over TCP.
"""

from dataclasses import dataclass
from typing import Any

from tests.contracts import go
from tests.contracts.wire import Answer, Server, request

MOST = 1_000
ITEMS = go.struct(
    items=go.listed(go.struct(Domain=go.STRING, IP=go.STRING, Port=go.INT, Protocol=go.STRING))
)
FAMILIES = go.struct(families=go.STRINGS)


class NoTargets(Exception):  # noqa: N818 -- reads as a fact
    """It ends with the text of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One run of it."""

    server: Server

    def names(self, category: str, *, family: str = "", least: int = 0) -> list[str]:
        """Ask for names to resolve."""
        return [each["Domain"] for each in self._items(category, "dns", family, least)]

    def hosts(self, category: str, *, family: str = "", least: int = 0) -> list[str]:
        """Ask for addresses to connect to."""
        return [
            f"{go.ADDRESS.of(each['IP'], 'IP')}:{each['Port']}"
            for each in self._items(category, "ip", family, least)
            if each["Port"] > 0 and each["Protocol"] == "tcp"
        ]

    def families(self, category: str) -> list[str]:
        """Ask which families there are."""
        answer = self._get(f"/v2/families?category={category}")
        found: list[str] = go.decode(answer.body, FAMILIES)["families"]
        return found

    def _items(self, category: str, form: str, family: str, least: int) -> list[dict[str, Any]]:
        query = f"category={category}"
        query += f"&family={family}" if family else ""
        query += f"&limit={MOST}"
        query += f"&min={least}" if least else ""
        answer = self._get(f"/v2/items?{query}&type={form}")
        found: list[dict[str, Any]] = go.decode(answer.body, ITEMS)["items"]
        return found

    def _get(self, target: str) -> Answer:
        headers = [
            ("Host", self.server.authority),
            ("User-Agent", "Go-http-client/1.1"),
            ("Accept-Encoding", "gzip"),
        ]
        answer = self.server.send(request("GET", target, headers))
        if answer.status != 200:
            raise NoTargets(answer.body.decode())
        return answer
