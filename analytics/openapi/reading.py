"""Where alerts, findings, destinations, the account and the vocabulary are read."""

from typing import Any

from analytics.openapi import answers
from openapi import Answer, Operation, Parameter
from tenants.apikeys import Scope

FOLLOW = Parameter(
    name="follow",
    description="The `follow` of the last answer. Absent, empty, `0` or `undefined` is the start."
    " It never expires while alerts are kept (400 days).",
    example="1-2s",
)
FOLLOWED = "Only letters, digits and a hyphen: it may stand in an address as it is."

ALERT: dict[str, Any] = {
    "id": "6f1c2f5e-6c0f-5a3e-9a53-2f6f0d1f7a11",
    "eventType": "ip",
    "event": {
        "ts": "2026-05-01T12:00:00.000000Z",
        "srcIP": "192.0.2.10",
        "destIP": "198.51.100.7",
        "destPort": 443,
        "proto": "tcp",
    },
    "threats": ["c2_communication"],
    "wisdom": {"flags": ["c2"], "labels": ["c2:Example"]},
    "state": "open",
    "detection": "listed_destination",
    "severity": 5,
    "score": 6000,
    "direction": "out",
    "day": "2026-05-01",
    "count": 12,
    "explanation": {
        "score": 6000,
        "unit": "hundredths of a point",
        "contributions": [
            {
                "feature": "c2",
                "value": "198.51.100.7",
                "baseline": "",
                "points": 6000,
                "reason": "A list names the address as a controller.",
            }
        ],
    },
    "evidence": {"contacts": 12},
    "evidenceDigest": "a3f0",
    "versions": {"catalogue": "1"},
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/account/status",
        id="account-status",
        tag="account",
        summary="Read the state of the account",
        description="What existing clients ask before anything else. Unknown parameters, such as"
        " `p`, are ignored.",
        scope=Scope.ACCOUNT,
        answers=(
            Answer(
                description="The account.",
                shape=answers.AccountStatus,
                example={
                    "today": "2026-05-01T12:00:00.000000Z",
                    "registered": True,
                    "expired": False,
                    "expirationDate": "2036-04-28T12:00:00.000000Z",
                    "endpointsSeenToday": 12,
                    "messages": [],
                    "workspaceID": "018f3c1e-0000-7000-8000-000000000001",
                    "eventsKept": {"dns": 1200, "ip": 5300, "http": 0, "tls": 0, "lease": 0},
                    "ignoredFields": {"dns": {"vlan": 1200}},
                    "key": {
                        "id": "EXAMPLE",
                        "label": "first",
                        "scopes": ["account:read"],
                        "expiresAt": None,
                    },
                    "limits": {
                        "plan": "full",
                        "requestsPerSecond": 100.0,
                        "octetsPerSecond": 67108864.0,
                        "eventsToday": 6500,
                    },
                },
            ),
        ),
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/alerts",
        id="alerts",
        tag="alerts",
        summary="Follow the alerts",
        description="Alerts in the order in which they opened or got worse, 500 at most a page."
        " Ask without `follow` first, then with the last answer's; while `more` is true, ask"
        " again at once. No alert is left out or told twice, whatever happens meanwhile. Unknown"
        " parameters are ignored.",
        scope=Scope.ALERTS,
        parameters=(
            FOLLOW,
            Parameter(
                name="minSeverity",
                description="The least severity that is told.",
                schema={"type": "string", "pattern": "^[0-5]?$"},
                example="3",
            ),
            Parameter(
                name="eventType",
                description="Only alerts on these types of event: `dns`, `ip`, `http`, `tls`, or"
                " several with commas.",
                schema={
                    "type": "string",
                    "pattern": "^ *((dns|ip|http|tls)( *, *(dns|ip|http|tls))*)? *$",
                },
                example="dns,http",
            ),
            Parameter(
                name="threats",
                description="`all` defines every threat there is, not only those on the page.",
                example="all",
            ),
            Parameter(
                name="updates",
                description="`1` tells every change of an alert, its withdrawal included.",
                example="1",
            ),
        ),
        answers=(
            Answer(
                description="A page, perhaps empty. " + FOLLOWED,
                shape=answers.Alerts,
                example={
                    "follow": "1-2s",
                    "more": False,
                    "alerts": [ALERT],
                    "threats": {
                        "c2_communication": {
                            "title": "Contact with a command-and-control server",
                            "severity": 5,
                        }
                    },
                },
            ),
        ),
        refusals=(400,),
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/ae/inventory/flags",
        id="inventory-flags",
        tag="alerts",
        summary="List the flags",
        description="Every flag that an alert's `wisdom.flags` may hold.",
        scope=Scope.ALERTS,
        answers=(
            Answer(
                description="All flags by name.",
                shape=answers.Flags,
                example={
                    "flags": {"c2": {"title": "Command and control of malware", "type": "category"}}
                },
            ),
        ),
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/ae/inventory/threats",
        id="inventory-threats",
        tag="alerts",
        summary="List the threats",
        description="Every threat that an alert may name.",
        scope=Scope.ALERTS,
        answers=(
            Answer(
                description="All threats by id.",
                shape=answers.Threats,
                example={
                    "threats": {
                        "c2_communication": {
                            "title": "Contact with a command-and-control server",
                            "severity": 5,
                            "policy": False,
                        }
                    },
                    "version": "1",
                },
            ),
        ),
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/findings",
        id="findings",
        tag="alerts",
        summary="Follow every change as OCSF",
        description="Every change of an alert as an OCSF 1.5 Detection Finding (class 2004), 500 at"
        " most a page: opened, raised, updated, withdrawn. A first call without `follow` goes back"
        " three days, or as far as `maxAge` says; with a bookmark nothing is left out.",
        scope=Scope.ALERTS,
        parameters=(
            FOLLOW,
            Parameter(
                name="maxAge",
                description="How far back a first call goes: a number and its unit (`s`, `m` or"
                " `h`), or several of them.",
                example="3600s",
            ),
            Parameter(
                name="schema",
                description="`ocsf`, which is what there is.",
                schema={"type": "string", "enum": ["", "ocsf"]},
                example="ocsf",
            ),
            Parameter(
                name="time",
                description="The unit of times: milliseconds, as OCSF says, or seconds.",
                schema={"type": "string", "enum": ["", "ms", "s"]},
                example="s",
            ),
        ),
        answers=(
            Answer(
                description="A page, perhaps empty. " + FOLLOWED,
                shape=answers.Findings,
                example={
                    "follow": "1-2s",
                    "more": False,
                    "records": [
                        {
                            "class_uid": 2004,
                            "type_uid": 200401,
                            "time": 1777636800000,
                            "severity_id": 5,
                        }
                    ],
                },
                headers={"x-stream-follow": "The same as `follow`."},
            ),
        ),
        reasons={400: "A parameter cannot be read; see `message`."},
        limited=429,
    ),
    Operation(
        method="GET",
        path="/v1/dailyDestinations",
        id="daily-destinations",
        tag="alerts",
        summary="Follow the daily summaries of destinations",
        description="What the account's sources contacted, once for each UTC day, told three hours"
        " after its end; 5,000 destinations at most a page. Unknown parameters are ignored.",
        scope=Scope.ALERTS,
        parameters=(FOLLOW,),
        answers=(
            Answer(
                description="A page, perhaps empty. " + FOLLOWED,
                shape=answers.DailyDestinations,
                example={
                    "destinations": [
                        {
                            "day": "2026-05-01",
                            "ts": "2026-05-01T00:00:00Z",
                            "destination": "www.example.com",
                            "kind": "name",
                            "eventTypes": ["dns"],
                            "events": 12,
                            "sources": 3,
                            "firstSeen": "2026-05-01T08:00:00.000000Z",
                            "lastSeen": "2026-05-01T17:30:00.000000Z",
                        }
                    ],
                    "follow": "1-2",
                    "more": False,
                },
            ),
        ),
        reasons={400: "`follow` is none of ours; see `message`."},
        limited=429,
    ),
)
