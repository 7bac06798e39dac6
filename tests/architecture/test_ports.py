"""A port that a test was given stays its own until its service listens there."""

import socket
from pathlib import Path

import pytest

from tests.simulators.ports import free_port


def test_no_port_is_given_twice_and_none_that_the_machine_gives_away() -> None:
    """Every port is another one, can be listened on, and lies outside those for whoever asks for any."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    given = [free_port() for _ in range(20)]
    assert len(set(given)) == len(given)
    for port in given:
        assert not low <= port <= high
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_another_process_of_tests_is_not_given_it_either() -> None:
    """The claim is a name of which the kernel gives one: whoever wants it too is refused."""
    port = free_port()
    with socket.socket(socket.AF_UNIX) as other, pytest.raises(OSError, match="in use"):
        other.bind(f"\0sluis test port {port}")
