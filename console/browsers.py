"""What kind of browser a session has, for its owner to tell one from another. Pure.

A family and a system, never the whole header: that would tell people apart rather than sessions.
"""

FAMILIES = (  # a later one names itself as an earlier one too
    ("Firefox/", "Firefox"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "another browser"


def browser_of(agent: str) -> str:
    """Return the family and system that a User-Agent names."""
    family = next((name for mark, name in FAMILIES if mark in agent), UNKNOWN)
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{family} on {system}" if system else family
