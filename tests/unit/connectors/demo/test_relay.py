import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.demo.relay import Relays


@contextmanager
def echoing_service() -> Iterator[str]:
    """Hold the address of a service that answers every connection with what it was sent, upside down."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    while chunk := connection.recv(1024):
                        connection.sendall(chunk[::-1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def ask(url: str, said: bytes) -> bytes:
    """Return what came back on one connection."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(said)
        answer = connection.recv(1024) if said else b""
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(1024):
            answer += chunk
        return answer


def test_both_directions_pass_and_are_recorded_in_one_piece(tmp_path: Path) -> None:
    """What a service is asked and answers stands in its capture, each direction of a connection unbroken."""
    with echoing_service() as service, Relays(tmp_path) as relays:
        url = relays.open("broker")
        relays.forward("broker", service)
        assert ask(url, b"first") == b"tsrif"
        assert ask(url, b"second") == b"dnoces"
        assert relays.answered_bytes("broker") == 11
        ask(url, b"GET /v1/custodian-feed?after=0")
        assert relays.answered_bytes("broker") == 11
        relays.write()
        recorded = (tmp_path / "broker.bin").read_bytes().split(b"\n")
        followed = b"GET /v1/custodian-feed?after=0"
        assert sorted(recorded) == sorted([b"first", b"second", followed, b"tsrif", b"dnoces", followed[::-1]])


def test_a_service_that_is_not_there_is_a_closed_connection(tmp_path: Path) -> None:
    """Before its service is known, and after the service went away, a relay answers nothing and goes on."""
    with Relays(tmp_path) as relays:
        url = relays.open("witness")
        assert ask(url, b"") == b""
        with socket.socket() as gone:
            gone.bind(("127.0.0.1", 0))  # held, so that nobody else begins to listen there
            relays.forward("witness", f"http://127.0.0.1:{gone.getsockname()[1]}")
            assert ask(url, b"") == b""


def test_an_address_without_a_port_is_refused(tmp_path: Path) -> None:
    """A relay forwards to a stated address only."""
    with Relays(tmp_path) as relays:
        relays.open("broker")
        with pytest.raises(ValueError, match="host and a port"):
            relays.forward("broker", "http://127.0.0.1")
