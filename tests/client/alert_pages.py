"""An answer of ``GET /v1/alerts`` as the service gives it."""

import json

from tests.client.loopback import Answer, Request

ALERT = {
    "id": "a1",
    "eventType": "dns",
    "event": {"ts": "2024-04-19T08:15:30.123456Z", "srcIP": "192.0.2.7", "query": "x.example.net"},
    "threats": ["dns_tunnel"],
    "severity": 4,
    "score": 5505,
    "direction": "out",
    "detection": "dns_tunnel",
    "day": "2024-04-19",
    "count": 318,
    "explanation": {
        "score": 5505,
        "unit": "hundredths of a point",
        "contributions": [
            {
                "feature": "name_length", "value": 52.5, "baseline": 20, "points": 4250,
                "reason": "names are longer than a host's",
            },
            {
                "feature": "names", "value": 318, "baseline": "", "points": 1300,
                "reason": "each name was asked once",
            },
            {
                "feature": "answered", "value": 0, "baseline": 0.25, "points": -45,
                "reason": "nothing answered",
            },
        ],
    },
    "evidence": {"names": 318, "longest": 63},
    "evidenceDigest": "00ff",
    "wisdom": {"flags": ["young"], "labels": ["tunnel"], "domain": "example.net"},
    "versions": {"catalogue": "1"},
    "continues": "a0",
}  # fmt: skip
LESSER = {
    "id": "a2",
    "eventType": "ip",
    "event": {
        "ts": "2024-04-19T08:16:00Z", "srcHost": "pc.example", "srcIP": "192.0.2.8",
        "destIP": "2001:db8::1", "destPort": 443,
    },
    "threats": ["beacon"],
    "severity": 2,
    "score": 2000,
    "direction": "inside",
    "detection": "beacon",
    "day": "2024-04-20",
    "count": 86400,
    "explanation": {"score": 2000, "unit": "hundredths of a point", "contributions": []},
    "evidence": {},
    "wisdom": {"flags": []},
}  # fmt: skip
THREATS = {
    "dns_tunnel": {"title": "DNS tunnel", "severity": 4},
    "beacon": {"title": "Rare beacon", "severity": 2},
}


def one_page(request: Request) -> Answer:
    del request
    body = {"follow": "1-2s", "more": False, "alerts": [ALERT, LESSER], "threats": THREATS}
    return Answer(body=json.dumps(body, indent=2).encode())
