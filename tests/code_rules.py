"""Rules of the source that no linter knows: what may open a connection, what may be logged."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "analytics",
    "audit",
    "config",
    "console",
    "crypto",
    "destinations",
    "egress",
    "feeds",
    "openapi",
    "tenants",
    "wisdom",
)
NETWORK = frozenset(
    {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "urllib.request"}
)
"""Modules that open connections."""
MAY_CONNECT = {
    "egress": "fetches, to public addresses alone",
    "analytics/wisdom_client": "asks Wisdom, whose address an operator gave",
    "tenants/keys/providers": "asks a key service, whose address an operator gave",
    "tenants/letters.py": "hands mail to the server that an operator named",
    "audit/places.py": "a checkpoint to syslog, whose address an operator gave",
    "config/embedded": "the launcher's own servers, on this machine",
}
"""Where connections may be opened, each with its reason."""
NAMES_ONLY = {
    "destinations/addresses.py": "turns addresses into bytes",
    "tenants/keys/keyring.py": "the host's own name, for the process's heartbeat",
}
"""Where ``socket`` is imported for something that opens nothing."""
LOGGERS = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "LOGGER"})
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "bind"})
PRIVATE = frozenset({"body", "POST", "GET", "META", "COOKIES", "headers", "data", "query_params"})
"""Of a request: what its sender wrote."""
REQUESTS = frozenset({"request", "_request", "req"})
UNSAFE_CALLS = frozenset({"eval", "exec", "compile", "__import__"})
UNSAFE_MODULES = frozenset({"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle"})
RAW = frozenset({"raw", "extra"})
"""Methods of a queryset that take SQL as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A line that breaks a rule."""

    rule: str
    where: str


def sources(repository: Path) -> Iterator[tuple[str, str]]:
    """Yield each module of the product: path from the repository, text."""
    for package in PACKAGES:
        for path in sorted((repository / package).rglob("*.py")):
            yield path.relative_to(repository).as_posix(), path.read_text("utf-8")


def breaches(path: str, text: str) -> Iterator[Breach]:
    """Find where a module breaks a rule."""
    for node in ast.walk(ast.parse(text)):
        for rule in _broken(path, node):
            yield Breach(rule=rule, where=f"{path}:{getattr(node, 'lineno', 0)}")


def _broken(path: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = _imported(node)
        if names & UNSAFE_MODULES:
            yield "unsafe-module"
        if names & NETWORK and not _may_connect(path):
            yield "connects"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in UNSAFE_CALLS:
            yield "evaluates"
        if _is_raw_sql(node):
            yield "raw-sql"
        if _is_logging(node) and any(_is_private(each) for each in ast.walk(node)):
            yield "logs-a-request"


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {each.name for each in node.names}
    module = node.module or ""
    return {module} | {f"{module}.{each.name}" for each in node.names}


def _may_connect(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in (*MAY_CONNECT, *NAMES_ONLY))


def _is_raw_sql(node: ast.Call) -> bool:
    function = node.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in RAW
        and isinstance(function.value, ast.Attribute | ast.Call)
        and "objects" in ast.unparse(function.value)
    )


def _is_logging(node: ast.Call) -> bool:
    function = node.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in LOGGERS
    )


def _is_private(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in PRIVATE
        and isinstance(node.value, ast.Name)
        and node.value.id in REQUESTS
    )
