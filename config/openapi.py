"""The API's document: the deployment's own doors, words on the whole, the view that serves it."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from config.methods import View, reads
from crypto.digests import sha256
from openapi import Access, Answer, Api, Operation, document

API = Api(
    title="Tawny",
    version="1",
    description="Network behaviour analytics: send telemetry, read few, explained alerts.\n\n"
    "A key is the user name of HTTP Basic (whatever the password) or a Bearer token. Every error"
    " is a JSON object with the member `message`. No door redirects. Paths under `/v1` only"
    " grow: new members may appear in any answer, and a client ignores those it does not know."
    " A method that is not described is answered with 405; HEAD goes wherever GET does.",
    tags={
        "telemetry": "Sending events.",
        "alerts": "Reading what was found.",
        "account": "Keys and the account.",
        "configuration": "What is watched.",
        "audit": "What was done with an account, and proofs that the log holds it.",
        "wisdom": "What is known of destinations.",
        "open wisdom": "Samples of open lists for anybody; off by default.",
        "deployment": "Whether the deployment lives, and this document.",
    },
)

KEPT = "public, max-age=300"
"""For how long others may keep the document: it changes with a release."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That the process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every database answers; ``missing`` names those that do not."""

    status: str
    missing: list[str]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/healthz",
        id="alive",
        tag="deployment",
        summary="Ask whether the process lives",
        description="Answers 200 while the process answers at all.",
        access=Access.NOBODY,
        answers=(Answer(description="It lives.", shape=Health, example={"status": "alive"}),),
    ),
    Operation(
        method="GET",
        path="/readyz",
        id="ready",
        tag="deployment",
        summary="Ask whether the deployment can serve",
        description="Answers 200 once every database answers.",
        access=Access.NOBODY,
        answers=(
            Answer(
                description="It can.",
                shape=Readiness,
                example={"status": "ready", "missing": []},
            ),
            Answer(
                status=503,
                description="It cannot yet.",
                shape=Readiness,
                example={"status": "waiting", "missing": ["keys"]},
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/v1/schema",
        id="schema",
        tag="deployment",
        summary="Read this document",
        description="The API of this deployment as OpenAPI 3.1.",
        access=Access.NOBODY,
        answers=(
            Answer(
                description="The document.",
                shape={"type": "object", "required": ["openapi", "info", "paths"]},
                headers={
                    "ETag": "Names this version; send it as `If-None-Match`.",
                    "Cache-Control": "For how long others may keep it.",
                },
            ),
            Answer(status=304, description="It is the version that was named.", shape=None),
        ),
    ),
)


def schema_view(*packages: tuple[Operation, ...]) -> View:
    """Make the view that serves the document of what a deployment has, written once."""
    operations = [*OPERATIONS, *(each for package in packages for each in package)]
    content = msgspec.json.encode(document(API, operations))
    etag = f'"{sha256(content).hex()[:32]}"'

    @reads
    def view(request: HttpRequest) -> HttpResponse:
        """Answer ``GET /v1/schema``."""
        answer = HttpResponse(content, content_type="application/json")
        answer["Cache-Control"] = KEPT
        answer["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=answer) or answer

    return view
