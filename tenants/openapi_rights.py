"""The doors of what a tenant says of its own rows, as data."""

import msgspec

from openapi import Answer, Body, Operation, Parameter
from tenants.apikeys import Scope
from tenants.bodies import MAX_BODY

LIMIT = f"At most {MAX_BODY >> 10} KiB, as sent and inflated."
CONTENT_ENCODING = Parameter(
    name="Content-Encoding",
    place="header",
    description="How the body is compressed.",
    schema={"type": "string", "enum": ["identity", "gzip", "deflate"]},
    example="identity",
)


class RetentionTerms(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Days from receipt that rows are kept."""

    series_days: int
    alerts_days: int


class RetentionLimits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The fewest and the most days of each term."""

    series_days: tuple[int, int]
    alerts_days: tuple[int, int]


class Retention(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The terms that hold; while the account is ``held`` by law, nothing is deleted."""

    series_days: int
    alerts_days: int
    limits: RetentionLimits
    held: bool


class ResearchChoice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether de-identified series may be used for research."""

    allowed: bool


class Research(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the account says of research use; ``since`` is null where it is not allowed."""

    allowed: bool
    since: str | None


TERMS = {"seriesDays": 30, "alertsDays": 180}
RETENTION = Answer(
    description="The terms that hold.",
    shape=Retention,
    example={**TERMS, "limits": {"seriesDays": [7, 90], "alertsDays": [30, 400]}, "held": False},
)
RESEARCH = Answer(
    description="What the account says.",
    shape=Research,
    example={"allowed": True, "since": "2026-05-01T12:00:00.000000Z"},
)


def _kept(
    path: str, id_: str, *, about: str, more: str, answer: Answer, body: Body
) -> list[Operation]:
    """Describe both methods of a setting that is read and replaced as a whole."""
    return [
        Operation(
            method="GET",
            path=path,
            id=f"read-{id_}",
            tag="account",
            summary=f"Read {about}",
            description=more,
            scope=Scope.CONFIGURE,
            answers=(answer,),
            limited=429,
        ),
        Operation(
            method="PUT",
            path=path,
            id=f"set-{id_}",
            tag="account",
            summary=f"Set {about}",
            description=f"{more} Unknown members are refused. {LIMIT}",
            scope=Scope.CONFIGURE,
            parameters=(CONTENT_ENCODING,),
            body=body,
            answers=(answer,),
            refusals=(400, 413, 415),
            limited=429,
        ),
    ]


OPERATIONS: tuple[Operation, ...] = (
    *_kept(
        "/v1/account/retention",
        "retention",
        about="how long rows are kept",
        more="Days from receipt: series 7 to 90, alerts 30 to 400 and no fewer than the series."
        " What is past its term goes within a day.",
        answer=RETENTION,
        body=Body(
            description="Both terms.",
            content={"application/json": (RetentionTerms, TERMS)},
        ),
    ),
    *_kept(
        "/v1/account/research",
        "research",
        about="whether series may be used for research",
        more="Off until the account allows it; an export is refused from the moment that it is"
        " withdrawn.",
        answer=RESEARCH,
        body=Body(
            description="The choice.",
            content={"application/json": (ResearchChoice, {"allowed": True})},
        ),
    ),
)
