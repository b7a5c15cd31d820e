"""Where one destination is looked up."""

from analytics.views.lookup import LookupAnswer
from openapi import Answer, Operation, Parameter
from tenants.apikeys import Scope

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/wisdom",
        id="look-up",
        tag="wisdom",
        summary="Look up one destination",
        description="What is known of a name or address, with the reasons that add up to its"
        " score. Private addresses, names of one label and names for local use are answered"
        " without asking anybody; the answer says so in `note`. The question reaches Wisdom"
        " without your account or key, and nothing keeps it: the audit log counts look-ups.",
        scope=Scope.WISDOM,
        parameters=(
            Parameter(
                name="q",
                description="A name, an address, `address:port`, `protocol:address:port` with"
                " tcp, udp or icmp, or a URL, of which the host is looked up; IPv6 with a port"
                " stands in brackets. It may be percent-encoded or not; it ends at the next `&`."
                " At most 2,048 characters.",
                required=True,
                schema={"type": "string", "minLength": 1, "maxLength": 2048},
                example="tcp:198.51.100.7:443",
            ),
        ),
        answers=(
            Answer(
                description="The report; `flags` is empty where nothing is known.",
                shape=LookupAnswer,
                example={
                    "destination": {
                        "kind": "address",
                        "value": "198.51.100.7",
                        "port": 443,
                        "protocol": "tcp",
                    },
                    "flags": ["c2"],
                    "labels": ["c2:Example"],
                    "domain": "",
                    "score": 6000,
                    "verdict": "malicious",
                    "reasons": [
                        {
                            "source": "example_list",
                            "title": "An example's list",
                            "kind": "feed",
                            "points": 6000,
                            "flag": "c2",
                            "indicator": "198.51.100.7:443",
                            "family": "Example",
                        }
                    ],
                    "ttl": 3600,
                    "snapshot": "20260501T120000Z-0123456789abcdef",
                },
            ),
        ),
        reasons={
            400: "`q` is missing, or no name, address or URL; see `message`.",
            503: "Wisdom does not answer at present, or too many look-ups are under way.",
        },
        limited=429,
    ),
)
