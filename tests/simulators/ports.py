"""Ports of loopback for services that are told where to listen: nobody else gets one before its service listens there.

A port that the machine chose may be given away again a moment later, to whatever listens or connects beside these
tests. So ours lie outside the range from which it chooses, and each is claimed until this process ends.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CHOSEN_FROM = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST, _LAST = 10_000, 65_535


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that no other process of tests is given."""
    for port in _candidates():
        claim = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            claim.bind(f"\0sluis test port {port}")  # a name of the kernel's own: one process has it, until it ends
            with socket.create_server(("127.0.0.1", port)):
                claim.detach()
                return port
        claim.close()
    raise AssertionError("every port of loopback is taken")


def _candidates() -> Iterator[int]:
    """Give every port that the machine does not choose by itself, each process from another one on."""
    low, high = map(int, _CHOSEN_FROM.read_text(encoding="ascii").split())
    ports = [port for port in range(_FIRST, _LAST + 1) if not low <= port <= high] or [*range(_FIRST, _LAST + 1)]
    first = os.getpid() * 97 % len(ports)
    yield from ports[first:]
    yield from ports[:first]
