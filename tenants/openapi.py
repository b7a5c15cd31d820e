"""The doors of accounts and keys as data, and the pages that mails link to."""

from collections.abc import Mapping

import msgspec

from openapi import Access, Answer, Body, Operation, Parameter, Schema
from tenants import openapi_rights, repeats
from tenants.apikeys import Scope
from tenants.bodies import MAX_BODY
from tenants.members import Details

LIMIT = f"At most {MAX_BODY >> 10} KiB, as sent and inflated."
HTML = "text/html"
PAGE: Schema = {"type": "string"}
KEPT_HOURS = int(repeats.KEPT.total_seconds()) // 3_600


class Platform(msgspec.Struct, kw_only=True):
    """The sensor's product and version."""

    name: str | None = None
    version: str | None = None


class KeyRequest(msgspec.Struct, kw_only=True):
    """What a sensor says of itself; nothing of it is kept."""

    platform: Platform | None = None
    uname: str | None = None
    token: str | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, shown this once."""

    key: str


class Registration(msgspec.Struct, kw_only=True):
    """Who holds the key."""

    details: Details


class ResetRequest(msgspec.Struct, kw_only=True):
    """The address of a registered member."""

    email: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An empty object: it went well."""


class AuditActor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted, by an opaque id."""

    kind: str
    id: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the audit log; ``leaf`` is base64 of the bytes that are hashed.

    ``proof`` holds the hashes of its inclusion proof in base64, leaf side first (RFC 9162).
    """

    index: int
    time: str
    event: str
    label: str
    actor: AuditActor
    resource: str
    outcome: str
    reason: str
    detail: dict[str, str | int]
    leaf: str
    proof: list[str] | msgspec.UnsetType = msgspec.UNSET


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in the order of the log; ``checkpoint`` is the newest signed head, null before it.

    ``begins`` is the index of the first entry that is still kept: earlier ones were retired.
    """

    entries: list[AuditEntry]
    begins: int
    checkpoint: str | None
    follow: str
    more: bool


CHECKPOINT = (
    "tawny.example/log\n1\nOnOSBVQyCTAVXnO3PAuSHbcUR3+Ptz8HtCLxIvhoUM0=\n\n"
    "\N{EM DASH} tawny.example/log c2lnbmF0dXJlIG9mIHRoZSBzZXF1ZW5jZXI=\n"
)

CONTENT_ENCODING = Parameter(
    name="Content-Encoding",
    place="header",
    description="How the body is compressed.",
    schema={"type": "string", "enum": ["identity", "gzip", "deflate"]},
    example="identity",
)
IDEMPOTENCY_KEY = Parameter(
    name=repeats.HEADER,
    place="header",
    description="Names the request, so that it takes effect once however often it is sent"
    f" (draft-ietf-httpapi-idempotency-key-header). Kept {KEPT_HOURS} hours: until then the same"
    " request gets the first one's answer, one with another body 422, and one that comes while the"
    " first is still worked on may get 409. What was answered with an error may be sent again under"
    " its key. May be left out.",
    schema={"type": "string", "pattern": repeats.FORM},
    example='"8e03978e-40d5-43e8-bc93-6894a57f9324"',
)
REPEATED: Mapping[int, str] = {
    409: "Only with an Idempotency-Key: an earlier request with it is still being worked on.",
    422: "Only with an Idempotency-Key: it came with another body before.",
}
"""What a door that reads the header may answer besides."""
TOKEN = Parameter(
    name="token",
    description="The token of the mail's link; without one the answer is 400.",
    example="0123456789abcdefABCDEF",
)
TOKEN_IN_PATH = Parameter(
    name="token",
    place="path",
    description="The token of the mail's link.",
    schema={"type": "string", "pattern": "^[^/]+$"},
    example="0123456789abcdefABCDEF",
)
DEAD = "The link is used, too old or not whole. A browser gets a page."


def _page(description: str) -> Answer:
    return Answer(
        description=description,
        shape=PAGE,
        media=HTML,
        example="<!doctype html><title>Tawny</title>",
    )


def _link(path: str, id_: str, parameter: Parameter, about: str, done: str) -> list[Operation]:
    """Describe both halves of a mail's link: the button, and pressing it."""
    reasons = {400: DEAD}
    if parameter.place == "path":
        reasons[404] = "A token has no slash in it."
    return [
        Operation(
            method="GET",
            path=path,
            id=f"show-{id_}",
            tag="account",
            summary=f"Show the button that {about}",
            description="The link of a mail. It changes nothing, since mail scanners follow links.",
            access=Access.NOBODY,
            parameters=(parameter,),
            answers=(_page("The page with the button."),),
            reasons=reasons,
        ),
        Operation(
            method="POST",
            path=path,
            id=f"press-{id_}",
            tag="account",
            summary=f"Press the button that {about}",
            description="What the page's button does. The token works once.",
            access=Access.NOBODY,
            parameters=(parameter,),
            answers=(_page(done),),
            reasons=reasons,
        ),
    ]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/audit",
        id="audit",
        tag="audit",
        summary="Follow the account's own audit entries",
        description="Who did what with the account, in the order of the log. Ask without `follow`"
        " first, then with the last answer's; while `more` is true, ask again at once. Each entry"
        " comes with the bytes that are hashed (SHA-256 over a zero byte and `leaf`); with"
        " `proofs=1` only entries that the answer's checkpoint covers, each with its inclusion"
        " proof, so that a copy can be held against any checkpoint that was kept elsewhere.",
        scope=Scope.AUDIT,
        parameters=(
            Parameter(
                name="follow",
                description="The `follow` of the last answer. Absent, empty, `0` or `undefined` is"
                " the start.",
                example="1-2s",
            ),
            Parameter(
                name="limit",
                description="The most entries of a page, 1 to 1000; 500 where it is absent.",
                schema={"type": "string", "pattern": "^([1-9][0-9]{0,2}|1000)?$"},
                example="100",
            ),
            Parameter(
                name="event",
                description="Only these events, with commas between them.",
                example="staff.read,key.created",
            ),
            Parameter(
                name="proofs",
                description="`1` asks for inclusion proofs.",
                schema={"type": "string", "enum": ["", "0", "1"]},
                example="1",
            ),
        ),
        answers=(
            Answer(
                description="A page, perhaps empty. `follow` is letters, digits and a hyphen.",
                shape=AuditPage,
                example={
                    "entries": [
                        {
                            "index": 0,
                            "time": "2026-05-01T12:00:00.000000Z",
                            "event": "key.created",
                            "label": "API key created",
                            "actor": {"kind": "shell", "id": "operator"},
                            "resource": "key/EXAMPLE",
                            "outcome": "success",
                            "reason": "first key",
                            "detail": {},
                            "leaf": "e30=",
                            "proof": [],
                        }
                    ],
                    "begins": 0,
                    "checkpoint": CHECKPOINT,
                    "follow": "1-1",
                    "more": False,
                },
            ),
        ),
        refusals=(400,),
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/transparency/checkpoint",
        id="checkpoint",
        tag="audit",
        summary="Read the audit log's newest signed checkpoint",
        description="A signed note (C2SP tlog-checkpoint): the log's origin, its number of entries,"
        " the root over them, and a signature by the sequencer's key. Signed at most every 60 s."
        " Keep one elsewhere: a log that was rewritten afterwards contradicts it.",
        access=Access.NOBODY,
        answers=(
            Answer(
                description="The checkpoint.",
                shape={"type": "string"},
                media="text/plain",
                example=CHECKPOINT,
                headers={"Cache-Control": "`no-store`: each is newer than the last."},
            ),
        ),
        reasons={404: "None was signed yet."},
    ),
    Operation(
        method="POST",
        path="/v1/key/request",
        id="request-key",
        tag="account",
        summary="Ask for a provisional key",
        description="Makes an account of its own with a key: 100,000 events a day, 30 days, no"
        " look-ups, until it is registered and confirmed. Only where sign-up is open; 10 keys an"
        f" hour and network. {LIMIT} Unknown members are ignored.",
        access=Access.NOBODY,
        parameters=(CONTENT_ENCODING,),
        body=Body(
            description="What the sensor says of itself; an empty object will do.",
            content={
                "application/json": (
                    KeyRequest,
                    {"platform": {"name": "sensor-linux-amd64"}, "token": ""},
                )
            },
        ),
        answers=(
            Answer(
                description="The key, shown this once.",
                shape=NewKey,
                example={"key": "twy_EXAMPLE"},
            ),
        ),
        refusals=(400, 413, 415, 429),
        reasons={403: "Sign-up is closed here."},
    ),
    Operation(
        method="POST",
        path="/v1/key/reset",
        id="ask-for-reset",
        tag="account",
        summary="Ask for a link that replaces a lost key",
        description="Mails a link to the address where a confirmed member has it. The answer is the"
        f" same whether one has or not. Ten an hour and network. {LIMIT}",
        access=Access.NOBODY,
        parameters=(CONTENT_ENCODING,),
        body=Body(
            description="The address.",
            content={"application/json": (ResetRequest, {"email": "analyst@example.com"})},
        ),
        answers=(Answer(description="Taken, whoever that is.", shape=Done, example={}),),
        refusals=(400, 413, 415, 429),
    ),
    Operation(
        method="POST",
        path="/v1/account/register",
        id="register",
        tag="account",
        summary="Say who holds the key",
        description="Names a person as a member of the key's account and mails a link that confirms"
        f" the address. Five an hour and account. {LIMIT} Unknown members are ignored.",
        scope=Scope.ACCOUNT,
        parameters=(CONTENT_ENCODING, IDEMPOTENCY_KEY),
        body=Body(
            description="The person; `name` and `email` are needed.",
            content={
                "application/json": (
                    Registration,
                    {
                        "details": {
                            "name": "A. Analyst",
                            "email": "analyst@example.com",
                            "organization": "Example",
                        }
                    },
                )
            },
        ),
        answers=(Answer(description="The mail is on its way.", shape=Done, example={}),),
        refusals=(400, 413, 415),
        reasons=REPEATED,
        limited=429,
    ),
    *openapi_rights.OPERATIONS,
    *_link(
        "/v1/account/verify",
        "verification",
        TOKEN,
        "confirms an address",
        "The address is confirmed.",
    ),
    *_link(
        "/v1/account/verify/{token}",
        "verification-in-path",
        TOKEN_IN_PATH,
        "confirms an address",
        "The address is confirmed.",
    ),
    *_link(
        "/v1/key/reset/open",
        "reset",
        TOKEN,
        "makes a new key",
        "The new key, shown this once; the others go on for 24 hours.",
    ),
)
