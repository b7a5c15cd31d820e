"""Wisdom's doors as data: the engines' own, and those for anybody where they are switched on."""

from destinations import flags
from destinations.report import MAX_DESTINATIONS, ReportsRequest, ReportsResponse
from openapi import Access, Answer, Body, Operation, Parameter
from wisdom import open_views, views

_OFF = "Open Wisdom is not offered by this deployment"
_NO_LISTS = "No lists are published yet."
_MANY = "Too many requests came from this network; `Retry-After` says when to come again."

CATEGORY = Parameter(
    name="category",
    description="A flag, such as `c2`, `sinkholed` or `cryptomining`.",
    required=True,
    schema={"type": "string", "enum": list(flags.BY_NAME)},
    example="c2",
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path="/v1/wisdom/reports",
        id="reports",
        tag="wisdom",
        summary="Report on destinations (for engines)",
        description="The one door through which an Analytics Engine asks. The body has no member"
        " for a source, a time, a user or a tenant, and an unknown member is refused. At most"
        f" {MAX_DESTINATIONS:,} destinations and {views.MAX_BODY >> 20} MiB a request. The key is"
        " an engine's (`twe_...`), not a tenant's.",
        access=Access.ENGINE,
        body=Body(
            description="The destinations, each in normal form.",
            content={
                "application/json": (
                    ReportsRequest,
                    {
                        "destinations": [
                            {"kind": "name", "value": "www.example.com"},
                            {
                                "kind": "address",
                                "value": "198.51.100.7",
                                "port": 443,
                                "protocol": "tcp",
                            },
                        ]
                    },
                )
            },
        ),
        answers=(
            Answer(
                description="One report for each destination, in the order of the request.",
                shape=ReportsResponse,
                example={
                    "reports": [
                        {
                            "destination": {"kind": "name", "value": "www.example.com"},
                            "flags": [],
                            "labels": [],
                            "domain": "example.com",
                            "score": 0,
                            "verdict": "unlisted",
                            "reasons": [],
                            "ttl": 21600,
                            "snapshot": "20260501T120000Z-0123456789abcdef",
                            "psl": "2026-04-30_00-00-00_UTC",
                        }
                    ]
                },
            ),
        ),
        refusals=(400, 413),
    ),
    Operation(
        method="GET",
        path="/v2/items",
        id="open-items",
        tag="open wisdom",
        summary="Sample a category's entries",
        description="Destinations of a category, for tests of a network. Only entries of lists"
        " whose terms allow passing them on. The sample is drawn when a snapshot is built and is"
        " the same for everybody while it serves. Off unless the operator switches it on.",
        access=Access.NOBODY,
        parameters=(
            CATEGORY,
            Parameter(
                name="type",
                description="Names, or addresses with the port to connect to.",
                required=True,
                schema={"type": "string", "enum": ["dns", "ip"]},
                example="dns",
            ),
            Parameter(
                name="limit",
                description=f"How many at most; {open_views.USUAL} where it is absent, and never"
                f" more than {open_views.LIMIT} whatever is asked for.",
                schema={"type": "integer", "minimum": 1, "maximum": 999_999_999},
                example=1000,
            ),
            Parameter(
                name="min",
                description="How many must be known, or the answer is 404.",
                schema={"type": "integer", "minimum": 0, "maximum": 999_999_999},
                example=1,
            ),
            Parameter(
                name="family",
                description="Only entries of this family, in any case.",
                example="Example",
            ),
        ),
        answers=(
            Answer(
                description="The entries; none where none are known.",
                shape=open_views.Items,
                example={
                    "items": [{"domain": "c2.example.com", "ip": "", "port": 0, "protocol": ""}]
                },
                headers={"Cache-Control": "For how long others may keep the answer."},
            ),
        ),
        reasons={
            400: "A parameter is missing or wrong; see `message`.",
            404: f"{_OFF}, or fewer than `min` items are known.",
            429: _MANY,
            503: _NO_LISTS,
        },
    ),
    Operation(
        method="GET",
        path="/v2/families",
        id="open-families",
        tag="open wisdom",
        summary="List a category's families",
        description="The families of a category that `/v2/items` knows, 1,000 at most. Off unless"
        " the operator switches it on.",
        access=Access.NOBODY,
        parameters=(CATEGORY,),
        answers=(
            Answer(
                description="The families in alphabetical order.",
                shape=open_views.Families,
                example={"families": ["Example"]},
                headers={"Cache-Control": "For how long others may keep the answer."},
            ),
        ),
        reasons={
            400: "The category is missing or none; see `message`.",
            404: f"{_OFF}.",
            429: _MANY,
            503: _NO_LISTS,
        },
    ),
)
