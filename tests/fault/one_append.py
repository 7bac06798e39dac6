"""One append in a process of its own, for tests that break it off: `python -m tests.fault.one_append FOLDER`.

It says `ready` before the append, then `done` or `not done` and why, for it and for one that is tried after it.
"""

import asyncio
import os
import sys
from pathlib import Path

from broker.domain.errors import NotRecordedError
from tests.fault.test_log_writer_database import Process

READY = "ready"
TRIED = ("first", "again")


async def main(folder: Path) -> None:
    """Append twice to the log that stands in the folder."""
    process = Process(folder)
    await process.ledger.open()
    os.write(1, f"{READY}\n".encode())
    for name in TRIED:
        try:
            await process.write(name)
        except NotRecordedError as error:
            os.write(1, f"{name} not done {type(error).__name__}\n".encode())
        else:
            os.write(1, f"{name} done\n".encode())
    process.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
