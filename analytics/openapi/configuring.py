"""Where a tenant says which of its sources are watched, and what they are trusted with."""

from typing import Any

from analytics.actions.groups import MAX_BODY, MAX_ENTRIES, MAX_GROUPS, RawGroups
from analytics.openapi.answers import GroupsTaken
from openapi import Answer, Body, Operation, Parameter
from tenants.apikeys import Scope
from tenants.openapi import IDEMPOTENCY_KEY, REPEATED

GROUPS: dict[str, Any] = {
    "version": "1",
    "groups": [
        {
            "label": "Offices",
            "inclusions": [{"value": "192.0.2.0/24", "desc": "head office"}],
            "exclusions": [{"value": "192.0.2.53", "desc": "resolver"}],
            "trusted": {
                "domains": {
                    "entries": [{"value": "*.internal.example", "desc": ""}],
                    "anomaly": False,
                },
                "cidrs": {"entries": [{"value": "203.0.113.0/24", "desc": ""}], "anomaly": False},
            },
        }
    ],
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/groups/raw",
        id="read-groups",
        tag="configuration",
        summary="Read the monitoring groups",
        description="The groups in their normal spelling. A key with the scope `alerts:read` may"
        " read them too.",
        scope=Scope.CONFIGURE,
        answers=(Answer(description="The groups.", shape=RawGroups, example=GROUPS),),
        limited=429,
    ),
    Operation(
        method="POST",
        path="/v1/groups/raw",
        id="replace-groups",
        tag="configuration",
        summary="Replace the monitoring groups",
        description="Replaces all groups at once, or none where one entry cannot be read. Alerts"
        f" are held against them from each day's next evaluation on. At most {MAX_GROUPS:,} groups,"
        f" {MAX_ENTRIES:,} entries in all and {MAX_BODY >> 20} MiB. A key with both"
        " `ingest:write` and `alerts:read` may replace them too.",
        scope=Scope.CONFIGURE,
        parameters=(
            Parameter(
                name="Content-Encoding",
                place="header",
                description="How the body is compressed.",
                schema={"type": "string", "enum": ["identity", "gzip", "deflate", "zstd"]},
                example="identity",
            ),
            IDEMPOTENCY_KEY,
        ),
        body=Body(
            description="The groups. An entry may be a text alone.",
            content={"application/json": (RawGroups, GROUPS)},
        ),
        answers=(
            Answer(
                description="They are in force.",
                shape=GroupsTaken,
                example={"groups": 1, "entries": 4},
            ),
        ),
        reasons={
            **REPEATED,
            400: "The groups cannot be read, or are too many; `message` says what and where.",
        },
        limited=429,
    ),
)
