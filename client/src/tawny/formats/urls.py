"""URLs put together from the columns of an HTTP log."""

import re

HTTP_PORT = 80
CONNECT = "CONNECT"

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)", re.ASCII)
_ENDS_IN_PORT = re.compile(r"(?:[^:]|\]):\d+", re.ASCII)


def http_url(
    *, method: str | None, host: str | None, uri: str | None, dest: str, port: int | None
) -> str:
    """Give ``scheme://host[:port]uri``, the port where it is not the scheme's.

    ``host`` is the Host header; ``dest`` and ``port``, where the request went, stand in for it. A
    request to a proxy names its whole URL, which is kept, without any user's name and password;
    ``CONNECT host:port`` becomes ``https://host:port`` without a path.
    """
    if method and method.upper() == CONNECT:
        return f"https://{_without_user(uri or _authority(host, dest, port))}"
    if uri and (absolute := _ABSOLUTE.match(uri)):
        scheme, authority = absolute.groups()
        return f"{scheme.lower()}://{_without_user(authority)}{uri[absolute.end() :]}"
    return f"http://{_without_user(_authority(host, dest, port))}{_path(uri)}"


def _authority(host: str | None, dest: str, port: int | None) -> str:
    name = host or dest
    if ":" in name:
        if not name.startswith("[") and name.count(":") > 1:
            name = f"[{name}]"
        elif _ENDS_IN_PORT.search(name):
            return name.removesuffix(f":{HTTP_PORT}")
    return name if port is None or port == HTTP_PORT else f"{name}:{port}"


def _path(uri: str | None) -> str:
    """Give the uri as a path; ``*`` (of OPTIONS and PRI) and nothing are the server itself."""
    if not uri or uri == "*":
        return ""
    return uri if uri[0] in "/?#" else f"/{uri}"


def _without_user(authority: str) -> str:
    return authority.rpartition("@")[2]
