"""Running a witness: one listening socket, uvicorn with uvloop and httptools, one ready line."""

import socket
from pathlib import Path

import uvicorn

from audit.durability import Durability
from audit.errors import WitnessError
from audit.serve import create_witness_app
from audit.witness_config import load_witness


class _AnnouncingServer(uvicorn.Server):
    """Prints `ready <url>` on stdout once it answers, and ends when the disk can be trusted no more."""

    def __init__(self, config: uvicorn.Config, durability: Durability) -> None:
        super().__init__(config)
        self._durability = durability

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"ready http://{shown}:{port}", flush=True)  # noqa: T201 - the line that starters wait for

    async def on_tick(self, counter: int) -> bool:
        """Return, ten times a second, whether to end."""
        return await super().on_tick(counter) or self._durability.lost is not None


def serve_witness(directory: Path) -> None:
    """Serve the witness of this folder until the process is told to stop, or its disk fails.

    Raises:
        NotDurableError: the disk failed; what was not answered was not cosigned.
        AuditError: the folder's settings, key or store is unusable, or the address cannot be listened on.

    """
    settings, witness = load_witness(directory)
    config = uvicorn.Config(
        create_witness_app(witness),
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise WitnessError("witness: the address cannot be listened on") from error
    with listener:
        _AnnouncingServer(config, witness.durability).run(sockets=[listener])
    witness.durability.check()
