"""Which kind of events a file holds, by its name."""

from tawny.formats.events import Kind

PREFIXES: tuple[tuple[str, Kind], ...] = (
    ("dns", "dns"),
    ("ip", "ip"),
    ("conn", "ip"),
    ("flow", "ip"),
    ("http", "http"),
    ("tls", "tls"),
    ("ssl", "tls"),
    ("lease", "lease"),
    ("dhcp", "lease"),
)


def kind_by_name(file_name: str) -> Kind | None:
    """Tell the kind from how the last component of a path begins, None where it says nothing."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].lower()
    return next((kind for prefix, kind in PREFIXES if stem.startswith(prefix)), None)
