"""What serving does besides answering: it keeps what is loaded out of every collection, and ends with its disk."""

import gc

import pytest
from starlette.applications import Starlette

from audit.durability import DISK_FAILED, Durability
from audit.errors import NotDurableError
from broker.api.serving import serve


async def test_a_server_whose_disk_failed_ends_and_says_so() -> None:
    """From the moment the mark is set it serves no more; before that, policies are looked through for the last time."""
    app, frozen = Starlette(), list[int]()
    app.state.durability = Durability()

    def ready() -> None:
        frozen.append(gc.get_freeze_count())
        app.state.durability.lost = DISK_FAILED

    try:
        with pytest.raises(NotDurableError, match="start again"):
            await serve(app, host="127.0.0.1", port=0, announce=ready)
    finally:
        gc.unfreeze()
    assert frozen
    assert frozen[0] > len(gc.get_objects(generation=0))
