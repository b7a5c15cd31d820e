"""What can be told without the network: versions, the address, proxies, the key, the state."""

import ipaddress
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tawny import keys
from tawny._version import __version__
from tawny.checkup.values import Check, State
from tawny.errors import InvalidUrl
from tawny.exits import Exit
from tawny.transport import checked

LOCAL_NAMES = ("localhost", "localhost.localdomain")
OTHERS_MAY = 0o077


def client() -> Check:
    """Name the versions, which a report of a problem should hold."""
    said = f"tawny {__version__}, Python {platform.python_version()}, httpx {httpx.__version__}"
    return Check(name="client", said=said)


def address(url: str) -> Check:
    """Judge the address: whether it can be one, and whether the key would travel in clear."""
    try:
        whither = checked(url)
    except InvalidUrl as error:
        return Check(
            name="address",
            state=State.FAILED,
            said=str(error),
            todo="set TAWNY_URL to the service's address, such as https://tawny.example",
            exit=Exit.USAGE,
        )
    if whither.startswith("http:") and not _is_local(whither):
        return Check(
            name="address",
            state=State.WARNING,
            said=f"{whither} is not encrypted: the key and the events can be read on the way",
            todo="use https://, or a tunnel",
        )
    return Check(name="address", said=whither)


def proxy(url: str, environment: Mapping[str, str]) -> Check:
    """Tell which proxy of the environment the requests go through, without its password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    set_here = {name.lower(): value for name, value in environment.items() if value}
    used = set_here.get(f"{parts.scheme}_proxy") or set_here.get("all_proxy")
    if not used:
        return Check(name="proxy", said="none")
    if _exempt(host, set_here.get("no_proxy", "")):
        return Check(name="proxy", said=f"none: NO_PROXY exempts {host}")
    shown = _without_user(used)
    if _is_local(url):
        return Check(
            name="proxy",
            state=State.WARNING,
            said=f"{shown}, for a service on this machine",
            todo=f"set NO_PROXY={host}",
        )
    return Check(name="proxy", said=shown)


def _exempt(host: str, exempted: str) -> bool:
    """Tell whether a host is, or is under, one of those that NO_PROXY lists."""
    names = [name.strip().lower().lstrip(".") for name in exempted.split(",")]
    return any(name and (name in ("*", host) or host.endswith(f".{name}")) for name in names)


def key_form(key: str) -> Check:
    """Judge the form of the key, which needs no service."""
    if not key:
        return Check(
            name="key form",
            state=State.FAILED,
            said="no API key",
            todo="set TAWNY_KEY or give --key",
            exit=Exit.USAGE,
        )
    fault = keys.fault(key)
    if fault is None:
        return Check(name="key form", said=f"well-formed, id {key.split('_')[1]}")
    return Check(
        name="key form",
        state=State.FAILED,
        said=fault,
        todo="copy the whole key again from where it was shown, or make a new one",
        exit=Exit.KEY,
    )


def state_folder(folder: Path) -> Check:
    """Tell whether ``tawny send --follow`` could keep its place and its spool."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\n")
    except OSError as error:
        return Check(
            name="state folder",
            state=State.WARNING,
            said=f"{there} cannot be written: {error.strerror or error}",
            todo="tawny send --follow needs it: change its permissions, or set XDG_STATE_HOME",
        )
    if there == folder and folder.stat().st_mode & OTHERS_MAY:
        return Check(
            name="state folder",
            state=State.WARNING,
            said=f"{folder} is open to other users, and unsent events may lie there",
            todo=f"chmod 700 {folder}",
        )
    return Check(name="state folder", said=f"{folder} can be written")


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOCAL_NAMES


def _without_user(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}"
