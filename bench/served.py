"""Accepting over HTTP: the real web server with one and with two processes, against the bare floor.

The floor is measured in as many processes as serve, each inflating and decoding the same bodies,
right before and right after: so both meet the same machine. Twice as many requests are under way as
there are processes, so that none waits for the network.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from bench.bodies import Body
from bench.meter import cpu_of_tree
from bench.report import Served
from config.embedded import listening, programs

PROCESSES = (1, 2)
ROUNDS = 5
"""Times that each body is sent: accepting does not look for repeats, that is the workers' part."""
SENDERS = 2
"""Requests under way for each process."""
READY_SECONDS = 30.0
REPOSITORY = Path(__file__).resolve().parents[1]


class ServingFailed(Exception):  # noqa: N818 -- reads as a fact
    """The web server did not do its work, so its figures would say nothing."""


def measure(
    bodies: Sequence[Body], *, key: str, home: Path, processes: int, postmaster: int
) -> Served:
    """Serve with some processes and send each body `ROUNDS` times; see `Served`.

    Raises `ServingFailed` where the server does not come up or an event is not accepted.
    """
    events = ROUNDS * sum(body.events for body in bodies)
    before = _floor(bodies, processes)
    place = listening.Listening(bind="127.0.0.1", port=0).claimed()
    environment = programs.environment(home, listening=place)
    command = [sys.executable, *programs.web_command(place, processes=processes)]
    with subprocess.Popen(command, env=environment, cwd=REPOSITORY) as server:  # noqa: S603 -- our own
        try:
            _await(place.host, place.port, server)
            _send([bodies[0]] * (3 * processes), place, key, processes)  # every process has begun
            web, base = cpu_of_tree(server.pid), cpu_of_tree(postmaster)
            begun = time.perf_counter()
            _send(list(bodies) * ROUNDS, place, key, processes)
            wall = time.perf_counter() - begun
            web, base = cpu_of_tree(server.pid) - web, cpu_of_tree(postmaster) - base
        finally:
            server.send_signal(signal.SIGTERM)
    after = _floor(bodies, processes)
    floor_wall = (before[0] + after[0]) / 2 * ROUNDS
    floor_cpu = (before[1] + after[1]) / 2 * ROUNDS
    return Served(
        kind=bodies[0].kind,
        processes=processes,
        requests=ROUNDS * len(bodies),
        events=events,
        wall_seconds=wall,
        web_cpu_seconds=web,
        database_cpu_seconds=base,
        events_per_second=events / wall,
        floor_events_per_second=events / floor_wall,
        floor_cpu_seconds=floor_cpu,
        wall_ratio=floor_wall / wall,
        cpu_ratio=floor_cpu / web,
    )


def _floor(bodies: Sequence[Body], processes: int) -> tuple[float, float]:
    """Decode the bodies in `processes` forks, each its share; return wall and CPU seconds."""
    from bench.measure import decode  # noqa: PLC0415 -- it needs the product's settings

    begun, children = time.perf_counter(), []
    spent = os.times()
    for number in range(processes):
        child = os.fork()
        if not child:
            for body in bodies[number::processes]:
                decode(body)
            os._exit(0)
        children.append(child)
    for child in children:
        if os.waitpid(child, 0)[1]:
            raise ServingFailed("a process of the floor ended badly")
    wall, after = time.perf_counter() - begun, os.times()
    cpu = after.children_user - spent.children_user + after.children_system - spent.children_system
    return wall, cpu


def _await(host: str, port: int, server: "subprocess.Popen[bytes]") -> None:
    limit = time.monotonic() + READY_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        try:
            connection = http.client.HTTPConnection(host, port, timeout=1)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.05)
    raise ServingFailed("the web server did not come up")


def _send(bodies: Sequence[Body], place: listening.Listening, key: str, processes: int) -> None:
    authorization = "Basic " + b64encode(f"{key}:".encode()).decode()
    with ThreadPoolExecutor(SENDERS * processes) as pool:
        for sent in [pool.submit(_post, body, place, authorization) for body in bodies]:
            sent.result()


def _post(body: Body, place: listening.Listening, authorization: str) -> None:
    """Send a body over a connection of its own, so that no process keeps more than its share."""
    connection = http.client.HTTPConnection(place.host, place.port, timeout=120)
    headers = {
        "Authorization": authorization,
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    try:
        connection.request("POST", f"/v1/events/{body.kind}", body=body.packed, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ServingFailed(f"the server answered {answer.status}: {content[:200]!r}")
    if msgspec.json.decode(content)["accepted"] != body.events:
        raise ServingFailed(f"not every event was accepted: {content[:200]!r}")
